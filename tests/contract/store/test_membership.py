"""The contract of membership: who says that it lives, by the store's clock, and who has what (R13, R14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.port import Taker
from magnetar.runtime.store.roster import Beat, Standing
from tests.contract.store.harness import OTHER, SHARD

if TYPE_CHECKING:
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.roster import Member
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness


def beat(worker: str, *, silence: int = 0, progress: int = 0, leaving: bool = False) -> Beat:
    """What a worker says of itself."""
    return Beat(worker, "0.2.0", 7, "orders,stock", silence, progress, leaving)


def test_a_beat_is_dated_by_the_store(store: Store) -> None:
    """When it was seen, and when it last heard the broker: no worker's own clock has a say."""
    before = store.now()
    roster = store.beat(beat("w1", silence=2 * SECOND, progress=5))
    assert before <= roster.now <= store.now()
    [member] = roster.members
    assert member[:4] == ("w1", "0.2.0", 7, "orders,stock")
    assert member.since == member.seen == roster.now
    assert member.heard == roster.now - 2 * SECOND
    assert (member.progress, member.leaving) == (5, False)


def test_the_next_beat_keeps_since_when_it_is_there(store: Store) -> None:
    """Everything else is as it says now."""
    first = store.beat(beat("w1"))
    second = store.beat(beat("w1", progress=9, leaving=True))
    [member] = second.members
    assert member.since == first.now
    assert member.seen == second.now >= first.now
    assert (member.progress, member.leaving) == (9, True)


def test_a_beat_tells_who_is_left_alone(store: Store, views: Views) -> None:
    """Until a later one says otherwise; who says nothing of it leaves nobody alone."""
    store.beat(beat("w1"))
    assert [member.left_alone for member in views.members()] == [""]
    alone = '{"\N{SNOWMAN}":[1,2]}'
    [member] = store.beat(beat("w1")._replace(left_alone=alone)).members
    assert member.left_alone == alone
    assert views.members() == [member]
    store.beat(beat("w1"))
    assert [member.left_alone for member in views.members()] == [""]


def test_a_roster_has_everybody_and_everything(harness: StoreHarness, store: Store, views: Views) -> None:
    """The members by name, and the standing of every shard."""
    harness.open().beat(beat("w2"))
    assert store.take(SHARD, 0, Taker("w2", contracts=4)) is not None
    roster = store.beat(beat("w1"))
    assert [member.worker for member in roster.members] == ["w1", "w2"]
    assert set(roster.shards) == {row.shard for row in views.shards()}
    assert roster.shards[SHARD] == store.standings([SHARD])[SHARD]
    assert roster.shards[OTHER] == Standing(0, "", 0, 0)
    assert views.members() == list(roster.members)
    assert roster.now <= views.now()


def test_who_departs_is_forgotten(store: Store, views: Views) -> None:
    """Departing twice is harmless."""
    store.beat(beat("w1"))
    store.beat(beat("w2"))
    store.depart("w1")
    store.depart("w1")
    assert names(views.members()) == ["w2"]


def names(members: list[Member]) -> list[str]:
    """Of the members."""
    return [member.worker for member in members]
