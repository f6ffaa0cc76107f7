"""The contract of what is in hand, of careful shards, and of the ledger of crashes (R24, R25)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.store.care import Caution, CrashRow, Hand
from magnetar.runtime.store.port import Taker, VersionConflict
from tests.contract.store.harness import ACTOR, LIFE, OTHER, SHARD, Owner
from tests.contract.store.parking import park
from tests.contract.store.rows import message_id, parked_key

if TYPE_CHECKING:
    from magnetar.runtime.store.port import ShardRow, Store
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness


def hand(number: int = 1, shard: str = SHARD, holder: str = LIFE, crashes: int = 0) -> Hand:
    """Message `number` in hand."""
    return Hand(shard, message_id(number), "o-ы", "orders/0", holder, "worker", crashes, 1_700_000_000_000_001)


def crash(number: int = 1, message: int = 1) -> CrashRow:
    """A crash of message `message`."""
    return CrashRow(
        ACTOR, message_id(message), number, SHARD, "", "timer", f"worker-{number}", "1.2.3", 1_700_000_000_002
    )


def hold(owner: Owner, *hands: Hand, shard: str = SHARD) -> None:
    """A commit that takes these in hand."""
    changes = owner.changes(shard)
    changes.to_care().held += hands
    assert owner.commit(changes) == frozenset()


def row_of(views: Views, shard: str = SHARD) -> ShardRow:
    """The shard's row."""
    return next(row for row in views.shards() if row.shard == shard)


def test_nothing_is_in_hand_at_first(store: Store, views: Views) -> None:
    """Nobody has to be careful, and nothing ever took a worker with it."""
    assert {(row.careful, row.hands) for row in views.shards()} == {(Caution.NONE, ())}
    assert store.crashes(ACTOR, [message_id(1)]) == {}
    assert views.crashes_of(ACTOR, message_id(1)) == []
    assert store.take(SHARD, 0, Taker("worker")) == row_of(views)._replace(clean=True)


def test_what_is_in_hand_is_found_by_who_takes_the_shard(owner: Owner, views: Views) -> None:
    """Every column; never another shard's; in place of what there was of that message."""
    hold(owner, hand(2), hand(1))
    hold(owner, hand(3, OTHER), shard=OTHER)
    hold(owner, again := hand(2)._replace(key="", source="timer", holder="", owner="w", crashes=2, since=9))
    assert owner.take(SHARD).hands == row_of(views).hands == (hand(1), again)
    assert row_of(views, OTHER).hands == (hand(3, OTHER),)


def test_what_is_done_is_not_in_hand_any_more(owner: Owner, views: Views) -> None:
    """In one commit one is laid aside and the next one taken; what is not there may go, too."""
    hold(owner, hand(1), hand(4))
    changes = owner.changes()
    changes.to_care().done += [message_id(1), message_id(3), message_id(4)]
    changes.to_care().held += [hand(2), hand(4)]
    owner.commit(changes)
    assert row_of(views).hands == (hand(2), hand(4))


def test_the_fence_holds_for_what_is_taken_in_hand(harness: StoreHarness, owner: Owner, views: Views) -> None:
    """A zombie takes nothing in hand, lays nothing aside, charges nobody and ends nothing."""
    hold(owner, hand(1))
    rival = Owner(harness.open(), SHARD, name="rival")
    changes = owner.changes()
    care = changes.to_care()
    care.held.append(hand(2))
    care.done.append(message_id(1))
    care.crashes.append(crash())
    care.eased = True
    assert owner.commit(changes) == {SHARD}
    assert (row_of(views).hands, row_of(views).careful) == ((hand(1),), Caution.FEW)
    assert rival.store.crashes(ACTOR, [message_id(1)]) == {}


