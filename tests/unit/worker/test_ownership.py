"""Who has a shard: winning it, keeping it, losing it, giving it back (R12, R13, R15, R31, R32)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime import Actor, App, Policy, Retry
from magnetar.runtime.bus.memory import MemoryBus
from magnetar.runtime.bus.port import TopicMissing
from magnetar.runtime.errors import LayoutDiffers
from magnetar.runtime.store.port import StoreUnavailable, Taker
from magnetar.runtime.worker.intake import Inline
from magnetar.runtime.worker.observer import Loss
from magnetar.runtime.worker.winning import shard_plans
from tests.unit.worker import bank
from tests.unit.worker.bank import Account, Do, accounts
from tests.unit.worker.bench import Bench

if TYPE_CHECKING:
    from magnetar.runtime.worker.shard import Feed

ALL = {"accounts/0", "accounts/1", "branches/0", "branches/1", "branches/2"}


def owned(bench: Bench) -> set[str]:
    """The shards that the worker owns now."""
    return {shard.name for shard in bench.engine.holdings.shards()}


def reasons(bench: Bench) -> dict[str, str]:
    """Why each lost shard was lost, the last time."""
    return dict(bench.observer.of("lost"))


def test_a_worker_takes_every_shard() -> None:
    """And says since which epoch; the store's rows name it as the owner."""
    bench = Bench()
    assert owned(bench) == ALL
    assert set(bench.observer.of("owned")) == {(name, 1) for name in ALL}
    assert {(row.owner, row.epoch, row.clean) for row in bench.views.shards()} == {("first", 1, False)}


def test_a_held_partition_is_asked_for_until_it_is_free() -> None:
    """Busy is retried every 200 ms; the other shards do not wait for it."""
    bench = Bench(start=False)
    holder = MemoryBus(bench.broker, "holder")
    consumer = holder.subscribe("accounts", 0, "magnetar-accounts").poll()
    assert consumer is not None
    bench.advance(3)
    assert owned(bench) == ALL - {"accounts/0"}
    consumer.close()
    bench.advance(0.25)
    assert owned(bench) == ALL


def test_a_shard_taken_in_between_is_started_over() -> None:
    """R12: the epoch read before subscribing has moved; its consumer is given back and it is tried again."""
    bench = Bench(start=False)
    thief = bench.database.open()

    def steal(shard: str, epoch: int, _taker: Taker) -> None:
        if epoch == 0:
            thief.take(shard, epoch, Taker("thief"))

    bench.moods.watch("take", steal)
    bench.run()
    assert owned(bench) == ALL
    assert {row.epoch for row in bench.views.shards()} == {2}


def test_a_store_that_is_away_is_waited_for_at_the_start() -> None:
    """Nothing is owned without the store's word."""
    bench = Bench(start=False)
    bench.moods.always["take"] = StoreUnavailable("away")
    bench.advance(2)
    assert owned(bench) == set()
    bench.moods.heal()
    bench.run()
    assert owned(bench) == ALL


def test_a_moved_epoch_is_noticed_within_a_second() -> None:
    """R13: the shard is dropped with its consumer, and wanted again; the others stay."""
    bench = Bench()
    bench.database.open().take("accounts/0", 1, Taker("thief"))
    bench.advance(1.1)
    assert set(reasons(bench)) == {"accounts/0"}
    assert "another worker has taken it" in reasons(bench)["accounts/0"]
    bench.run()
    assert owned(bench) == ALL
    assert bench.row("accounts/0").epoch == 3
    assert {bench.row(name).epoch for name in ALL - {"accounts/0"}} == {1}


def test_a_worker_without_a_store_lets_go_after_five_seconds() -> None:
    """Not before: a short outage costs no shard. When the store is back it takes them anew."""
    bench = Bench()
    bench.moods.always["beat"] = StoreUnavailable("away")
    bench.advance(4.5)
    assert owned(bench) == ALL
    bench.advance(2)
    assert owned(bench) == set()
    assert all("no store for 5.0 s" in why for why in reasons(bench).values())
    other = MemoryBus(bench.broker, "other").subscribe("accounts", 0, "magnetar-accounts").poll()
    assert other is not None, "its consumers are closed too"
    other.close()
    bench.moods.heal()
    bench.run()
    assert owned(bench) == ALL


def test_a_consumer_that_stays_cut_off_is_made_anew() -> None:
    """R32: by giving the shard up and taking it again, after five seconds."""
    bench = Bench()
    bench.bus.cut()
    bench.advance(4.5)
    assert owned(bench) == ALL
    bench.advance(3)
    assert owned(bench) == set()
    bench.bus.heal()
    bench.send(Do(account="a"))
    bench.run()
    assert owned(bench) == ALL
    assert bench.state(accounts, "a").done == ("nothing",)


