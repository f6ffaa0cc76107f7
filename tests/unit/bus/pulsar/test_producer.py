"""The producer's bookkeeping: order of receipts, its own time-out, and an end that is final."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.port import BusUnavailable, Closed, Outgoing, Receipt, Refused
from magnetar.runtime.bus.pulsar.closing import Farewell
from magnetar.runtime.bus.pulsar.producer import PulsarProducer
from tests.unit.bus.pulsar.client_double import Sending

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = Outgoing("o-1", b"body", {"message_id": "1"})


class Clock:
    """Seconds, moved by the test."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def opened(native: Sending, clock: Clock | None = None) -> PulsarProducer:
    """A producer over a stand-in."""
    return PulsarProducer(native, "orders/0 as shop", 10.0, Farewell(0.01), clock or Clock())


def test_receipts_come_in_the_order_of_sending() -> None:
    """A receipt waits for those of the sends before it."""
    native = Sending()
    producer = opened(native)
    for number in (1, 2, 3):
        producer.send(number, MESSAGE)
    second = native.pending.pop(1)
    native.answer()
    native.answer()
    assert [receipt.number for receipt in producer.receipts()] == [1]
    native.pending.append(second)
    native.answer()
    assert [receipt.number for receipt in producer.receipts()] == [2, 3]


def test_a_duplicate_is_told() -> None:
    """The broker's (-1,-1) means that it had the number: stored, without a position."""
    native = Sending()
    producer = opened(native)
    producer.send(1, MESSAGE)
    native.answer(ledger=-1)
    (receipt,) = producer.receipts()
    assert (receipt.duplicate, receipt.position, receipt.error) == (True, None, None)


def test_one_failure_ends_the_producer() -> None:
    """Nothing more is sent after a failed receipt, and what was behind it fails: no higher number goes first (R19)."""
    native = Sending()
    producer = opened(native)
    for number in (1, 2, 3):
        producer.send(number, MESSAGE)
    native.answer()
    native.answer("ChecksumError")
    receipts = producer.receipts()
    assert [(receipt.number, receipt.error is None) for receipt in receipts] == [(1, True), (2, False), (3, False)]
    with pytest.raises(Closed, match="orders/0"):
        producer.send(4, MESSAGE)
    assert native.closed == 1


def test_without_receipts_it_ends_itself() -> None:
    """Not a receipt for the send time-out: all pending are of unknown outcome, and the client holds them no longer."""
    native, clock = Sending(), Clock()
    producer = opened(native, clock)
    clock.now = 100.0  # idle before: no time-out for what nobody waits for
    producer.send(1, MESSAGE)
    producer.send(2, MESSAGE)
    clock.now = 109.9
    assert producer.receipts() == []
    native.answer()
    assert [receipt.number for receipt in producer.receipts()] == [1]
    clock.now = 119.8
    assert producer.receipts() == []
    clock.now = 120.0
    (receipt,) = producer.receipts()
    assert (receipt.number, type(receipt.error)) == (2, BusUnavailable)
    assert native.closed == 1


@pytest.mark.parametrize(
    ("result", "kind"),
    [("MessageTooBig", Refused), ("ProducerQueueIsFull", BusUnavailable), ("AlreadyClosed", Closed)],
)
def test_what_the_client_does_not_take_is_raised(result: str, kind: type[Exception]) -> None:
    """It was not sent, so it has no receipt, and its number may be used again."""
    native = Sending(at_once=result)
    producer = opened(native)
    with pytest.raises(kind, match="send 1 to orders/0"):
        producer.send(1, MESSAGE)
    assert producer.receipts() == []
    native.at_once = ""
    producer.send(1, MESSAGE)
    native.answer()
    assert [receipt.error for receipt in producer.receipts()] == [None]


def test_a_number_below_one_is_an_error() -> None:
    """The client's wrapper drops a zero and the broker's numbering starts above it."""
    with pytest.raises(ValueError, match="start at 1"):
        opened(Sending()).send(0, MESSAGE)


@pytest.mark.parametrize(("last", "number"), [(-1, 0), (0, 0), (17, 17)])
def test_a_new_name_has_the_number_zero(last: int, number: int) -> None:
    """The client's -1 for an unknown name is our 0."""
    assert opened(Sending(last=last)).last_number == number


def test_closing_answers_what_is_pending() -> None:
    """Closing twice is closing once; unanswered sends get a receipt that says so."""
    native = Sending(silent=True)
    producer = opened(native)
    producer.send(1, MESSAGE)
    producer.close()
    producer.close()
    assert [type(receipt.error) for receipt in producer.receipts()] == [Closed]
    assert native.closed == 1


class Life:
    """A producer to which anything may happen in any order."""

    def __init__(self) -> None:
        self.native, self.clock = Sending(), Clock()
        self.producer = opened(self.native, self.clock)
        self.sent = 0
        self.seen: list[Receipt] = []

    def send(self) -> None:
        """Refused only once it has ended."""
        try:
            self.producer.send(self.sent + 1, MESSAGE)
            self.sent += 1
        except Closed:
            assert self.native.closed

    def answer(self, name: str = "Ok") -> None:
        """The oldest send ends."""
        if self.native.pending:
            self.native.answer(name)

    def fail(self) -> None:
        """The oldest send fails."""
        self.answer("Timeout")

    def poll(self) -> None:
        """Once a failure was seen, the client has nothing left that it could send."""
        self.seen += self.producer.receipts()
        if any(receipt.error is not None for receipt in self.seen):
            assert self.native.closed
            assert not self.native.pending

    def close(self) -> None:
        """By the caller."""
        self.producer.close()

    def wait(self) -> None:
        """Longer than the send time-out."""
        self.clock.now += 11.0


@given(st.lists(st.sampled_from([Life.send, Life.answer, Life.fail, Life.poll, Life.close, Life.wait]), max_size=60))
def test_every_send_gets_one_receipt(acts: list[Callable[[Life], None]]) -> None:
    """Whatever happens in whatever order: one receipt for each send, in the order of sending."""
    life = Life()
    for act in acts:
        act(life)
    life.close()
    life.poll()
    assert [receipt.number for receipt in life.seen] == list(range(1, life.sent + 1))


@pytest.mark.parametrize(("silent", "patience"), [(False, 10.0), (True, 5.0)])
def test_it_ends_itself_sooner_when_a_broker_is_known_to_be_silent(silent: bool, patience: float) -> None:  # noqa: FBT001
    """And asks about that only when a receipt is late (R32)."""
    native, clock, asked = Sending(), Clock(), [0]

    def is_silent() -> bool:
        asked[0] += 1
        return silent

    producer = PulsarProducer(native, "orders/0 as shop", 10.0, Farewell(0.01), clock, is_silent)
    producer.send(1, MESSAGE)
    clock.now = 1.0
    assert not producer.receipts()
    assert asked == [0]
    clock.now = patience
    assert not producer.receipts()
    assert asked == [1]
    clock.now = patience + 0.1
    (receipt,) = producer.receipts()
    assert isinstance(receipt.error, BusUnavailable)
    assert f"for {patience} s" in str(receipt.error)
