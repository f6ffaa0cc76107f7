"""The contract of parking under its fence: all of it or nothing, never over somebody else's rows (R3, R6, R9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.store.parking import Unparked
from magnetar.runtime.store.port import CommitRejected, VersionConflict
from tests.contract.store.harness import ACTOR, LEDGER, OTHER, PARTITIONS, SHARD, Owner
from tests.contract.store.parking import bury, park
from tests.contract.store.rows import (
    dead_letter,
    failure_row,
    journal_row,
    message_id,
    parked_key,
    parked_row,
    state_write,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.store.parking import Parking
    from magnetar.runtime.store.port import ShardChanges, Store
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness


def contents(views: Views, store: Store) -> object:
    """All that parking can change."""
    return (
        views.shards(),
        list(views.journal_of(ACTOR)),
        list(views.states_of(ACTOR)),
        [store.parked_keys(shard) for shard in (SHARD, OTHER)],
        [views.parked_of(ACTOR, f"o-{number}") for number in range(10)],
        [views.failures_of(ACTOR, message_id(number)) for number in range(10)],
        views.dead_letters(),
    )


def everything(owner: Owner, shard: str, number: int) -> ShardChanges:
    """Parking of every kind, about message `number`, of a shard in which it is parked at place `number` of its key."""
    key = f"o-{number}"
    changes = owner.changes(shard)
    changes.states.append(state_write(key, shard=shard))
    parking = changes.to_park()
    parking.unparked.append(Unparked(ACTOR, key, number, number))
    parking.freed.append((ACTOR, key))
    parking.settled.append(journal_row(number, key, shard=shard))
    parking.parked.append(parked_row(1, "o-8", 10 * number, shard))
    parking.parked_keys.append(parked_key("o-8", shard=shard))
    parking.failures.append(failure_row(2, number, key, shard))
    parking.dead.append(dead_letter(9, key, shard))
    return changes


def spoiled_range(parking: Parking) -> None:
    """A row that is not there is to go, behind one that is."""
    parking.unparked[0] = parking.unparked[0]._replace(last=4)


def spoiled_other_range(parking: Parking) -> None:
    """A key of which nothing waits."""
    parking.unparked.append(Unparked(ACTOR, "never", 1, 1))


def spoiled_twice(parking: Parking) -> None:
    """A row is to go twice."""
    parking.unparked.append(parking.unparked[0])


def spoiled_place(parking: Parking) -> None:
    """A place that is taken, behind one that is taken from another row in the same group."""
    parking.parked.append(parked_row(3, "o-3", 98, OTHER))
    parking.parked.append(parked_row(2, "o-2", 99))


def spoiled_free(parking: Parking) -> None:
    """A key that is not parked."""
    parking.freed.append((ACTOR, "o-7"))


def spoiled_applied(parking: Parking) -> None:
    """A message that was applied long ago."""
    parking.settled.append(journal_row(1))


def spoiled_unknown(parking: Parking) -> None:
    """A message that was never journalled."""
    parking.settled.append(journal_row(77))


def spoiled_failure(parking: Parking) -> None:
    """A failure that is known."""
    parking.failures.append(failure_row(1, 3, "o-3", OTHER))


def spoiled_letter(parking: Parking) -> None:
    """A message that is dead already."""
    parking.dead.append(dead_letter(6, "o-6"))


def spoiled_letters(parking: Parking) -> None:
    """A message that dies twice in one group."""
    parking.dead.append(parking.dead[0])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoiled_range, "parked: orders/o-3 has 1 messages from 3 to 4"),
        (spoiled_other_range, "parked: orders/never has 0 messages from 1 to 1"),
        (spoiled_twice, "unparked: .*twice"),
        (spoiled_place, "parked: place 2 of orders/o-2 is taken"),
        (spoiled_free, "parked_keys: orders/o-7 is not parked"),
        (spoiled_applied, "journal: .*01 of orders/o-1 is applied, neither parked nor dead"),
        (spoiled_unknown, "journal: .*4d of orders/o-1 is unknown, neither parked nor dead"),
        (spoiled_failure, "failures: number 1 of .* of orders/o-3"),
        (spoiled_letter, "dead_letters: .*06 of orders/o-6 is dead already"),
        (spoiled_letters, "dead_letters: .*twice"),
    ],
)
def test_a_conflict_takes_the_whole_group_back(
    owner: Owner, store: Store, views: Views, spoil: Callable[[Parking], None], says: str
) -> None:
    """Nothing of any shard is written, the error names table and key, and the store goes on."""
    owner.commit(owner.applied(journal_row(1)))
    park(owner, 2, key="o-2")
    park(owner, 3, key="o-3", shard=OTHER)
    bury(owner, dead_letter(6, "o-6"))
    before = contents(views, store)
    good, bad = owner.changes(), everything(owner, OTHER, 3)
    good.to_park().failures.append(failure_row(2, 2, "o-2"))
    spoil(bad.to_park())
    with pytest.raises(VersionConflict, match=says) as caught:
        owner.commit(good, bad)
    assert caught.value.shard == (SHARD if "twice" in says else OTHER)
    assert contents(views, store) == before
    assert owner.commit(good, everything(owner, OTHER, 3)) == frozenset()


def test_a_zombie_parks_and_frees_nothing(harness: StoreHarness, owner: Owner, store: Store, views: Views) -> None:
    """Its successor finds what was there before; the rest of the zombie's group commits."""
    park(owner, 2, key="o-2")
    park(owner, 3, key="o-3", shard=OTHER)
    late, kept = everything(owner, SHARD, 2), everything(owner, OTHER, 3)
    successor = Owner(harness.open(), SHARD, name="successor")
    assert owner.commit(late, kept) == {SHARD}
    assert [row.key for row in store.parked_keys(SHARD)] == ["o-2"]
    assert views.failures_of(ACTOR, message_id(2)) == [failure_row(1, 2, "o-2")]
    assert [row.key for row in store.parked_keys(OTHER)] == ["o-8"]
    assert [letter.shard for letter in views.dead_letters()] == [OTHER]
    again = successor.changes()
    again.to_park().freed.append((ACTOR, "o-2"))
    assert successor.commit(again) == frozenset()


