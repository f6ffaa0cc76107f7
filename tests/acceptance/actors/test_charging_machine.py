"""The shop, its provider and the engine, under anything: silence, lies, absence, time, cancellations and crashes.

What is checked is the provider's own log: whatever was said, each order was charged once at most, and once all is at
rest the provider keeps exactly what confirmed orders cost.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from magnetar.actors.providing.emulator.audit import charged_once, paid_or_refunded
from magnetar.actors.providing.emulator.conduct import Conduct, Manner
from magnetar.actors.providing.emulator.double import DoubleProvider
from magnetar.runtime import World
from magnetar.schemas.commerce import Cancel, ChargeStanding, OrderStatus, Place, RefundStanding, Restock
from tests.unit.actors.books import check_settled
from tests.unit.actors.counterparty import asks, charging_shop
from tests.unit.actors.goods import line

SHOP = charging_shop()
NAMES = ("o-1", "o-2", "o-3", "o-4")
ORDERS = st.sampled_from(NAMES)
STEPS = st.none() | st.integers(0, 60)
MANNERS = st.lists(st.sampled_from(sorted(Manner)), max_size=8)


class AnyProvider(RuleBasedStateMachine):
    """One world, one provider."""

    def __init__(self) -> None:
        """An empty shop; the provider behaves well."""
        super().__init__()
        self.provider = DoubleProvider()
        self.world = World(SHOP.app, effects=asks(self.provider))
        self.world.__enter__()

    @initialize(quantity=st.sampled_from([1, 3, 9]))
    def opens(self, quantity: int) -> None:
        """There are goods, perhaps too few."""
        self.world.send(Restock(sku="s-1", quantity=quantity))

    @rule(order_id=ORDERS, steps=STEPS)
    def places(self, order_id: str, steps: int | None) -> None:
        """A customer orders; perhaps the worker dies on the way."""
        self.world._client.send(Place(order_id=order_id, lines=(line(),)))
        self.runs(steps)

    @rule(order_id=ORDERS, steps=STEPS)
    def cancels(self, order_id: str, steps: int | None) -> None:
        """A customer thinks better of it."""
        self.world._client.send(Cancel(order_id=order_id))
        self.runs(steps)

    @rule(manners=MANNERS, rest=st.sampled_from(sorted(Manner)), share=st.sampled_from([0.0, 0.3, 1.0]))
    def misbehaves(self, manners: list[Manner], rest: Manner, share: float) -> None:
        """The provider changes its ways."""
        self.provider.become(Conduct(next=tuple(manners), rates={rest: share}))

    @rule(reachable=st.booleans())
    def comes_and_goes(self, reachable: bool) -> None:  # noqa: FBT001 - drawn
        """The line is cut, or mended."""
        self.provider.reachable = reachable

    @rule(seconds=st.sampled_from([1.0, 7.0, 61.0, 1800.0]), steps=STEPS)
    def waits(self, seconds: float, steps: int | None) -> None:
        """Time passes; perhaps the worker dies afterwards."""
        self.world.advance(seconds)
        self.runs(steps)

    @invariant()
    def no_order_is_charged_twice(self) -> None:
        """At any moment, by the provider's own log."""
        assert [each for each in charged_once(self.provider.entries) if each] == []

    def runs(self, steps: int | None) -> None:
        """Let everything happen, or crash after so many steps and let it happen then."""
        if steps is None:
            self.world.advance(0)
            return
        for _ in range(steps):
            self.world._engine.step(self.world._now)
        self.world.crash()

    def teardown(self) -> None:
        """The provider comes to its senses; let everything end, then compare its log with the orders."""
        try:
            self.provider.reachable = True
            self.provider.become(Conduct())
            self.world.advance(20_000)
            self.no_order_is_charged_twice()
            orders = {name: self.world.state(SHOP.orders, name) for name in NAMES}
            payments = {name: self.world.state(SHOP.payments, name) for name in NAMES}
            check_settled(orders, payments, {"s-1": self.world.state(SHOP.stock, "s-1")})
            confirmed = {
                name: each.total for name, each in orders.items() if each.status is OrderStatus.CONFIRMED and each.total
            }
            assert [each for each in paid_or_refunded(self.provider.entries, confirmed) if each] == []
            for payment in payments.values():
                assert payment.charge not in {ChargeStanding.ASKED, ChargeStanding.CANCELLING}
                assert all(each.refund is not RefundStanding.ASKED for each in payment.captures)
        finally:
            self.world.__exit__(None, None, None)


def test_the_providers_log_agrees_whatever_it_does() -> None:
    """One charge each at any moment; paid or refunded once everything has settled."""
    run_state_machine_as_test(AnyProvider, settings=settings(max_examples=80, stateful_step_count=15, deadline=None))
