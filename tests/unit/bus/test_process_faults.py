"""What the in-process broker does with a process that is killed, frozen or cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import BusUnavailable, Busy, Closed
from tests.unit.bus.broker import NAME, SUBSCRIPTION, TOPIC, message, outcomes, told

if TYPE_CHECKING:
    from tests.unit.bus.broker import Bench


def test_a_killed_process_frees_all_at_once(bench: Bench) -> None:
    """The next subscriber gets everything unacknowledged, in order; the producer's name is free."""
    bench.fill(8)
    consumer, producer = bench.consumer(bench.one), bench.producer(bench.one)
    found = consumer.receive(4, 0)
    consumer.acknowledge(found[1].position)
    bench.one.disconnect()
    assert told(bench.consumer(bench.two).receive(5, 0)) == [3, 4, 5, 6, 7]
    bench.producer(bench.two)
    with pytest.raises(Closed):
        consumer.receive(1, 0)
    with pytest.raises(Closed):
        producer.send(1, message(1))


def test_a_killed_process_opens_nothing(bench: Bench) -> None:
    """A thread left over from a dropped process cannot take a partition back."""
    bench.one.disconnect()
    for opening in (bench.one.subscribe(TOPIC, 0, SUBSCRIPTION), bench.one.produce(TOPIC, 0, NAME, None)):
        with pytest.raises(Closed):
            opening.poll()


def test_a_frozen_process_keeps_what_nobody_asks_for(bench: Bench) -> None:
    """Thawed in time, it goes on as if nothing had been."""
    bench.fill(8)
    consumer, producer = bench.consumer(bench.one), bench.producer(bench.one)
    assert told(consumer.receive(3, 0)) == [1, 2, 3]
    bench.one.freeze()
    bench.one.thaw()
    assert consumer.connected()
    assert told(consumer.receive(2, 0)) == [4, 5]
    producer.send(1, message(9))
    assert outcomes(producer.receipts()) == [(1, "stored")]
    with pytest.raises(Busy):
        bench.consumer(bench.two)


def test_a_frozen_process_is_replaced_by_who_asks(bench: Bench) -> None:
    """The newcomer goes on from the cursor; the frozen one still hands out what it had prefetched, and no more."""
    bench.fill(10)
    zombie = bench.consumer(bench.one)
    first = zombie.receive(2, 0)
    zombie.acknowledge(first[0].position)
    bench.one.freeze()
    owner = bench.consumer(bench.two)
    bench.one.thaw()
    assert not zombie.connected()
    assert told(zombie.receive(200, 0)) == [3, 4, 5, 6, 7]
    assert zombie.receive(200, 0) == []
    assert told(owner.receive(5, 0)) == [2, 3, 4, 5, 6]


def test_a_zombie_gets_nothing_published_after_its_replacement(bench: Bench) -> None:
    """Its receiver queue had room, but the broker no longer knew it."""
    bench.fill(2)
    zombie = bench.consumer(bench.one)
    bench.one.freeze()
    bench.consumer(bench.two)
    bench.fill(3)
    bench.one.thaw()
    assert told(zombie.receive(200, 0)) == [1, 2]


def test_a_zombies_acknowledgement_is_lost(bench: Bench) -> None:
    """What a replaced consumer acknowledges moves nothing."""
    bench.fill(3)
    zombie = bench.consumer(bench.one)
    found = zombie.receive(3, 0)
    bench.one.freeze()
    bench.consumer(bench.two)
    bench.one.thaw()
    zombie.acknowledge(found[-1].position)
    assert bench.broker.acknowledged(TOPIC, 0, SUBSCRIPTION) is None
    assert bench.broker.backlog(TOPIC, 0, SUBSCRIPTION) == 3
    with pytest.raises(BusUnavailable):
        zombie.end()


def test_a_zombies_sends_are_not_stored(bench: Bench) -> None:
    """Once another one has its name, its sends end in errors, and the name's numbers are the other's."""
    zombie = bench.producer(bench.one)
    zombie.send(1, message(1))
    bench.one.freeze()
    owner = bench.producer(bench.two)
    assert owner.last_number == 1
    bench.one.thaw()
    zombie.send(2, message(-2))
    owner.send(2, message(2))
    assert outcomes(zombie.receipts()) == [(1, "stored"), (2, "BusUnavailable")]
    assert outcomes(owner.receipts()) == [(2, "stored")]
    assert bench.stored() == [1, 2]


