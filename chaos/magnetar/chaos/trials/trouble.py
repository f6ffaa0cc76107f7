"""What goes wrong around an actor. Each trouble has draws of its own: leaving one out changes no other."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.simulation.chance import Chance

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

HANDLED = (
    "phase:handled",
    "store.commit:before",
    "store.commit:after",
    "phase:committed",
    "consumer.acknowledge:before",
)
"""Fault points between a handler and the acknowledgement: a crash there is the one that a handler can notice."""

LOST, HAPPENED = "store.commit:before", "store.commit:after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """What may go wrong. Switch off what your protocol rules out.

    `crash`: the worker crashes at a fault point and starts again, perhaps more than once, also while it recovers.
    `unknown`: the answer to a commit is lost, whether the commit happened or not.
    `twice`: a message is delivered again under its own id.
    `again`: a message is sent again under a new id: a second click. Never one that the story itself gives an id.
    `late`: a message is overtaken by what the story does next.
    `slow`: the broker hands a message on late, and with it all that is behind it in its partition.
    `race`: a message arrives just before or just after the next timer fires.
    """

    crash: bool = True
    unknown: bool = True
    twice: bool = True
    again: bool = True
    late: bool = True
    slow: bool = True
    race: bool = True

    def kinds(self) -> list[str]:
        """The kinds that are switched on."""
        return [each.name for each in fields(self) if getattr(self, each.name)]


class Trouble(NamedTuple):
    """One thing that goes wrong.

    `number`: with the how many-th message of the story, delivery of the broker, or arrival at fault point `point`.
    `steps`: how many steps of the story later; `before`: before the timer, not after it.
    """

    kind: str
    number: int
    point: str = ""
    steps: int = 0
    before: bool = False


class Extent(NamedTuple):
    """How much there is that can go wrong, as the story showed when it was played without trouble."""

    steps: int
    sent: int
    handed: int
    reached: Mapping[str, int]


def drawn(seed: int, kinds: Sequence[str], extent: Extent) -> tuple[Trouble, ...]:
    """The troubles of a seed. Each has about two of all kinds: all at once hide what two of them show."""
    if not kinds:
        return ()
    chance = Chance(seed)
    coins = {kind: chance.stream("has", kind).random() for kind in kinds}
    chosen = [kind for kind in kinds if coins[kind] < max(0.3, min(coins.values()) + 1e-9)]
    found: dict[Trouble, None] = {}
    for kind in chosen:
        for number in range(chance.stream("count", kind).choice((1, 1, 2, 3))):
            found.update(dict.fromkeys(_draw(kind, chance.stream(kind, number), extent)))
    return tuple(found)


def _draw(kind: str, draw: random.Random, extent: Extent) -> list[Trouble]:
    """One trouble, or none where there is nothing that it could happen to."""
    if kind == "crash":
        return [_crash(draw, extent.reached)]
    if kind == "unknown":
        commits = extent.reached.get(LOST, 0)
        return [Trouble(kind, draw.randint(1, commits), draw.choice((LOST, HAPPENED)))] if commits else []
    if kind == "slow":
        return [Trouble(kind, draw.randint(1, extent.handed), steps=_steps(draw, 1, extent))] if extent.handed else []
    if not extent.sent:
        return []
    steps = _steps(draw, int(kind == "late"), extent)
    return [Trouble(kind, draw.randint(1, extent.sent), steps=steps, before=draw.random() < 0.5)]  # noqa: PLR2004


def _steps(draw: random.Random, least: int, extent: Extent) -> int:
    """Half of them at once, the others at any step that is left, or when all are done."""
    return draw.choice((least, draw.randint(least, max(least, extent.steps))))


def _crash(draw: random.Random, reached: Mapping[str, int]) -> Trouble:
    """Half of them where a handler can notice; some later than the story came by itself, that is: in a recovery."""
    telling = [point for point in HANDLED if point in reached]
    point = draw.choice(telling if telling and draw.random() < 0.5 else sorted(reached))  # noqa: PLR2004
    return Trouble("crash", draw.randint(1, reached[point] + reached[point] // 4 + 1), point)
