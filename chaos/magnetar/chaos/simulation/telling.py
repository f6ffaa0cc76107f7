"""The command: run one seed and tell its story, or many and count what they met."""

from __future__ import annotations

import argparse
import logging
import time
from typing import TYPE_CHECKING

from magnetar.chaos.simulation.agenda import START
from magnetar.chaos.simulation.campaign import explore, shrunk
from magnetar.chaos.simulation.run import Outcome, Verdict, simulate
from magnetar.runtime.instant import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = 80
"""Longest story that is printed whole."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when every run is valid, 1 when one is not."""
    parser = argparse.ArgumentParser(prog="python -m magnetar.chaos.simulation", description=main.__doc__)
    parser.add_argument("--seed", type=int, help="tell the story of this seed")
    parser.add_argument(
        "--shrink", action="store_true", help="leave out the faults that are not needed for its violation"
    )
    parser.add_argument("--runs", type=int, default=1000, help="how many seeds, without --seed (default: 1000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: 0)")
    parser.add_argument("--jobs", type=int, default=1, help="in how many processes (default: 1)")
    chosen = parser.parse_args(arguments)
    logging.getLogger("magnetar").setLevel(logging.CRITICAL)
    if chosen.seed is None:
        return _many(range(chosen.first, chosen.first + chosen.runs), chosen.jobs)
    outcome = simulate(chosen.seed)
    if chosen.shrink and outcome.verdict is Verdict.INVALID:
        outcome = shrunk(outcome)
    print(story(outcome))  # noqa: T201
    return int(outcome.verdict is Verdict.INVALID)


def _many(seeds: range, jobs: int) -> int:
    began = time.perf_counter()
    campaign = explore(seeds, jobs)
    took = time.perf_counter() - began
    print(f"{campaign.table()}\n{len(seeds)} runs in {took:.1f} s, {len(seeds) / took:.1f} a second")  # noqa: T201
    return int(bool(campaign.invalid))


def story(outcome: Outcome) -> str:
    """What was done to a run, what it did, and what was violated."""
    options = outcome.options
    head = (
        f"seed {outcome.seed}: {outcome.verdict.value}. {options.partitions} partitions, {options.orders} orders, "
        f"{outcome.applied} messages applied, {len(outcome.history.commits)} commits; "
        f"{len(outcome.faults)} faults planned: {', '.join(sorted({fault.kind for fault in outcome.faults}))}"
    )
    lines = [f"  {seconds(at - START):9.4f}  {what}" for at, what in outcome.history.story]
    if len(lines) > LINES:
        lines = [*lines[: LINES // 2], f"  … {len(lines) - LINES} lines …", *lines[-LINES // 2 :]]
    found = [f"  ✗ {violation}" for violation in outcome.violations[:20]]
    return "\n".join([head, *lines, *found])
