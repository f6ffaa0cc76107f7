"""What was decided is published in lane order, once, whatever becomes of single sends (R18 to R20)."""

from __future__ import annotations

import random

import pytest

from magnetar.runtime.bus.memory.producer import MemoryProducer
from magnetar.runtime.bus.port import Outgoing, Producer
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import OutboxRow, StoreUnavailable, Taker
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from magnetar.runtime.worker.relay import Pace, producer_name
from magnetar.runtime.worker.winning import Winner
from tests.unit.worker.bank import Do, Told, accounts
from tests.unit.worker.bench import Bench

EVENTS = "accounts-events"
HOME = partition_of("b", 2)


def told(bench: Bench) -> list[str]:
    """The words on the partition of branch `b`, in the broker's order."""
    codec = bench.wiring.topics[EVENTS].codec
    log = bench.broker.log(EVENTS, HOME)
    return [getattr(codec.decode(each.body, codec.schema, _Here()), "word", "") for each in log]


class _Here:
    topic = EVENTS
    message_id = "test"
    schema_version = "current"


def holder(bench: Bench) -> MemoryProducer | None:
    """The producer that account `a`'s shard has open to branch `b`."""
    name = producer_name("bank", bench.shard(accounts, "a").name, (EVENTS, HOME), 0)
    found = bench.broker.partition(EVENTS, HOME).names[name].holder
    assert found is None or isinstance(found, MemoryProducer)
    return found


@pytest.fixture
def bench() -> Bench:
    """A worker that owns everything."""
    return Bench()


def say(bench: Bench, *words: str, account: str = "a", branch: str = "b") -> None:
    """One message a word."""
    for word in words:
        bench.send(Do(account=account, deeds=(f"tell {branch} {word}",)))


