"""The workload on the shop: a few scarce articles, customers who pay early, late, twice, too little or never."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from magnetar.actors.settings import ShopSettings
from magnetar.actors.shop import make_shop
from magnetar.chaos.history import Violation
from magnetar.chaos.simulation.letters import Act, Letter
from magnetar.chaos.verdict import Checker
from magnetar.schemas import Command, Kept, Message, Money, State
from magnetar.schemas.commerce import Cancel, Capture, Line, Order, OrderStatus, Place, RefundRequested, Restock, Stock

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.options import Options
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.wiring import Wiring

S = TypeVar("S", bound=State)
M = TypeVar("M", bound=Message)

CURRENCY = "EUR"
FINAL = frozenset({OrderStatus.CONFIRMED, OrderStatus.CANCELLED, OrderStatus.REFUSED})
_MONEY = "every coin is kept or given back"


@cache
def shop(partitions: int) -> Wiring:
    """The shop, checked, with so many partitions an actor, and a customer's patience of seconds."""
    settings = ShopSettings(payment_timeout=2.0, stock_timeout=1.5, unclaimed_timeout=3.0, partitions=partitions)
    return make_shop(settings).app.wire()


class Shopping:
    """See `Workload`."""

    def wiring(self, options: Options) -> Wiring:
        """See `Workload`."""
        return shop(options.partitions)

    def letters(self, chance: Chance, options: Options) -> list[Letter]:
        """See `Workload`. Each article and each order draws from a stream of its own."""
        goods = [_delivery(chance.stream("article", number), f"s-{number}") for number in range(options.articles)]
        orders = [
            letter
            for number in range(max(2, options.orders // 2) + 1)
            for letter in _order(chance.stream("order", number), number, options)
        ]
        return goods + orders

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


def _delivery(draw: random.Random, sku: str) -> Letter:
    return Letter(0.0, Restock(sku=sku, quantity=draw.randint(3, 12)), f"restock-{sku}", copies=draw.choice((1, 2)))


def _order(draw: random.Random, number: int, options: Options) -> Iterator[Letter]:
    """What one customer does; the first one comes when everything is healed."""
    key = f"o-{number}"
    start = draw.uniform(0.1, options.duration * 0.6) if number else options.duration + draw.random()
    skus = draw.sample(range(options.articles), draw.randint(1, options.articles))
    lines = tuple(
        Line(sku=f"s-{number}", quantity=draw.randint(1, 3), price=Money(draw.randint(2, 900), CURRENCY))
        for number in skus
    )
    total = sum(line.quantity * line.price.amount for line in lines)
    yield _letter(draw, start, Place(order_id=key, lines=lines), f"{key}-place")
    for turn in range(draw.choice((0, 1, 1, 1, 2))):
        amount = Money(total - draw.choice((0, 0, 0, 1)), CURRENCY)
        paid = Capture(order_id=key, reference=f"{key}-capture-{turn}", amount=amount)
        yield _letter(draw, start + draw.uniform(-0.3, 3.0), paid, paid.reference)
    if draw.random() < 0.15:  # noqa: PLR2004 - how many change their mind
        yield _letter(draw, start + draw.uniform(-0.1, 2.5), Cancel(order_id=key), f"{key}-cancel")


def _letter(draw: random.Random, at: float, message: Command, name: str) -> Letter:
    copies, astray = draw.choice((1, 1, 1, 2, 3)), draw.random() < 0.05  # noqa: PLR2004 - few
    return Letter(max(0.0, at), message, name, astray=astray, copies=copies)


def _states(evidence: Evidence, actor: str, kind: type[S]) -> Iterator[tuple[str, S]]:
    codec = evidence.wiring.actors[actor].codec
    for (owner, key), row in evidence.states.items():
        if owner == actor:
            state = codec.decode(row.body, codec.schema, Kept(actor, key))
            assert isinstance(state, kind), f"{actor} has the state {type(state)}"
            yield key, state


def _published(evidence: Evidence, topic: str, kind: type[M]) -> Iterator[M]:
    """Every message of this type in the topic's logs, copies and all."""
    codec = evidence.wiring.topics[topic].codec
    for place, log in evidence.logs.items():
        for delivery in log if place.topic == topic else ():
            message = codec.decode(delivery.body, codec.schema, Kept(topic, str(delivery.position)))
            if isinstance(message, kind):
                yield message


def _terminal(_: History, evidence: Evidence) -> Examination:
    """Each order that was placed has ended."""
    for key, order in _states(evidence, "orders", Order):
        if order.status not in FINAL and order.placed_at is not None:
            yield Violation("every order ends", f"order {key}", f"it is still {order.status.value}")
        else:
            yield None


def _stock(_: History, evidence: Evidence) -> Examination:
    """Neither oversold nor lost, nothing put aside for nobody; what was sold is what confirmed orders took."""
    taken: Counter[str] = Counter()
    for _key, order in _states(evidence, "orders", Order):
        if order.status is OrderStatus.CONFIRMED:
            taken.update({each.line.sku: each.line.quantity for each in order.lines})
    for sku, shelf in _states(evidence, "stock", Stock):
        whole = shelf.on_hand + shelf.reserved + shelf.sold == shelf.restocked
        if not whole or shelf.on_hand < 0 or shelf.reserved or shelf.holds or shelf.sold != taken[sku]:
            what = f"{shelf.on_hand} on hand, {shelf.reserved} reserved, {shelf.sold} sold of {shelf.restocked}"
            subject, found = f"article {sku}", f"{what}; confirmed orders took {taken[sku]}"
            yield Violation("stock is neither oversold nor lost", subject, found)
        else:
            yield None


def _money(_: History, evidence: Evidence) -> Examination:
    """Each capture was kept for the confirmed order that it paid, or asked back once."""
    orders = dict(_states(evidence, "orders", Order))
    refunds = Counter(refund.reference for refund in _published(evidence, "payments-events", RefundRequested))
    for capture in {each.reference: each for each in _published(evidence, "payments", Capture)}.values():
        order = orders.get(capture.order_id, Order())
        kept = order.status is OrderStatus.CONFIRMED and order.paid_by == capture.reference
        if refunds[capture.reference] != (not kept):
            what = f"the order is {order.status.value}; it was asked back {refunds[capture.reference]} times"
            yield Violation(_MONEY, f"capture {capture.reference}", what)
        elif kept and order.total != capture.amount:
            yield Violation(_MONEY, f"capture {capture.reference}", f"{capture.amount} paid {order.total}")
        else:
            yield None
