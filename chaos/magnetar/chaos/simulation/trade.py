"""The workload on the warehouse: orders that want more than there is, payments in any order, questions, strays."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from magnetar.chaos.history import Violation
from magnetar.chaos.simulation.letters import Act, Letter
from magnetar.chaos.simulation.warehouse import STOCK, Ask, Order, Pay, Place, Stock, Tally, warehouse
from magnetar.chaos.verdict import Checker
from magnetar.schemas import Kept, State

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.options import Options
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.wiring import Wiring

S = TypeVar("S", bound=State)

ASTRAY, FOREIGN, TWICE, PAID, PAID_AGAIN, ASKED = 0.06, 0.05, 0.3, 0.75, 0.15, 0.4
LATE = 1
"""So many more orders come when everything is healed: what is at rest must also be alive."""

_MONEY, _STOCK, _ENDS = "every coin is kept or given back", "stock is neither oversold nor lost", "every order ends"


class Trade:
    """See `Workload`."""

    def wiring(self, options: Options) -> Wiring:
        """See `Workload`."""
        return warehouse(options.partitions)

    def letters(self, chance: Chance, options: Options) -> list[Letter]:
        """See `Workload`. Each order draws from a stream of its own."""
        return [
            letter
            for number in range(options.orders + LATE)
            for letter in _order(chance.stream("order", number), number, options)
        ]

    def acts(self, chance: Chance, options: Options) -> list[Act]:  # noqa: ARG002
        """See `Workload`. Nothing fails here: nobody has anything to do."""
        return []

    @property
    def checkers(self) -> tuple[Checker, ...]:
        """See `Workload`."""
        return (
            Checker("money", ("R2", "R7"), _money),
            Checker("stock", ("R2", "R5", "R7"), _stock),
            Checker("terminal", ("R26",), _terminal),
        )


def _order(draw: random.Random, number: int, options: Options) -> Iterator[Letter]:
    """The letters of one order, early and late, once or twice.

    Of those that come when all is healed nobody pays for an article of which there is enough: their timers fire.
    """
    key, late = f"o-{number}", number >= options.orders
    start = options.duration + draw.random() if late else draw.uniform(0.0, options.duration * 0.6)
    patience = draw.uniform(0.3, 2.5)
    article = options.articles if late else draw.randrange(options.articles)
    place = Place(order_id=key, sku=f"s-{article}", quantity=draw.randint(1, 4), patience=patience)
    yield _letter(draw, start, place, f"{key}-place")
    if draw.random() < PAID and not late:
        yield _letter(
            draw,
            start + draw.uniform(-0.2, patience * 1.3),
            Pay(order_id=key, amount=draw.randint(1, 900)),
            f"{key}-pay",
        )
    if draw.random() < PAID_AGAIN and not late:
        yield _letter(
            draw, start + draw.uniform(0.0, patience), Pay(order_id=key, amount=draw.randint(1, 900)), f"{key}-pay-2"
        )
    for turn in range(3):
        if draw.random() < ASKED:
            yield _letter(draw, start + draw.uniform(0.0, 1.0), Ask(order_id=key), f"{key}-ask-{turn}", asks=True)


def _letter(draw: random.Random, at: float, message: Place | Pay | Ask, name: str, *, asks: bool = False) -> Letter:
    foreign = draw.random() < FOREIGN
    copies = draw.choice((2, 2, 3)) if draw.random() < TWICE and not foreign else 1
    astray = draw.random() < ASTRAY
    return Letter(max(0.0, at), message, None if foreign else name, asks and not foreign, astray, copies)


def _states(evidence: Evidence, actor: str, kind: type[S]) -> Iterator[tuple[str, S]]:
    codec = evidence.wiring.actors[actor].codec
    for (owner, key), row in evidence.states.items():
        if owner == actor:
            state = codec.decode(row.body, codec.schema, Kept(actor, key))
            assert isinstance(state, kind), f"{actor} has the state {type(state)}"
            yield key, state


def _money(_: History, evidence: Evidence) -> Examination:
    """Every coin is kept for a confirmed order or given back, and the rows of bookings say the same."""
    booked: dict[tuple[str, str], int] = {}
    for _id, _ordinal, key, kind, amount in evidence.rows["bookings"]:
        place = (str(key), str(kind))
        booked[place] = booked.get(place, 0) + int(str(amount))
    for key, order in _states(evidence, "orders", Order):
        if order.paid != order.kept + order.refunded or (order.kept and order.status not in {"new", "confirmed"}):
            what = f"paid {order.paid}, kept {order.kept}, refunded {order.refunded}, {order.status}"
            yield Violation(_MONEY, f"order {key}", what)
        elif (order.kept, order.refunded) != (rows := _booked(booked, key)):
            what = f"kept {order.kept}, refunded {order.refunded}; its rows say {rows[0]} and {rows[1]}"
            yield Violation(_MONEY, f"order {key}", what)
        else:
            yield None


def _booked(booked: Mapping[tuple[str, str], int], key: str) -> tuple[int, int]:
    return booked.get((key, "kept"), 0), booked.get((key, "refunded"), 0)


def _stock(_: History, evidence: Evidence) -> Examination:
    """Just the confirmed orders hold goods; nothing is held twice, and nothing is gone."""
    orders = dict(_states(evidence, "orders", Order))
    for key, article in _states(evidence, "stock", Stock):
        held, wanted = sum(article.held.values()), _confirmed(orders, key)
        if article.left < 0 or article.left + held != STOCK or article.repeats:
            what = f"{article.left} left, {held} held of {STOCK}; {article.repeats} repeats"
            yield Violation(_STOCK, f"article {key}", what)
        elif dict(article.held) != wanted:
            yield Violation(_STOCK, f"article {key}", f"held by {dict(article.held)}, confirmed are {wanted}")
        else:
            yield None


def _confirmed(orders: Mapping[str, Order], sku: str) -> dict[str, int]:
    return {key: order.quantity for key, order in orders.items() if order.sku == sku and order.status == "confirmed"}


def _terminal(_: History, evidence: Evidence) -> Examination:
    """Each placed order has its end: one reservation, asked and answered; and the public events tell the same."""
    tallies = dict(_states(evidence, "tallies", Tally))
    for key, order in _states(evidence, "orders", Order):
        tally = tallies.get(key, Tally())
        if order.status not in OUTCOMES:
            yield Violation(_ENDS, f"order {key}", f"it ended as {order.status!r}: {order}")
        elif order.status == "cancelled" and not order.reminders:
            yield Violation(_ENDS, f"order {key}", "it was cancelled without a reminder, which is due before")
        elif order.asked != order.answered or order.asked != (order.status != "new"):
            yield Violation(_ENDS, f"order {key}", f"{order.asked} reservations asked, {order.answered} answered")
        elif (tally.reserved, tally.refused, tally.released) not in OUTCOMES[order.status]:
            yield Violation(_ENDS, f"order {key}", f"it ended as {order.status!r}, and its events are {tally}")
        else:
            yield None


OUTCOMES: Mapping[str, tuple[tuple[int, int, int], ...]] = {
    "new": ((0, 0, 0),),
    "confirmed": ((1, 0, 0),),
    "refused": ((0, 1, 0),),
    "cancelled": ((1, 0, 1), (0, 1, 0)),
}
"""How an order may end, with the events that then were published: reserved, refused, released."""
