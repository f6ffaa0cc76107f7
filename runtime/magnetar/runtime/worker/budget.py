"""A rate budget: a bucket of tokens, kept as one instant. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from magnetar.runtime.instant import SECOND, Instant

_LONG_AGO: Instant = -(2**62)


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `burst` calls at once, and one more each `interval` microseconds.

    `full` is when the bucket is full again, if nothing more is taken: each token taken moves it on by one interval.
    """

    interval: Instant
    burst: int
    full: Instant = _LONG_AGO

    @classmethod
    def of(cls, rate: float, burst: int) -> Budget:
        """So many calls a second."""
        return cls(max(1, round(SECOND / rate)), burst)

    def ready_at(self) -> Instant:
        """From when on there is a token."""
        return self.full - self.interval * (self.burst - 1)

    def taken(self, now: Instant) -> Budget:
        """With one token less; there must be one."""
        assert self.ready_at() <= now, f"no token at {now}: the next one is there at {self.ready_at()}"
        return replace(self, full=max(self.full, now) + self.interval)