@pytest.mark.parametrize("happened", [True, False])
def test_an_unknown_commit_is_read_back(harness: StoreHarness, owner: Owner, views: Views, *, happened: bool) -> None:
    """The counter tells whether all of it is there, or nothing (R8); nothing can be sent again, all cannot."""
    park(owner, 2, key="o-2")
    group, known = [everything(owner, SHARD, 2)], owner.owned[SHARD].commits
    if happened:
        owner.store.commit(group)
    else:
        harness.die_before_commit(owner.store, group)
    store = harness.open()
    store.prepare({ACTOR: PARTITIONS}, [LEDGER])
    again = Owner(store, SHARD)
    assert (again.owned[SHARD].commits == known + 1) == happened
    assert [row.key for row in store.parked_keys(SHARD)] == (["o-8"] if happened else ["o-2"])
    if happened:
        with pytest.raises(VersionConflict):
            again.commit(everything(again, SHARD, 2))
    else:
        assert again.commit(everything(again, SHARD, 2)) == frozenset()
    assert [letter.key for letter in views.dead_letters()] == ["o-2"]


def test_text_that_is_no_text_is_rejected(owner: Owner, store: Store, views: Views) -> None:
    """Half a surrogate pair in an error's text takes the group back as refused for its content (R9)."""
    before = contents(views, store)
    changes = owner.changes()
    changes.to_park().failures.append(failure_row()._replace(error_text="\ud800"))
    with pytest.raises(CommitRejected):
        owner.commit(changes)
    assert contents(views, store) == before
