"""The shop with a provider, on the real engine: what it does when money is taken, refused, late, or nobody knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.actors.providing.emulator.audit import charged_once, paid_or_refunded
from magnetar.actors.providing.emulator.conduct import Conduct, Manner
from magnetar.actors.providing.emulator.double import DoubleProvider
from magnetar.runtime import World
from magnetar.schemas.commerce import (
    Cancel,
    Capture,
    CaptureFate,
    ChargeOrder,
    ChargeStanding,
    OrderStatus,
    Place,
    RefundStanding,
    Restock,
)
from tests.unit.actors.counterparty import asks, charging_shop
from tests.unit.actors.goods import euros, line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.schemas.commerce import Order, Payment

SHOP = charging_shop()


class Stage:
    """A world with a shop and its provider in it."""

    def __init__(self, world: World, provider: DoubleProvider) -> None:
        """Nine units of `s-1` are on hand."""
        self.world, self.provider = world, provider
        world.send(Restock(sku="s-1", quantity=9))

    def behaves(self, *manners: Manner) -> None:
        """How the provider treats the next questions."""
        self.provider.become(Conduct(next=manners))

    def place(self, order_id: str = "o-1") -> Order:
        """Place an order of 5.00."""
        self.world.send(Place(order_id=order_id, lines=(line(),)))
        return self.order(order_id)

    def order(self, order_id: str = "o-1") -> Order:
        """As it is committed."""
        return self.world.state(SHOP.orders, order_id)

    def payment(self, order_id: str = "o-1") -> Payment:
        """As it is committed."""
        return self.world.state(SHOP.payments, order_id)

    def told_in_a_second(self, order_id: str = "o-1") -> str:
        """What became of the payment last, one second later: charge and refund are asked in turn."""
        self.world.advance(1)
        return self.payment(order_id).outcome.value

    def done(self) -> list[str]:
        """What the provider did, in its order."""
        return [entry.what for entry in self.provider.entries]

    def check(self) -> None:
        """Once all is at rest: the provider's log agrees with the orders, and nothing is waited for."""
        self.world.advance(7_200)
        orders = {entry.order_id: self.order(entry.order_id) for entry in self.provider.entries if entry.order_id}
        confirmed = {
            name: each.total for name, each in orders.items() if each.status is OrderStatus.CONFIRMED and each.total
        }
        assert [each for each in charged_once(self.provider.entries) if each] == []
        assert [each for each in paid_or_refunded(self.provider.entries, confirmed) if each] == []
        stock = self.world.state(SHOP.stock, "s-1")
        assert (stock.reserved, stock.holds) == (0, {})
        for name in orders:
            assert self.world.timers(SHOP.payments, name) == []
            assert self.payment(name).charge not in {ChargeStanding.ASKED, ChargeStanding.CANCELLING}


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A fresh world, with a provider that behaves well."""
    provider = DoubleProvider()
    with World(SHOP.app, effects=asks(provider)) as world:
        yield Stage(world, provider)


def test_an_order_is_charged_and_confirmed(stage: Stage) -> None:
    """The way it should go."""
    assert stage.place().status is OrderStatus.CONFIRMED
    assert (stage.payment().charge, stage.done()) == (ChargeStanding.TAKEN, ["charged"])
    stage.check()


@pytest.mark.parametrize(
    "manner", [Manner.CUTS, Manner.SILENT, Manner.FAILS, Manner.LIES, Manner.BUSY, Manner.GARBLES, Manner.TWICE]
)
def test_a_doubt_is_asked_again_with_the_same_key(stage: Stage, manner: Manner) -> None:
    """The engine does that by itself, and one charge comes of it."""
    stage.behaves(manner, manner)
    stage.place()
    stage.world.advance(60)
    assert (stage.order().status, stage.done()) == (OrderStatus.CONFIRMED, ["charged"])
    assert len({call.idempotency_key for _, call in stage.world.calls(ChargeOrder)}) == 1
    stage.check()


def test_a_charge_of_which_nobody_knows_is_looked_up(stage: Stage) -> None:
    """Taken, and never told, for as long as the engine asks: a minute later it is looked up, and pays the order."""
    stage.behaves(*[Manner.SILENT] * 3)
    stage.place()
    stage.world.advance(20)
    assert (stage.payment().outcome.value, stage.order().status) == ("charge_unknown", OrderStatus.AWAITING_PAYMENT)
    stage.world.advance(60)
    assert stage.order().status is OrderStatus.CONFIRMED
    assert len(stage.world.calls(ChargeOrder)) == 3
    stage.check()


def test_a_charge_that_never_arrived_is_asked_again_with_its_key(stage: Stage) -> None:
    """The provider was not there, and knows nothing: it is charged now, under the very key of the first time."""
    stage.provider.reachable = False
    stage.place()
    stage.world.advance(20)
    assert stage.payment().outcome.value == "charge_unknown"
    stage.provider.reachable = True
    stage.world.advance(60)
    assert stage.order().status is OrderStatus.CONFIRMED
    assert [entry.key for entry in stage.provider.entries] == [stage.payment().charge_key]
    stage.check()


def test_a_refused_charge_leaves_the_order_to_its_time_out(stage: Stage) -> None:
    """The customer may still pay otherwise; who does not loses the goods, and nothing is taken."""
    stage.behaves(Manner.REFUSES)
    assert stage.place().status is OrderStatus.AWAITING_PAYMENT
    assert (stage.payment().charge, stage.payment().outcome.value) == (ChargeStanding.REFUSED, "charge_refused")
    stage.world.advance(1800)
    assert (stage.order().status, stage.order().ended_by.value) == (OrderStatus.CANCELLED, "payment_overdue")
    stage.check()


def test_money_that_was_taken_and_never_told_goes_back_after_the_time_out(stage: Stage) -> None:
    """The late capture: silence until long after the order has ended. It is neither kept nor forgotten."""
    stage.behaves(*[Manner.SILENT] * 2_000)
    stage.place()
    stage.world.advance(1800)
    assert (stage.order().status, stage.done()) == (OrderStatus.CANCELLED, ["charged"])
    assert stage.payment().charge is ChargeStanding.CANCELLING
    stage.behaves()
    stage.world.advance(600)
    assert stage.done() == ["charged", "refunded"]
    [taken] = stage.payment().captures
    assert (taken.fate, taken.refund) == (CaptureFate.REFUNDED, RefundStanding.GIVEN_BACK)
    stage.check()


def test_goods_do_not_wait_for_a_provider(stage: Stage) -> None:
    """A provider that is not there for hours: the reservation ends with the order's time-out all the same."""
    stage.provider.reachable = False
    stage.place()
    assert stage.world.state(SHOP.stock, "s-1").reserved == 1
    stage.world.advance(1800)
    assert stage.world.state(SHOP.stock, "s-1").reserved == 0
    stage.world.advance(7_200)
    assert stage.payment().charge is ChargeStanding.CANCELLING
    stage.provider.reachable = True
    stage.world.advance(600)
    assert (stage.payment().charge, stage.done()) == (ChargeStanding.CANCELLED, ["cancelled"])
    stage.check()


