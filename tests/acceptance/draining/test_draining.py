"""Ctrl-C and SIGTERM drain: nothing in flight is lost, the exit status is 0, and a second signal leaves at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from magnetar.runtime.compose.places import store_place
from tests.acceptance.draining.process import Counter, counting

LONGEST = 30.0


@contextmanager
def process(store: Path, trouble: str = "") -> Generator[subprocess.Popen[str]]:
    """A worker's process; whatever happens, it is gone afterwards."""
    command = [sys.executable, "-m", "tests.acceptance.draining.process", str(store), *([trouble] if trouble else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as life:
        try:
            yield life
        finally:
            if life.poll() is None:
                life.kill()


def wait_for(life: subprocess.Popen[str], word: str) -> None:
    """Read its output up to this line."""
    assert life.stdout is not None
    for line in life.stdout:
        if line.strip() == word:
            return
    raise AssertionError(f"it ended with {life.wait(LONGEST)} before it was {word}: {life.communicate()[1]}")


def totals(store: Path) -> tuple[int, int]:
    """The sum of all counters, and the rows of their journal."""
    views = store_place(f"sqlite:///{store}").views()
    try:
        codec = counting.wire().actors["counters"].codec
        states = [codec.decode(row.body, codec.schema, Origin()) for row in views.states_of("counters")]
        assert views.unsent_of("counters") == []
        assert {(row.owner, row.clean) for row in views.shards()} == {("", True)}
        return sum(each.total for each in states if isinstance(each, Counter)), len(list(views.journal_of("counters")))
    finally:
        views.close()


class Origin:
    """What an error would say."""

    topic = message_id = schema_version = "test"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains(number: signal.Signals, tmp_path: Path) -> None:
    """Under full load: each message is applied and published once, or still the broker's; no row is left unsent."""
    store = tmp_path / "count.db"
    with process(store) as life:
        wait_for(life, "busy")
        life.send_signal(number)
        output, errors = life.communicate(timeout=LONGEST)
    assert life.returncode == 0, errors
    told = json.loads(output.splitlines()[-1])
    total, journal = totals(store)
    assert total == journal == told["published"] == told["sent"] - told["left"]
    assert 0 < total <= told["sent"]


def test_a_second_signal_leaves_at_once(tmp_path: Path) -> None:
    """While a handler keeps it from draining: status 130, without waiting for anything."""
    with process(tmp_path / "count.db", "hang") as life:
        wait_for(life, "hanging")
        start = time.monotonic()
        life.send_signal(signal.SIGTERM)
        life.send_signal(signal.SIGINT)  # another number, for two equal ones at once are one signal
        _, errors = life.communicate(timeout=LONGEST)
    assert life.returncode == 130
    assert time.monotonic() - start < 5
    assert "second signal; leaving at once" in errors


def test_a_worker_that_fails_says_so(tmp_path: Path) -> None:
    """Status 1, the last word on stderr, and everything before it is kept."""
    store = tmp_path / "count.db"
    with process(store, "break") as life:
        output, errors = life.communicate(timeout=LONGEST)
    assert life.returncode == 1
    assert "snapped at k" in errors
    told = json.loads(output.splitlines()[-1])
    views = store_place(f"sqlite:///{store}").views()
    applied = len(list(views.journal_of("counters")))
    views.close()
    assert applied <= told["sent"]
    assert told["left"] >= 1
