"""A thousand seeded runs: no promise is broken, and every situation where a bug would hide was met."""

from __future__ import annotations

import os
from dataclasses import astuple
from typing import TYPE_CHECKING

import pytest

from magnetar.chaos.simulation import Verdict, simulate
from magnetar.chaos.simulation.campaign import explore, rerun
from magnetar.chaos.simulation.chance import Chance
from magnetar.chaos.simulation.nemesis import planned
from magnetar.chaos.simulation.options import drawn
from magnetar.chaos.simulation.strikes import STRIKES
from magnetar.chaos.simulation.telling import main, story

if TYPE_CHECKING:
    from magnetar.chaos.simulation.campaign import Campaign

RUNS = 1000
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    """The runs of seeds 0 to 999, each on one core."""
    return explore(range(RUNS), jobs=min(4, os.cpu_count() or 1))


def test_no_run_breaks_a_promise(campaign: Campaign) -> None:
    """Whatever is killed, frozen, cut or lost: nothing is lost, doubled, reordered, forked or left over."""
    assert not campaign.invalid, campaign.table()


def test_every_situation_and_every_fault_was_met(campaign: Campaign) -> None:
    """A situation that no run meets is one that nobody has tried."""
    print(campaign.table())  # noqa: T201 - shown when it fails, and with -s
    assert campaign.runs == RUNS
    assert campaign.missed() == []


def test_hardly_a_run_shows_nothing(campaign: Campaign) -> None:
    """A run in which nothing was applied or no fault took effect is unknown, not valid; there are few."""
    assert len(campaign.unknown) <= RUNS // 50, campaign.unknown


@pytest.mark.parametrize("seed", [3, 17, 101])
def test_a_seed_is_a_run(seed: int) -> None:
    """The same seed does the same, to the last line and byte: a failure can be seen again."""
    one, two = simulate(seed), simulate(seed)
    assert one.history.story == two.history.story
    assert list(map(astuple, one.history.sendings)) == list(map(astuple, two.history.sendings))
    assert one.evidence is not None
    assert two.evidence is not None
    assert one.evidence.journal == two.evidence.journal
    assert one.evidence.logs == two.evidence.logs


def test_leaving_a_fault_out_shifts_no_other_draw() -> None:
    """Each fault draws from a stream of its own, so that a failure can be made smaller."""
    chance = Chance(11)
    all_kinds, fewer = drawn(chance, tuple(STRIKES)), drawn(chance, tuple(STRIKES)[1:])
    kept = [fault for fault in planned(chance, all_kinds) if fault.kind != next(iter(STRIKES))]
    assert kept == planned(chance, fewer) != []
    letters = [simulate(11, faults).history.sendings for faults in ([], kept)]
    assert [each.message_id for each in letters[0]] == [each.message_id for each in letters[1]]


def test_a_run_without_faults_is_unknown() -> None:
    """What was not tried was not shown."""
    assert simulate(5, faults=[]).verdict is Verdict.UNKNOWN


def test_a_seed_tells_its_story(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that a failure names prints the verdict, what was done to the run, and what it did."""
    assert main(rerun(7).split()[3:]) == 0
    printed = capsys.readouterr().out
    assert printed.strip() == story(simulate(7))
    assert "seed 7: valid" in printed
    assert "w1 starts" in printed
    assert "everything is healed" in printed
