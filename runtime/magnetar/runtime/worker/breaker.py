"""A breaker: whether a dependency is called, left alone, or tried with a few probes. Pure; time is an argument.

closed ── too many of the last calls failed ──► open ── time ──► probing ── a probe succeeds ──► closed
▲                 │
└── a probe fails ┘
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from magnetar.runtime.instant import Instant, micros

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.effects import Breaking


class BreakerState(StrEnum):
    """Few words, for they are a metric's label."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


@dataclass(frozen=True, slots=True)
class Breaker:
    """`failed`: of the last calls, oldest first, which failed. `until`: None while closed.

    `round` counts how often it has opened or closed: a call tells its own when it ends, and one of an earlier round
    says nothing of how things are now. `probes` are under way. `since`: when it was closed last.
    """

    breaking: Breaking
    failed: tuple[bool, ...] = ()
    until: Instant | None = None
    round: int = 0
    probes: int = 0
    since: Instant | None = None

    def state(self, now: Instant) -> BreakerState:
        """As it is at an instant."""
        if self.until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.until else BreakerState.PROBING

    def admits(self, now: Instant) -> bool:
        """Whether one more call may begin."""
        state = self.state(now)
        return state is BreakerState.CLOSED or (state is BreakerState.PROBING and self.probes < self.breaking.probes)

    def begun(self) -> Breaker:
        """A call that was admitted is on its way."""
        return self if self.until is None else replace(self, probes=self.probes + 1)

    def dropped(self, round: int) -> Breaker:  # noqa: A002 - its word
        """A call that was begun in that round was not made after all."""
        return replace(self, probes=self.probes - 1) if self.probes and round == self.round else self

    def ended(self, round: int, now: Instant, *, failed: bool) -> Breaker:  # noqa: A002 - its word
        """A call that was begun in that round has ended."""
        if round != self.round:
            return self
        if self.until is not None:
            return self._opened(now) if failed else Breaker(self.breaking, round=self.round + 1)
        last = (*self.failed, failed)[-self.breaking.window :]
        if failed and len(last) >= self.breaking.least and sum(last) >= self.breaking.share * len(last):
            return self._opened(now)
        return replace(self, failed=last)

    def _opened(self, now: Instant) -> Breaker:
        since = now if self.since is None else self.since
        return Breaker(self.breaking, until=now + micros(self.breaking.opens), round=self.round + 1, since=since)

    def left_alone(self) -> LeftAlone | None:
        """Since when it is not closed, and until when nothing is called; None: it is closed."""
        return None if self.since is None or self.until is None else LeftAlone(self.since, self.until)


class LeftAlone(NamedTuple):
    """A dependency whose breaker is not closed: nothing of it is called `until` then, and probes from then on."""

    since: Instant
    until: Instant

    def later(self, by: Instant) -> LeftAlone:
        """The same, by a clock that is so far ahead."""
        return LeftAlone(self.since + by, self.until + by)


def written(dependencies: Mapping[str, LeftAlone]) -> str:
    """Who is left alone, as a worker tells it with its heartbeat; '' for nobody."""
    return msgspec.json.encode(dependencies, order="sorted").decode() if dependencies else ""


def read(text: str) -> dict[str, LeftAlone]:
    """What another worker has written. What this code cannot read is of newer code, and says nothing here."""
    try:
        return _read(text or "{}")
    except msgspec.MsgspecError:
        return {}


_read = msgspec.json.Decoder(dict[str, LeftAlone]).decode
