"""When what is struck, and when it is healed. Pure: seconds from the begin of the faults, as if proofs took no time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.chaos.scenarios.spec import Deed


class Step(NamedTuple):
    """Strike a deed of the scenario, or heal it; `deed`: its place there, `turn`: of one that is repeated. From 0."""

    at: float
    what: Literal["strike", "heal"]
    deed: int
    turn: int


def agenda(deeds: Sequence[Deed]) -> list[Step]:
    """All of it, in order; what stays is struck, and healed by nobody here.

    At the same time what is healed comes before what is struck; what was struck last is healed first. A fault that is
    over at once is healed before the next one is struck.
    """
    begins = _begins(deeds)
    found: list[tuple[float, tuple[float, ...], Step]] = []
    for number, deed in enumerate(deeds):
        for at, until, turn in _turns(deed, begins[number], _limit(deeds, deed, begins)):
            over = until <= at
            found.append((at, (1, number, turn, 0), Step(at, "strike", number, turn)))
            if deed.stays:
                continue
            order = (1.0, number, turn, 1) if over else (0.0, -number, turn, 0)
            found.append((max(at, until), order, Step(max(at, until), "heal", number, turn)))
    return [step for _, _, step in sorted(found, key=lambda each: (each[0], each[1]))]


def length(deeds: Sequence[Deed]) -> float:
    """Until the last of it is healed, but for what stays."""
    return max((step.at for step in agenda(deeds)), default=0.0)


def _begins(deeds: Sequence[Deed]) -> list[float]:
    """When each is first struck: whoever is meant by `during` comes before."""
    named: dict[str, float] = {}
    found: list[float] = []
    for deed in deeds:
        found.append(named.get(deed.during, 0.0) + deed.at)
        if deed.name:
            named[deed.name] = found[-1]
    return found


def _limit(deeds: Sequence[Deed], deed: Deed, begins: Sequence[float]) -> float | None:
    """When the one that it is during is healed."""
    for number, other in enumerate(deeds):
        if deed.during and other.name == deed.during:
            return begins[number] + other.lasts
    return None


def _turns(deed: Deed, begin: float, limit: float | None) -> Iterator[tuple[float, float, int]]:
    """When each turn is struck and healed; none is struck when the one that it is during is over."""
    times, every = (1, 0.0) if deed.repeat is None else (deed.repeat.times, deed.repeat.every)
    for turn in range(times):
        at = begin + turn * every
        if limit is not None and at >= limit and turn:
            return
        yield at, at + deed.lasts if limit is None else min(at + deed.lasts, limit), turn
