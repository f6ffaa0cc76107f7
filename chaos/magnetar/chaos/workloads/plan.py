"""What customers send when. Pure: the same load and seed give the same.

Orders are those of the payment report: some are cancelled, some want what is sold out. Some of all that is sent is sent
once more under the same id, by a customer who clicks twice. Lists get a word at a time, each with its place in it, so
that order and loss can be seen of the list alone. Timers are each a desk's own: it notes when it is set, when it rings,
and that it was hushed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from dataclasses import replace as replace_dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.paying.plan import Letter, Sizes
from magnetar.chaos.paying.plan import letters as orders_of
from magnetar.chaos.simulation.clerks import ALWAYS, HANDLED, Note
from magnetar.chaos.workloads.elder import Note1
from magnetar.chaos.workloads.pace import Pace
from magnetar.schemas import replace
from magnetar.schemas.commerce import Cancel, Place, Restock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.scenarios.spec import Load
    from magnetar.schemas import Command

TIMER = ".timer-"
"""What the key of a timer has in its name."""
_AGAIN = (0.05, 1.5)
"""Seconds until somebody clicks again."""
_RINGS, _HUSHED, _ABOUT = (2.0, 10.0), 0.25, 0.3
"""Seconds until a timer is due; the share that is hushed, and how many seconds before or after that is asked."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One letter: when (seconds from the begin of the load), under which id, and what; `copy`: it was sent before."""

    at: float
    message_id: str
    message: Command
    copy: bool = False

    @property
    def op(self) -> str:
        """In a word: `place`, `cancel`, `restock`, `append`, `timer`."""
        if isinstance(self.message, Note):
            return "timer" if TIMER in self.message.desk else "append"
        return "append" if self.older else type(self.message).__name__.lower()

    @property
    def older(self) -> bool:
        """Whether its customer is a release behind."""
        return isinstance(self.message, Note1)

    @property
    def due(self) -> float | None:
        """When a timer that it sets is due if it is handled at once."""
        return self.at + self.message.rings if isinstance(self.message, Note) and self.message.rings else None

    @property
    def key(self) -> str:
        """Whose it is."""
        match self.message:
            case Note(desk=desk) | Note1(desk=desk):
                return desk
            case Place(order_id=order_id) | Cancel(order_id=order_id):
                return order_id
            case Restock(sku=sku):
                return sku
            case _:
                raise AssertionError(f"customers send no {type(self.message).__name__}")


def letters(load: Load, seconds: float, name: str, seed: int, ill: tuple[float, float]) -> list[Sent]:
    """All that is sent within so many seconds, by time; what fails, if anything does, from one time to another.

    `name`: begins every id and key, so that runs keep apart.
    """
    chance, pace = random.Random(f"{seed} {name}"), Pace.of(load, ill[0])  # noqa: S311 - a load must be repeatable
    work = pace.work(seconds)
    sizes = Sizes(orders=max(1, round(load.orders * work)), rate=load.orders)
    found = [_named(letter, name) for letter in orders_of(sizes, seed)]
    found += _appends(load, work, name)
    found += _timers(load, work, name, random.Random(f"{seed} {name} timers"))  # noqa: S311
    found = [replace_dataclass(letter, at=pace.at(letter.at)) for letter in found]
    found += _ill(load, ill, name, chance)
    found += [again for letter in found if (again := _again(letter, load, chance)) is not None]
    return sorted(found, key=lambda letter: letter.at)


def _named(letter: Letter, name: str) -> Sent:
    """The keys of one run: shelves are a run's own, too."""
    message = letter.message
    match message:
        case Place():
            lines = tuple(replace(line, sku=f"{name}.{line.sku}") for line in message.lines)
            message = Place(order_id=f"{name}.{message.order_id}", lines=lines)
        case Cancel():
            message = Cancel(order_id=f"{name}.{message.order_id}")
        case Restock():
            message = Restock(sku=f"{name}.{message.sku}", quantity=message.quantity)
        case _:
            raise AssertionError(f"customers send no {type(message).__name__}")
    return Sent(letter.at, f"{name}.{letter.message_id}", message)


def _appends(load: Load, seconds: float, name: str) -> Iterator[Sent]:
    """To each list in turn, but for those to the hot one; every one is echoed, so that its effect is seen by others."""
    for number in range(round(load.appends * seconds)):
        hot = int(number * load.hot)
        if int((number + 1) * load.hot) > hot:
            turn, place = "hot", hot
        else:
            place, other = divmod(number - hot, load.lists)
            turn = str(other)
        kind = Note1 if turn != "hot" and int(turn) < load.older * load.lists else Note
        note = kind(desk=f"{name}.list-{turn}", word=str(place), echoes=True)
        yield Sent(number / load.appends, f"{name}.append-{number}", note)


def _timers(load: Load, seconds: float, name: str, chance: random.Random) -> Iterator[Sent]:
    """Each on a desk of its own; some are hushed at about the time that they are due: either may be first."""
    for number in range(round(load.timers * seconds)):
        at, desk, rings = number / load.timers, f"{name}{TIMER}{number}", round(chance.uniform(*_RINGS), 3)
        yield Sent(at, f"{desk}-set", Note(desk=desk, word="set", rings=rings))
        if chance.random() < _HUSHED:
            about = at + rings + chance.uniform(-_ABOUT, _ABOUT)
            yield Sent(about, f"{desk}-hush", Note(desk=desk, word="hush", hushes=True))


def _ill(load: Load, ill: tuple[float, float], name: str, chance: random.Random) -> Iterator[Sent]:
    """Each has a desk of its own, with a healthy word before it and one after it."""
    kinds = [("poison", number) for number in range(load.poison)] + [
        ("killer", number) for number in range(load.killers)
    ]
    for kind, number in kinds:
        at, desk = chance.uniform(*ill), f"{name}.{kind}-{number}"
        yield Sent(at, f"{desk}-before", Note(desk=desk, word="before"))
        bad = (
            Note(desk=desk, word=kind, fails=ALWAYS) if kind == "poison" else Note(desk=desk, word=kind, kills=HANDLED)
        )
        yield Sent(at + 0.3, f"{desk}-ill", bad)
        yield Sent(at + 0.6, f"{desk}-after", Note(desk=desk, word="after"))


def _again(letter: Sent, load: Load, chance: random.Random) -> Sent | None:
    draw, after = chance.random(), chance.uniform(*_AGAIN)
    if draw >= load.clicks:
        return None
    return Sent(letter.at + after, letter.message_id, letter.message, copy=True)
