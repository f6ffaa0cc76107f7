"""What a payment asks of its provider, and what it makes of every answer, in every standing."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from magnetar.actors.charging.calls import Calls
from magnetar.actors.charging.rules import wanted
from magnetar.actors.charging.table import CHARGE_LIFECYCLE, REFUND_LIFECYCLE, ChargeAct
from magnetar.actors.limits import MOST_MONEY
from magnetar.actors.providing import Contradicted, Unsure
from magnetar.actors.providing.emulator.conduct import Conduct, Manner
from magnetar.actors.providing.emulator.double import DoubleProvider
from magnetar.runtime import Call, Failed, NotSent
from magnetar.schemas import Money
from magnetar.schemas.commerce import (
    AskAgain,
    CancelCharge,
    Capture,
    CaptureFate,
    ChargeCancelled,
    Charged,
    ChargeNotFound,
    ChargeOrder,
    ChargeRefused,
    ChargeStanding,
    ChargeUnknown,
    ClosePayment,
    LookUpCharge,
    Payment,
    PaymentStatus,
    RefundAgain,
    RefundCapture,
    Refunded,
    RefundRefused,
    RefundStanding,
    RefundUnknown,
    RequestPayment,
    TakenCapture,
)
from tests.unit.actors.counterparty import charging_shop
from tests.unit.actors.goods import Counter, euros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.schemas import Effect, Message

DUE = euros(900)
CHARGE = ChargeOrder(order_id="k-1", amount=DUE)


def _unknown(kind: type[Any]) -> Any:
    return kind(idempotency_key="e", attempts=8, sent=True, error="silence")


def answers() -> Iterator[Message]:
    """Everything that a payment may be told by its provider, and by itself."""
    yield from (Charged(reference=name, amount=DUE) for name in ("r-1", "r-9"))
    yield Charged(reference="r-9", amount=euros(901))
    yield from (
        ChargeRefused(reason="no_cover"),
        ChargeNotFound(),
        ChargeCancelled(),
        _unknown(ChargeUnknown),
        AskAgain(),
    )
    yield from (Refunded(reference=name) for name in ("r-1", "r-9"))
    yield from (RefundRefused(reference=name, reason="unknown_charge") for name in ("r-1", "r-9"))
    yield from (_unknown(RefundUnknown), RefundAgain())


def payments() -> Iterator[Payment]:
    """Payments in every status and standing, also such as no history leads to."""
    for status, charge, refund in product(PaymentStatus, ChargeStanding, RefundStanding):
        fate = CaptureFate.REFUNDED if refund is not RefundStanding.NONE else CaptureFate.HELD
        taken = TakenCapture(reference="r-1", amount=DUE, fate=fate, refund=refund, refund_key="b-1")
        for captures in ((), (taken,)):
            yield Payment(status=status, due=DUE, captures=captures, charge=charge, charge_key="c-1")


class Desk(Counter):
    """Calls the handlers of a shop with a provider."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = charging_shop()
        self.wiring = self.shop.app.wire()

    def asked(self, payment: Payment, message: Message) -> tuple[Payment, list[Effect]]:
        """What the payment becomes, and what it asks of the outside."""
        after, _, context = self.handle(self.shop.payments, payment, message)
        return after, [each.request for each in context.asked]


DESK = Desk()


def test_every_answer_has_one_outcome_in_every_standing() -> None:
    """The handler raises nothing, and leaves one row with the state's outcome."""
    for payment, answer in product(list(payments()), list(answers())):
        after, _, context = DESK.handle(DESK.shop.payments, payment, answer)
        [row] = map(structs.asdict, context.rows)
        assert row["outcome"] is after.outcome, (payment, answer)
        assert row["outcome"].value != "none"
        assert row["message"] == type(answer).__name__


def test_every_answer_is_in_a_table() -> None:
    """What the payment hears besides is what the tables declare, and that money was taken."""
    told = {*CHARGE_LIFECYCLE.kinds, *REFUND_LIFECYCLE.kinds, Charged}
    assert set(DESK.wiring.actors["payments"].handlers) - set(Counter().wiring.actors["payments"].handlers) == told


def test_an_order_is_charged_when_its_payment_is_due() -> None:
    """At once, and once: a second request asks nothing."""
    after, asked = DESK.asked(Payment(), RequestPayment(order_id="k-1", due=DUE))
    assert (asked, after.charge) == ([CHARGE], ChargeStanding.ASKED)
    assert after.charge_key
    again, more = DESK.asked(after, RequestPayment(order_id="k-1", due=DUE))
    assert (more, again.charge_key) == ([], after.charge_key)


