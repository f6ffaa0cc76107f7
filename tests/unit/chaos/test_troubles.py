"""Troubles: each kind has its switch, no failure takes more than it needs, and a seed is the same run everywhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from magnetar.chaos import NotSurvived, Troubles, survives
from magnetar.chaos.trials.trial import Trial
from magnetar.chaos.trials.trouble import drawn
from tests.unit.chaos.kiosk import ORDERS, Pay, Place, books_agree, kiosk, pay_every_time, rename_always, story

if TYPE_CHECKING:
    from magnetar.runtime import World

ROOT = Path(__file__).parents[3]

TOLD = {
    "crash": "the worker crashes at",
    "unknown": "the answer to a commit is lost",
    "twice": "is delivered again under its own id",
    "again": "is sent again under a new id",
    "late": "arrives only now, after",
    "slow": "only now the broker hands on",
    "race": "arrives only now: just .* timer Overdue",
}


def happened(troubles: Troubles) -> str:
    """All that happens in some seeds."""
    trial = Trial(kiosk(), story, books_agree)
    extent = trial.play(()).extent
    seeds = [trial.play(drawn(seed, troubles.kinds(), extent)) for seed in range(25)]
    assert all(played.failure is None for played in seeds)
    return "\n".join(happening.what for played in seeds for happening in played.told)


@pytest.mark.parametrize("kind", TOLD)
def test_a_kind_of_trouble_can_be_alone_or_left_out(kind: str) -> None:
    """It happens when it is on, and does not when it is off."""
    alone = happened(Troubles(**{other: other == kind for other in TOLD}))
    assert [other for other, words in TOLD.items() if re.search(words, alone, re.MULTILINE)] == [kind]
    others = happened(Troubles(**{kind: False}))
    assert not re.search(TOLD[kind], others, re.MULTILINE)


def test_a_message_that_the_story_names_is_not_clicked_twice() -> None:
    """Its sender has ids of its own."""

    def named(world: World) -> None:
        world.send(Place(order_id="o-1"), id="place-1")
        world.send(Pay(order_id="o-1"), id="pay-1")

    def once(world: World) -> None:
        assert len(world.journal(ORDERS, "o-1")) == 2

    survives(kiosk(pay=pay_every_time), named, check=once, troubles=Troubles(late=False, race=False))


def test_without_any_trouble_the_story_is_played_as_it_is() -> None:
    """All switches off leave a plain test."""
    nothing = Troubles(**dict.fromkeys(TOLD, False))
    survives(kiosk(pay=pay_every_time), story, check=books_agree, seeds=20, troubles=nothing)


def test_a_failure_takes_no_trouble_that_is_not_needed() -> None:
    """Without any one of those that are told the story would pass."""
    trial = Trial(kiosk(pay=pay_every_time, rename=rename_always), story, books_agree)
    extent = trial.play(()).extent
    kinds = Troubles().kinds()
    every = [each for seed in range(20) for each in drawn(seed, kinds, extent) if each.kind not in {"late", "race"}]
    played = trial.shrunk(every, trial.play(every))
    assert len(every) > 20
    assert [happening.what.partition(" is ")[2] for happening in played.told] == [
        "sent again under a new id: a second click"
    ]


# what is told


def test_a_long_story_of_troubles_is_cut() -> None:
    """At most ten lines, however many troubles it takes."""
    clicks = [f"o-{number}" for number in range(9)]

    def click_on_all(world: World) -> None:
        for key in clicks:
            world.send(Place(order_id=key))

    def not_all_twice(world: World) -> None:
        assert not all(len(world.journal(ORDERS, key)) > 1 for key in clicks)

    trial = Trial(kiosk(), click_on_all, not_all_twice)
    extent = trial.play(()).extent
    every = [each for seed in range(200) for each in drawn(seed, ["again"], extent)]
    played = trial.shrunk(every, trial.play(every))
    assert played.failure is not None
    lines = str(NotSurvived("story", played.failure, 1, played.told)).splitlines()
    assert len(played.told) == 9
    assert len(lines) == 10
    assert lines[7].endswith("… and 3 more")


# the same every time

REPEATED = """
from magnetar.chaos import NotSurvived, Troubles, survives
from magnetar.chaos.trials.trial import Trial
from magnetar.chaos.trials.trouble import drawn
from tests.unit.chaos.kiosk import books_agree, kiosk, story

trial = Trial(kiosk(), story, books_agree)
extent = trial.play(()).extent
for seed in range(40):
    print(trial.play(drawn(seed, Troubles().kinds(), extent)).told)
"""


def repeated(hash_seed: str) -> str:
    """What happens in some seeds, in a process of their own."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", REPEATED]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_seed_is_the_same_run_in_every_process() -> None:
    """Whatever the hash seed; else no failure could be seen again."""
    first, second = repeated("1"), repeated("2")
    assert first == second
    assert "only now" in first


def test_a_seed_alone_is_the_same_run() -> None:
    """It does not matter which seeds were tried before."""
    with pytest.raises(NotSurvived) as first:
        survives(kiosk(pay=pay_every_time), story, check=books_agree)
    assert first.value.seed is not None
    with pytest.raises(NotSurvived) as again:
        survives(kiosk(pay=pay_every_time), story, check=books_agree, seeds=[first.value.seed])
    assert str(first.value) == str(again.value)


def test_leaving_a_kind_out_changes_no_other() -> None:
    """Each trouble has draws of its own."""
    extent = Trial(kiosk(), story, None).play(()).extent
    kinds = Troubles().kinds()
    for seed in range(50):
        every = drawn(seed, kinds, extent)
        fewer = drawn(seed, [kind for kind in kinds if kind != "crash"], extent)
        rest = tuple(each for each in every if each.kind != "crash")
        assert not rest or rest == fewer