def test_a_zombie_takes_its_place_again_if_it_is_free(bench: Bench) -> None:
    """Its client reconnects by itself after whoever replaced it has left; what is unacknowledged comes again."""
    bench.fill(4)
    zombie, producer = bench.consumer(bench.one), bench.producer(bench.one)
    zombie.receive(2, 0)
    bench.one.freeze()
    owner = bench.consumer(bench.two)
    bench.producer(bench.two).close()
    owner.acknowledge(owner.receive(1, 0)[0].position)
    owner.close()
    bench.one.thaw()
    assert zombie.connected()
    assert told(zombie.receive(5, 0)) == [2, 3, 4]
    producer.send(1, message(5))
    assert outcomes(producer.receipts()) == [(1, "stored")]


def test_a_replaced_consumer_stays_silent_for_good(bench: Bench) -> None:
    """Refused at its reconnection, it never comes back, not even when the place is free later."""
    bench.fill(2)
    zombie = bench.consumer(bench.one)
    bench.one.freeze()
    owner = bench.consumer(bench.two)
    bench.one.thaw()
    owner.close()
    bench.one.freeze()
    bench.one.thaw()
    bench.one.cut()
    bench.one.heal()
    zombie.receive(5, 0)
    bench.fill(3)
    assert zombie.receive(5, 0) == []
    assert not zombie.connected()


def test_closing_a_zombie_disturbs_nobody(bench: Bench) -> None:
    """A replaced consumer and producer do not give back what is another one's."""
    zombie, ghost = bench.consumer(bench.one), bench.producer(bench.one)
    bench.one.freeze()
    owner = bench.consumer(bench.two)
    bench.producer(bench.two)
    bench.one.thaw()
    zombie.close()
    ghost.close()
    assert owner.connected()
    with pytest.raises(Busy):
        bench.producer(bench.one)


def test_what_was_closed_never_comes_back(bench: Bench) -> None:
    """Neither a healing nor a thaw takes a place for a consumer or a producer that was closed."""
    bench.consumer(bench.one).close()
    bench.producer(bench.one).close()
    bench.one.cut()
    bench.one.heal()
    bench.one.freeze()
    bench.one.thaw()
    assert bench.consumer(bench.two).connected()
    bench.producer(bench.two)


def test_a_cut_lets_nothing_through(bench: Bench) -> None:
    """Only what was prefetched is handed out, acks vanish, whatever asks the broker fails, and nobody is told."""
    bench.fill(8)
    consumer, producer = bench.consumer(bench.one), bench.producer(bench.one)
    bench.one.cut()
    bench.fill(2)
    found = consumer.receive(200, 0)
    assert told(found) == [1, 2, 3, 4, 5]
    assert consumer.receive(200, 0) == []
    consumer.acknowledge(found[-1].position)
    assert bench.broker.acknowledged(TOPIC, 0, SUBSCRIPTION) is None
    assert not consumer.connected()
    producer.send(1, message(11))
    producer.send(2, message(12))
    assert outcomes(producer.receipts()) == [(1, "BusUnavailable"), (2, "BusUnavailable")]
    assert len(bench.stored()) == 10


def test_being_replaced_adds_nothing_to_what_was_prefetched(bench: Bench) -> None:
    """What a process cut off may hand out is settled at the cut, whatever happens at the broker later."""
    bench.fill(9)
    consumer, producer = bench.consumer(bench.one), bench.producer(bench.one)
    bench.one.cut()
    assert told(consumer.receive(2, 0)) == [1, 2]
    bench.faults.unload(TOPIC, 0)
    assert told(consumer.receive(1, 0)) == [3]
    bench.consumer(bench.two)
    assert told(consumer.receive(200, 0)) == [4, 5]
    producer.send(1, message(-1))
    assert outcomes(producer.receipts()) == [(1, "BusUnavailable")]


def test_a_cut_process_cannot_ask(bench: Bench) -> None:
    """Openings, schemas, partitions and ends are unavailable while the network is cut."""
    consumer = bench.consumer(bench.one)
    bench.one.cut()
    with pytest.raises(BusUnavailable):
        bench.one.subscribe(TOPIC, 1, SUBSCRIPTION).poll()
    with pytest.raises(BusUnavailable):
        bench.one.produce(TOPIC, 1, NAME, None).poll()
    with pytest.raises(BusUnavailable):
        bench.one.partitions(TOPIC)
    with pytest.raises(BusUnavailable):
        bench.one.schema(TOPIC, 0)
    with pytest.raises(BusUnavailable):
        consumer.end()


def test_a_healed_process_goes_on(bench: Bench) -> None:
    """What nobody took away goes on: unacknowledged messages come again, sends are stored."""
    bench.fill(7)
    consumer, producer = bench.consumer(bench.one), bench.producer(bench.one)
    found = consumer.receive(3, 0)
    consumer.acknowledge(found[0].position)
    bench.one.cut()
    bench.one.heal()
    assert consumer.connected()
    assert told(consumer.receive(5, 0)) == [2, 3, 4, 5, 6]
    assert told(consumer.receive(5, 0)) == [7]
    producer.send(1, message(8))
    assert outcomes(producer.receipts()) == [(1, "stored")]


