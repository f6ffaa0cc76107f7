"""A lifecycle as a table: for every status and every message, what comes of it. Checked when it is made, and drawn.

The table is data. What is true of a message (`when`), what is written down (`notes`) and what others are told (`does`)
are members of enums, which each actor's rules give their meaning.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from magnetar.schemas import Message

S = TypeVar("S", bound=enum.Enum)
O = TypeVar("O", bound=enum.Enum)  # noqa: E741 - outcome
F = TypeVar("F", bound=enum.Enum)
N = TypeVar("N", bound=enum.Enum)
A = TypeVar("A", bound=enum.Enum)


class LifecycleInvalid(Exception):
    """A lifecycle's table has holes or contradicts itself. A mistake in the code; found when its module is imported."""

    def __init__(self, name: str, problems: list[str]) -> None:
        """`problems` are one line each."""
        super().__init__(f"lifecycle of {name}:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True)  # no slots: in Python 3.11 they keep a generic alias from being called
class Transition(Generic[S, O, F, N, A]):
    """What comes of a message in a status, if `when` is true of it (None: whatever else is true).

    `to` is the next status (None: it stays), `notes` what the state keeps, `does` what others are told, in order.
    """

    outcome: O
    to: S | None = None
    when: F | None = None
    notes: N | None = None
    does: tuple[A, ...] = ()


class Lifecycle(Generic[S, O, F, N, A]):
    """For every status and kind of message the transitions, of which the first whose `when` is true is taken."""

    def __init__(
        self,
        name: str,
        statuses: type[S],
        kinds: Sequence[type[Message]],
        rows: Mapping[tuple[S, ...], Mapping[type[Message], Sequence[Transition[S, O, F, N, A]]]],
    ) -> None:
        """A row may be for several statuses at once. Raises `LifecycleInvalid` unless every pair has its answer."""
        self.name = name
        self.statuses = statuses
        self.kinds = tuple(kinds)
        self._table: dict[tuple[S, type[Message]], tuple[Transition[S, O, F, N, A], ...]] = {}
        problems: list[str] = []
        for group, row in rows.items():
            for status, (kind, transitions) in product(group, row.items()):
                if (status, kind) in self._table:
                    problems.append(f"{status.value}, {kind.__name__} is given twice")
                self._table[status, kind] = tuple(transitions)
        problems += self._holes()
        if problems:
            raise LifecycleInvalid(name, problems)

    def choose(self, status: S, kind: type[Message], facts: Collection[F]) -> Transition[S, O, F, N, A]:
        """The transition to take; there always is one. `KeyError` for a kind of message that is not of this table."""
        return next(each for each in self._table[status, kind] if each.when is None or each.when in facts)

    def transitions(self) -> Iterator[tuple[S, type[Message], Transition[S, O, F, N, A]]]:
        """The whole table, by status and kind of message as they were declared."""
        for status, kind in product(self.statuses, self.kinds):
            for transition in self._table[status, kind]:
                yield status, kind, transition

    def _holes(self) -> Iterator[str]:
        for status, kind in product(self.statuses, self.kinds):
            conditions = [each.when for each in self._table.get((status, kind), ())]
            if not conditions:
                yield f"{status.value}, {kind.__name__} has no outcome"
            elif conditions.pop() is not None or None in conditions:
                yield f"{status.value}, {kind.__name__}: the last transition, and no other, must be without `when`"
        for status, kind in self._table.keys() - set(product(self.statuses, self.kinds)):
            yield f"{status.value}, {kind.__name__}: this kind of message is not declared"


def mermaid(lifecycle: Lifecycle[S, O, F, N, A]) -> str:
    """The lifecycle as a Mermaid state diagram: every way from one status to another, named by message and outcome."""
    ways: dict[tuple[str, str], list[str]] = {}
    for status, kind, transition in lifecycle.transitions():
        if transition.to not in {None, status} and transition.to is not None:
            label = f"{kind.__name__} / {transition.outcome.value}"
            ways.setdefault((status.value, transition.to.value), []).append(label)
    drawn = [f"    {start} --> {end} : {'<br/>'.join(labels)}" for (start, end), labels in ways.items()]
    left = {start for start, _ in ways}
    first, *_ = lifecycle.statuses
    ends = [f"    {status.value} --> [*]" for status in lifecycle.statuses if status.value not in left]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {first.value}", *drawn, *ends]) + "\n"


def table(lifecycle: Lifecycle[S, O, F, N, A]) -> str:
    """The whole lifecycle as a Markdown table: a row for each kind of message, a column for each status.

    A cell lists the outcomes in the order in which they are tried; `→` names the next status where it changes.
    """
    head = ["message", *(status.value for status in lifecycle.statuses)]
    cells: dict[tuple[str, str], list[str]] = {}
    for status, kind, transition in lifecycle.transitions():
        arrow = (
            f" → **{transition.to.value}**" if transition.to not in {None, status} and transition.to is not None else ""
        )
        cells.setdefault((kind.__name__, status.value), []).append(f"{transition.outcome.value}{arrow}")
    rows = [
        [
            kind.__name__,
            *("<br/>".join(dict.fromkeys(cells[kind.__name__, status.value])) for status in lifecycle.statuses),
        ]
        for kind in lifecycle.kinds
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]) + "\n"
