"""Which orders come when, and who is killed when. Pure: the same seed gives the same."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from magnetar.actors.providing.emulator.conduct import Conduct, Manner
from magnetar.chaos.paying.impatient import READ_TIMEOUT
from magnetar.schemas import Money
from magnetar.schemas.commerce import Cancel, Capture, CaptureFailed, Line, Place, Restock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.schemas import Command

SKUS: Final = tuple(f"sku-{number:02}" for number in range(20))
SCARCE: Final = "sku-scarce"
_CANCELLED, _SCARCE = 0.2, 0.05
_LATE, _CONTRARY = 0.25, 0.1
_REGRET: Final = 2.0
"""Customers who cancel do so within so many seconds."""
_CURRENCY: Final = "EUR"
_RATES: Final = {
    Manner.SLOW: 0.09,
    Manner.SILENT: 0.09,
    Manner.LIES: 0.06,
    Manner.FAILS: 0.06,
    Manner.CUTS: 0.04,
    Manner.BUSY: 0.03,
    Manner.GARBLES: 0.03,
    Manner.TWICE: 0.05,
    Manner.REFUSES: 0.04,
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """`orders` come at `rate` a second; every so many seconds the provider is killed, and, in turn, a worker."""

    orders: int = 2_000
    rate: float = 10.0
    provider_dies: float = 8.0
    worker_dies: float = 25.0

    @property
    def seconds(self) -> float:
        """From the first order to the last."""
        return self.orders / self.rate


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a customer: when it is sent (seconds from the start), its id, and what it is."""

    at: float
    message_id: str
    message: Command


class Victim(Enum):
    """Who is killed."""

    PROVIDER = "provider"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Blow:
    """When somebody is killed (seconds from the start), and for how many seconds a provider stays away."""

    at: float
    victim: Victim
    away: float = 0.0


def letters(sizes: Sizes, seed: int) -> list[Letter]:
    """All that customers send, by time; the shelves are filled first."""
    chance = random.Random(seed)  # noqa: S311 - a load must be repeatable
    found = [Letter(0.0, f"restock-{sku}", Restock(sku=sku, quantity=sizes.orders * 6)) for sku in SKUS]
    few = max(1, round(sizes.orders * _SCARCE * 0.5))
    found.append(Letter(0.0, f"restock-{SCARCE}", Restock(sku=SCARCE, quantity=few)))
    for number in range(1, sizes.orders + 1):
        found += _order(f"o-{number}", number / sizes.rate, chance)
    return sorted(found, key=lambda letter: letter.at)


def blows(sizes: Sizes, seed: int) -> list[Blow]:
    """Everybody is killed at least once, whatever the size; by time."""
    chance = random.Random(f"{seed} blows")  # noqa: S311 - a load must be repeatable
    found = [
        Blow(at, Victim.PROVIDER, chance.uniform(0.2, 2.0)) for at in _times(sizes.seconds, sizes.provider_dies, chance)
    ]
    found += [Blow(at, Victim.WORKER) for at in _times(sizes.seconds, sizes.worker_dies, chance)]
    return sorted(found, key=lambda blow: blow.at)


def callbacks(entry: Entry, at: float, seed: int) -> Iterator[Letter]:
    """What the provider, beside its answers, tells of this entry of its log, which was seen `at`.

    Nothing, once or twice, soon or so late that all is over; and of some charges that they have failed.
    """
    if entry.what != "charged":
        return
    chance = random.Random(f"{seed} {entry.reference}")  # noqa: S311 - a load must be repeatable
    capture = Capture(order_id=entry.order_id, reference=entry.reference, amount=Money(entry.amount, entry.currency))
    for copy in range(chance.choice((0, 1, 2, 2))):
        delay = chance.uniform(5.0, 15.0) if chance.random() < _LATE else chance.uniform(0.0, 1.0)
        yield Letter(at + delay, f"{entry.reference}-callback-{copy}", capture)
    if chance.random() < _CONTRARY:
        failed = CaptureFailed(order_id=entry.order_id, reference=entry.reference, reason="contrary")
        yield Letter(at + chance.uniform(0.0, 10.0), f"{entry.reference}-contrary", failed)


def conduct(seed: int, life: int) -> Conduct:
    """How the provider behaves in its `life`-th life: what is slow is slower than anybody waits."""
    return Conduct(rates=_RATES, seed=seed * 1_000 + life, seconds=READ_TIMEOUT * 1.5)


def _order(order_id: str, at: float, chance: random.Random) -> Iterator[Letter]:
    lot, regret = chance.random(), chance.uniform(0.0, _REGRET)
    skus = [SCARCE] if lot < _SCARCE else chance.sample(SKUS, chance.randint(1, 2))
    lines = tuple(
        Line(sku=sku, quantity=chance.randint(1, 3), price=Money(chance.randint(100, 9_999), _CURRENCY)) for sku in skus
    )
    yield Letter(at, f"place-{order_id}", Place(order_id=order_id, lines=lines))
    if _SCARCE <= lot < _SCARCE + _CANCELLED:
        yield Letter(at + regret, f"cancel-{order_id}", Cancel(order_id=order_id))


def _times(seconds: float, every: float, chance: random.Random) -> Iterator[float]:
    """One somewhere in the middle of each stretch."""
    stretch = min(every, seconds)
    for number in range(int(seconds / stretch)):
        yield (number + chance.uniform(0.3, 0.7)) * stretch