def test_a_shard_that_was_not_clean_is_more_careful_until_its_owner_says_otherwise(store: Store, views: Views) -> None:
    """Whoever has it then, also when it was released in between; a taker that has it already changes nothing."""
    ways = (
        (Taker("worker"), Caution.NONE),
        (Taker("worker", keeps=True), Caution.NONE),
        (Taker("next"), Caution.FEW),
        (Taker("next", keeps=True), Caution.FEW),
        (Taker("worker"), Caution.ALONE),
        (Taker("next"), Caution.ALONE),
    )
    for epoch, (taker, caution) in enumerate(ways):
        taken = store.take(SHARD, epoch, taker)
        assert taken is not None
        assert taken.careful is caution
    assert store.release(SHARD, len(ways), LIFE)
    again = store.take(SHARD, len(ways), Taker("worker"))
    assert again is not None
    assert (again.clean, again.careful) == (True, Caution.ALONE)


def test_caution_is_eased_step_by_step(harness: StoreHarness, owner: Owner, views: Views) -> None:
    """By commits of its owner; another shard's is not touched."""
    for shard in (SHARD, OTHER):
        owner.take(shard)
    last = Owner(harness.open(), SHARD, OTHER, name="last")
    for caution in (Caution.FEW, Caution.NONE):
        changes = last.changes()
        changes.to_care().eased = True
        assert last.commit(changes) == frozenset()
        assert (row_of(views).careful, row_of(views, OTHER).careful) == (caution, Caution.ALONE)


def test_who_releases_has_nothing_in_hand(owner: Owner, store: Store, views: Views) -> None:
    """What was charged with a crash still waits for what that brings; another shard's is not touched."""
    hold(owner, hand(1), hand(2, crashes=1), hand(3, holder="", crashes=2))
    hold(owner, hand(4, OTHER), shard=OTHER)
    assert not store.release(SHARD, 99, LIFE)
    assert len(row_of(views).hands) == 3
    assert store.release(SHARD, owner.owned[SHARD].epoch, LIFE)
    assert row_of(views).hands == (hand(2, holder="", crashes=1), hand(3, holder="", crashes=2))
    assert row_of(views, OTHER).hands == (hand(4, OTHER),)


def test_what_another_life_had_in_hand_outlives_a_release(owner: Owner, store: Store, views: Views) -> None:
    """Who found it and let the shard go before anybody was charged leaves it to who takes the shard next."""
    hold(owner, hand(1), hand(2, crashes=1), hand(3, holder="", crashes=2))
    assert store.release(SHARD, owner.owned[SHARD].epoch, "another life")
    assert (
        row_of(views).hands == owner.take(SHARD).hands == (hand(1), hand(2, crashes=1), hand(3, holder="", crashes=2))
    )


def test_crashes_are_counted_by_message(owner: Owner, store: Store, views: Views) -> None:
    """By their highest number; the ledger keeps every line."""
    changes = owner.changes()
    changes.to_care().crashes += [crash(2), crash(1), crash(1, message=2)]
    owner.commit(changes)
    ids = [message_id(number) for number in (1, 2, 3)]
    assert store.crashes(ACTOR, ids) == {message_id(1): 2, message_id(2): 1}
    assert store.crashes("stock", ids) == store.crashes(ACTOR, []) == {}
    assert views.crashes_of(ACTOR, message_id(1)) == [crash(1), crash(2)]
    assert list(views.all_crashes_of(ACTOR)) == [crash(1), crash(2), crash(1, message=2)]
    assert list(views.all_crashes_of("stock")) == []


def test_a_crash_is_counted_once(owner: Owner, views: Views) -> None:
    """A number that is there already contradicts what the owner knows, and the whole commit is refused."""
    changes = owner.changes()
    changes.to_care().crashes.append(crash())
    owner.commit(changes)
    again = owner.changes()
    again.to_care().crashes.append(crash())
    again.to_care().held.append(hand(7))
    with pytest.raises(VersionConflict, match="crashes: number 1 of message 0"):
        owner.commit(again)
    assert row_of(views).hands == ()


def test_a_parked_key_knows_how_often_its_head_has_crashed(owner: Owner, store: Store, views: Views) -> None:
    """Written with the key, and read with it."""
    park(owner, 1)
    changes = owner.changes()
    changes.to_park().parked_keys.append(suspect := parked_key()._replace(crashes=2))
    owner.commit(changes)
    assert store.parked_keys(SHARD) == [suspect]
    assert views.parked_key(ACTOR, "o-1") == suspect
