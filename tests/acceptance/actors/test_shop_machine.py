"""The whole shop on the real engine, under anything: orders, payments, strangers, duplicates, time and crashes.

Several messages are under way at once, and the worker may lose its memory after any number of its steps while they are.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from magnetar.actors import ShopSettings, make_shop
from magnetar.runtime import World
from magnetar.schemas import Event, Money
from magnetar.schemas.commerce import (
    Cancel,
    Capture,
    CaptureFailed,
    NotReserved,
    NotSold,
    PaymentStatus,
    Place,
    RefundRequested,
    Release,
    Reserve,
    Reserved,
    Restock,
    Sell,
    Sold,
)
from tests.unit.actors.books import check_payment, check_settled, check_stock
from tests.unit.actors.goods import NOW, euros, line

if TYPE_CHECKING:
    from magnetar.runtime import Actor
    from magnetar.schemas import Message

SHOP = make_shop(ShopSettings(partitions=2))
NAMES = ("o-1", "o-2", "o-3", "o-4", "o-5")
ORDERS = st.sampled_from(NAMES)
SKUS = st.sampled_from(["s-1", "s-2"])
BASKETS = st.sampled_from([("s-1",), ("s-2",), ("s-1", "s-2")])
REFERENCES = st.sampled_from(["a", "b"])
AMOUNTS = st.sampled_from([euros(400), euros(500), euros(1000), Money(500, "USD")])


def _place(order_id: str, skus: tuple[str, ...], quantity: int) -> Place:
    return Place(order_id=order_id, lines=tuple(line(sku, quantity) for sku in skus))


def _capture(order_id: str, reference: str, amount: Money) -> Capture:
    return Capture(order_id=order_id, reference=f"{order_id}/{reference}", amount=amount)


CUSTOMERS = st.one_of(
    st.builds(_place, ORDERS, BASKETS, st.sampled_from([1, 1, 1, 2, 0])),
    st.builds(_place, ORDERS, BASKETS, st.just(1)),
    st.builds(Cancel, order_id=ORDERS),
    st.builds(_capture, ORDERS, REFERENCES, AMOUNTS),
    st.builds(CaptureFailed, order_id=ORDERS, reference=REFERENCES, reason=st.just("no cover")),
    st.builds(Restock, sku=SKUS, quantity=st.integers(0, 3)),
)
STRANGERS: st.SearchStrategy[Message] = st.one_of(
    st.builds(Reserve, sku=SKUS, order_id=ORDERS, quantity=st.integers(1, 2), until=st.just(NOW + timedelta(days=9))),
    st.builds(Sell, sku=SKUS, order_id=ORDERS),
    st.builds(Release, sku=SKUS, order_id=ORDERS),
)


class AnyShop(RuleBasedStateMachine):
    """One world."""

    def __init__(self) -> None:
        """A shop without goods."""
        super().__init__()
        self.world = World(SHOP.app)
        self.world.__enter__()
        self.sent: dict[UUID, Message] = {}

    @initialize(quantity=st.sampled_from([0, 2, 5]))
    def opens(self, quantity: int) -> None:
        """There may be goods from the first."""
        self.runs([Restock(sku=sku, quantity=quantity) for sku in ("s-1", "s-2")], steps=None)

    @rule(messages=st.lists(CUSTOMERS, min_size=1, max_size=5), steps=st.none() | st.integers(0, 60))
    def customers_come(self, messages: list[Message], steps: int | None) -> None:
        """Several things at once; perhaps the worker crashes on the way."""
        self.runs(messages, steps)

    @rule(order_id=ORDERS, skus=BASKETS, steps=st.none() | st.integers(0, 60))
    def orders(self, order_id: str, skus: tuple[str, ...], steps: int | None) -> None:
        """The ordinary case."""
        self.runs([_place(order_id, skus, 1)], steps)

    @rule(steps=st.none() | st.integers(0, 60), meanwhile=st.lists(CUSTOMERS, max_size=2))
    def everybody_pays(self, steps: int | None, meanwhile: list[Message]) -> None:
        """Every payment that is due is captured as it should be."""
        payments = {name: self.world.state(SHOP.payments, name) for name in NAMES}
        due = [(name, each.due) for name, each in payments.items() if each.status is PaymentStatus.DUE and each.due]
        self.runs([*meanwhile, *(_capture(name, "right", amount) for name, amount in due)], steps)

    @rule(message=STRANGERS, meanwhile=st.lists(CUSTOMERS, max_size=3), steps=st.none() | st.integers(0, 60))
    def a_stranger_comes(self, message: Message, meanwhile: list[Message], steps: int | None) -> None:
        """Somebody else's command to stock, which only the order should send."""
        self.runs([message, *meanwhile], steps)

    @rule(data=st.data(), steps=st.none() | st.integers(0, 30))
    def sends_again(self, data: st.DataObject, steps: int | None) -> None:
        """The very same message (its id is known), and the same words as a message of their own."""
        known = data.draw(st.sampled_from(list(self.sent.items())), label="message")
        self.put(known[1], known[0])
        self.runs([] if isinstance(known[1], Restock) else [known[1]], steps)

    @rule(data=st.data(), meanwhile=st.lists(CUSTOMERS, max_size=3), steps=st.none() | st.integers(0, 60))
    def stock_repeats_itself(self, data: st.DataObject, meanwhile: list[Message], steps: int | None) -> None:
        """A fact that was stated once is stated again, as an event of its own."""
        facts = [fact for kind in (Reserved, NotReserved, Sold, NotSold) for fact in self.world.sent(kind)]
        if facts:
            self.runs([data.draw(st.sampled_from(facts), label="fact"), *meanwhile], steps)

    @rule(seconds=st.sampled_from([1.0, 59.0, 61.0, 1800.0, 90_000.0]))
    def waits(self, seconds: float) -> None:
        """Time passes."""
        self.world.advance(seconds)

    @rule()
    def crashes(self) -> None:
        """The worker's memory is gone."""
        self.world.crash()

    @invariant()
    def the_books_agree(self) -> None:
        """Whenever the world is at rest."""
        refunds = self.world.sent(RefundRequested)
        for sku in ("s-1", "s-2"):
            came = [each.quantity for each in self.sent.values() if isinstance(each, Restock) and each.sku == sku]
            check_stock(sku, self.world.state(SHOP.stock, sku), sum(came))
        for name in NAMES:
            captured = [each for each in self.sent.values() if isinstance(each, Capture) and each.order_id == name]
            of_order = [each for each in refunds if each.order_id == name]
            check_payment(name, self.world.state(SHOP.payments, name), of_order, captured)

    def teardown(self) -> None:
        """Let every timer run out, then look at everything."""
        try:
            self.world.advance(200_000)
            self.the_books_agree()
            orders = {name: self.world.state(SHOP.orders, name) for name in NAMES}
            payments = {name: self.world.state(SHOP.payments, name) for name in NAMES}
            check_settled(orders, payments, {sku: self.world.state(SHOP.stock, sku) for sku in ("s-1", "s-2")})
            self.check_trail(SHOP.orders, "order_steps", NAMES)
            self.check_trail(SHOP.payments, "payment_steps", NAMES)
            self.check_trail(SHOP.stock, "stock_steps", ("s-1", "s-2"))
        finally:
            self.world.__exit__(None, None, None)

    def check_trail(self, actor: Actor[Any], table: str, keys: tuple[str, ...]) -> None:
        """Every message was applied once, versions have no gap, and each left one row that says what came of it."""
        told = {row[0] for row in self.world._views.rows_of(table)}
        journal = {key: self.world.journal(actor, key) for key in keys}
        for key, rows in journal.items():
            assert [row.version for row in rows] == list(range(1, len(rows) + 1)), key
        ids = [row.message_id for rows in journal.values() for row in rows]
        assert len(set(ids)) == len(ids) == len(list(self.world._views.rows_of(table)))
        assert told == set(ids)

    # driving

    def put(self, message: Message, identity: UUID) -> None:
        """Publish without letting anything happen yet."""
        self.sent.setdefault(identity, message)
        if isinstance(message, Event):
            self.world._client.publish(self.world.wiring.topics["stock-events"], message, id=identity)
        else:
            self.world._client.send(message, id=identity)

    def runs(self, messages: list[Message], steps: int | None) -> None:
        """Publish them all; then either let everything happen, or crash after so many steps and let it happen then."""
        for message in messages:
            self.put(message, UUID(int=len(self.sent) + 1))
        if steps is None:
            self.world.advance(0)
            return
        for _ in range(steps):
            self.world._engine.step(self.world._now)
        self.world.crash()


def test_the_books_agree_on_the_engine_whatever_happens() -> None:
    """Whenever the world is at rest, and once everything has settled."""
    run_state_machine_as_test(AnyShop, settings=settings(max_examples=40, stateful_step_count=20, deadline=None))