@pytest.mark.parametrize("fault", ["lose_sends", "lose_receipts"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_failed_send_goes_again_in_its_place(bench: Bench, fault: str, times: int) -> None:
    """Nothing overtakes it, and nothing is there twice, whether or not it had been stored."""
    getattr(bench.faults, fault)(EVENTS, HOME, times)
    say(bench, *"abcdefgh")
    bench.run()
    assert told(bench) == list("abcdefgh")


def disturb(bench: Bench, chance: random.Random, *, crashes: bool) -> None:
    """One thing that may go wrong, or a few steps."""
    match chance.randrange(8):
        case 0:
            bench.faults.lose_sends(EVENTS, HOME, chance.choice([1, 2]))
        case 1:
            bench.faults.lose_receipts(EVENTS, HOME, chance.choice([1, 2]))
        case 2:
            bench.faults.hold_sends(EVENTS, HOME)
        case 3:
            bench.faults.release_sends(EVENTS, HOME)
        case 4:
            bench.faults.unload(EVENTS, HOME)
        case 5 if crashes:
            bench.crash_later()
        case _:
            bench.step(chance.randrange(12))


@pytest.mark.parametrize("round_", range(20))
def test_order_holds_under_any_mixture_of_failures(chance: random.Random, round_: int) -> None:
    """Losses, slow answers, moved partitions and crashes at random: each word once, each account's in order."""
    bench = Bench(settings=Settings(pace=Pace(window=chance.choice([1, 3, 1000]))))
    words: dict[str, list[str]] = {"a": [], "c": [], "d": []}
    for number in range(40):
        account = chance.choice(list(words))
        words[account].append(f"{account}{number}")
        say(bench, f"{account}{number}", account=account)
        disturb(bench, chance, crashes=round_ % 2 == 1)
        bench.now += chance.choice([0, 1000, 300_000])
    bench.faults.release_sends(EVENTS, HOME)
    bench.advance(100)  # what a worker that died had in hand waits for its tier
    bench.run()
    found = told(bench)
    assert sorted(found) == sorted(word for each in words.values() for word in each)
    for account, said in words.items():
        assert [word for word in found if word.startswith(account)] == said


def test_a_refused_message_blocks_its_destination_and_no_other(bench: Bench) -> None:
    """It never skips: what follows it waits, and the alarm names destination and reason."""
    other = next(f"k{number}" for number in range(99) if partition_of(f"k{number}", 2) != HOME)
    bench.faults.refuse_sends(EVENTS, HOME)
    say(bench, "one", "two")
    say(bench, "three", branch=other)
    bench.advance(5)
    assert told(bench) == []
    assert len(bench.log(EVENTS)) == 1
    blocked = bench.observer.of("blocked")
    assert {about[:2] for about in blocked} == {(bench.shard(accounts, "a").name, f"{EVENTS}/{HOME}")}
    assert "quota" in blocked[0][2]


def test_a_blocked_destination_goes_on_with_the_next_worker(bench: Bench) -> None:
    """Its rows stayed in the store, in order."""
    bench.faults.refuse_sends(EVENTS, HOME)
    say(bench, "one", "two")
    bench.advance(1)
    bench.crash()
    assert told(bench) == ["one", "two"]


def test_rows_for_a_topic_that_the_code_has_no_more_block_it_and_no_other(bench: Bench) -> None:
    """They wait in the store for a release that has it."""
    shard = bench.shard(accounts, "b")
    shard.lane_number += 1
    shard.lane.extend([OutboxRow(shard.name, shard.lane_number, "closed", 0, "b", b"", "{}")])
    say(bench, "one")
    bench.advance(5)
    assert told(bench) == ["one"]
    [(name, where, why)] = set(bench.observer.of("blocked"))
    assert (name, where) == (shard.name, "closed/0")
    assert "a release that has it" in why


def test_no_more_than_a_window_is_on_its_way() -> None:
    """Per destination."""
    bench = Bench(settings=Settings(pace=Pace(window=3)))
    bench.faults.hold_sends(EVENTS, HOME)
    say(bench, *"abcdefgh")
    bench.advance(1)
    producer = holder(bench)
    assert producer is not None
    assert len(producer._transit) == 3
    bench.faults.release_sends(EVENTS, HOME)
    bench.run()
    assert told(bench) == list("abcdefgh")


def test_what_was_not_sent_is_sent_by_the_next_worker(bench: Bench) -> None:
    """The rows were committed with the state; what was on its way when the worker died goes again."""
    bench.faults.hold_sends(EVENTS, HOME)
    say(bench, "one", "two")
    bench.advance(1)
    assert told(bench) == []
    bench.bus.disconnect()
    bench.faults.release_sends(EVENTS, HOME)
    bench.crash()
    assert told(bench) == ["one", "two"]


def test_a_lane_longer_than_memory_is_sent_in_windows() -> None:
    """R20: a worker that finds more rows than its bound sends them all, in order, before it takes anything in."""
    bench = Bench(settings=Settings(pace=Pace(reload=4)))
    bench.faults.hold_sends(EVENTS, HOME)
    words = [str(number) for number in range(30)]
    say(bench, *words)
    bench.advance(1)
    bench.bus.disconnect()
    bench.faults.release_sends(EVENTS, HOME)
    bench.settings = Settings(pace=Pace(reload=4), tenure=Tenure(liveness=ALONE, winner=Winner(lane=7)))
    say(bench, "last")
    bench.crash()
    bench.advance(2)
    assert told(bench) == [*words, "last"]
    assert bench.views.unsent_of("accounts") == []


def test_confirmed_rows_leave_the_store(bench: Bench) -> None:
    """In a later group, or in one of their own when nothing comes."""
    say(bench, "one", "two")
    bench.run()
    bench.advance(2)
    assert bench.views.unsent_of("accounts") == []
    assert not bench.shard(accounts, "a").lane.deletable


def test_a_producer_is_opened_while_its_rows_are_committed(bench: Bench) -> None:
    """It takes the broker a while, in which nothing would be sent; and nothing is sent before the commit (R19)."""
    say(bench, "one")
    bench.moods.always["commit"] = StoreUnavailable("away")
    bench.advance(1)
    assert holder(bench) is not None
    assert told(bench) == []
    bench.moods.heal()
    bench.run()
    assert told(bench) == ["one"]


def test_the_producer_of_its_events_is_opened_when_a_shard_is_won(bench: Bench) -> None:
    """To the partition of its own number, for most events have the key of who publishes them."""
    for partition in range(2):
        name = producer_name("bank", f"accounts/{partition}", (EVENTS, partition), 0)
        assert bench.broker.partition(EVENTS, partition).names[name].holder is not None


def test_a_producer_that_was_opened_for_nothing_is_closed(bench: Bench) -> None:
    """What was handled was not committed, for the shard is another's: its name is free when it is lost (R13)."""
    say(bench, "one")
    bench.until("phase:handled")
    name = bench.shard(accounts, "a").name
    bench.database.open().take(name, 1, Taker("thief"))
    bench.step()
    assert name in dict(bench.observer.of("lost"))
    bench.step(2)
    assert bench.broker.partition(EVENTS, HOME).names[producer_name("bank", name, (EVENTS, HOME), 0)].holder is None


def test_an_idle_producer_is_closed(bench: Bench) -> None:
    """A minute or two after the last a message to its destination; the next message opens it again."""
    say(bench, "one")
    bench.run()
    assert holder(bench) is not None
    bench.advance(130)
    assert holder(bench) is None
    say(bench, "two")
    bench.run()
    assert told(bench) == ["one", "two"]


def impostor(bench: Bench) -> Producer:
    """A producer of the name under which account `a`'s shard tells branch `b`."""
    name = producer_name("bank", bench.shard(accounts, "a").name, (EVENTS, HOME), 0)
    schema = bench.wiring.topics[EVENTS].codec.schema.text
    producer = bench._outside.produce(EVENTS, HOME, name, schema).poll()
    assert producer is not None
    return producer


def outrun(bench: Bench, producer: Producer, number: int) -> None:
    """Somebody sent this number in the shard's name, and is gone."""
    body = bench.wiring.topics[EVENTS].codec.encode(Told(branch="b", word="ahead"))
    producer.send(number, Outgoing("b", body, {"message_id": "ahead"}))
    producer.close()


def test_a_lane_that_was_longer_once_goes_on_under_a_new_generation(bench: Bench) -> None:
    """R11: the broker has seen numbers that this store never gave out; sending on would lose messages silently."""
    shard = bench.shard(accounts, "a")
    outrun(bench, impostor(bench), 50)
    say(bench, "one")
    bench.run()
    assert [name for name, why in bench.observer.of("went_back") if "has seen 50 from it" in why] == [shard.name]
    assert (bench.row(shard.name).generation, bench.row(shard.name).epoch) == (1, 3)
    assert told(bench) == ["ahead", "one"]


def test_a_shard_outrun_by_its_next_owner_is_lost(bench: Bench) -> None:
    """The same sign, but its epoch has moved: then it is another worker's, and the store is right."""
    shard = bench.shard(accounts, "a")
    producer = impostor(bench)
    say(bench, "one")
    bench.until("phase:committed")
    bench.database.open().take(shard.name, 1, Taker("thief"))
    outrun(bench, producer, 50)
    bench.now += 200_000
    bench.step()
    assert [name for name, why in bench.observer.of("lost") if "sent on" in why] == [shard.name]


def test_producers_are_named_for_life() -> None:
    """R18: the name holds application, shard, destination and generation, and never the epoch."""
    assert producer_name("bank", "accounts/1", ("t", 3), 2) == "bank:accounts/1:t/3:2"


def test_a_letter_goes_as_it_is(bench: Bench) -> None:
    """A retry topic and the dead letters have no schema: their producers bring none, and take any bytes."""
    shard = bench.shard(accounts, "a")
    for topic in bench.wiring.actors["accounts"].retries[0].topic, bench.wiring.actors["accounts"].dead_letters:
        shard.lane_number += 1
        shard.lane.extend([OutboxRow(shard.name, shard.lane_number, topic, 1, "a", b"\x00\xff", '{"error": "E"}')])
        bench.run()
        [delivery] = bench.broker.log(topic, 1)
        assert (delivery.key, delivery.body, delivery.properties) == ("a", b"\x00\xff", {"error": "E"})
        assert delivery.schema_version is None
