"""All cells there are: nobody lists them, they follow from the fault points and the kinds of steps that are declared.

A point is struck at its first and at its last pass in a step. A pair is a fault in a message's way, and another one
at the first pass of any point after it; after a freeze also at the first pass after it is over.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from magnetar.chaos.matrix.actions import ACTIONS, TAKEOVER
from magnetar.chaos.matrix.playing import Cell, Strike, play
from magnetar.chaos.matrix.steps import RELAY
from magnetar.chaos.simulation.agenda import START
from magnetar.runtime.instant import micros
from magnetar.runtime.worker.points import all_points

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

    from magnetar.chaos.matrix.playing import Passes, Played
    from magnetar.runtime.instant import Instant


def singles(step: str, passes: Passes, action: str) -> Iterator[Cell]:
    """Every cell of this action with one fault; `passes` are those of the step without any."""
    for point in sorted(passes):
        if not ACTIONS[action].refuses(point):
            for nth in sorted({1, len(passes[point])}):
                yield Cell(step, (Strike(action, point, nth),))


def refused(passes: Iterable[str], action: str) -> int:
    """At how many of these points the action does not apply."""
    return sum(bool(ACTIONS[action].refuses(point)) for point in passes)


def firsts() -> Iterator[Cell]:
    """The cells of a message's way after which another fault is tried."""
    passes = play(Cell(RELAY.name, ())).passes
    return chain.from_iterable(singles(RELAY.name, passes, action) for action in ACTIONS)


def seconds(first: Played, share: float, chance: random.Random) -> Iterator[Cell]:
    """The pairs that begin with this cell, or about this share of them."""
    over = max((at for at, _ in first.effects), default=0)
    for action in ACTIONS:
        for point in sorted(first.passes):
            if ACTIONS[action].refuses(point):
                continue
            passes = first.passes[point]
            for nth in _numbers(passes, over):
                if _has_time(first, passes[nth - 1], action) and chance.random() < share:
                    yield Cell(first.cell.step, (*first.cell.strikes, Strike(action, point, nth)))


def _has_time(first: Played, at: Instant, action: str) -> bool:
    """Whether a freeze that begins here is over before everything is healed."""
    healed = START + micros(first.outcome.schedule.options.duration)
    return action != "freeze" or at + micros(TAKEOVER) < healed


def _numbers(passes: list[Instant], over: Instant) -> list[int]:
    """The first pass, and the first one after the fault is over."""
    after = sum(at <= over for at in passes) + 1
    return sorted({1, after} if 1 < after <= len(passes) else {1})


def never_reached(reached: Iterable[str]) -> list[str]:
    """Fault points that none of these is: each needs a step that reaches it."""
    return sorted(set(all_points()) - set(reached))


def why_not(cell: Cell) -> str:
    """Why a cell does not apply; empty where it does."""
    reasons = (ACTIONS[strike.action].refuses(strike.point) for strike in cell.strikes)
    return "; ".join(f"{strike}: {why}" for strike, why in zip(cell.strikes, reasons, strict=True) if why)
