"""What a provider does when it is asked well, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.actors.providing import Charge, Contradicted, Deed, Receipt, Refused
from magnetar.actors.providing.emulator.conduct import Manner
from tests.unit.actors.goods import euros

if TYPE_CHECKING:
    from tests.contract.provider.harness import Counterpart


def test_a_charge_takes_the_money_once_for_its_key(at: Counterpart) -> None:
    """Asked again it answers the same, and takes nothing."""
    first = at.charge()
    assert (first.deed, first.amount) == (Deed.CHARGED, euros(900))
    assert [at.charge() for _ in range(3)] == [first] * 3
    assert at.done() == [("charged", "charge", 900)]


def test_another_key_is_another_charge(at: Counterpart) -> None:
    """The provider knows nothing of orders: who mints a key for each attempt pays for each attempt."""
    assert at.charge("one").reference != at.charge("two").reference
    assert at.done() == [("charged", "one", 900), ("charged", "two", 900)]


def test_a_key_stands_for_one_thing(at: Counterpart) -> None:
    """Another amount, or another deed, under a key that is used is a contradiction, and nothing is done."""
    receipt = at.charge()
    with pytest.raises(Contradicted, match="knows the key for something else"):
        at.charge(cents=901)
    with pytest.raises(Contradicted, match="knows the key for something else"):
        at.refund(receipt.reference, "charge")
    assert at.done() == [("charged", "charge", 900)]


def test_a_refusal_is_final(at: Counterpart) -> None:
    """The key is refused ever after, also when there would be cover by now; a new key may succeed."""
    at.behaves(Manner.REFUSES)
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            at.charge()
        assert caught.value.reason == "no_cover"
    at.charge("again")
    assert at.done() == [("refused", "charge", 900), ("charged", "again", 900)]


def test_a_refund_gives_back_once_for_its_key(at: Counterpart) -> None:
    """In parts, each under a key of its own, and together no more than was charged."""
    reference = at.charge().reference
    part = at.refund(reference, "part", 400)
    assert (part.deed, part.amount) == (Deed.REFUNDED, euros(400))
    assert at.refund(reference, "part", 400) == part
    at.refund(reference, "rest", 500)
    with pytest.raises(Refused, match="beyond_charge"):
        at.refund(reference, "more", 1)
    assert at.done()[1:] == [("refunded", "part", 400), ("refunded", "rest", 500), ("refused", "more", 1)]


def test_a_refund_of_nothing_is_refused(at: Counterpart) -> None:
    """A reference that the provider does not know, and one of another order."""
    reference = at.charge().reference
    with pytest.raises(Refused, match="unknown_charge"):
        at.refund("ch_unheard_of")
    at.order += "-other"
    with pytest.raises(Refused, match="unknown_charge"):
        at.refund(reference)


def test_a_cancelled_key_is_never_charged(at: Counterpart) -> None:
    """Also when the charge comes after it: it was under way."""
    assert [at.provider.cancel(at.key("charge")) for _ in range(2)] == [None, None]
    with pytest.raises(Refused, match="cancelled"):
        at.charge()
    assert at.done() == [("cancelled", "charge", 0)]


def test_cancelling_what_was_charged_tells_and_changes_nothing(at: Counterpart) -> None:
    """The money was taken: whoever cancels learns its reference, and may give it back."""
    receipt = at.charge()
    assert at.provider.cancel(at.key("charge")) == receipt
    assert at.charge() == receipt
    assert at.done() == [("charged", "charge", 900)]


def test_cancelling_what_was_refused_is_done(at: Counterpart) -> None:
    """Nothing was taken, and nothing will be."""
    at.behaves(Manner.REFUSES)
    with pytest.raises(Refused):
        at.charge()
    assert at.provider.cancel(at.key("charge")) is None
    assert at.done() == [("refused", "charge", 900)]


def test_a_refund_is_not_cancelled(at: Counterpart) -> None:
    """Its key stands for something else than a charge."""
    at.refund(at.charge().reference)
    with pytest.raises(Contradicted):
        at.provider.cancel(at.key("refund"))


def test_looking_up_tells_what_was_done(at: Counterpart) -> None:
    """A receipt, a refusal, or nothing; and it does nothing."""
    receipt = at.charge()
    returned = at.refund(receipt.reference)
    assert at.provider.look_up(at.key("charge")) == receipt
    assert at.provider.look_up(at.key("refund")) == returned
    assert at.provider.look_up(at.key("never")) is None
    at.provider.cancel(at.key("cancelled"))
    with pytest.raises(Refused, match="cancelled"):
        at.provider.look_up(at.key("cancelled"))
    assert [what for what, _, _ in at.done()] == ["charged", "refunded", "cancelled"]


@pytest.mark.parametrize("name", ["a/b?c", "%2F%00&=#", "..", "\\\"'<>", "~" * 200])
def test_a_key_may_be_any_visible_ascii(at: Counterpart, name: str) -> None:
    """Whatever it means in a URL, it is one key."""
    receipt = at.charge(name)
    assert at.provider.look_up(at.key(name)) == receipt
    assert at.done() == [("charged", name, 900)]


@pytest.mark.parametrize("key", ["", "k" * 256, "k k", "k\n", "ключ"])
def test_what_is_no_key_is_never_asked(at: Counterpart, key: str) -> None:
    """It could not stand in a header, or would be taken for another."""
    with pytest.raises(ValueError, match="is no idempotency key"):
        at.provider.charge(key, Charge(at.order, euros(1)))
    with pytest.raises(ValueError, match="is no idempotency key"):
        at.provider.look_up(key)


@pytest.mark.parametrize("cents", [1, 10**12])
def test_an_amount_is_exact(at: Counterpart, cents: int) -> None:
    """From the smallest to the largest; an order's name may be any text."""
    at.order += " заказ/№ 7"
    asked = Charge(at.order, euros(cents))
    receipt = at.provider.charge(f"exact-{cents}-{at.order.split()[0]}", asked)
    assert receipt == Receipt(Deed.CHARGED, receipt.reference, euros(cents))
