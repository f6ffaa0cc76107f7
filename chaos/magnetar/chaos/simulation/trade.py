"""The workload on the warehouse: orders that want more than there is, payments in any order, questions, strays."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from magnetar.chaos.history import Violation
from magnetar.chaos.simulation.letters import Letter
from magnetar.chaos.simulation.warehouse import STOCK, Ask, Order, Pay, Place, Stock, Tally, warehouse
from magnetar.schemas import Kept, State

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.options import Options
    from magnetar.runtime.wiring import Wiring

S = TypeVar("S", bound=State)

ASTRAY, FOREIGN, TWICE, PAID, PAID_AGAIN, ASKED = 0.06, 0.05, 0.3, 0.75, 0.15, 0.4
_PROMISE = "the warehouse's books agree"


class Trade:
    """See `Workload`."""

    def wiring(self, options: Options) -> Wiring:
        """See `Workload`."""
        return warehouse(options.partitions)

    def letters(self, chance: Chance, options: Options) -> list[Letter]:
        """See `Workload`. Each order draws from a stream of its own."""
        return [
            letter
            for number in range(options.orders)
            for letter in _order(chance.stream("order", number), f"o-{number}", options)
        ]

    def violations(self, evidence: Evidence) -> Iterator[Violation]:
        """See `Workload`."""
        orders = dict(_states(evidence, "orders", Order))
        articles = dict(_states(evidence, "stock", Stock))
        for key, order in orders.items():
            yield from _ended(key, order)
        for key, article in articles.items():
            wanted = {
                name: order.quantity
                for name, order in orders.items()
                if order.sku == key and order.status == "confirmed"
            }
            yield from _balanced(key, article, wanted)
        yield from _tallied(orders, dict(_states(evidence, "tallies", Tally)))
        yield from _booked(orders, evidence)


def _order(draw: random.Random, key: str, options: Options) -> Iterator[Letter]:
    """The letters of one order, early and late, once or twice."""
    start = draw.uniform(0.0, options.duration * 0.8)
    patience = draw.uniform(0.3, 4.0)
    place = Place(
        order_id=key, sku=f"s-{draw.randrange(options.articles)}", quantity=draw.randint(1, 4), patience=patience
    )
    yield _letter(draw, start, place, f"{key}-place")
    if draw.random() < PAID:
        yield _letter(
            draw,
            start + draw.uniform(-0.2, patience * 1.3),
            Pay(order_id=key, amount=draw.randint(1, 900)),
            f"{key}-pay",
        )
    if draw.random() < PAID_AGAIN:
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


def _ended(key: str, order: Order) -> Iterator[Violation]:
    """Each placed order has its end, one reservation asked and answered, every coin kept or given back."""
    if order.status not in {"new", "confirmed", "refused", "cancelled"}:
        yield Violation(_PROMISE, f"order {key}", f"it ended as {order.status!r}: {order}")
    if order.asked != order.answered or order.asked != (order.status != "new"):
        yield Violation(_PROMISE, f"order {key}", f"{order.asked} reservations asked, {order.answered} answered")
    if order.paid != order.kept + order.refunded or (order.kept and order.status not in {"new", "confirmed"}):
        yield Violation(_PROMISE, f"order {key}", f"paid {order.paid}, kept {order.kept}, refunded {order.refunded}")


def _balanced(key: str, article: Stock, wanted: dict[str, int]) -> Iterator[Violation]:
    """Stock is neither oversold nor lost; just the confirmed orders hold some."""
    held = sum(article.held.values())
    if article.left < 0 or article.left + held != STOCK or article.repeats:
        yield Violation(
            _PROMISE, f"article {key}", f"{article.left} left, {held} held of {STOCK}; {article.repeats} repeats"
        )
    if dict(article.held) != wanted:
        yield Violation(_PROMISE, f"article {key}", f"held by {dict(article.held)}, confirmed are {wanted}")


def _tallied(orders: dict[str, Order], tallies: dict[str, Tally]) -> Iterator[Violation]:
    """The public events tell the same story, each once."""
    for key, order in orders.items():
        tally = tallies.get(key, Tally())
        outcomes = {
            "new": [(0, 0, 0)],
            "confirmed": [(1, 0, 0)],
            "refused": [(0, 1, 0)],
            "cancelled": [(1, 0, 1), (0, 1, 0)],
        }
        if (tally.reserved, tally.refused, tally.released) not in outcomes.get(order.status, []):
            yield Violation(_PROMISE, f"order {key}", f"it ended as {order.status!r}, and its events are {tally}")


def _booked(orders: dict[str, Order], evidence: Evidence) -> Iterator[Violation]:
    """The rows of refunds are the refunds."""
    refunded: dict[str, int] = {}
    for _, _, key, kind, amount in evidence.rows["bookings"]:
        if kind == "refunded":
            refunded[str(key)] = refunded.get(str(key), 0) + int(str(amount))
    for key, order in orders.items():
        if refunded.get(key, 0) != order.refunded:
            yield Violation(_PROMISE, f"order {key}", f"refunded {order.refunded}, its rows say {refunded.get(key, 0)}")
