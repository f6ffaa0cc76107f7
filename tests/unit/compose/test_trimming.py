"""The job that trims the journal: it goes on after a failure, tells what it did, and ends when it is told to."""

from __future__ import annotations

import logging
import queue
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from magnetar.runtime.compose.settings import Settings
from magnetar.runtime.compose.trimming import Trimming
from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.port import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from magnetar.runtime.instant import Instant

PATIENCE = 30.0


class Dropped(NamedTuple):
    """What a store tells."""

    table: str
    gone: int
    kept: int


class Store:
    """Is away at first, then has one old partition, then nothing old, then somebody else is at it."""

    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[Instant] = queue.SimpleQueue()
        self.open = 0
        self._answers: list[Sequence[Dropped] | None] = [[Dropped("journal_20260101", 7, 1)], [], None]
        self._away = True

    @contextmanager
    def upkeep(self) -> Generator[Store]:
        """Connect."""
        if self._away:
            self._away = False
            raise StoreUnavailable("nobody there")
        self.open += 1
        yield self
        self.open -= 1

    def trim_alone(self, age: Instant) -> Sequence[Dropped] | None:
        """See `Upkeep`."""
        self.asked.put(age)
        return self._answers.pop(0) if self._answers else []


def test_it_looks_again_and_again_and_tells(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the store said before; with the age that was asked for, and a connection for each look only."""
    store = Store()
    with caplog.at_level(logging.INFO):
        trimming = Trimming(store.upkeep, days=30, every=0.01)
        ages = {store.asked.get(timeout=PATIENCE) for _ in range(5)}
        trimming.close()
        trimming._thread.join(PATIENCE)
    assert not trimming._thread.is_alive()
    assert ages == {30 * 86_400 * SECOND}
    assert store.open == 0
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "the journal was not trimmed: nobody there; trying again in 0 s",
        "journal_20260101 is too old: 7 rows are gone, 1 kept",
    ]


def test_it_ends_before_its_first_look() -> None:
    """A worker that drains waits for nobody."""
    trimming = Trimming(Store().upkeep, days=30, every=1e6)
    began = time.monotonic()
    trimming.close()
    trimming._thread.join(PATIENCE)
    assert not trimming._thread.is_alive()
    assert time.monotonic() - began < PATIENCE
    assert all(thread is not trimming._thread for thread in threading.enumerate())


@pytest.mark.parametrize(("text", "wanted"), [("90", 90.0), ("7", 7.0), (None, None)])
def test_how_much_is_kept_is_a_setting(text: str | None, wanted: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything, unless somebody says otherwise."""
    if text is not None:
        monkeypatch.setenv("MAGNETAR_JOURNAL_DAYS", text)
    assert Settings().journal_days == wanted


@pytest.mark.parametrize("text", ["6.9", "0", "-1", "nan", "inf", "1e9"])
def test_too_little_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may still be delivered again is not forgotten by a slip of the pen."""
    monkeypatch.setenv("MAGNETAR_JOURNAL_DAYS", text)
    with pytest.raises(ValueError, match="journal_days"):
        Settings()
