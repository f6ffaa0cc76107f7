"""How far a subscription is acknowledged: only the REST API tells, so an opening asks it beside the loop.

The broker's own word for it, the mark-delete position, is not always that of a message: it is `23:-1` when a ledger has
been used up, and may be of a ledger that is gone. So it is read as the last acknowledged message that is still kept.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from magnetar.runtime.bus.port import BusError, Position

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

_log = logging.getLogger(__name__)

N = TypeVar("N")
T = TypeVar("T")


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


class Marking(Generic[N, T]):
    """Turns the client's consumer into ours when its mark is known, or after `patience` seconds without.

    Args:
        ask: asks for the mark, in some other thread; called once, when the subscription is ours.
        make: makes our consumer; without a mark where it could not be found out.
        what: the subscription, for the log.
        patience: seconds.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        ask: Callable[[], Future[Mark]],
        make: Callable[[N, Mark | None], T],
        what: str,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._make = make
        self._what = what
        self._patience = patience
        self._clock = clock
        self._until = 0.0
        self._asked: Future[Mark] | None = None

    def __call__(self, native: N) -> T | None:
        """Our consumer; None while the mark is on its way."""
        if self._asked is None:
            self._asked = self._ask()
            self._until = self._clock() + self._patience
        if not self._asked.done() and self._clock() < self._until:
            return None
        return self._make(native, self._mark(self._asked))

    def _mark(self, asked: Future[Mark]) -> Mark | None:
        if not asked.done():
            asked.cancel()
            self._miss(f"no answer within {self._patience:g} s")
        elif not asked.cancelled():
            failure = asked.exception()
            if failure is None:
                return asked.result()
            if not isinstance(failure, BusError):
                raise failure
            self._miss(str(failure))
        return None

    def _miss(self, why: str) -> None:
        _log.warning(
            "how far %s is acknowledged is unknown, so an older store would not be noticed: %s", self._what, why
        )
