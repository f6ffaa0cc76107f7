"""A seek that is on its way: what the client may answer, and when."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.runtime.bus.port import BusUnavailable, Closed, Position, Refused
from magnetar.runtime.bus.pulsar.consumer import PulsarConsumer
from magnetar.runtime.bus.pulsar.marks import Mark, Marking
from magnetar.runtime.bus.pulsar.seeking import PulsarSeek
from tests.unit.bus.pulsar.client_double import Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.bus.pulsar.native import NativeMessageId, NativeResult

BACK = Position(5, 2)


class Sought:
    """A client's consumer that answers a seek when it is told."""

    def __init__(self) -> None:
        self.sought: list[tuple[int, int, int]] = []
        self.acknowledged: list[tuple[int, int]] = []
        self._done: Callable[[NativeResult], object]

    def seek_async(self, message_id: NativeMessageId, done: Callable[[NativeResult], object]) -> None:
        """As the client."""
        self.sought.append((message_id.ledger_id(), message_id.entry_id(), message_id.batch_index()))
        self._done = done

    def acknowledge_cumulative(self, message_id: NativeMessageId) -> None:
        """As the client."""
        self.acknowledged.append((message_id.ledger_id(), message_id.entry_id()))

    def answer(self, name: str = "Ok") -> None:
        """Answer."""
        self._done(Result(name))


def answered(mark: Mark | None) -> Future[Mark]:
    """A question that was, or one that is not yet."""
    answer: Future[Mark] = Future()
    if mark is not None:
        answer.set_result(mark)
    return answer


def consumer(native: Any, mark: Mark | None = None) -> PulsarConsumer:
    """Ours, over a stand-in."""
    farewell: Any = None
    marking = Marking(lambda: answered(mark), "s on orders", patience=1.0, delay=0.0)
    return PulsarConsumer(native, marking, topic="orders", partition=0, farewell=farewell, patience=2.0)


def test_it_is_none_until_the_client_has_done_it() -> None:
    """Then the consumer; the position is acknowledged once, and not before."""
    native = Sought()
    ours = consumer(native)
    seek = ours.seek(BACK)
    assert seek.poll() is None
    assert native.acknowledged == []
    native.answer()
    for _ in range(2):
        assert seek.poll() is ours
    assert native.sought == [(5, 2, -1)]
    assert native.acknowledged == [(5, 2)]


def test_within_a_batch_the_entry_before_is_acknowledged() -> None:
    """An ack of the entry would be one of all its messages."""
    native = Sought()
    seek = consumer(native).seek(Position(5, 2, 3))
    native.answer()
    seek.poll()
    assert native.sought == [(5, 2, 3)]
    assert native.acknowledged == [(5, 1)]


@pytest.mark.parametrize(("name", "kind"), [("Timeout", BusUnavailable), ("AlreadyClosed", Closed)])
def test_the_client_s_no_is_raised_each_time(name: str, kind: type[Exception]) -> None:
    """And nothing is acknowledged."""
    native = Sought()
    seek = consumer(native).seek(BACK)
    native.answer(name)
    for _ in range(2):
        with pytest.raises(kind, match="orders/0 back to 5:2:-1"):
            seek.poll()
    assert native.acknowledged == []


def test_a_ledger_that_is_not_kept_is_refused_before_anything_is_asked() -> None:
    """Where the ledgers are known."""
    native = Sought()
    seek = consumer(native, Mark(Position(7, 0), frozenset({6, 7}))).seek(BACK)
    for _ in range(2):
        with pytest.raises(Refused, match=r"does not keep ledger 5.*retention"):
            seek.poll()
    assert native.sought == []


def test_an_abandoned_seek_never_ends_well() -> None:
    """Its owner closes the consumer; a late answer acknowledges nothing."""
    native = Sought()
    seek = consumer(native).seek(BACK)
    seek.abandon()
    native.answer()
    with pytest.raises(BusUnavailable, match="abandoned"):
        seek.poll()
    assert native.acknowledged == []


def test_a_client_that_never_answers_is_given_up() -> None:
    """After the deadline."""
    now = [0.0]
    seek = PulsarSeek(consumer(Sought()), BACK, "put it back", 2.0, clock=lambda: now[0])
    assert seek.poll() is None
    now[0] = 2.1
    with pytest.raises(BusUnavailable, match="not answered in time"):
        seek.poll()
    seek.answer.put(Result())
    with pytest.raises(BusUnavailable):
        seek.poll()