def test_shards_lost_at_once_are_all_left_before_one_is_waited_for() -> None:
    """R13: each close may take its time at a slow broker, and whatever is healthy waits for their sum."""
    bench = Bench()
    for number in range(20):
        bench.send(Do(account=f"a-{number}", deeds=("tell b word",)))
    bench.run()
    seen = len(bench.points.passed)
    bench.bus.cut()
    bench.advance(7.5)
    assert owned(bench) == set()
    passed = bench.points.passed[seen:]
    for port, least in (("consumer", len(ALL)), ("producer", 2)):
        left = [at for at, point in enumerate(passed) if point == f"{port}.leave:before"]
        closed = [at for at, point in enumerate(passed) if point == f"{port}.close:before"]
        assert min(len(left), len(closed)) >= least
        assert left[least - 1] < closed[0]


def test_leaving_releases_in_order() -> None:
    """R15: what was taken is committed and acknowledged, the lane drained, rows clean and ownerless, seats free."""
    bench = Bench()
    for number in range(20):
        bench.send(Do(account=f"a-{number}", deeds=("tell b word",)))
    bench.until("phase:taken")
    bench.engine.ownership.leave()
    bench.advance(1)
    assert bench.engine.ownership.gone
    assert owned(bench) == set()
    assert {(row.owner, row.clean) for row in bench.views.shards()} == {("", True)}
    assert bench.views.unsent_of("accounts") == []
    assert len(list(bench.views.journal_of("accounts"))) == 20
    assert [bench.broker.backlog("accounts", partition, "magnetar-accounts") for partition in (0, 1)] == [0, 0]
    assert bench.words(bank.Told) == ["word"] * 20
    held = MemoryBus(bench.broker, "next")
    for partition in (0, 1):
        assert held.subscribe("accounts", partition, "magnetar-accounts").poll() is not None


def test_leaving_waits_for_the_lane_two_seconds_at_most() -> None:
    """What has no receipt by then stays a row, and the next worker sends it."""
    bench = Bench()
    for partition in (0, 1):
        bench.faults.hold_sends("accounts-events", partition)
    bench.send(Do(account="a", deeds=("tell b word",)))
    bench.advance(0.5)
    name = bench.shard(accounts, "a").name
    bench.engine.ownership.leave()
    bench.advance(1.5)
    assert owned(bench) == {name}
    bench.advance(1)
    assert bench.engine.ownership.gone
    assert [row.shard for row in bench.views.unsent_of("accounts")] == [name]
    for partition in (0, 1):
        bench.faults.release_sends("accounts-events", partition)
    bench.crash()
    assert bench.words(bank.Told) == ["word"]


def test_a_leaving_shard_needs_no_group_to_remove_what_was_sent() -> None:
    """Its release does it (R15). For a group of its own it would stand still, and here it would wait for ever."""
    bench = Bench()
    bench.send(Do(account="a", deeds=("tell b word",)))
    bench.until("phase:idle")
    bench.moods.always["commit"] = StoreUnavailable("away")
    bench.engine.ownership.leave()
    bench.advance(0.3)
    assert {"accounts/0", "accounts/1"}.isdisjoint(owned(bench)), "those of the branches have taken what was told"
    assert bench.words(bank.Told) == ["word"]
    assert bench.views.unsent_of("accounts") == []


class Noting(Inline):
    """A source that writes down that it is closed."""

    def __init__(self, feed: Feed, noted: list[str]) -> None:
        """In place of the one of the feed."""
        assert isinstance(feed.source, Inline)
        super().__init__(feed.source._consumer)
        self._name = feed.name
        self._noted = noted

    def leave(self) -> None:
        """Noted."""
        self._noted.append(f"leave {self._name}")
        super().leave()

    def close(self) -> None:
        """Noted."""
        self._noted.append(f"close {self._name}")
        super().close()


def test_the_main_consumer_is_closed_last() -> None:
    """It decides who is in (R15). The others begin to close before anything is waited for."""
    bench = Bench()
    noted: list[str] = []
    [shard] = [shard for shard in bench.engine.holdings.shards() if shard.name == "branches/0"]
    for feed in shard.feeds:
        feed.source = Noting(feed, noted)
    bench.engine.ownership.leave()
    bench.advance(1)
    assert noted == ["leave accounts-events/0", "close accounts-events/0", "close branches/0"]


def test_a_crash_leaves_no_clean_mark() -> None:
    """*Clean* is what an orderly release says, and nothing else."""
    bench = Bench()
    bench.engine.ownership.leave()
    bench.advance(1)
    assert {row.clean for row in bench.views.shards()} == {True}
    bench.crash()
    assert {row.clean for row in bench.views.shards()} == {False}
    bench.crash()
    assert {row.epoch for row in bench.views.shards()} == {3}


