"""Seeded runs: no promise is broken, every situation where a bug would hide was met, and a run is the same run again.

`make simulate` runs many more, with new seeds; here are enough to see that each part of it works.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import weakref
from contextlib import closing
from typing import TYPE_CHECKING

import apsw
import pytest

from magnetar.chaos.history import History
from magnetar.chaos.simulation import Schedule, Verdict, simulate
from magnetar.chaos.simulation.campaign import explore, is_repeated, rerun, trace
from magnetar.chaos.simulation.chance import Chance
from magnetar.chaos.simulation.ground import Ground
from magnetar.chaos.simulation.options import drawn
from magnetar.chaos.simulation.run import Run
from magnetar.chaos.simulation.schedule import WORKLOADS, planned
from magnetar.chaos.simulation.seal import sealed
from magnetar.chaos.simulation.strikes import STRIKES
from magnetar.chaos.simulation.telling import LINES, main, story
from magnetar.chaos.zoo import broken
from magnetar.chaos.zoo.bugs import acknowledges_nothing_it_knew
from magnetar.runtime.store.port import StoreUnavailable

if TYPE_CHECKING:
    import random
    from collections.abc import Generator
    from pathlib import Path

    from magnetar.chaos.simulation.campaign import Campaign

RUNS = 600
"""The rarest situation is met by then."""
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    """The runs of the first seeds."""
    return explore(range(RUNS), jobs=min(4, os.cpu_count() or 1))


def test_no_run_breaks_a_promise(campaign: Campaign) -> None:
    """Whatever is killed, frozen, cut or lost: nothing is lost, doubled, reordered, forked or left over."""
    assert campaign.clean, campaign.table()
    assert campaign.runs == RUNS
    assert campaign.again == RUNS // 100


def test_every_situation_and_every_fault_was_met(campaign: Campaign) -> None:
    """A situation that no run meets is one that nobody has tried."""
    print(campaign.table())  # noqa: T201 - shown when it fails, and with -s
    assert campaign.missed() == []


def test_few_runs_show_too_little(campaign: Campaign) -> None:
    """A run in which little was applied or few faults took effect is unknown, not valid."""
    assert len(campaign.unknown) <= RUNS // 10, campaign.unknown


def test_a_campaign_that_is_broken_off_tells_what_it_ran() -> None:
    """Ctrl-C loses no result."""

    def seeds() -> Generator[int]:
        yield from range(30)
        raise KeyboardInterrupt

    campaign = explore(seeds())
    assert campaign.broken_off
    assert campaign.runs == 25  # the share that was whole


def test_a_new_seed_is_a_run(chance: random.Random) -> None:
    """A seed that nobody has tried; the same schedule, with every call looked at, is the same run again."""
    outcome = simulate(Schedule.of(chance.randrange(10**12)))
    assert outcome.verdict is not Verdict.INVALID, story(outcome)
    assert is_repeated(outcome, watching=True)


TRACE = """
from magnetar.chaos.simulation import Schedule, simulate
from magnetar.chaos.simulation.campaign import trace
print(*(trace(simulate(Schedule.of(seed))) for seed in (3, 17)))
"""


def test_a_seed_is_the_same_run_in_every_process() -> None:
    """Whatever the hash of a text is in this process: no set's order decides anything."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", TRACE],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert printed == {" ".join(trace(simulate(Schedule.of(seed))) for seed in (3, 17)) + "\n"}


def test_leaving_a_fault_out_shifts_no_other_draw() -> None:
    """Each fault draws from a stream of its own, so that a failure can be made smaller."""
    chance = Chance(11)
    kinds = tuple(kind for kind in STRIKES if kind != "crash")
    all_kinds, fewer = drawn(chance, tuple(STRIKES)), drawn(chance, kinds)
    kept = [fault for fault in planned(chance, all_kinds) if fault.kind in all_kinds.kinds & fewer.kinds]
    assert kept == [fault for fault in planned(chance, fewer) if fault.kind in all_kinds.kinds & fewer.kinds] != []


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_schedule_can_be_kept(workload: str) -> None:
    """What is written into a file comes back, and is the same run: seeds rot when code changes its draws."""
    schedule = Schedule.of(23, workload)
    again = Schedule.from_json(schedule.to_json())
    assert again == schedule
    assert trace(simulate(again)) == trace(simulate(schedule))


