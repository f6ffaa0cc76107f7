"""What a supervisor of processes decides: when one is started, asked to end, killed; and how it ends itself. Pure.

Told what has happened, by a clock in seconds that never jumps, `step` says what to do now. A process that died is
started again, later and later while it keeps dying, for ever: a broker that is away for a night must not leave a
machine without workers in the morning.
"""

from __future__ import annotations

import logging
import signal
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

_log = logging.getLogger("magnetar.processes")

OK = 0
FAILED = 1


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds. The wait before a start doubles from `first` to `most`, and begins anew after a run of `settled`.

    `drain` is how long a process may take to end in order, `grace` how much longer until it is killed, and again
    until nobody waits for it. After `loud` failures in a row, and each such number more, it is said as an error.
    """

    first: float = 0.2
    most: float = 10.0
    settled: float = 60.0
    drain: float = 10.0
    grace: float = 5.0
    loud: int = 5

    def before(self, failures: int) -> float:
        """The wait after so many failures in a row, at least one."""
        return min(self.most, self.first * 2.0 ** min(failures - 1, 60))


class Deed(Enum):
    """What is done to a process."""

    START = auto()
    TERMINATE = auto()
    KILL = auto()


class Act(NamedTuple):
    """Do it to the process in this place."""

    deed: Deed
    place: int


@dataclass(slots=True)
class _Place:
    """One of the processes, through all its lives. `since` is when it was started, None while it does not run."""

    number: int
    due: float | None
    since: float | None = None
    failures: int = 0
    done: set[Deed] = field(default_factory=set)


class Supervision:
    """Decides for `count` places, from 0. Every method is called by one thread."""

    def __init__(self, count: int, patience: Patience, bad_input: int, now: float) -> None:
        """`bad_input`: the exit status that says that no start can ever succeed."""
        self._patience = patience
        self._bad_input = bad_input
        self._places = [_Place(number, now) for number in range(count)]
        self._proven = False
        self._until: float | None = None
        self._status = OK

    def started(self, place: int, now: float) -> None:
        """It runs."""
        found = self._places[place]
        found.since, found.due = now, None

    def ended(self, place: int, status: int, now: float) -> None:
        """It runs no more: its exit status, or minus the signal that ended it."""
        found = self._places[place]
        ran, found.since = now - (now if found.since is None else found.since), None
        self._prove(now, ran)
        if self._until is not None:
            self._left(found, status)
        elif status == self._bad_input and not self._proven:
            _log.error("process %d cannot be started as it is (exit status %d): all are stopped", place, status)
            self._status = status
            self.stop(now)
        else:
            self._again(found, status, ran, now)

    def stop(self, now: float) -> None:
        """Let all of them end in order; nothing is started from now on."""
        if self._until is None:
            _log.info("all processes are asked to end; a second signal ends them at once")
            self._until = now + self._patience.drain + self._patience.grace
            for place in self._places:
                place.due = None

    def step(self, now: float) -> list[Act]:
        """What is to be done now. Each start is answered by `started`, or by `ended` alone where it failed."""
        return [Act(deed, place.number) for place in self._places for deed in self._wanted(place, now)]

    def finished(self, now: float) -> int | None:
        """The exit status of the whole once it is over: 0 when every process ended in order."""
        if self._until is None:
            return None
        left = [place.number for place in self._places if place.since is not None]
        if not left:
            return self._status
        if now < self._until + self._patience.grace:
            return None
        _log.error("processes %s were killed and do not end: nobody waits for them any more", left)
        return self._status or FAILED

    def _wanted(self, place: _Place, now: float) -> list[Deed]:
        if place.since is None:
            return [Deed.START] if place.due is not None and now >= place.due else []
        wanted: list[Deed] = []
        if self._until is not None:
            wanted = [Deed.TERMINATE] if now < self._until else [Deed.KILL]
        new = [deed for deed in wanted if deed not in place.done]
        place.done.update(new)
        return new

    def _prove(self, now: float, ran: float) -> None:
        """Whether any process has ever run for long: then what is wrong now is no mistake of the command line."""
        runs = [ran, *(now - place.since for place in self._places if place.since is not None)]
        self._proven = self._proven or max(runs) >= self._patience.settled

    def _left(self, place: _Place, status: int) -> None:
        """While all are stopped. Ended by SIGTERM it had not come so far as to have anything in hand."""
        if status not in {OK, -signal.SIGTERM}:
            _log.error("process %d %s instead of ending in order", place.number, worded(status))
            self._status = self._status or FAILED

    def _again(self, place: _Place, status: int, ran: float, now: float) -> None:
        place.failures = 1 if ran >= self._patience.settled else place.failures + 1
        wait = self._patience.before(place.failures)
        place.due = now + wait
        level = logging.ERROR if place.failures % self._patience.loud == 0 else logging.WARNING
        _log.log(
            level,
            "process %d %s after %.1f s, %d in a row; starting it again in %.1f s",
            place.number,
            worded(status),
            ran,
            place.failures,
            wait,
        )


def worded(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
