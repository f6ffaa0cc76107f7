"""The command: play the matrix and print its table, or play one cell and tell its story."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from magnetar.chaos.matrix.actions import ACTIONS
from magnetar.chaos.matrix.cells import never_reached, why_not
from magnetar.chaos.matrix.playing import Cell, play
from magnetar.chaos.matrix.steps import STEPS
from magnetar.chaos.matrix.tally import GREEN, OUT, RED, story
from magnetar.chaos.matrix.whole import explore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.matrix.tally import Tally

PART = 0.2
"""The share of the pairs that the quick part plays."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 when every cell is green and every fault point is reached, else 1."""
    chosen = _parser().parse_args(arguments)
    if chosen.list:
        print(_declared())  # noqa: T201
        return 0
    if chosen.cell is not None:
        return _one(chosen.cell)
    began = time.perf_counter()
    tally = explore(PART if chosen.part else 1.0, chosen.seed, chosen.jobs)
    return _told(tally, time.perf_counter() - began)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m magnetar.chaos.matrix", description=main.__doc__)
    parser.add_argument("--cell", type=Cell.parse, help="play STEP,ACTION@POINT#PASS[,ACTION@POINT#PASS] and tell all")
    parser.add_argument("--part", action="store_true", help="every cell with one fault, and a fifth of the pairs")
    parser.add_argument("--seed", type=int, default=0, help="which fifth (default: 0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="in how many processes (default: cores)")
    parser.add_argument("--list", action="store_true", help="the kinds of steps and the actions, in words")
    return parser


def _declared() -> str:
    steps = [f"  {step.name:<20} {step.tells}" for step in STEPS.values()]
    actions = [f"  {name:<20} {action.tells}" for name, action in ACTIONS.items()]
    return "\n".join(["kinds of steps:", *steps, "actions:", *actions])


def _one(cell: Cell) -> int:
    reason = why_not(cell)
    if reason:
        print(f"{OUT}: {reason}")  # noqa: T201
        return 1
    played = play(cell)
    print(story(played, None))  # noqa: T201
    return int(not played.green)


def _told(tally: Tally, took: float) -> int:
    missing = never_reached(tally.reached)
    counts = [
        f"{tally.total(GREEN, pairs=pairs)} {name} {GREEN}, {tally.total(RED, pairs=pairs)} {RED}"
        for name, pairs in (("cells", False), ("pairs", True))
    ]
    out = f"{tally.total(OUT, pairs=False)} do not apply"
    print(tally.table(), "; ".join([*counts, out, f"{took:.0f} s"]), sep="\n")  # noqa: T201
    if missing:
        print(f"NO STEP REACHES {', '.join(missing)}")  # noqa: T201
    return int(bool(missing or tally.reds))
