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
    calm(stage, lambda: clock.now - 100.0 not in restless, 11.0, 30.0, lambda: None, lambda: True)
    assert clock.now - 100.0 == took
    assert clock.checks == took


@pytest.mark.parametrize(("enough", "asked", "took"), [(11.0, 1, 11.0), (12.0, 2, 22.0), (99.0, 2, 30.0)])
def test_a_load_goes_on_for_as_long_again_where_that_was_not_enough(enough: float, asked: int, took: float) -> None:
    """It is asked once in a stretch, and when the time is over it is over."""
    clock, questions = Clock(), [0]
    stage: Any = clock

    def is_enough() -> bool:
        questions[0] += 1
        return clock.now - 100.0 >= enough

    calm(stage, lambda: True, 11.0, 30.0, lambda: None, is_enough)
    assert clock.now - 100.0 == took
    assert questions == [asked]
