"""The contract of ownership: the epoch decides, and whoever has an old one is refused (R1, R6, R12, R15)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import Position
from magnetar.runtime.store.port import StoreMismatch, Taker
from magnetar.runtime.store.roster import Standing
from tests.contract.store.harness import ACTOR, LIFE, OTHER, SHARD, Owner, epoch_of
from tests.contract.store.rows import journal_row, outbox_row, state_write

if TYPE_CHECKING:
    from magnetar.runtime.store.port import ShardChanges, Store
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness


def sending(owner: Owner, count: int, shard: str = SHARD) -> ShardChanges:
    """Changes that add so many rows to the lane."""
    changes = owner.changes(shard)
    changes.outbox += [outbox_row(changes.lane + number, shard) for number in range(1, count + 1)]
    changes.lane += count
    return changes


def test_standings_of_the_shards_asked_for(store: Store) -> None:
    """Each shard's own; a shard that does not exist has none."""
    before = store.now()
    assert store.take(SHARD, 0, Taker("worker", contracts=3)) is not None
    standings = store.standings([SHARD, OTHER, "nobody/0"])
    assert standings == {SHARD: Standing(1, "worker", standings[SHARD].since, 3), OTHER: Standing(0, "", 0, 0)}
    assert before <= standings[SHARD].since <= store.now()
    assert store.standings([SHARD]) == {SHARD: standings[SHARD]}
    assert store.standings([]) == {}


def test_taking_bumps_the_epoch_and_names_the_owner(store: Store, views: Views) -> None:
    """The row comes back with the new epoch and *clean* as it was; in the store it is not clean any more."""
    taken = store.take(SHARD, 0, Taker("worker"))
    assert taken is not None
    assert (taken.epoch, taken.owner) == (1, "worker")
    assert taken.clean is True
    stored = next(row for row in views.shards() if row.shard == SHARD)
    assert stored == taken._replace(clean=False)


def test_taking_tells_what_was_committed(store: Store) -> None:
    """Counter, lane, floor and positions are those of the last commit: the next owner goes on from them."""
    owner = Owner(store, SHARD)
    changes = owner.changes()
    changes.lane, changes.floor = 12, 345
    changes.positions = {"orders/0": Position(7, 8), "stock-events/0": Position(9, 10, 2)}
    owner.commit(changes)
    row = owner.take(SHARD)
    assert (row.commits, row.lane, row.floor) == (1, 12, 345)
    assert row.positions == {"orders/0": Position(7, 8), "stock-events/0": Position(9, 10, 2)}


def test_one_of_two_takers_wins(harness: StoreHarness, store: Store) -> None:
    """Both read the same epoch; the second is told that somebody was faster, and changes nothing."""
    rival = harness.open()
    epoch = epoch_of(store)
    assert epoch_of(rival) == epoch
    assert rival.take(SHARD, epoch, Taker("rival")) is not None
    assert store.take(SHARD, epoch, Taker("worker")) is None
    [shard] = [row for row in harness.views().shards() if row.shard == SHARD]
    assert (shard.owner, shard.epoch) == ("rival", epoch + 1)