def test_a_history_can_be_kept() -> None:
    """One JSON object a line, and all that is added up follows from the lines."""
    outcomes = (simulate(Schedule.of(seed)) for seed in range(50))
    history = next(outcome.history for outcome in outcomes if outcome.history.looks)
    again = History.read(history.lines())
    assert again.events == history.events
    assert (again.sendings, again.commits, again.met) == (history.sendings, history.commits, history.met)
    assert again.looks == history.looks


def test_a_run_leaves_nothing_behind() -> None:
    """A campaign of a hundred thousand has the memory of one: no connection stays open, nothing refers to the run."""

    def played(seed: int) -> weakref.ref[Run]:
        run = Run(Schedule.of(seed))
        with sealed():  # no log either, which would keep what it tells of
            run.play()
        run.close()
        return weakref.ref(run)

    before = len(apsw.connections())
    left = [played(seed) for seed in range(30)]
    gc.collect()
    assert [each for each in left if each() is not None] == []
    assert len(apsw.connections()) <= before


def test_a_used_ground_makes_no_difference() -> None:
    """Neither rows nor open transactions of the runs before are met by those after, whatever their workload."""
    seeds = range(40, 60)
    with closing(Ground()) as ground:
        on_one = [trace(simulate(Schedule.of(seed), ground=ground)) for seed in seeds]
    assert on_one == [trace(simulate(Schedule.of(seed))) for seed in seeds]


def test_a_connection_is_passed_on_as_new() -> None:
    """What was under way on it is lost, and whoever had it can do nothing more with it."""
    with closing(Ground()) as ground:
        connection = ground.connect()
        connection.rows("BEGIN IMMEDIATE")
        connection.rows("INSERT INTO actors VALUES ('orders', 3)")
        ground.disconnect(connection)
        ground.disconnect(connection)
        again, other = ground.connect(), ground.connect()
        with other.transaction("writing beside it"):
            pass
        assert again.rows("SELECT * FROM actors") == []
        with pytest.raises(StoreUnavailable), connection.transaction("writing after the end"):
            pass


def test_a_run_without_faults_is_unknown() -> None:
    """What was not tried was not shown."""
    schedule = Schedule.of(5)
    outcome = simulate(Schedule(schedule.seed, schedule.workload, schedule.options, schedule.letters, ()))
    assert outcome.verdict is Verdict.UNKNOWN
    assert "0 faults took effect, fewer than 3" in outcome.judgement.doubts


def test_a_campaign_keeps_its_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Small, told, and as a schedule that fails again."""
    arguments = ["--runs", "3", "--failures", str(tmp_path)]
    with broken(acknowledges_nothing_it_knew.BUG.changes):
        assert main(arguments) == 1
        told = capsys.readouterr().out
        kept = sorted(tmp_path.iterdir())
        assert kept
        assert f"kept: python -m magnetar.chaos.simulation --schedule {kept[0]}" in told
        assert main(["--schedule", str(kept[0])]) == 1
    assert main(["--schedule", str(kept[0])]) == 0


def test_a_seed_tells_its_story(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The command that a failure names prints what was done to the run, in a few lines; the kept schedule too."""
    kept = tmp_path / "schedule.json"
    seed = next(seed for seed in range(50) if simulate(Schedule.of(seed)).verdict is Verdict.VALID)
    assert main([*rerun(seed).split()[3:], "--keep", str(kept)]) == 0
    told = capsys.readouterr().out
    assert f"seed {seed}: valid" in told
    assert len(told.splitlines()) <= LINES
    assert main(["--schedule", str(kept)]) == 0
    assert capsys.readouterr().out == told
    assert main(["--schedule", str(kept), "--all"]) == 0
    whole = capsys.readouterr().out
    assert "w1 starts" in whole
    assert "everything is healed" in whole
