"""A worker that is started while broker or store is away: what is waited for, for how long, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import BusUnavailable, Refused, TopicMissing
from magnetar.runtime.compose.reaching import made_once_reached
from magnetar.runtime.store.port import CommitUnknown, StoreMismatch, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

MADE = "a worker"


def failing(*failures: Exception) -> Callable[[], str]:
    """Made after these."""
    left = list(failures)

    def make() -> str:
        if left:
            raise left.pop(0)
        return MADE

    return make


def test_what_is_away_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it is, and each time it is said."""
    away = [StoreUnavailable("no database"), BusUnavailable("no broker"), CommitUnknown("perhaps migrated")]
    assert made_once_reached(failing(*away), shared=True, pause=lambda _: None) == MADE
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [str(each) for each in away]


def test_the_pauses_grow_to_five_seconds() -> None:
    """So that who is back is noticed soon, and who is away is left in peace."""
    pauses: list[float] = []
    made_once_reached(failing(*[BusUnavailable("no broker")] * 6), shared=True, pause=pauses.append)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


@pytest.mark.parametrize("refusal", [Refused("no"), TopicMissing("none"), StoreMismatch("another app's")])
def test_a_refusal_is_raised(refusal: Exception) -> None:
    """It would be the same the next time."""
    with pytest.raises(type(refusal)):
        made_once_reached(failing(refusal), shared=True, pause=lambda _: None)


def test_a_file_does_not_come_by_itself() -> None:
    """A path that was mistyped is told at once; the broker beside it is waited for."""
    with pytest.raises(StoreUnavailable):
        made_once_reached(
            failing(BusUnavailable("no broker"), StoreUnavailable("no folder")), shared=False, pause=lambda _: None
        )
