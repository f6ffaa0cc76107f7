"""The customers of a run: many at once, each at a time of his own, whatever becomes of what was sent before.

Who waits for a broker holds up nobody but those of the same partition number and release: each has a line of its own.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.profile import Role
from magnetar.chaos.parking.sending import Customers
from magnetar.chaos.paying.calling import Callbacks
from magnetar.chaos.paying.impatient import PARTITIONS
from magnetar.chaos.workloads.elder import ELDER
from magnetar.runtime.errors import MagnetarError
from magnetar.runtime.instant import SECOND
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.takeover.load import Published
    from magnetar.chaos.workloads.plan import Sent
    from magnetar.runtime.instant import Instant

_PATIENCE = 5.0
"""Seconds; then a customer asks another broker where the topic is."""
_GONE_SECONDS = 60.0


class CustomersGone(MagnetarError):
    """Customers have given up, or cannot send what they have in hand; the message says why."""


def at_load(ground: Ground) -> AbstractContextManager[None]:
    """A block in which this thread is where the customers are."""
    (node,) = ground.profile.of(Role.LOAD)
    return ground.inside(node.name)


class Sending:
    """All customers of a run. `began`: the instant that their plan begins."""

    def __init__(self, ground: Ground, letters: Sequence[Sent], log: Path, told: int, seed: int) -> None:
        """`log`: the provider's, whose first `told` entries are of earlier runs."""
        self.letters = letters
        lines: dict[tuple[bool, int], list[Sent]] = {}
        for letter in letters:
            lines.setdefault((letter.older, partition_of(letter.key, PARTITIONS)), []).append(letter)
        elders = replace(ground, wiring=ELDER.wire())
        self._lines = [Customers(elders if older else ground, line) for (older, _), line in lines.items()]
        self._calls = Callbacks(ground, log, seed, told)
        self.began: Instant = 0
        for each in (*self._lines, self._calls):
            each.place, each.patience, each.renews = partial(at_load, ground), _PATIENCE, True

    def start(self) -> None:
        """From now on."""
        self.began = time.time_ns() // 1000
        for each in (*self._lines, self._calls):
            each.began = self.began
            each.start()

    def check(self) -> None:
        """Raise `CustomersGone` if somebody has given up."""
        for each in (*self._lines, self._calls):
            if each.failure is not None:
                raise CustomersGone(f"customers gave up: {each.failure}") from each.failure

    def end(self) -> None:
        """Send nothing new; returns when all that was begun is confirmed. Raises `CustomersGone`."""
        for each in self._lines:
            each.end()
        self._joined(self._lines)

    def end_calls(self) -> None:
        """Tell what the provider has still to tell. Raises `CustomersGone`."""
        self._calls.finish()
        self._joined([self._calls])

    def dismiss(self) -> None:
        """Whatever happened, they end soon."""
        for each in (*self._lines, self._calls):
            each.stop()

    def overdue(self, seconds: float) -> int:
        """How many were to be sent so many seconds ago, and are not confirmed."""
        due = time.time() - self.began / SECOND - seconds
        return sum(letter.at <= due for letter in self.letters) - sum(len(line.published) for line in self._lines)

    @property
    def published(self) -> list[Published]:
        """All that was confirmed by now, in the order of what was meant."""
        found = [each for line in (*self._lines, self._calls) for each in list(line.published)]
        return sorted(found, key=lambda each: each.meant)

    @property
    def callbacks(self) -> int:
        """How many the shop was sent."""
        return len(self._calls.published)

    def _joined(self, some: Sequence[Customers]) -> None:
        deadline = time.monotonic() + _GONE_SECONDS
        for each in some:
            each.join(max(0.0, deadline - time.monotonic()))
            if each.is_alive():
                raise CustomersGone(f"customers have still something in hand after {_GONE_SECONDS:.0f} s")
        self.check()
