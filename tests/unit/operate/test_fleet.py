"""Who has what and who is alive is told as the store knows it, and what waits as store and broker know it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime import World
from magnetar.runtime.bus.pulsar.answers import Backlog
from magnetar.runtime.compose.lags import shard_lags
from magnetar.runtime.instant import SECOND, Instant
from magnetar.runtime.operate import fleet
from magnetar.runtime.operate.fleet import Lag, is_alive
from magnetar.runtime.store.port import ShardChanges, Taker
from magnetar.runtime.store.roster import Beat, Member
from magnetar.runtime.store.sqlite import SqliteMemory
from tests.contract.store.rows import parked_key
from tests.unit.cli.shop import Place, app

if TYPE_CHECKING:
    from magnetar.runtime.store.sqlite import SqliteStore, SqliteViews


class Ledger:
    """A store whose clock stands still until it is moved, with two actors of 12 and 2 shards."""

    def __init__(self) -> None:
        self.now: Instant = 1_000 * SECOND
        self._memory = SqliteMemory(lambda: self.now)
        self.store: SqliteStore = self._memory.open()
        self.store.prepare({"orders": 12, "stock": 2}, [])
        self.views: SqliteViews = self._memory.views()

    def beat(self, worker: str, *, silence: Instant = 0, actors: str = "orders,stock", leaving: bool = False) -> None:
        """A worker says that it lives."""
        self.store.beat(Beat(worker, "1.2", 3, actors, silence, 7, leaving))

    def close(self) -> None:
        """Let it go."""
        for each in (self.views, self.store, self._memory):
            each.close()


@pytest.fixture
def place() -> Generator[Ledger]:
    """An empty one."""
    made = Ledger()
    yield made
    made.close()


def test_shards_come_by_number_and_say_who_has_them(place: Ledger) -> None:
    """2 before 10; owner, epoch, age and reason of the last change by the store's clock."""
    place.beat("w1")
    assert place.store.take("orders/10", 0, Taker("w1", 3, "was never owned")) is not None
    place.now += 2 * SECOND
    found = {report.shard: report for report in fleet.shards(place.views, None, None)}
    assert list(found) == [*(f"orders/{number}" for number in range(12)), "stock/0", "stock/1"]
    taken, free = found["orders/10"], found["orders/2"]
    assert (taken.owner, taken.owner_alive, taken.epoch, taken.why) == ("w1", True, 1, "was never owned")
    assert (taken.changed, taken.clean, taken.lag, taken.oldest) == (2.0, False, None, None)
    assert (free.owner, free.owner_alive, free.epoch, free.since) == ("", False, 0, None)
    assert [report.shard for report in fleet.shards(place.views, "stock", None)] == ["stock/0", "stock/1"]


def test_the_owner_of_a_shard_dies_after_three_seconds(place: Ledger) -> None:
    """As other workers judge it: silence towards the store, or towards the broker."""
    place.beat("w1")
    place.beat("w2", silence=3 * SECOND)
    for shard, owner in (("orders/0", "w1"), ("orders/1", "w2")):
        assert place.store.take(shard, 0, Taker(owner, 3, "")) is not None
    assert [report.owner_alive for report in fleet.shards(place.views, "orders", None)[:2]] == [True, False]
    place.now += 3 * SECOND
    assert [report.owner_alive for report in fleet.shards(place.views, "orders", None)[:2]] == [False, False]


def test_workers_say_what_they_have(place: Ledger) -> None:
    """Seen, heard and up are seconds ago; one that is gone stays in the list, and `actor` picks those that serve it."""
    place.beat("w2", actors="stock")
    place.now += 5 * SECOND
    place.beat("w1", silence=SECOND, leaving=True)
    for number in (11, 2):
        assert place.store.take(f"orders/{number}", 0, Taker("w1", 3, "")) is not None
    place.now += SECOND
    first, second = fleet.workers(place.views, None)
    assert (first.worker, first.alive, first.leaving) == ("w1", True, True)
    assert (first.seen, first.heard, first.up) == (1.0, 2.0, 1.0)
    assert (first.shards, first.actors, first.progress, first.code) == (
        ["orders/2", "orders/11"],
        ["orders", "stock"],
        7,
        "1.2",
    )
    assert (second.worker, second.alive, second.seen, second.shards) == ("w2", False, 6.0, [])
    assert [report.worker for report in fleet.workers(place.views, "orders")] == ["w1"]