def test_what_is_paid_already_is_not_charged() -> None:
    """Early money that fits pays the order; one that does not goes back, and the order is charged."""
    held = TakenCapture(reference="r-1", amount=DUE, fate=CaptureFate.HELD)
    early = Payment(status=PaymentStatus.UNCLAIMED, captures=(held,))
    assert DESK.asked(early, RequestPayment(order_id="k-1", due=DUE))[1] == []
    after, asked = DESK.asked(early, RequestPayment(order_id="k-1", due=euros(901)))
    back = RefundCapture(order_id="k-1", reference="r-1", amount=DUE)
    assert asked == [back, ChargeOrder(order_id="k-1", amount=euros(901))]
    assert (after.captures[0].refund, after.charge) == (RefundStanding.ASKED, ChargeStanding.ASKED)


@pytest.mark.parametrize("due", [Money(0, "EUR"), Money(-5, "EUR"), Money(MOST_MONEY + 1, "EUR"), Money(5, "euro")])
def test_what_no_provider_would_take_is_not_asked_for(due: Money) -> None:
    """A stranger may request any amount; it is due, and nobody is charged."""
    after, asked = DESK.asked(Payment(), RequestPayment(order_id="k-1", due=due))
    assert (after.status, after.charge, asked) == (PaymentStatus.DUE, ChargeStanding.NONE, [])


@pytest.mark.parametrize("standing", ChargeStanding)
def test_a_closed_payment_cancels_what_is_undecided(standing: ChargeStanding) -> None:
    """And nothing else: what is decided needs no cancellation, and one that is under way no second."""
    payment = Payment(status=PaymentStatus.DUE, due=DUE, charge=standing, charge_key="c-1")
    after, asked = DESK.asked(payment, ClosePayment(order_id="k-1"))
    undecided = standing is ChargeStanding.ASKED
    assert asked == ([CancelCharge(charge_key="c-1")] if undecided else [])
    assert after.charge is (ChargeStanding.CANCELLING if undecided else standing)


def test_an_order_that_is_paid_otherwise_cancels_its_charge() -> None:
    """The customer was quicker: the charge must not come on top."""
    payment = Payment(status=PaymentStatus.DUE, due=DUE, charge=ChargeStanding.ASKED, charge_key="c-1")
    after, asked = DESK.asked(payment, Capture(order_id="k-1", reference="r-1", amount=DUE))
    assert (after.status, asked) == (PaymentStatus.PAID, [CancelCharge(charge_key="c-1")])


def test_a_late_capture_goes_back() -> None:
    """The order has ended; the money that the charge took after all is given back, once."""
    payment = Payment(status=PaymentStatus.CLOSED, due=DUE, charge=ChargeStanding.CANCELLING, charge_key="c-1")
    charged = Charged(reference="ch_1", amount=DUE)
    after, asked = DESK.asked(payment, charged)
    assert (after.outcome.value, after.charge) == ("refunded_too_late", ChargeStanding.TAKEN)
    assert asked == [RefundCapture(order_id="k-1", reference="ch_1", amount=DUE)]
    again, more = DESK.asked(after, charged)
    assert (again.outcome.value, more) == ("captured_again", [])


@pytest.mark.parametrize(
    "standing", [ChargeStanding.REFUSED, ChargeStanding.CANCELLED, ChargeStanding.TAKEN, ChargeStanding.ASKED]
)
def test_money_counts_whatever_was_said_before(standing: ChargeStanding) -> None:
    """A contrary late answer is heard: what was taken is there, pays the order, or goes back."""
    payment = Payment(status=PaymentStatus.DUE, due=DUE, charge=standing, charge_key="c-1")
    after, asked = DESK.asked(payment, Charged(reference="ch_1", amount=DUE))
    assert (after.status, after.charge, asked) == (PaymentStatus.PAID, ChargeStanding.TAKEN, [])


def test_a_doubt_is_ended_under_the_key_of_the_charge() -> None:
    """Waited for, looked up, and, where nothing is known, asked again with the same key: never with another one."""
    payment = Payment(status=PaymentStatus.DUE, due=DUE, charge=ChargeStanding.ASKED, charge_key="c-1")
    after, _, context = DESK.handle(DESK.shop.payments, payment, _unknown(ChargeUnknown))
    assert (after.charge, list(context.armed)) == (ChargeStanding.ASKED, ["AskAgain"])
    assert DESK.asked(after, AskAgain())[1] == [LookUpCharge(charge_key="c-1")]
    assert DESK.asked(after, ChargeNotFound())[1] == [ChargeOrder(order_id="k-1", amount=DUE, charge_key="c-1")]