def test_leaving_without_a_store_still_ends() -> None:
    """It says that shards are not marked clean, and goes: the next worker finds an unclean one, which is safe."""
    bench = Bench()
    bench.moods.always["release"] = StoreUnavailable("away")
    bench.engine.ownership.leave()
    bench.advance(1)
    assert bench.engine.ownership.gone
    assert {row.clean for row in bench.views.shards()} == {False}


def test_two_workers_never_both_commit_for_a_shard() -> None:
    """A frozen worker wakes up after it was replaced: its commit is refused, its message applied once."""
    bench = Bench()
    bench.send(Do(account="a", deeds=("one",)))
    bench.until("phase:handled")
    old_bus, old = bench.bus, bench.engine
    old_bus.freeze()
    bench.bus, bench.engine = bench.worker("second")
    bench.run()
    assert bench.state(accounts, "a").done == ("one",)
    old_bus.thaw()
    for _ in range(5):
        old.step(bench.now)
    assert bench.state(accounts, "a").done == ("one",)
    assert len(bench.journal(accounts, "a")) == 1
    assert "accounts" in str(reasons(bench))


def test_every_partition_of_every_feed_belongs_to_one_shard() -> None:
    """Whatever the counts of publisher and taker are, nothing is left out and nothing is read twice."""
    wiring = bank.bank.wire()
    counts = {name: topic.partitions or 1 for name, topic in wiring.topics.items()}
    for events in (1, 2, 3, 7):
        counts["accounts-events"] = events
        plans = shard_plans(wiring.actors, counts)
        fed = [(topic.name, partition) for plan in plans.values() for topic, partition in plan.feeds]
        assert sorted(fed) == sorted({*fed})
        wanted = {
            (topic.name, each)
            for plan in wiring.actors.values()
            for topic in plan.sources
            for each in range(counts[topic.name])
        }
        assert {*fed} == wanted
        assert plans.keys() == ALL


def test_a_shard_that_was_taken_and_not_moved_into_is_handed_back() -> None:
    """A worker that is told to leave while it takes shards leaves none of them in its name."""
    bench = Bench(start=False)
    bench.faults.hold_cursors()
    bench.until("store.take:after")
    bench.engine.ownership.leave()
    bench.advance(5)
    assert bench.observer.of("owned") == []
    assert {(row.owner, row.clean) for row in bench.views.shards()} == {("", True)}
    assert 1 in {row.epoch for row in bench.views.shards()}


def test_another_number_of_partitions_stops_the_worker() -> None:
    """R31: keys would go to other shards; the error says both numbers and what to set."""
    bench = Bench()
    actor = Actor(
        "accounts", Account, publishes=[bank.Told], rows=[bank.Booking], policy=Policy(partitions=5, retry=bank.RETRY)
    )
    for handler in accounts.handlers:
        actor.handles(handler)
    bench.wiring = App("bank", actor, bank.branches).wire()
    with pytest.raises(LayoutDiffers, match=r"has 2 partitions, but 5 are declared.*Policy\(partitions=2\)"):
        bench.worker("third")


def test_retry_topics_are_counted_too() -> None:
    """R31: a letter goes to its shard's own number, where a retry topic with fewer has no place for it."""
    bench = Bench()
    policy = replace(accounts.policy, retry=Retry(tiers=(7.0,)))
    actor = Actor("accounts", Account, publishes=[bank.Told], rows=[bank.Booking], policy=policy)
    for handler in accounts.handlers:
        actor.handles(handler)
    bench.wiring = App("bank", actor, bank.branches).wire()
    with pytest.raises(TopicMissing, match="accounts-magnetar-accounts-RETRY-7s"):
        bench.worker("third")
    bench.broker.provision("accounts-magnetar-accounts-RETRY-7s", 1, ["magnetar-accounts"])
    with pytest.raises(LayoutDiffers, match=r"RETRY-7s' has 1 partitions, but 2 are declared"):
        bench.worker("third")


def test_who_goes_through_the_shards_may_lose_them() -> None:
    """Each machine goes through what is owned, and loses some of it on the way."""
    bench = Bench()
    bench.run()
    owned = bench.engine.holdings.shards()
    names = [shard.name for shard in owned]
    for shard in owned:
        bench.engine.holdings.lose(shard, "taken", Loss.TAKEN)
    assert [shard.name for shard in owned] == names
    assert len(names) > 1
    assert bench.engine.holdings.shards() == []
    bench.run()
    assert sorted(shard.name for shard in bench.engine.holdings.shards()) == sorted(names)
