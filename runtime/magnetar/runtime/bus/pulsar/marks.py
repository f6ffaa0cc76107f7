"""How far a subscription is acknowledged: only the REST API tells, so it is asked beside the loop.

The broker's own word for it, the mark-delete position, is not always that of a message: it is `23:-1` when a ledger has
been used up, and may be of a ledger that is gone. So it is read as the last acknowledged message that is still kept.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError, Position

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger that the broker keeps of a partition; of the last one, which is open, `entries` may be 0."""

    number: int
    entries: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The last acknowledged message that is kept (None: there is none), and the numbers of the ledgers kept."""

    acknowledged: Position | None
    ledgers: frozenset[int]


def mark_of(mark_delete: Position, ledgers: Sequence[Ledger]) -> Mark:
    """Read the broker's mark-delete position; `ledgers` ascend."""
    numbers = frozenset(ledger.number for ledger in ledgers)
    if mark_delete.entry >= 0:
        return Mark(mark_delete if mark_delete.ledger in numbers else None, numbers)
    before = [each for each in ledgers if each.number < mark_delete.ledger and each.entries > 0]
    return Mark(Position(before[-1].number, before[-1].entries - 1) if before else None, numbers)


class Marking:
    """Asks how far a subscription is acknowledged, and again until it is told. One thread; never blocks.

    Args:
        ask: asks, in some other thread, and ends by itself: one question at a time. Called by a `poll`.
        what: the subscription, for the log.
        patience: seconds without an answer after which the log says so.
        delay: seconds from the first `poll` to the question: most who poll know before that they need no answer.
        retry: seconds from a failure to the next question.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        ask: Callable[[], Future[Mark]],
        what: str,
        patience: float,
        delay: float = 0.03,
        retry: float = 0.2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._what = what
        self._patience = patience
        self._delay = delay
        self._retry = retry
        self._clock = clock
        self._told = False
        self._since: float | None = None
        self._not_before = 0.0
        self._mark: Mark | None = None
        self._asked: Future[Mark] | None = None

    def poll(self) -> Mark | None:
        """The answer; None while there is none."""
        if self._mark is None:
            self._look()
        return self._mark

    def _look(self) -> None:
        now = self._clock()
        if self._since is None:
            self._since, self._not_before = now, now + self._delay
        if self._asked is None and now >= self._not_before:
            self._asked = self._ask()
        if self._asked is not None and self._asked.done() and not self._asked.cancelled():  # closed: no answer comes
            self._hear(self._asked, now)
        elif now - self._since >= self._patience:
            self._miss(f"no answer for {self._patience:g} s")

    def _hear(self, asked: Future[Mark], now: float) -> None:
        failure = asked.exception()
        if failure is None:
            self._mark = asked.result()
        elif isinstance(failure, BusError):
            self._miss(str(failure))
            self._asked, self._not_before = None, now + self._retry
        else:
            raise failure

    def _miss(self, why: str) -> None:
        """Once: who waits for the answer says for how long."""
        if not self._told:
            self._told = True
            _log.warning("how far %s is acknowledged is not known yet; asking on: %s", self._what, why)