def test_a_charge_that_is_not_found_is_not_gone() -> None:
    """Once the order has ended it is cancelled until that is answered; finding nothing ends no doubt."""
    payment = Payment(status=PaymentStatus.CLOSED, due=DUE, charge=ChargeStanding.CANCELLING, charge_key="c-1")
    after, asked = DESK.asked(payment, ChargeNotFound())
    assert (after.charge, asked) == (ChargeStanding.CANCELLING, [])
    assert DESK.asked(after, AskAgain())[1] == [CancelCharge(charge_key="c-1")]
    assert DESK.asked(after, ChargeCancelled())[0].charge is ChargeStanding.CANCELLED


def test_a_refund_is_asked_again_under_its_own_key() -> None:
    """Each capture that has not come back, and no other."""
    fates = [("r-1", RefundStanding.ASKED), ("r-2", RefundStanding.GIVEN_BACK), ("r-3", RefundStanding.ASKED)]
    captures = tuple(
        TakenCapture(reference=name, amount=DUE, fate=CaptureFate.REFUNDED, refund=standing, refund_key=f"b-{name}")
        for name, standing in fates
    )
    payment = Payment(status=PaymentStatus.CLOSED, captures=captures)
    _, asked = DESK.asked(payment, RefundAgain())
    assert asked == [
        RefundCapture(order_id="k-1", reference=name, amount=DUE, refund_key=f"b-{name}") for name in ("r-1", "r-3")
    ]
    after, _ = DESK.asked(payment, Refunded(reference="r-3"))
    assert [each.refund for each in after.captures] == [
        RefundStanding.ASKED,
        RefundStanding.GIVEN_BACK,
        RefundStanding.GIVEN_BACK,
    ]


def test_nothing_is_wanted_twice() -> None:
    """What was asked for as wanted is not wanted any more."""
    for payment in payments():
        act = wanted(payment)
        if act is not None:
            assert act in {ChargeAct.CHARGE, ChargeAct.CANCEL}
            after, _ = DESK.asked(payment, ClosePayment(order_id="k-1"))
            assert wanted(after) is None


# what the effect functions conclude

CALL = Call("e-1", "payments", "k-1", 1, 10.0, "")


def test_what_an_effect_says_is_what_is_known() -> None:
    """Success, a refusal that is final, and nothing else; the key is the effect's."""
    provider = DoubleProvider()
    calls = Calls(lambda: provider)
    assert calls.charge(CHARGE, CALL) == Charged(reference="ch_1", amount=DUE)
    assert [entry.key for entry in provider.entries] == ["e-1"]
    assert calls.look_up(LookUpCharge(charge_key="e-1")) == Charged(reference="ch_1", amount=DUE)
    assert calls.look_up(LookUpCharge(charge_key="e-2")) == ChargeNotFound()
    assert calls.cancel(CancelCharge(charge_key="e-1")) == Charged(reference="ch_1", amount=DUE)
    assert calls.cancel(CancelCharge(charge_key="e-2")) == ChargeCancelled()
    assert calls.look_up(LookUpCharge(charge_key="e-2")) == Failed(ChargeRefused(reason="cancelled"), final=True)
    later = ChargeOrder(order_id="k-1", amount=DUE, charge_key="e-2")
    assert calls.charge(later, CALL) == Failed(ChargeRefused(reason="cancelled"), final=True)


def test_what_a_refund_says_is_what_is_known() -> None:
    """Given back once, whatever the effect's own key; refused for good with the provider's code."""
    provider = DoubleProvider()
    calls = Calls(lambda: provider)
    calls.charge(CHARGE, CALL)
    back = RefundCapture(order_id="k-1", reference="ch_1", amount=DUE, refund_key="b-1")
    assert [calls.refund(back, CALL) for _ in range(2)] == [Refunded(reference="ch_1")] * 2
    unheard = RefundCapture(order_id="k-1", reference="ch_9", amount=DUE, refund_key="b-2")
    refused = Failed(RefundRefused(reference="ch_9", reason="unknown_charge"), final=True)
    assert calls.refund(unheard, CALL) == refused


def test_what_is_not_known_rises() -> None:
    """A question that never left is told as such; a doubt, and a contradiction, are unknown to the runtime."""
    provider = DoubleProvider()
    calls = Calls(lambda: provider)
    provider.reachable = False
    with pytest.raises(NotSent, match="nothing was sent"):
        calls.charge(CHARGE, CALL)
    provider.reachable = True
    provider.become(Conduct(next=(Manner.LIES,)))
    with pytest.raises(Unsure):
        calls.charge(CHARGE, CALL)
    with pytest.raises(Contradicted):
        calls.charge(ChargeOrder(order_id="k-1", amount=euros(901)), CALL)