def test_takers_that_race_take_turns(harness: StoreHarness, store: Store) -> None:
    """Four at once: each epoch is won by exactly one of them, and nobody meets an error."""
    stores = [harness.open() for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        won = [epoch for epochs in pool.map(_race, stores) for epoch in epochs]
    assert sorted(won) == list(range(1, len(won) + 1))
    assert epoch_of(store) == len(won)


def _race(store: Store) -> list[int]:
    """The epochs won in fifty tries."""
    tries = (store.take(SHARD, epoch_of(store), Taker("racer")) for _ in range(50))
    return [row.epoch for row in tries if row is not None]


def test_taking_an_unknown_shard_is_a_mismatch(store: Store) -> None:
    """A shard that was never prepared is not one that somebody else was faster to take: trying again cannot help."""
    with pytest.raises(StoreMismatch, match="orders/99"):
        store.take("orders/99", 0, Taker("worker"))


def test_since_and_why_are_of_the_last_change_of_owner(store: Store, views: Views) -> None:
    """Taking one's own shard again, to settle a lost commit, is no such change (R8); releasing is."""
    first = store.take(SHARD, 0, Taker("worker", why="it was nobody's"))
    again = store.take(SHARD, 1, Taker("worker", why="to be sure"))
    assert first is not None
    assert again is not None
    assert (again.since, again.why) == (first.since, "it was nobody's")
    assert store.release(SHARD, 2, LIFE)
    [released] = [row for row in views.shards() if row.shard == SHARD]
    assert released.since >= first.since
    taken = store.take(SHARD, 2, Taker("next", why="its turn"))
    assert taken is not None
    assert (taken.owner, taken.why) == ("next", "its turn")
    assert taken.since >= released.since


def test_older_code_cannot_take_what_newer_code_wrote(store: Store) -> None:
    """R16: the row keeps the highest contract generation of its owners, and refuses a lower one."""
    assert store.take(SHARD, 0, Taker("new", contracts=2)) is not None
    assert store.take(SHARD, 1, Taker("old", contracts=1)) is None
    assert epoch_of(store) == 1
    taken = store.take(SHARD, 1, Taker("newest", contracts=3))
    assert taken is not None
    assert taken.contracts == 3


def test_a_taker_may_begin_a_new_store_generation(store: Store) -> None:
    """R11: only if it says so."""
    taken = store.take(SHARD, 0, Taker("worker"))
    renewed = store.take(SHARD, 1, Taker("worker", renews=True))
    assert taken is not None
    assert renewed is not None
    assert (taken.generation, renewed.generation) == (0, 1)


def test_releasing_leaves_the_shard_clean_and_ownerless(store: Store, views: Views) -> None:
    """The next owner sees *clean*; the epoch stays, so that nothing but taking moves it."""
    owner = Owner(store, SHARD)
    assert store.release(SHARD, owner.owned[SHARD].epoch, LIFE)
    [shard] = [row for row in views.shards() if row.shard == SHARD]
    assert (shard.owner, shard.epoch, shard.clean) == ("", 1, True)
    assert Owner(store, name="next").take(SHARD).clean


def test_a_shard_not_released_is_not_clean(harness: StoreHarness, store: Store) -> None:
    """The next owner of a shard whose owner vanished learns so."""
    owner = Owner(store, SHARD)
    harness.die(owner.store)
    assert not Owner(harness.open(), name="next").take(SHARD).clean


def test_a_lost_shard_cannot_be_released(harness: StoreHarness, store: Store, views: Views) -> None:
    """The zombie is told that it lost the shard, and the new owner keeps it."""
    zombie = Owner(store, SHARD)
    Owner(harness.open(), SHARD, name="new")
    assert not store.release(SHARD, zombie.owned[SHARD].epoch, LIFE)
    [shard] = [row for row in views.shards() if row.shard == SHARD]
    assert (shard.owner, shard.clean) == ("new", False)


def test_releasing_removes_what_was_sent(store: Store, views: Views) -> None:
    """Lane rows in the range, of this shard only; what has no receipt stays for the next owner (R15)."""
    owner = Owner(store, SHARD, OTHER)
    owner.commit(sending(owner, 4), sending(owner, 2, OTHER))
    assert store.release(SHARD, owner.owned[SHARD].epoch, LIFE, (1, 3))
    left = [(row.shard, row.number) for row in views.unsent_of(ACTOR)]
    assert sorted(left) == [(SHARD, 1), (SHARD, 4), (OTHER, 1), (OTHER, 2)]
    assert {row.shard: row.clean for row in views.shards() if row.epoch} == {SHARD: True, OTHER: False}
    assert store.release(OTHER, owner.owned[OTHER].epoch, LIFE)
    assert [row.number for row in store.outbox(OTHER, 0, 9)] == [1, 2]


def test_who_has_lost_a_shard_removes_nothing_of_it(harness: StoreHarness, store: Store) -> None:
    """The rows are the new owner's: it may have given their numbers another meaning (R6)."""
    zombie = Owner(store, SHARD)
    zombie.commit(sending(zombie, 2))
    new = Owner(harness.open(), SHARD, name="new")
    assert not store.release(SHARD, zombie.owned[SHARD].epoch, LIFE, (0, 2))
    assert [row.number for row in new.store.outbox(SHARD, 0, 9)] == [1, 2]


def test_a_zombie_commits_nothing(harness: StoreHarness, store: Store, views: Views) -> None:
    """Every row of a shard with an old epoch stays out, and the new owner goes on undisturbed."""
    zombie = Owner(store, SHARD)
    new = Owner(harness.open(), SHARD, name="new")
    late = zombie.applied(journal_row(1))
    late.states.append(state_write(body=b"late"))
    assert zombie.commit(late) == {SHARD}
    assert views.entry("orders", journal_row(1).message_id) is None
    assert views.state("orders", "o-1") is None
    assert next(row for row in views.shards() if row.shard == SHARD).commits == 0
    assert new.commit(new.applied(journal_row(1))) == frozenset()


def test_one_shard_refused_the_other_committed(harness: StoreHarness, owner: Owner, views: Views) -> None:
    """A group loses the shards that this worker lost; the rest of it commits."""
    Owner(harness.open(), SHARD, name="new")
    lost, kept = owner.applied(journal_row(1)), owner.applied(journal_row(2, "o-2", shard=OTHER), shard=OTHER)
    kept.states.append(state_write("o-2", shard=OTHER))
    assert owner.commit(lost, kept) == {SHARD}
    assert [row.message_id for row in views.journal_of("orders")] == [journal_row(2).message_id]
    assert [row.key for row in views.states_of("orders")] == ["o-2"]
    assert {row.shard: row.commits for row in views.shards()}[OTHER] == 1


def test_a_group_that_lost_all_its_shards_commits_nothing(harness: StoreHarness, owner: Owner, views: Views) -> None:
    """All are refused, and the store is as it was."""
    Owner(harness.open(), SHARD, OTHER, name="new")
    before = views.shards()
    assert owner.commit(owner.changes(), owner.changes(OTHER)) == {SHARD, OTHER}
    assert views.shards() == before


def test_an_unknown_shard_is_refused(owner: Owner) -> None:
    """Nobody can own it, so nothing can be committed to it."""
    changes = owner.changes()
    changes.shard = "orders/99"
    assert owner.store.commit([changes]) == {"orders/99"}


def test_an_owner_fences_its_own_lost_commit(owner: Owner) -> None:
    """Taking one's own shard again shuts out what one sent before: so an unknown outcome is settled (R8)."""
    late = owner.applied(journal_row(1))
    again = owner.take(SHARD)
    assert again.commits == late.commits
    assert owner.store.commit([late]) == {SHARD}