def test_the_lag_of_a_shard_is_the_brokers(place: Ledger) -> None:
    """A shard without one has none; the age is by the store's clock, and never negative."""
    lags = {"stock/0": Lag(3, place.now - 4 * SECOND), "stock/1": Lag(1, place.now + SECOND)}
    found = fleet.shards(place.views, None, lags)
    assert [(report.lag, report.oldest) for report in found[-3:]] == [(0, None), (3, 4.0), (1, 0.0)]


def test_what_waits_in_a_shard_is_counted() -> None:
    """An order that was placed has armed a timer, in its own shard."""
    with World(app) as world:
        world.send(Place(order_id="o-1"))
        world.advance(60)
        found = [report for report in fleet.shards(world.database.views(), "orders", None) if report.timers]
        assert [(report.timers, report.unsent) for report in found] == [(1, 0)]


def test_what_is_parked_in_a_shard_is_counted(place: Ledger) -> None:
    """Messages, not keys."""
    row = place.store.take("orders/0", 0, Taker("w1", 3, ""))
    assert row is not None
    changes = ShardChanges("orders/0", row.epoch, row.commits, row.lane, row.floor)
    changes.to_park().parked_keys += [parked_key("o-1", 2, 4), parked_key("o-2", 1, 1), parked_key("o-3", 5, 4)]
    assert place.store.commit([changes]) == frozenset()
    assert [report.parked for report in fleet.shards(place.views, "orders", None)[:2]] == [4, 0]


instants = st.integers(0, 10 * SECOND)


@given(seen=instants, heard=instants, now=instants)
def test_a_worker_is_alive_exactly_if_both_have_heard_of_it(seen: Instant, heard: Instant, now: Instant) -> None:
    """Within three seconds; a date in the future is no better than one long ago."""
    member = Member("w", "1", 0, "orders", 0, seen, heard, 0, leaving=False)
    assert is_alive(member, now) == (max(abs(now - seen), abs(now - heard)) < 3 * SECOND)


backlogs = st.dictionaries(
    st.sampled_from(["magnetar-orders", "magnetar-stock", "audit"]),
    st.builds(Backlog, messages=st.integers(0, 9), earliest=st.integers(-1, 3)),
)
WIRING = app.wire()
FEEDS = st.fixed_dictionaries(
    {name: st.dictionaries(st.integers(0, topic.partitions or 1), backlogs) for name, topic in WIRING.topics.items()}
)


@given(FEEDS)
def test_every_backlog_of_an_actor_lags_in_one_shard(feeds: dict[str, dict[int, dict[str, Backlog]]]) -> None:
    """All that an actor's subscription has not acknowledged is somewhere, once; nobody else's is."""
    found = shard_lags(WIRING, feeds)
    assert len(found) == sum(WIRING.partitions().values())
    for actor in WIRING.actors:
        partitions = {topic.name: topic.partitions or len(feeds[topic.name]) for topic in WIRING.actors[actor].sources}
        expected = sum(
            subscribed[f"magnetar-{actor}"].messages
            for topic, count in partitions.items()
            for partition, subscribed in feeds[topic].items()
            if partition < count and f"magnetar-{actor}" in subscribed
        )
        assert expected == sum(lag.messages for name, lag in found.items() if name.startswith(f"{actor}/"))


def test_the_oldest_of_a_shard_is_over_all_its_feeds() -> None:
    """In microseconds; a partition where nothing waits has no date."""
    topics = WIRING.actors["orders"].sources
    given_ = {
        topic.name: {0: {"magnetar-orders": Backlog(messages=count, earliest=earliest)}}
        for topic, count, earliest in zip(topics, (2, 1, 0), (9, 5, 1), strict=False)
    }
    lag = shard_lags(WIRING, given_)["orders/0"]
    waiting = [5, 9][-len(topics) :] if len(topics) > 1 else [9]
    assert lag.oldest == min(waiting) * 1000
