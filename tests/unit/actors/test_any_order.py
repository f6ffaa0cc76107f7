"""The shop on a network that keeps no promise: any message may come at any time, in any order, and again.

Harsher than the engine, which keeps order and absorbs duplicates: here every duplicate is a message of its own, and
strangers take part. What the tables promise must hold without the engine's help.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from magnetar.actors import ShopSettings
from magnetar.schemas import Money
from magnetar.schemas.commerce import (
    Cancel,
    Capture,
    CaptureFailed,
    Line,
    PaymentStatus,
    Place,
    RefundRequested,
    Release,
    Reserve,
    Restock,
    Sell,
)
from tests.unit.actors.books import check_payment, check_settled, check_stock
from tests.unit.actors.goods import NOW, Counter, euros, line

if TYPE_CHECKING:
    from datetime import datetime

    from magnetar.runtime import Actor, State
    from magnetar.schemas import Message, Timer

ORDERS = st.sampled_from(["o-1", "o-2", "o-3", "o-4"])
SKUS = st.sampled_from(["s-1", "s-2"])
LINES = st.lists(st.builds(line, SKUS, st.integers(0, 3), st.sampled_from([0, 500, 700])), max_size=3).map(tuple)
BASKETS = st.sampled_from([("s-1",), ("s-2",), ("s-1", "s-2")])
AMOUNTS = st.one_of(st.sampled_from([300, 500, 1000, 1200]).map(euros), st.just(Money(500, "USD")))
NEVER = NOW + timedelta(days=365)
MINUTE = NOW + timedelta(seconds=60)
STRANGERS: st.SearchStrategy[Message] = st.one_of(
    st.builds(Reserve, sku=SKUS, order_id=ORDERS, quantity=st.integers(0, 3), until=st.sampled_from([MINUTE, NEVER])),
    st.builds(Sell, sku=SKUS, order_id=ORDERS),
    st.builds(Release, sku=SKUS, order_id=ORDERS),
)
REFERENCES = st.sampled_from(["r-1", "r-2", "r-3"])


COUNTER = Counter(ShopSettings(settled_memory=1e9, partitions=2))
"""Compiled once: a SKU forgets nothing here; what forgetting costs is tried elsewhere."""


class Mail(NamedTuple):
    """A message under way."""

    actor: str
    key: str
    message: Message


class AnyOrder(RuleBasedStateMachine):
    """Handlers, a bag of mail, and time."""

    def __init__(self) -> None:
        """An empty shop."""
        super().__init__()
        self.states: dict[str, dict[str, Any]] = defaultdict(dict)
        self.bag: list[Mail] = []
        self.handled: list[Mail] = []
        self.unheard: list[Message] = []
        self.timers: dict[tuple[str, str, str], tuple[datetime, Timer]] = {}
        self.now = NOW
        self.chance = random.Random(0)

    @initialize(seed=st.integers(0, 1000), quantity=st.sampled_from([0, 1, 3, 6]))
    def opens(self, seed: int, quantity: int) -> None:
        """The order of the last deliveries is drawn; there may be goods from the first."""
        self.chance = random.Random(seed)
        for sku in ("s-1", "s-2"):
            if quantity:
                self.post(Restock(sku=sku, quantity=quantity))
        self.deliver_all()

    @rule(order_id=ORDERS, lines=LINES)
    def places(self, order_id: str, lines: tuple[Line, ...]) -> None:
        """A customer places an order, right or wrong, perhaps again, perhaps differently."""
        self.post(Place(order_id=order_id, lines=lines))

    @rule(order_id=ORDERS, skus=BASKETS, quick=st.booleans())
    def orders(self, order_id: str, skus: tuple[str, ...], quick: bool) -> None:  # noqa: FBT001 - drawn
        """A right order, perhaps answered at once: most of the ways through the shop begin with one."""
        self.post(Place(order_id=order_id, lines=tuple(map(line, skus))))
        if quick:
            self.deliver_all()

    @rule(order_id=ORDERS)
    def cancels(self, order_id: str) -> None:
        """The customer thinks better of it."""
        self.post(Cancel(order_id=order_id))

    @rule(order_id=ORDERS, reference=REFERENCES, amount=AMOUNTS)
    def pays(self, order_id: str, reference: str, amount: Money) -> None:
        """A callback: early, late, again, of a wrong amount, or contradicting an earlier one."""
        self.post(Capture(order_id=order_id, reference=f"{order_id}/{reference}", amount=amount))

    @rule(order_id=ORDERS, reference=REFERENCES)
    def fails_to_pay(self, order_id: str, reference: str) -> None:
        """A callback that a capture failed, perhaps of one that did not."""
        self.post(CaptureFailed(order_id=order_id, reference=f"{order_id}/{reference}", reason="no cover"))

    @rule(data=st.data(), quick=st.booleans())
    def pays_what_is_due(self, data: st.DataObject, quick: bool) -> None:  # noqa: FBT001 - drawn
        """The ordinary case; the callback is perhaps quicker than all other mail."""
        due = [name for name, payment in self.states["payments"].items() if payment.status is PaymentStatus.DUE]
        if not due:
            return
        order_id = data.draw(st.sampled_from(due), label="order")
        amount = self.states["payments"][order_id].due
        self.post(Capture(order_id=order_id, reference=f"{order_id}/right", amount=amount))
        if quick:
            self.deliver(self.bag.pop())

    @rule(sku=SKUS, quantity=st.integers(-1, 5))
    def restocks(self, sku: str, quantity: int) -> None:
        """Goods come in, or what is no delivery."""
        self.post(Restock(sku=sku, quantity=quantity))

    @rule(message=STRANGERS)
    def meddles(self, message: Message) -> None:
        """A stranger asks stock for things that only the order should."""
        self.post(message)

    @precondition(lambda self: self.bag)
    @rule(data=st.data())
    def delivers(self, data: st.DataObject) -> None:
        """Some message arrives."""
        self.deliver(self.bag.pop(data.draw(st.integers(0, len(self.bag) - 1), label="mail")))

    @precondition(lambda self: self.bag)
    @rule()
    def delivers_everything(self) -> None:
        """The network is quick for once."""
        self.deliver_all()

    @precondition(lambda self: self.handled)
    @rule(data=st.data())
    def repeats(self, data: st.DataObject) -> None:
        """A message that was handled comes again, as a message of its own."""
        mail = data.draw(st.sampled_from(self.handled), label="mail")
        if not isinstance(mail.message, Restock):
            self.bag.append(mail)

    @rule(seconds=st.sampled_from([1.0, 59.0, 60.0, 1800.0, 90_000.0]))
    def waits(self, seconds: float) -> None:
        """Time passes; what is due fires, in an order of its own."""
        self.now += timedelta(seconds=seconds)
        self.fire()

    @invariant()
    def the_books_agree(self) -> None:
        """At any moment."""
        for sku, stock in self.states["stock"].items():
            came = [
                each.message.quantity for each in self.handled if isinstance(each.message, Restock) and each.key == sku
            ]
            check_stock(sku, stock, sum(quantity for quantity in came if quantity > 0))
        for order_id, payment in self.states["payments"].items():
            check_payment(order_id, payment, self.refunds(order_id), self.captured(order_id))

    def teardown(self) -> None:
        """Let everything happen that still can, then look."""
        self.settle()
        self.the_books_agree()
        for name, empty in (("orders", COUNTER.shop.orders.state()), ("payments", COUNTER.shop.payments.state())):
            for order_id in self.states["orders"].keys() | self.states["payments"].keys():
                self.states[name].setdefault(order_id, empty)
        check_settled(self.states["orders"], self.states["payments"], self.states["stock"])

    # the network

    def post(self, message: Message) -> None:
        """Put a message into the bag for whoever takes it; what nobody takes is only noted."""
        topics = [topic for topic in COUNTER.wiring.topics.values() if type(message) in topic.types]
        key = getattr(message, "sku", None) if "stock" in topics[0].takers else getattr(message, "order_id", None)
        mails = [
            Mail(actor, str(key), message) for topic in topics for actor in topic.takers if self.takes(actor, message)
        ]
        self.bag += mails
        if not mails:
            self.unheard.append(message)

    def takes(self, actor: str, message: Message) -> bool:
        """Whether the actor handles it."""
        return type(message) in COUNTER.wiring.actors[actor].handlers

    def deliver(self, mail: Mail) -> None:
        """Hand it to the actor's handler, and post what that decides."""
        actor: Actor[Any] = getattr(COUNTER.shop, mail.actor)
        state: State = self.states[mail.actor].get(mail.key, actor.state())
        after, sent, context = COUNTER.handle(actor, state, mail.message, key=mail.key, now=self.now)
        self.states[mail.actor][mail.key] = after
        self.handled.append(mail)
        for message in sent:
            self.post(message)
        for name in context.cancelled:
            self.timers.pop((mail.actor, mail.key, name), None)
        for name, armed in context.armed.items():
            self.timers[mail.actor, mail.key, name] = (
                NOW + timedelta(microseconds=armed.due - self.epoch()),
                armed.timer,
            )

    def epoch(self) -> int:
        """The first moment, in microseconds."""
        return round(NOW.timestamp() * 1_000_000)

    def deliver_all(self) -> None:
        """In any order, until none is left."""
        while self.bag:
            self.deliver(self.bag.pop(self.chance.randrange(len(self.bag))))

    def fire(self) -> None:
        """Every timer that is due, in any order."""
        due = [place for place, (moment, _) in self.timers.items() if moment <= self.now]
        self.chance.shuffle(due)
        for actor, key, name in due:
            armed = self.timers.pop((actor, key, name), None)
            if armed is not None:
                self.deliver(Mail(actor, key, armed[1]))

    def settle(self) -> None:
        """Mail and timers, until there is neither."""
        self.deliver_all()
        while self.timers:
            self.now = max(self.now, min(moment for moment, _ in self.timers.values()))
            self.fire()
            self.deliver_all()

    def refunds(self, order_id: str) -> list[RefundRequested]:
        """What was asked to go back."""
        return [each for each in self.unheard if isinstance(each, RefundRequested) and each.order_id == order_id]

    def captured(self, order_id: str) -> list[Capture]:
        """The callbacks that have arrived."""
        return [each.message for each in self.handled if isinstance(each.message, Capture) and each.key == order_id]


def test_the_books_agree_in_whatever_order_messages_come() -> None:
    """At every moment, and once everything has settled."""
    run_state_machine_as_test(AnyOrder, settings=settings(max_examples=100, stateful_step_count=40, deadline=None))
