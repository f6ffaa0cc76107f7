"""What the in-process broker loses, holds, forgets and replays when it is told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import Position, Refused
from tests.unit.bus.broker import NAME, SUBSCRIPTION, TOPIC, message, outcomes, told

if TYPE_CHECKING:
    from tests.unit.bus.broker import Bench


def test_a_lost_ack_moves_nothing(bench: Bench) -> None:
    """Only the next acknowledgements are lost; the one after them covers all."""
    bench.fill(5)
    consumer = bench.consumer(bench.one)
    found = consumer.receive(5, 0)
    bench.faults.lose_acks(TOPIC, 0, SUBSCRIPTION, 2)
    consumer.acknowledge(found[0].position)
    consumer.acknowledge(found[1].position)
    assert bench.broker.backlog(TOPIC, 0, SUBSCRIPTION) == 5
    consumer.acknowledge(found[2].position)
    assert bench.broker.acknowledged(TOPIC, 0, SUBSCRIPTION) == found[2].position


@pytest.mark.parametrize(
    ("fault", "error"),
    [("lose_sends", "BusUnavailable"), ("refuse_sends", "Refused"), ("lose_receipts", "BusUnavailable")],
)
def test_one_failure_fails_the_window(bench: Bench, fault: str, error: str) -> None:
    """Everything sent from the failed message on fails until the receipts are fetched; then sending works again."""
    producer = bench.producer(bench.one)
    producer.send(1, message(1))
    getattr(bench.faults, fault)(TOPIC, 0)
    producer.send(2, message(2))
    producer.send(3, message(3))
    assert outcomes(producer.receipts()) == [(1, "stored"), (2, error), (3, error)]
    was_stored = fault == "lose_receipts"
    assert bench.stored() == ([1, 2, 3] if was_stored else [1])
    producer.send(2, message(2))
    producer.send(3, message(3))
    assert outcomes(producer.receipts()) == [(number, "duplicate" if was_stored else "stored") for number in (2, 3)]
    assert bench.stored() == [1, 2, 3]


def test_overtaking_a_lost_message_loses_it(bench: Bench) -> None:
    """Who sends a higher number before the lost one is confirmed never gets the lost one stored (R19)."""
    producer = bench.producer(bench.one)
    bench.faults.lose_sends(TOPIC, 0)
    producer.send(1, message(1))
    producer.receipts()
    producer.send(2, message(2))
    producer.send(1, message(1))
    assert outcomes(producer.receipts()) == [(2, "stored"), (1, "duplicate")]
    assert bench.stored() == [2]


def test_a_loss_meets_as_many_windows_as_armed(bench: Bench) -> None:
    """`count` is how many times a message is lost, not how many receipts tell so."""
    producer = bench.producer(bench.one)
    bench.faults.lose_sends(TOPIC, 0, 2)
    for _ in range(2):
        producer.send(1, message(1))
        assert outcomes(producer.receipts()) == [(1, "BusUnavailable")]
    producer.send(1, message(1))
    assert outcomes(producer.receipts()) == [(1, "stored")]


def test_held_sends_wait_in_order(bench: Bench) -> None:
    """They have neither effect nor receipt until they are released; a loss may meet them then."""
    producer = bench.producer(bench.one)
    bench.faults.hold_sends(TOPIC, 0)
    for number in (1, 2, 3):
        producer.send(number, message(number))
    assert producer.receipts() == []
    assert bench.stored() == []
    bench.faults.release_sends(TOPIC, 0)
    assert outcomes(producer.receipts()) == [(1, "stored"), (2, "stored"), (3, "stored")]
    assert bench.stored() == [1, 2, 3]


def test_held_sends_stay_held_when_the_partition_moves(bench: Bench) -> None:
    """A reconnection sends them again, into the same slow broker."""
    producer = bench.producer(bench.one)
    bench.faults.hold_sends(TOPIC, 0)
    producer.send(1, message(1))
    bench.faults.unload(TOPIC, 0)
    producer.send(2, message(2))
    assert bench.stored() == []
    bench.faults.release_sends(TOPIC, 0)
    assert outcomes(producer.receipts()) == [(1, "stored"), (2, "stored")]


@pytest.mark.parametrize("how", ["close", "disconnect", "replace"])
def test_held_sends_of_a_lost_producer_never_arrive(bench: Bench, how: str) -> None:
    """What was on its way when its producer was closed, killed or replaced is not stored later (R13)."""
    producer = bench.producer(bench.one)
    bench.faults.hold_sends(TOPIC, 0)
    producer.send(1, message(-1))
    if how == "close":
        producer.close()
    elif how == "disconnect":
        bench.one.disconnect()
    else:
        bench.one.freeze()
    heir = bench.producer(bench.two)
    bench.faults.release_sends(TOPIC, 0)
    bench.one.thaw()
    heir.send(1, message(1))
    assert outcomes(heir.receipts()) == [(1, "stored")]
    assert bench.stored() == [1]
    if how == "replace":
        assert outcomes(producer.receipts()) == [(1, "BusUnavailable")]


def test_a_cut_fails_what_is_on_its_way(bench: Bench) -> None:
    """Held sends of a producer that is cut off end in errors and are not stored after the healing."""
    producer = bench.producer(bench.one)
    bench.faults.hold_sends(TOPIC, 0)
    producer.send(1, message(1))
    bench.one.cut()
    producer.send(2, message(2))
    assert outcomes(producer.receipts()) == [(1, "BusUnavailable"), (2, "BusUnavailable")]
    bench.one.heal()
    bench.faults.release_sends(TOPIC, 0)
    assert bench.stored() == []


def test_held_openings_are_answered_later(bench: Bench) -> None:
    """`poll` is None until the broker answers; what was abandoned meanwhile is never opened."""
    bench.faults.hold_openings()
    wanted = bench.one.subscribe(TOPIC, 0, SUBSCRIPTION)
    abandoned = bench.one.produce(TOPIC, 0, NAME, None)
    assert wanted.poll() is None
    abandoned.abandon()
    bench.faults.release_openings()
    assert wanted.poll() is not None
    assert abandoned.poll() is None
    bench.producer(bench.two)


def test_an_unload_delivers_again_to_the_same_consumer(bench: Bench) -> None:
    """Everything unacknowledged comes again, in order, to the very same object; positions stay, new ones ascend."""
    bench.fill(4)
    consumer, producer = bench.consumer(bench.one), bench.producer(bench.one)
    found = consumer.receive(4, 0)
    consumer.acknowledge(found[0].position)
    bench.faults.unload(TOPIC, 0)
    assert consumer.connected()
    assert consumer.receive(5, 0) == found[1:]
    producer.send(1, message(5))
    (later,) = consumer.receive(5, 0)
    assert later.position > found[-1].position
    assert later.position.ledger > found[-1].position.ledger
    consumer.acknowledge(later.position)
    assert bench.broker.backlog(TOPIC, 0, SUBSCRIPTION) == 0


def test_an_unload_may_forget_acks(bench: Bench) -> None:
    """The last acknowledgements were not persisted: their messages come again."""
    bench.fill(4)
    consumer = bench.consumer(bench.one)
    for delivery in consumer.receive(4, 0):
        consumer.acknowledge(delivery.position)
    bench.faults.unload(TOPIC, 0, forget_acks=3)
    assert told(consumer.receive(5, 0)) == [2, 3, 4]
    bench.faults.unload(TOPIC, 0, forget_acks=99)
    assert told(consumer.receive(5, 0)) == [1, 2, 3, 4]


def test_while_a_partition_moves_whoever_asks_gets_it(bench: Bench) -> None:
    """A healthy owner that was dropped loses its place to the first who asks, and is told nothing."""
    bench.fill(4)
    owner, producer = bench.consumer(bench.one), bench.producer(bench.one)
    owner.receive(1, 0)
    bench.faults.drop(TOPIC, 0)
    assert not owner.connected()
    producer.send(1, message(-1))
    thief = bench.consumer(bench.two)
    bench.producer(bench.two)
    bench.faults.reconnect(TOPIC, 0)
    assert told(thief.receive(5, 0)) == [1, 2, 3, 4]
    assert told(owner.receive(5, 0)) == [2, 3, 4]
    assert not owner.connected()
    assert outcomes(producer.receipts()) == [(1, "BusUnavailable")]
    assert bench.stored() == [1, 2, 3, 4]


def test_sends_wait_while_a_partition_moves(bench: Bench) -> None:
    """They are sent after the reconnection, in order, and receipts come then."""
    producer = bench.producer(bench.one)
    bench.faults.drop(TOPIC, 0)
    producer.send(1, message(1))
    producer.send(2, message(2))
    assert producer.receipts() == []
    bench.faults.reconnect(TOPIC, 0)
    assert outcomes(producer.receipts()) == [(1, "stored"), (2, "stored")]


def test_a_frozen_holder_of_an_unloaded_partition_comes_back_when_thawed(bench: Bench) -> None:
    """It cannot reconnect while it is frozen; thawed, it does, if nobody took its place."""
    bench.fill(2)
    consumer = bench.consumer(bench.one)
    consumer.receive(2, 0)
    bench.one.freeze()
    bench.faults.unload(TOPIC, 0)
    bench.one.thaw()
    assert consumer.connected()
    assert told(consumer.receive(5, 0)) == [1, 2]


def test_other_partitions_stay_where_they_are(bench: Bench) -> None:
    """An unload of one partition does not touch another."""
    bench.fill(2)
    consumer = bench.consumer(bench.one)
    consumer.receive(2, 0)
    bench.faults.unload(TOPIC, 1)
    assert consumer.receive(5, 0) == []


@pytest.mark.parametrize("from_the_start", [True, False])
def test_acknowledged_messages_can_be_replayed(bench: Bench, from_the_start: bool) -> None:  # noqa: FBT001
    """A rewound subscription delivers again from a position on, whatever was acknowledged."""
    bench.fill(4)
    consumer = bench.consumer(bench.one)
    found = consumer.receive(4, 0)
    consumer.acknowledge(found[-1].position)
    bench.faults.rewind(TOPIC, 0, SUBSCRIPTION, None if from_the_start else found[2].position)
    assert consumer.receive(5, 0) == (found if from_the_start else found[2:])
    assert bench.broker.acknowledged(TOPIC, 0, SUBSCRIPTION) == (None if from_the_start else found[1].position)


def test_a_rewound_subscription_has_no_acks_to_forget(bench: Bench) -> None:
    """Forgetting acks after a rewind never moves the cursor forward."""
    bench.fill(4)
    consumer = bench.consumer(bench.one)
    for delivery in consumer.receive(4, 0):
        consumer.acknowledge(delivery.position)
    bench.faults.rewind(TOPIC, 0, SUBSCRIPTION)
    bench.faults.unload(TOPIC, 0, forget_acks=1)
    assert told(consumer.receive(5, 0)) == [1, 2, 3, 4]


def test_a_position_of_another_partition_is_noticed(bench: Bench) -> None:
    """Acknowledging what this partition never had is an error of the caller, told at once."""
    bench.fill(1)
    consumer = bench.consumer(bench.one)
    for stranger in (Position(2, 0), Position(1, 1), Position(1, -1), Position(1, 0, 0)):
        with pytest.raises(Refused, match="orders"):
            consumer.acknowledge(stranger)
