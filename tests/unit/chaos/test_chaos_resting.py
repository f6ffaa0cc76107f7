"""When a load has gone on for long enough after a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.chaos.playing.resting import calm

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Clock:
    """A stage on which time passes only where somebody waits."""

    now: float = 100.0
    checks: int = 0

    def wait(self, until: float, check: Callable[[], object]) -> None:
        """At once."""
        self.now = until
        check()
        self.checks += 1


@pytest.mark.parametrize(
    ("restless", "took"),
    [
        ((), 11.0),
        ((3.0,), 14.0),
        ((1.0, 2.0, 3.0, 9.0), 20.0),
        (tuple(float(each) for each in range(60)), 30.0),
    ],
)
def test_a_load_goes_on_until_all_was_calm_for_long_enough(restless: tuple[float, ...], took: float) -> None:
    """Without a break: recovery is measured in a window of ten seconds, which begins when all is well."""
    clock = Clock()
    stage: Any = clock
    calm(stage, lambda: clock.now - 100.0 not in restless, lasting=11.0, within=30.0, check=lambda: None)
    assert clock.now - 100.0 == took
    assert clock.checks == took