def test_a_process_cut_and_healed_while_frozen_goes_on_when_it_wakes_up(bench: Bench) -> None:
    """Its client has slept through both: it connects anew, and what is unacknowledged comes again."""
    consumer = bench.consumer(bench.one)
    bench.fill(2)
    assert len(consumer.receive(1, 0.0)) == 1
    bench.one.freeze()
    bench.one.cut()
    bench.one.heal()
    bench.one.thaw()
    assert len(consumer.receive(5, 0.0)) == 2
    bench.fill(1)
    assert len(consumer.receive(5, 0.0)) == 1


def test_a_healed_process_that_was_replaced_stays_silent(bench: Bench) -> None:
    """The holder is not disturbed, and the one that was cut off is told nothing."""
    bench.fill(3)
    zombie = bench.consumer(bench.one)
    ghost = bench.producer(bench.one)
    bench.one.cut()
    owner = bench.consumer(bench.two)
    heir = bench.producer(bench.two)
    ghost.send(1, message(-1))
    bench.one.heal()
    bench.fill(1)
    assert told(zombie.receive(200, 0)) == [1, 2, 3]
    assert not zombie.connected()
    assert told(owner.receive(200, 0)) == [1, 2, 3, 4]
    heir.send(1, message(5))
    ghost.send(2, message(-2))
    assert outcomes(heir.receipts()) == [(1, "stored")]
    assert outcomes(ghost.receipts()) == [(1, "BusUnavailable"), (2, "BusUnavailable")]
    assert bench.stored() == [1, 2, 3, 4, 5]


def test_a_message_bears_its_publishers_time(bench: Bench) -> None:
    """`published_at` is what the clock of the sending connection said."""
    producer = bench.producer(bench.one)
    bench.clock.now = 7_000_000
    producer.send(1, message(1))
    assert bench.broker.log(TOPIC, 0)[0].published_at == 7_000_000


def test_a_cut_process_reaches_nobody(bench: Bench) -> None:
    """Its pings fail until the network is back; a frozen one keeps its connection, and its next ping is answered."""
    assert bench.one.ping(TOPIC).poll() == 0.0
    bench.one.cut()
    cut = bench.one.ping(TOPIC)
    for _ in range(2):
        with pytest.raises(BusUnavailable, match="one is cut off"):
            cut.poll()
    assert bench.two.ping(TOPIC).poll() == 0.0
    bench.one.heal()
    with pytest.raises(BusUnavailable):
        cut.poll()
    assert bench.one.ping(TOPIC).poll() == 0.0


def test_renewing_does_not_mend_the_network(bench: Bench) -> None:
    """What was held is free, and a process that is cut off connects when the network is back."""
    bench.fill(3)
    consumer, producer = bench.consumer(bench.one), bench.producer(bench.one)
    bench.one.cut()
    bench.one.renew()
    for opening in (bench.one.subscribe(TOPIC, 0, SUBSCRIPTION), bench.one.ping(TOPIC)):
        with pytest.raises(BusUnavailable):
            opening.poll()
    bench.one.heal()
    with pytest.raises(Closed):
        consumer.receive(1, 0)
    with pytest.raises(Closed):
        producer.send(1, message(1))
    assert told(bench.consumer(bench.one).receive(5, 0)) == [1, 2, 3]


def test_an_opening_ends_with_the_connection_it_was_asked_on(bench: Bench) -> None:
    """Renewed while the broker was slow, it must not be held by something that nobody polls any more."""
    bench.faults.hold_openings()
    opening = bench.one.subscribe(TOPIC, 0, SUBSCRIPTION)
    assert opening.poll() is None
    bench.one.renew()
    bench.faults.release_openings()
    with pytest.raises(Closed, match="connected anew"):
        opening.poll()
    bench.consumer(bench.two)


def test_a_cut_process_puts_nothing_back(bench: Bench) -> None:
    """The seek fails, and the cursor stays where it was; healed, it may be asked again."""
    bench.fill(4)
    consumer = bench.consumer(bench.one)
    found = consumer.receive(4, 0)
    consumer.acknowledge(found[2].position)
    bench.one.cut()
    with pytest.raises(BusUnavailable):
        consumer.seek(found[0].position).poll()
    assert bench.broker.backlog(TOPIC, 0, SUBSCRIPTION) == 1
    bench.one.heal()
    assert consumer.seek(found[0].position).poll() is consumer
    assert told(consumer.receive(5, 0)) == [2, 3, 4]
