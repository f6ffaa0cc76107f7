"""Openings that are on their way."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from magnetar.runtime.bus.port import BusError, BusUnavailable, Refused, TopicMissing
from magnetar.runtime.bus.pulsar import errors, native

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from magnetar.runtime.bus.pulsar.native import Closable, NativeError

N = TypeVar("N", bound="Closable")
T = TypeVar("T")

EXPLANATION = 0.25
"""Seconds for whoever is asked why an opening has timed out. Where a broker is frozen, its REST API is silent as well,
and the next try must not wait for that. (Measured: 2 s of the 18 in which nothing was applied.)"""


class Arrival(Generic[N]):
    """The slot in which the client puts what it opened, or the error.

    It is called in the client's I/O thread, where an exception ends the process: it only appends and pops, and
    closes without waiting. Whoever pops the outcome, owns it; so it is closed once, whichever side is first.
    """

    def __init__(self) -> None:
        self._slot: deque[N | NativeError] = deque(maxlen=1)
        self._unwanted = False

    def __call__(self, outcome: N | NativeError) -> None:
        """Called by the client, once."""
        self._slot.append(outcome)
        if self._unwanted:
            self._drop()

    def take(self) -> N | NativeError | None:
        """The outcome, if it is there: from then on the caller's."""
        try:
            return self._slot.pop()
        except IndexError:
            return None

    def unwanted(self) -> None:
        """Close it as soon as it is there."""
        self._unwanted = True
        self._drop()

    def _drop(self) -> None:
        outcome = self.take()
        if outcome is not None and not native.is_error(outcome):
            cast("N", outcome).close_async(_ignore)


class PulsarOpening(Generic[N, T]):
    """An opening, polled by the loop.

    Args:
        arrival: the slot that was given to the client.
        wrap: makes our object of the client's; called by each `poll` until it gives one.
        doing: what is being opened, for error messages.
        deadline: seconds after which the client is no longer believed to answer at all.
        absent: starts to ask whether the subscription exists at all. The client repeats *subscription not found*
            until it times out, so that a forgotten `topics apply` looks like a broker that is down. Whoever is asked
            has `EXPLANATION` seconds; the next opening asks again.
    """

    def __init__(
        self,
        arrival: Arrival[N],
        wrap: Callable[[N], T | None],
        doing: str,
        deadline: float,
        absent: Callable[[], Future[bool]] | None = None,
    ) -> None:
        self._arrival = arrival
        self._wrap = wrap
        self._doing = doing
        self._until = time.monotonic() + deadline
        self._absent = absent
        self._failure: BusError | None = None
        self._asked: Future[bool] | None = None
        self._opened: N | None = None
        self._wrapped: T | None = None

    def poll(self) -> T | None:
        """The opened thing, or None; raises the `BusError` it failed with. Never blocks."""
        if self._failure is not None:
            self._raise_when_explained(self._failure)
            return None
        if self._opened is None:
            self._take()
        if self._wrapped is None and self._opened is not None:
            self._wrapped = self._wrap(self._opened)
        return self._wrapped

    def abandon(self) -> None:
        """Close it: at once if it is there, also when it was polled, else in the client's thread when it comes."""
        self._arrival.unwanted()
        if self._opened is not None:
            self._opened.close_async(_ignore)

    def _take(self) -> None:
        outcome = self._arrival.take()
        if outcome is None:
            self._raise_when_overdue()
        elif native.is_error(outcome):
            self._fail(errors.from_error(cast("NativeError", outcome), self._doing))
        else:
            self._opened = cast("N", outcome)

    def _raise_when_overdue(self) -> None:
        if time.monotonic() > self._until:
            self.abandon()
            self._failure = BusUnavailable(f"{self._doing}: the client has not answered in time; ask again")
            raise self._failure

    def _fail(self, failure: BusError) -> None:
        self._failure = failure
        if self._absent is None or not isinstance(failure, BusUnavailable):
            raise failure
        self._asked, self._until = self._absent(), time.monotonic() + EXPLANATION

    def _raise_when_explained(self, failure: BusError) -> None:
        asked = self._asked
        if asked is None:
            raise failure
        if not asked.done():
            if time.monotonic() <= self._until:
                return
            asked.cancel()  # in an outage one more would wait for its turn with each try
        self._asked = None
        self._failure = _explained(failure, asked, self._doing)
        raise self._failure


def _explained(failure: BusError, asked: Future[bool], doing: str) -> BusError:
    """A token that the broker does not take looks like a time-out, too: the other one who was asked has refused it."""
    if asked.cancelled() or not asked.done():
        return failure
    said = asked.exception()
    if isinstance(said, Refused):
        return Refused(f"{doing}: {said}")
    if said is None and asked.result():
        return TopicMissing(f"{doing}: no such subscription; provision it with `magnetar topics apply`")
    return failure


_ignore = bool
"""A callback implemented in C that takes the result and drops it."""