def test_a_cancelled_order_takes_nothing_any_more(stage: Stage) -> None:
    """The customer cancels while the charge is in doubt: the key is closed before the charge is asked again."""
    stage.behaves(Manner.CUTS)
    stage.place()
    stage.world.send(Cancel(order_id="o-1"))
    stage.world.advance(60)
    assert stage.done() == ["cancelled"]
    assert stage.payment().charge in {ChargeStanding.CANCELLED, ChargeStanding.REFUSED}
    stage.check()


def test_a_callback_that_is_quicker_than_the_answer_counts_once(stage: Stage) -> None:
    """The provider tells of the same capture twice, in two ways: one of them pays, the other changes nothing."""
    stage.behaves(Manner.SILENT)
    stage.place()
    stage.world.send(Capture(order_id="o-1", reference="ch_1", amount=euros(500)))
    assert stage.order().status is OrderStatus.CONFIRMED
    stage.world.advance(60)
    assert (stage.payment().outcome.value, stage.done()) == ("captured_again", ["charged"])
    stage.check()


def test_a_refund_is_asked_for_until_it_is_given(stage: Stage) -> None:
    """Silence again: every attempt has the key of the first, and the money goes back once."""
    stage.behaves(Manner.SILENT)
    stage.place()
    stage.behaves(Manner.OK, *[Manner.SILENT] * 30)  # the cancellation is answered, and nothing after it
    stage.world.send(Cancel(order_id="o-1"))
    assert "refund_unknown" in {stage.told_in_a_second() for _ in range(30)}
    assert stage.done() == ["charged", "refunded"]
    stage.behaves()
    stage.world.advance(600)
    [taken] = stage.payment().captures
    assert taken.refund is RefundStanding.GIVEN_BACK
    assert stage.done() == ["charged", "refunded"]
    stage.check()


def test_a_refund_that_is_refused_is_told(stage: Stage) -> None:
    """Money that came from elsewhere, which this provider knows nothing of: a person must look."""
    stage.place()
    stage.world.send(Capture(order_id="o-1", reference="elsewhere", amount=euros(500)))
    stage.world.advance(1)
    assert stage.payment().outcome.value == "refund_refused"
    assert [each.refund for each in stage.payment().captures] == [RefundStanding.NONE, RefundStanding.REFUSED]
