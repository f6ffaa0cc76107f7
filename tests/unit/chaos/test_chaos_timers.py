"""Timers of a load: each rings once, when it is due; whoever is hushed may have rung before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from magnetar.chaos.history import Intended
from magnetar.chaos.measuring.timers import due, in_faults, timers_ring_once
from magnetar.chaos.simulation.clerks import Desk
from magnetar.chaos.workloads.market import MARKET
from tests.unit.chaos.test_chaos_measuring import BLOW

KEY = "x.timer-1"


def row(source: str, at: int, now: int) -> Any:
    """A row of the journal, as far as it is looked at."""
    return SimpleNamespace(source=source, occurred_at=at, now=now)


def evidence(words: tuple[str, ...], *rang: tuple[int, int]) -> Any:
    """A desk with these words, whose timers rang so: when due, when handled."""
    wiring = MARKET.wire()
    codec = wiring.actors["desks"].codec
    rows = [row("desks/0", 1, 2), *(row("timer", at, now) for at, now in rang)]
    return SimpleNamespace(
        wiring=wiring,
        states={("desks", KEY): SimpleNamespace(body=codec.encode(Desk(words=words)))},
        timelines={("desks", KEY): rows, ("desks", "x.list-1"): rows, ("orders", KEY): rows},
    )


@pytest.mark.parametrize(
    ("hushed", "words", "now", "fine"),
    [
        (False, ("set", "rang set"), 11, True),
        (False, ("set", "rang set"), 9, False),
        (False, ("set",), 11, False),
        (False, ("set", "rang set", "rang set"), 11, False),
        (True, ("set", "hush"), 11, True),
        (True, ("set", "rang set", "hush"), 11, True),
        (True, ("set", "hush", "rang set"), 11, False),
        (True, ("set", "rang set"), 11, False),
    ],
)
def test_a_timer_rings_once_when_it_is_due(
    hushed: bool,  # noqa: FBT001
    words: tuple[str, ...],
    now: int,
    fine: bool,  # noqa: FBT001
) -> None:
    """Not before, not twice, and not after it was hushed."""
    names = ["m-set", *(["m-hush"] if hushed else [])]
    sent = [Intended(0, number, name, "desks", 0, KEY) for number, name in enumerate(names)]
    history: Any = SimpleNamespace(sendings={each.number: each for each in sent})
    left = evidence(words, (10, now))
    assert [each is None for each in timers_ring_once(history, left)] == [fine]
    assert due(left) == {KEY: [(10, now)]}


def test_those_count_that_were_due_in_a_fault() -> None:
    """From its strike until it is seen to be healed; one that is never healed shows nothing."""
    assert in_faults([29.9, 30.0, 51.9, 52.0], [BLOW]) == 2
    assert in_faults([40.0], [msgspec.structs.replace(BLOW, healed=None)]) == 0
