"""What an adapter concludes when the provider misbehaves: never more than it can know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.actors.providing import Doubt, NotSent, Refused, Unsure
from magnetar.actors.providing.emulator.conduct import Manner
from tests.contract.provider.harness import Counterpart, at_last

if TYPE_CHECKING:
    from magnetar.actors.providing.emulator.process import ProviderProcess
    from tests.contract.provider.conftest import DoubleHarness

DONE = [("charged", "charge", 900)]
DOUBTS: list[tuple[Manner, Doubt, list[tuple[str, str, int]]]] = [
    (Manner.CUTS, Doubt.BROKEN, []),
    (Manner.SILENT, Doubt.BROKEN, DONE),
    (Manner.FAILS, Doubt.BUSY, []),
    (Manner.BUSY, Doubt.BUSY, []),
    (Manner.LIES, Doubt.FAILED, DONE),
    (Manner.GARBLES, Doubt.UNREADABLE, DONE),
]


@pytest.mark.parametrize(("manner", "doubt", "done"), DOUBTS)
def test_an_answer_that_says_nothing_is_a_doubt(
    at: Counterpart, manner: Manner, doubt: Doubt, done: list[tuple[str, str, int]]
) -> None:
    """Whether it was done or not looks the same from here; asking again with the key ends it, with one charge."""
    at.behaves(manner)
    with pytest.raises(Unsure) as caught:
        at.charge()
    assert (caught.value.doubt, at.done()) == (doubt, done)
    at.charge()
    assert at.done() == DONE


def test_a_busy_provider_says_how_long_to_wait(at: Counterpart) -> None:
    """Its `Retry-After`, in seconds."""
    at.behaves(Manner.BUSY)
    with pytest.raises(Unsure) as caught:
        at.charge()
    assert caught.value.wait == 1.0


def test_a_second_answer_is_no_answer_to_the_next_question(at: Counterpart) -> None:
    """A provider that answers twice is believed once; what is asked next is answered for itself."""
    at.behaves(Manner.TWICE, Manner.TWICE, Manner.TWICE)
    receipts = [at.charge(name, cents) for name, cents in (("one", 100), ("two", 200), ("three", 300))]
    assert [receipt.amount.amount for receipt in receipts] == [100, 200, 300]
    assert at.done() == [("charged", "one", 100), ("charged", "two", 200), ("charged", "three", 300)]


@pytest.mark.parametrize("manner", [Manner.CUTS, Manner.SILENT, Manner.FAILS, Manner.LIES, Manner.GARBLES])
def test_a_refund_and_a_cancellation_are_as_doubtful(at: Counterpart, manner: Manner) -> None:
    """And end the same way."""
    reference = at.charge().reference
    at.behaves(manner, Manner.OK, manner, Manner.OK)
    with pytest.raises(Unsure):
        at.refund(reference)
    at.refund(reference)
    with pytest.raises(Unsure):
        at.provider.cancel(at.key("other"))
    assert at.provider.cancel(at.key("other")) is None
    assert at.done() == [*DONE, ("refunded", "refund", 900), ("cancelled", "other", 0)]


@pytest.mark.parametrize("manner", [Manner.CUTS, Manner.FAILS, Manner.BUSY, Manner.LIES, Manner.GARBLES])
def test_looking_up_may_be_doubtful_too(at: Counterpart, manner: Manner) -> None:
    """A 5xx to a look-up says nothing of what is looked up."""
    receipt = at.charge()
    at.behaves(manner)
    with pytest.raises(Unsure):
        at.provider.look_up(at.key("charge"))
    assert at.provider.look_up(at.key("charge")) == receipt


def test_a_question_that_is_overtaken_by_its_cancellation_takes_nothing(there: Counterpart) -> None:
    """The charge stands in the provider, the asker has given up, and the key is cancelled as soon as it may be."""
    there.behaves(Manner.SLOW, seconds=0.8)
    with pytest.raises(Unsure) as silent:
        there.charge()
    with pytest.raises(Unsure) as taken:
        there.provider.cancel(there.key("charge"))
    assert (silent.value.doubt, taken.value.doubt) == (Doubt.SILENCE, Doubt.IN_HAND)
    receipt = at_last(lambda: there.provider.cancel(there.key("charge")))
    assert (receipt is not None, there.done()) == (True, DONE), "the slow one was first; who cancels is told of it"


def test_silence_after_the_money_was_taken_is_a_doubt(there: Counterpart) -> None:
    """The worst of all: it is done, and nobody says so. The same key finds it."""
    there.behaves(Manner.SILENT, seconds=30.0)
    with pytest.raises(Unsure) as caught:
        there.charge()
    assert (caught.value.doubt, there.done()) == (Doubt.SILENCE, DONE)
    assert at_last(lambda: there.provider.look_up(there.key("charge"))) == at_last(there.charge)
    assert there.done() == DONE


def test_a_provider_that_is_not_there_was_not_asked(emulator: ProviderProcess, there: Counterpart) -> None:
    """No connection: nothing was sent. It may be said as plainly as that."""
    emulator.kill()
    with pytest.raises(NotSent, match="Connection refused"):
        there.charge()
    emulator.start()
    there.charge()
    assert there.done() == DONE


def test_a_cut_line_was_not_asked(double_harness: DoubleHarness) -> None:
    """The double's word for it."""
    at = Counterpart(double_harness)
    double_harness.provider.reachable = False
    with pytest.raises(NotSent):
        at.charge()
    assert at.done() == []


def test_a_refusal_is_kept_over_a_restart(emulator: ProviderProcess, there: Counterpart) -> None:
    """So is every answer: the log is the memory."""
    there.behaves(Manner.REFUSES)
    with pytest.raises(Refused):
        there.charge()
    receipt = there.charge("other")
    emulator.kill()
    emulator.start()
    with pytest.raises(Refused):
        there.charge()
    assert there.charge("other") == receipt
