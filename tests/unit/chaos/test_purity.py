"""A handler that asks the clock, draws or reaches outside is caught in the act, however it says so."""

from __future__ import annotations

import datetime as dt
import gc
import importlib
import io
import logging
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import choice
from time import time as moment
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from magnetar.chaos import NotSurvived, survives
from magnetar.runtime import Context, HandlerFailed, World, replace
from tests.unit.chaos.kiosk import ORDERS, Order, Place, kiosk

if TYPE_CHECKING:
    from collections.abc import Callable

IMPURE: dict[str, tuple[Callable[[], object], str]] = {
    "the clock": (time.time, "time.time(): "),
    "the clock by name": (moment, "time.time(): "),
    "the clock in nanoseconds": (time.time_ns, "time.time_ns(): "),
    "the monotonic clock": (time.monotonic, "time.monotonic(): "),
    "now": (lambda: datetime.now(UTC), "datetime.now(): "),
    "now by module": (lambda: dt.datetime.now(UTC), "datetime.now(): "),
    "today": (dt.date.today, "date.today(): "),
    "a pause": (lambda: time.sleep(0.0), "time.sleep(): "),
    "a draw": (random.random, "random: "),
    "a draw by name": (lambda: choice("ab"), "random: "),
    "a secret": (secrets.token_hex, "os.urandom(): "),
    "noise": (lambda: os.urandom(4), "os.urandom(): "),
    "an id": (uuid.uuid4, "uuid.uuid4(): "),
    "an id by name": (uuid4, "uuid.uuid4(): "),
    "an id of this machine": (uuid.uuid1, "uuid.uuid1(): "),
    "a thread": (lambda: threading.Thread(target=str).start(), "threading.Thread.start(): "),
    "a socket": (socket.socket, "socket.socket(): "),
    "a file": (Path(__file__).open, "open(): "),
    "a process": (lambda: subprocess.run([sys.executable, "-c", ""], check=True), "subprocess.Popen(): "),
}


def placing(act: Callable[[], object]) -> Callable[[Order, Place, Context], Order]:
    """A handler that does this besides."""

    def place(order: Order, message: Place, context: Context) -> Order:
        act()
        return replace(order, status="placed")

    return place


def story(world: World) -> None:
    """One message."""
    world.send(Place(order_id="o-1"))


@pytest.mark.parametrize("what", IMPURE)
def test_what_is_not_pure_is_caught(what: str) -> None:
    """It is named, with its handler and what to take instead."""
    act, named = IMPURE[what]
    with pytest.raises(NotSurvived) as broken:
        survives(kiosk(place=placing(act)), story, seeds=0)
    assert broken.value.seed is None
    assert f"actor 'orders': place (test_purity.py:{place_line()}) calls {named}" in str(broken.value)
    assert ("context." in str(broken.value)) or ("Remote" in str(broken.value))


def place_line() -> int:
    """Where `place` begins."""
    return placing(str).__code__.co_firstlineno


def test_what_a_handler_hides_is_caught() -> None:
    """Swallowing the error does not help."""

    def hidden() -> None:
        with suppress(Exception):
            time.time()

    with pytest.raises(NotSurvived, match=r"calls time\.time\(\)"):
        survives(kiosk(place=placing(hidden)), story, seeds=0)


def test_what_is_pure_may_be_done() -> None:
    """One's own seeded generator, a fixed instant."""

    def pure() -> None:
        random.Random(7).random()
        datetime(2026, 1, 1, tzinfo=UTC).isoformat()

    survives(kiosk(place=placing(pure)), story, seeds=5)


class Dated(logging.Formatter):
    """Asks for the time by itself, as structlog does."""

    def format(self, record: logging.LogRecord) -> str:
        """With the time."""
        return f"{datetime.now(UTC)} {record.getMessage()}"


def test_a_log_line_may_have_its_time() -> None:
    """It changes nothing of what comes out, whoever formats it."""
    log, handler = logging.getLogger("kiosk"), logging.StreamHandler(io.StringIO())
    handler.setFormatter(Dated())
    log.addHandler(handler)
    try:
        survives(kiosk(place=placing(lambda: log.warning("placed"))), story, seeds=0)
    finally:
        log.removeHandler(handler)
    assert "placed" in handler.stream.getvalue()


def test_an_import_may_do_what_it_wants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done once in a process."""
    (tmp_path / "imported_late.py").write_text("import time\n\nSTART = time.time()\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    survives(kiosk(place=placing(lambda: importlib.import_module("imported_late"))), story, seeds=0)


def test_the_collector_does_not_run_in_a_handler() -> None:
    """Others hang on it what a handler may not do, as Hypothesis its stop-watch."""
    collected: list[float] = []

    def stop_watch(phase: str, info: dict[str, int]) -> None:
        collected.append(time.perf_counter())

    def much() -> None:
        assert [[] for _ in range(5000)]

    thresholds = gc.get_threshold()
    gc.callbacks.append(stop_watch)
    gc.set_threshold(700, 10, 10)  # whatever the process has set
    try:
        survives(kiosk(place=placing(much)), story, seeds=5)
    finally:
        gc.callbacks.remove(stop_watch)
        gc.set_threshold(*thresholds)
    assert collected
    assert gc.isenabled()


def test_a_story_may_ask_the_clock() -> None:
    """Only handlers are watched, and only in a trial."""

    def timed(world: World) -> None:
        story(world)
        assert time.time() > 0
        assert world.state(ORDERS, str(uuid4())).status == "new"

    survives(kiosk(), timed, seeds=5)
    with World(kiosk(place=placing(time.time))) as world:
        world.send(Place(order_id="o-1"))


def test_a_profiler_keeps_its_place() -> None:
    """Two cannot listen at once: whoever measures goes first, and nothing is taken from it."""
    calls: list[str] = []

    def profiler(frame: object, event: str, argument: object) -> None:
        calls.append(event)

    sys.setprofile(profiler)
    try:
        survives(kiosk(place=placing(time.monotonic)), story, seeds=0)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert calls


def test_a_handler_of_its_own_error_is_that_error() -> None:
    """Watching changes nothing of what is raised."""

    def wrong() -> None:
        raise HandlerFailed("a", "b", "c", "d", ValueError("e"))

    with pytest.raises(NotSurvived, match="HandlerFailed: actor 'a'"):
        survives(kiosk(place=placing(wrong)), story, seeds=0)
