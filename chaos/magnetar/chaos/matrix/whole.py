"""The whole matrix, or the part of it that is quick: every cell with one fault, and all pairs or some of them."""

from __future__ import annotations

import random
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from magnetar.chaos.matrix.actions import ACTIONS
from magnetar.chaos.matrix.cells import firsts, refused, seconds, singles
from magnetar.chaos.matrix.playing import Cell, play
from magnetar.chaos.matrix.steps import STEPS
from magnetar.chaos.matrix.tally import Tally
from magnetar.chaos.simulation.ground import lasting
from magnetar.runtime.compose.process import tune_collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from magnetar.chaos.matrix.playing import Played


def one_fault(step: str, actions: Iterable[str] = ACTIONS, share: float = 1.0) -> Tally:
    """Of the cells of a kind of step with one fault about this share, the first of each action, and the one without."""
    tally, spared = Tally(), _played(Cell(step, ()))
    draw = random.Random(step)  # noqa: S311 - no secret
    tally.add(spared)
    tally.reached.update(spared.passes)
    for action in actions:
        tally.leave_out(step, action, refused(spared.passes, action))
        for nth, cell in enumerate(singles(step, spared.passes, action)):
            if nth == 0 or draw.random() < share:
                tally.add(_played(cell))
    return tally


def two_faults(first: Cell, share: float = 1.0, seed: int = 0) -> Tally:
    """The pairs that begin with this cell, or about this share of them; which ones the seed decides."""
    tally = Tally()
    for cell in seconds(_played(first), share, random.Random(f"{seed}/{first}")):  # noqa: S311 - no secret
        tally.add(_played(cell))
    return tally


def explore(share: float, seed: int = 0, jobs: int = 1, cells: float = 1.0) -> Tally:
    """About this share of the pairs, and of the cells with one fault (`cells`), in so many processes."""
    work: list[Callable[[], Tally]] = [partial(one_fault, step, share=cells) for step in STEPS]
    work += [partial(two_faults, first, share, seed) for first in firsts()]
    tally = Tally()
    with ProcessPoolExecutor(jobs, get_context("spawn"), tune_collector) if jobs > 1 else nullcontext() as pool:
        parts = map(_done, work) if pool is None else pool.map(_done, work)
        for part in parts:
            tally.join(part)
    return tally


def _played(cell: Cell) -> Played:
    """On ground that stays: a third of the time of a cell went into laying its own."""
    return play(cell, lasting())


def _done(work: Callable[[], Tally]) -> Tally:
    return work()
