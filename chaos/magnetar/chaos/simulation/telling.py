"""The command: run one seed or one schedule and tell its story, or many seeds and count what they met."""

from __future__ import annotations

import argparse
import random
import signal
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.chaos.history import Entered, Told
from magnetar.chaos.simulation.agenda import START
from magnetar.chaos.simulation.campaign import explore
from magnetar.chaos.simulation.run import simulate
from magnetar.chaos.simulation.schedule import Schedule
from magnetar.chaos.simulation.shrinking import shrunk
from magnetar.chaos.verdict import APPLIED, EFFECTIVE, Verdict
from magnetar.runtime.instant import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.simulation.run import Outcome

LINES = 10
"""A story has no more lines than this, unless all of it is asked for."""

SHRUNK = 3
"""So many of a campaign's failures are made small and kept."""

FAILURES = Path("simulation-failures")

FRESH = 10**9
"""Seeds that nobody has tried begin above this, at a random place."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when every run is valid or unknown, 1 when one is not, or not the same run twice; 130: Ctrl-C."""
    chosen = _parser().parse_args(arguments)
    if chosen.schedule is not None:
        schedule = Schedule.from_json(chosen.schedule.read_text())
    elif chosen.seed is not None:
        schedule = Schedule.of(chosen.seed)
    else:
        return _many(chosen)
    outcome = simulate(schedule)
    if chosen.shrink and outcome.verdict is Verdict.INVALID:
        outcome = shrunk(outcome)
    if chosen.keep is not None:
        chosen.keep.write_text(outcome.schedule.to_json())
    print(story(outcome, whole=chosen.all))  # noqa: T201
    return int(outcome.verdict is Verdict.INVALID)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m magnetar.chaos.simulation", description=main.__doc__)
    parser.add_argument("--seed", type=int, help="tell the story of this seed")
    parser.add_argument("--schedule", type=Path, help="tell the story of the schedule in this file")
    parser.add_argument("--shrink", action="store_true", help="leave out what is not needed for its violation")
    parser.add_argument("--keep", type=Path, help="write the schedule into this file")
    parser.add_argument("--all", action="store_true", help=f"every line of the story, not {LINES} at most")
    parser.add_argument("--runs", type=int, help="how many seeds (default: 1000, or as many as --seconds allow)")
    parser.add_argument("--seconds", type=float, help="for how long")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0; -1: one never tried)")
    parser.add_argument("--jobs", type=int, default=1, help="in how many processes (default: 1)")
    parser.add_argument(
        "--failures", type=Path, default=FAILURES, help=f"where failures are kept (default: {FAILURES})"
    )
    return parser


def _many(chosen: argparse.Namespace) -> int:
    first: int = FRESH + random.randrange(FRESH) if chosen.first < 0 else chosen.first  # noqa: S311 - no secret
    runs: int | None = chosen.runs if chosen.runs or chosen.seconds else 1000
    began = time.perf_counter()
    campaign = explore(count(first) if runs is None else range(first, first + runs), chosen.jobs, chosen.seconds)
    took = time.perf_counter() - began
    pace = campaign.rich / took * 60 / chosen.jobs
    rate = f"{pace:,.0f} a minute and process with {APPLIED} messages and {EFFECTIVE} faults in effect at least"
    done = f"{campaign.runs} runs{', then broken off,' if campaign.broken_off else ''} in {took:.1f} s"
    print(f"{campaign.table()}\nseeds from {first}: {done}, {rate}")  # noqa: T201
    for seed in sorted(campaign.invalid)[:SHRUNK]:
        _keep(seed, chosen.failures)
    if not campaign.clean:
        return 1
    return 128 + signal.SIGINT if campaign.broken_off else 0


def _keep(seed: int, folder: Path) -> None:
    """Make a failure small, write its schedule down, and tell it."""
    outcome, path = shrunk(simulate(Schedule.of(seed))), folder / f"seed-{seed}.json"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(outcome.schedule.to_json())
    print(f"\n{story(outcome)}\nkept: python -m magnetar.chaos.simulation --schedule {path}")  # noqa: T201


def story(outcome: Outcome, *, whole: bool = False) -> str:
    """What was done to a run, and which promise broke; `whole`: also what it did."""
    schedule, options = outcome.schedule, outcome.schedule.options
    head = (
        f"seed {schedule.seed}: {outcome.verdict.value}. {schedule.workload}, {options.workers} worker(s), "
        f"{options.partitions} partition(s), {len(schedule.letters)} letters, {len(schedule.faults)} faults planned; "
        f"{outcome.applied} messages applied"
    )
    found = [f"  ✗ {violation}" for violation in outcome.judgement.violations[: None if whole else 2]]
    doubts = [f"  ? {doubt}" for doubt in outcome.judgement.doubts[: None if whole else 2]]
    end = found or doubts
    return "\n".join([head, *told(outcome, None if whole else LINES - 1 - len(end)), *end])


def told(outcome: Outcome, room: int | None) -> list[str]:
    """The story line by line: what was done to the run, in so many lines; None: also what it did, in all of them."""
    lines = [f"  {seconds(at - START):9.4f}  {what}" for at, what in _told(outcome, whole=room is None)]
    if room is None or len(lines) <= room:
        return lines
    return [*lines[: room - 1], f"  … {len(lines) - room + 1} more lines: --all shows them"]


def _told(outcome: Outcome, *, whole: bool) -> list[tuple[int, str]]:
    """Lines of the story by time: what was done to the run, or all."""
    events = [each for each in outcome.history.events if isinstance(each, Told | Entered)]
    if whole:
        return [(each.at, each.what if isinstance(each, Told) else f"--- {each.phase}") for each in events]
    return [(each.at, each.what) for each in events if isinstance(each, Told) and each.harm]
