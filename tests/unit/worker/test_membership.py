"""What a worker makes of the roster: the same whatever it knew before (R14)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from magnetar.runtime.bus.memory import Broker, MemoryBus
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import Store, Taker
from magnetar.runtime.store.roster import Beat
from magnetar.runtime.store.sqlite import SqliteMemory
from magnetar.runtime.worker.holdings import Holdings
from magnetar.runtime.worker.machine import Means
from magnetar.runtime.worker.membership import Liveness, Membership, Presence
from magnetar.runtime.worker.observer import Observer
from magnetar.runtime.worker.points import NoPoints

ME, OTHERS = "me", ("somebody", "another")
SHARDS = ("orders/0", "orders/1", "stock/0")
BEAT = "beat"
TAKE = "take"
WAIT = "wait"

HAPPENING = st.one_of(
    st.tuples(st.just(BEAT), st.sampled_from(OTHERS), st.sampled_from(("orders", "orders,stock")), st.integers(0, 1)),
    st.tuples(st.just(TAKE), st.sampled_from((ME, *OTHERS)), st.sampled_from(SHARDS), st.integers(0, 1)),
    st.tuples(st.just(WAIT), st.just(""), st.just(""), st.integers(1, 4)),
)


class Place:
    """A store with a clock that is put forward."""

    def __init__(self) -> None:
        self.now: Instant = micros(1000.0)
        self.memory = SqliteMemory(lambda: self.now)
        self.store = self.memory.open()
        self.store.prepare({"orders": 2, "stock": 1}, ())

    def happen(self, what: str, who: str, about: str, number: int) -> None:
        """A worker says that it lives, or that it leaves; takes a shard; or time passes."""
        if what == BEAT:
            self.store.beat(Beat(who, "", 0, about, 0, 0, leaving=bool(number)))
        elif what == TAKE:
            epoch = self.store.standings([about])[about].epoch
            self.store.take(about, epoch, Taker(who, number))
        else:
            self.now += micros(float(number))


def member(store: Store) -> Membership:
    """A worker of this store that knows nobody yet."""
    holdings = Holdings(Taker(ME, 1), ME, Observer())
    bus = MemoryBus(Broker(lambda: 0), ME)
    means = Means(bus, store, holdings, Observer(), NoPoints(), lambda: 0.0)
    return Membership(means, Presence("", frozenset({"orders", "stock"})), Liveness())


@settings(max_examples=50)
@given(st.lists(st.lists(HAPPENING, max_size=3), min_size=2, max_size=5))
def test_what_it_knew_before_makes_no_difference(happenings: list[list[tuple[str, str, str, int]]]) -> None:
    """What is shared out is worked out anew only where something has changed; whoever is new comes to the same."""
    place = Place()
    old = member(place.store)
    for each in happenings:
        for happening in each:
            place.happen(*happening)
        old.beat(0, leaving=False)
        new = member(place.store)
        new.beat(0, leaving=False)
        assert [old.wants(shard) for shard in SHARDS] == [new.wants(shard) for shard in SHARDS]
        assert [old.goes(shard) for shard in SHARDS] == [new.goes(shard) for shard in SHARDS]
    place.memory.close()
