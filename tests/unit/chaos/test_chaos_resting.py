"""When a load has gone on for long enough after a fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.chaos.playing.resting import calm
from magnetar.chaos.playing.watching import Hands, Watch
from magnetar.chaos.record.shape import Sample

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


def test_shards_have_moved_when_one_is_seen_with_another_owner_or_none() -> None:
    """Which is when some of what is under way waits: the next owner's lane starts with what the last one left."""
    hands = Hands(1.0)
    looks = [{"a/0": "w-1"}, {"a/0": "w-1"}, {"a/0": ""}, {"a/0": ""}, {"a/0": "w-2"}, {"a/0": "w-2"}]
    moved: list[float] = []
    for at, owners in enumerate(looks, 2):
        hands.see(owners, float(at))
        moved.append(hands.moved)
    assert moved == [2.0, 2.0, 4.0, 4.0, 6.0, 6.0]


@pytest.mark.parametrize(("now", "least"), [(100.0, 12), (101.5, 21), (104.0, None)])
def test_what_waits_is_in_each_look_of_the_last_seconds(now: float, least: int | None) -> None:
    """Of a number that goes up and down by what is on its way the smallest counts, and nothing that is old."""
    stage: Any = Clock(now)
    watch = Watch(stage, "a watch")
    watch.samples += [Sample(95.0, "outbox", 3), Sample(97.0, "outbox", 12), Sample(98.5, "outbox", 21)]
    watch.samples += [Sample(99.0, "effects", 0), Sample(99.5, "outbox", 25)]
    assert watch.least("outbox") == least
