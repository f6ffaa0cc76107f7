"""A run before it is run: everything that was decided, written out, so that it can be kept, made smaller and repeated.

A seed means another run as soon as the code draws differently; a schedule does not: sizes, letters and faults are in
it. What a fault does in detail it draws from a stream of its own, named by the schedule's seed, its kind and number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from magnetar.chaos.simulation.chance import Chance
from magnetar.chaos.simulation.charging import Charging
from magnetar.chaos.simulation.failing import Failing
from magnetar.chaos.simulation.letters import Act, Letter, Workload
from magnetar.chaos.simulation.options import Options, drawn
from magnetar.chaos.simulation.shopping import Shopping
from magnetar.chaos.simulation.strikes import GAPS, STRIKES
from magnetar.chaos.simulation.trade import Trade
from magnetar.schemas import contract_name

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKLOADS: Mapping[str, Workload] = {
    "trade": Trade(),
    "shopping": Shopping(),
    "failing": Failing(),
    "charging": Charging(),
}
"""By the name in a schedule: a warehouse made to show faults, the shop itself, handlers that fail, effects."""

HARSHER = 2.0
"""So many times as many faults strike where handlers fail: much of what is tried again is tried when they are over."""

SHOPPING, FAILING, CHARGING = 0.2, 0.25, 0.15
"""How many of the seeds run the shop, how many the failing clerks, and how many the cashiers."""


class Planned(NamedTuple):
    """A fault to come: its kind, its number among those of its kind, and when (seconds into the run)."""

    at: float
    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """All that decides a run."""

    seed: int
    workload: str
    options: Options
    letters: tuple[Letter, ...]
    faults: tuple[Planned, ...]
    acts: tuple[Act, ...] = ()

    @classmethod
    def of(cls, seed: int, workload: str | None = None) -> Schedule:
        """What a seed decides, on its own workload or on this one."""
        chance = Chance(seed)
        chosen = workload or _chosen(chance)
        options = drawn(chance, tuple(STRIKES))
        if chosen == "failing":
            options = replace(options, rate=HARSHER * options.rate)
        load = WORKLOADS[chosen]
        faults = tuple(planned(chance, options))
        return cls(
            seed, chosen, options, tuple(load.letters(chance, options)), faults, tuple(load.acts(chance, options))
        )

    def to_json(self) -> str:
        """As text for a file."""
        letters = [(contract_name(type(letter.message)), letter) for letter in self.letters]
        kept = {"seed": self.seed, "workload": self.workload, "options": self.options, "faults": self.faults}
        return msgspec.json.format(msgspec.json.encode({**kept, "acts": self.acts, "letters": letters})).decode()

    @classmethod
    def from_json(cls, text: str) -> Schedule:
        """The inverse of `to_json`; `msgspec.ValidationError` or `KeyError` for other text."""
        kept = msgspec.json.decode(text, type=_Kept)
        topics = WORKLOADS[kept.workload].wiring(kept.options).topics.values()
        kinds = {kind.name: message for topic in topics for message, kind in topic.kinds.items()}
        letters = tuple(_letter(kinds[name], raw) for name, raw in kept.letters)
        return cls(kept.seed, kept.workload, kept.options, letters, kept.faults, kept.acts)


def _chosen(chance: Chance) -> str:
    drawn = chance.stream("workload").random()
    if drawn < SHOPPING:
        return "shopping"
    if drawn > 1 - FAILING:
        return "failing"
    return "charging" if drawn > 1 - FAILING - CHARGING else "trade"


class _Kept(msgspec.Struct, frozen=True):
    seed: int
    workload: str
    options: Options
    faults: tuple[Planned, ...]
    letters: tuple[tuple[str, dict[str, Any]], ...]
    acts: tuple[Act, ...] = ()


def _letter(kind: type[Any], raw: dict[str, Any]) -> Letter:
    return Letter(**{**raw, "message": msgspec.convert(raw["message"], kind, strict=False)})


def planned(chance: Chance, options: Options) -> list[Planned]:
    """Every fault of a run, by time."""
    faults: list[Planned] = []
    for kind in sorted(options.kinds):
        draw, at, number = chance.stream("plan", kind), 0.0, 0
        while (at := at + draw.expovariate(options.rate / GAPS[kind])) < options.duration:
            faults.append(Planned(at, kind, number))
            number += 1
    return sorted(faults)
