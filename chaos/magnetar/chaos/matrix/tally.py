"""What came out: how many cells of each kind were green, red, or do not apply, and the story of each red one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.matrix.actions import ACTIONS
from magnetar.chaos.matrix.steps import STEPS
from magnetar.chaos.simulation.telling import told

if TYPE_CHECKING:
    from magnetar.chaos.matrix.playing import Cell, Played

GREEN, RED, OUT = "green", "red", "does not apply"

AFTER = "then, after "
"""Before the name of the first fault: the row of its pairs."""

NONE = "none"
"""In place of an action: the column of the steps without any fault."""

COLUMNS = (NONE, *ACTIONS)

LINES = 6
"""A red cell's story has no more lines than this in a table."""

SHOWN = 20
"""So many red cells tell their story; the others are only counted."""


def rerun(cell: Cell) -> str:
    """The command that plays this cell again, and tells all of it."""
    return f"python -m magnetar.chaos.matrix --cell '{cell}'"


def story(played: Played, room: int | None) -> str:
    """What was done to it and why it is red; in so many lines of story, None: in all of them."""
    head = f"{GREEN if played.green else RED}: {played.cell}; {played.outcome.applied} messages applied"
    lines = [head, *told(played.outcome, room), *(f"  ✗ {problem}" for problem in played.problems)]
    return "\n".join(lines)


class Red(NamedTuple):
    """A cell that is red, and its story."""

    cell: Cell
    story: str


@dataclass(slots=True)
class Tally:
    """Adds up cells. `counts` by row, column and what came out; `reached`: every fault point that a step passed."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    reds: list[Red] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)

    def add(self, played: Played) -> None:
        """One more cell."""
        actions = [strike.action for strike in played.cell.strikes] or [NONE]
        row = AFTER + actions[-2] if actions[1:] else played.cell.step
        self.counts[row, actions[-1], GREEN if played.green else RED] += 1
        if not played.green:
            self.reds.append(Red(played.cell, f"{story(played, LINES)}\n  {rerun(played.cell)}"))

    def leave_out(self, step: str, action: str, count: int) -> None:
        """So many points of a step are none for this action."""
        self.counts[step, action, OUT] += count

    def join(self, other: Tally) -> None:
        """The cells of another tally."""
        self.counts.update(other.counts)
        self.reds += other.reds
        self.reached |= other.reached

    def total(self, outcome: str, *, pairs: bool) -> int:
        """How many cells with one fault, or with two, came out like this."""
        rows = ((key, count) for key, count in self.counts.items() if key[0].startswith(AFTER) == pairs)
        return sum(count for (_, _, each), count in rows if each == outcome)

    def table(self) -> str:
        """Kinds of steps by actions, then pairs: first fault by second one."""
        head = "".join(f"{action:>14}" for action in COLUMNS)
        rows = [self._row(step) for step in STEPS]
        pairs = [self._row(AFTER + action) for action in ACTIONS]
        legend = f"{GREEN}/{RED}/{OUT}"
        return "\n".join([f"{legend:<30}{head}", *rows, *filter(None, pairs), *self._told()])

    def _row(self, name: str) -> str:
        cells = [tuple(self.counts[name, action, each] for each in (GREEN, RED, OUT)) for action in COLUMNS]
        if not any(map(any, cells)):
            return ""
        return f"{name:<30}" + "".join(f"{'/'.join(map(str, cell)) if any(cell) else '-':>14}" for cell in cells)

    def _told(self) -> list[str]:
        more = len(self.reds) - SHOWN
        return [red.story for red in self.reds[:SHOWN]] + ([f"and {more} more red ones"] if more > 0 else [])
