"""The contract of parked keys, settled messages, failures and dead letters (R2, R4, R22-R24)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.store.parking import LetterStatus, Reason, Unparked
from magnetar.runtime.store.port import CommitRejected, Disposition, VersionConflict
from tests.contract.store.harness import ACTOR, LEDGER, OTHER, PARTITIONS, SHARD, Owner
from tests.contract.store.rows import (
    dead_letter,
    failure_row,
    fired,
    journal_row,
    message_id,
    parked_key,
    parked_row,
    state_write,
    timer_row,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.store.parking import DeadLetter, Parking
    from magnetar.runtime.store.port import JournalRow, ShardChanges, Store
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness


def parked_journal(number: int, key: str = "o-1", shard: str = SHARD, actor: str = ACTOR) -> JournalRow:
    """A message that waits, as the journal knows it."""
    row = journal_row(number, key, 0, shard, actor)
    return row._replace(disposition=Disposition.PARKED.value, state_hash=b"", sent="[]")


def dead_journal(number: int, key: str = "o-1", shard: str = SHARD) -> JournalRow:
    """A message that died, as the journal knows it."""
    return parked_journal(number, key, shard)._replace(disposition=Disposition.DEAD.value)


def park(owner: Owner, *ordinals: int, key: str = "o-1", shard: str = SHARD) -> None:
    """A commit that parks the messages with those numbers on the key, behind one another."""
    changes = owner.changes(shard)
    changes.journal += [parked_journal(ordinal, key, shard) for ordinal in ordinals]
    parking = changes.to_park()
    parking.parked += [parked_row(ordinal, key, shard=shard) for ordinal in ordinals]
    parking.parked_keys.append(parked_key(key, ordinals[0], ordinals[-1], shard))
    parking.failures.append(failure_row(1, ordinals[0], key, shard))
    assert owner.commit(changes) == frozenset()


def bury(owner: Owner, *letters: DeadLetter, shard: str = SHARD) -> None:
    """A commit of dead letters."""
    changes = owner.changes(shard)
    changes.to_park().dead += letters
    assert owner.commit(changes) == frozenset()


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


def test_nothing_is_parked_at_first(store: Store, views: Views) -> None:
    """Each question has an empty answer."""
    assert store.parked_keys(SHARD) == []
    assert store.parked(ACTOR, "o-1", 0, 10) == []
    assert views.parked_key(ACTOR, "o-1") is None
    assert views.parked_of(ACTOR, "o-1") == []
    assert views.failures_of(ACTOR, message_id(1)) == []
    assert views.dead_letters() == views.dead_letters(ACTOR) == []


def test_rows_come_back_as_they_were_written(owner: Owner, store: Store, views: Views) -> None:
    """Every column of every kind of row, bytes, empty and missing values too."""
    unread = parked_row(2)._replace(type="", schema="", body=b"", timer="", properties="{}")
    failure = failure_row()._replace(error_text="ключ ☃\n", fingerprint="")
    letter = dead_letter(3)._replace(body=b"", type="", timer="overdue", crashes=0)
    key = parked_key("o-1", 1, 2, due=None)._replace(reason=Reason.UNREAD.value, error="", failures=0)
    changes = owner.changes()
    parking = changes.to_park()
    parking.parked += [unread, parked_row(1)]
    parking.parked_keys.append(key)
    parking.failures += [failure_row(2), failure]
    parking.dead += [letter, dead_letter(4)]
    owner.commit(changes)
    assert store.parked(ACTOR, "o-1", 1, 10) == views.parked_of(ACTOR, "o-1") == [parked_row(1), unread]
    assert store.parked_keys(SHARD) == [key]
    assert views.parked_key(ACTOR, "o-1") == key
    assert views.failures_of(ACTOR, message_id(1)) == [failure, failure_row(2)]
    assert sorted(views.dead_letters()) == [letter, dead_letter(4)]


def test_a_tail_is_read_in_order_and_in_windows(owner: Owner, store: Store, views: Views) -> None:
    """From an ordinal on, at most so many; never another key's."""
    park(owner, 1, 2)
    park(owner, 3, 4, 5, key="o-2")
    changes = owner.changes()
    changes.to_park().parked += [parked_row(ordinal, number=ordinal + 100) for ordinal in (4, 3)]
    owner.commit(changes)
    assert [row.ordinal for row in store.parked(ACTOR, "o-1", 1, 100)] == [1, 2, 3, 4]
    assert [row.ordinal for row in store.parked(ACTOR, "o-1", 2, 2)] == [2, 3]
    assert store.parked(ACTOR, "o-1", 5, 100) == store.parked("stock", "o-1", 1, 100) == []
    assert [row.ordinal for row in views.parked_of(ACTOR, "o-1", limit=3)] == [1, 2, 3]


def test_parked_keys_of_a_shard_by_due_time(owner: Owner, store: Store) -> None:
    """Those that wait for somebody come last; of one instant, by key; never another shard's."""
    keys = [
        parked_key("a", due=None), parked_key("b", due=30), parked_key("z", due=20), parked_key("y", due=20)
    ]  # fmt: skip
    changes, other = owner.changes(), owner.changes(OTHER)
    changes.to_park().parked_keys += keys
    other.to_park().parked_keys.append(parked_key("o-9", shard=OTHER))
    owner.commit(changes, other)
    assert [row.key for row in store.parked_keys(SHARD)] == ["y", "z", "b", "a"]
    assert [row.key for row in store.parked_keys(OTHER)] == ["o-9"]


def test_a_parked_key_is_written_anew(owner: Owner, store: Store) -> None:
    """What joins its tail, and each failure of its head, replaces all of it; of two in one group the last counts."""
    park(owner, 1)
    again = parked_key("o-1", 1, 4, due=None)._replace(
        reason=Reason.HELD.value, failures=5, error="E", error_text="T", since=9
    )
    changes = owner.changes()
    changes.to_park().parked_keys += [parked_key("o-1", 1, 3), again]
    owner.commit(changes)
    assert store.parked_keys(SHARD) == [again]


def test_a_head_is_applied_and_its_key_goes_on(owner: Owner, store: Store, views: Views) -> None:
    """Journal row, state, tail and key change in one commit; the rest of the tail stays."""
    park(owner, 1, 2, 3)
    changes = owner.changes()
    changes.states.append(state_write())
    applied = journal_row(1)._replace(now=50, code="2.0", answer=b"yes", answer_schema="a" * 32)
    parking = changes.to_park()
    parking.settled.append(applied)
    parking.unparked.append(Unparked(ACTOR, "o-1", 1, 1))
    parking.parked_keys.append(parked_key("o-1", 2, 3))
    owner.commit(changes)
    assert views.entry(ACTOR, message_id(1)) == applied
    assert store.dispositions(ACTOR, [message_id(1), message_id(2)]) == {
        message_id(1): "applied",
        message_id(2): "parked",
    }
    assert store.parked(ACTOR, "o-1", 1, 10) == [parked_row(2), parked_row(3)]
    assert views.timeline(ACTOR, "o-1") == [parked_journal(2), parked_journal(3), applied]


def test_a_whole_tail_is_applied_and_its_key_freed(owner: Owner, store: Store, views: Views) -> None:
    """Nothing of it is left but the journal and the failures."""
    park(owner, 1, 2, 3)
    park(owner, 7, key="o-2")
    changes = owner.changes()
    changes.states.append(state_write(version=3)._replace(over=0))
    parking = changes.to_park()
    parking.settled += [journal_row(number, version=number) for number in (3, 1, 2)]
    parking.unparked += [Unparked(ACTOR, "o-1", 2, 3), Unparked(ACTOR, "o-1", 1, 1)]
    parking.freed.append((ACTOR, "o-1"))
    owner.commit(changes)
    assert [row.key for row in store.parked_keys(SHARD)] == ["o-2"]
    assert views.parked_of(ACTOR, "o-1") == []
    assert [row.version for row in views.timeline(ACTOR, "o-1")] == [1, 2, 3]
    assert views.failures_of(ACTOR, message_id(1)) == [failure_row()]


def test_what_goes_goes_before_what_comes(owner: Owner, store: Store) -> None:
    """A key freed and parked anew in one group uses its places and its row again."""
    park(owner, 1, 2)
    anew, key = parked_row(1, number=9), parked_key("o-1", 1, 1)._replace(since=99)
    changes = owner.changes()
    parking = changes.to_park()
    parking.unparked.append(Unparked(ACTOR, "o-1", 1, 2))
    parking.freed.append((ACTOR, "o-1"))
    parking.parked.append(anew)
    parking.parked_keys.append(key)
    owner.commit(changes)
    assert store.parked(ACTOR, "o-1", 1, 10) == [anew]
    assert store.parked_keys(SHARD) == [key]


def test_a_settled_message_keeps_shard_and_key(owner: Owner, views: Views) -> None:
    """They are where the message belongs, whatever became of it."""
    park(owner, 1)
    changes = owner.changes()
    changes.to_park().settled.append(dead_journal(1, "o-9", OTHER))
    owner.commit(changes)
    assert views.entry(ACTOR, message_id(1)) == dead_journal(1)


def test_a_message_is_settled_for_one_actor(owner: Owner, store: Store) -> None:
    """Another actor that takes the same event has a row of its own (R2)."""
    owner.commit(owner.applied(parked_journal(1), parked_journal(1, actor="stock")))
    changes = owner.changes()
    changes.to_park().settled.append(journal_row(1))
    owner.commit(changes)
    assert store.dispositions(ACTOR, [message_id(1)]) == {message_id(1): "applied"}
    assert store.dispositions("stock", [message_id(1)]) == {message_id(1): "parked"}


def test_a_message_dies_is_replayed_and_dies_again(owner: Owner, store: Store, views: Views) -> None:
    """Its letter is replaced once it was replayed or discarded, and its journal row follows each time."""
    park(owner, 1)
    letters = [dead_letter()._replace(status=status.value, failures=count) for count, status in enumerate(LetterStatus)]
    for letter in (letters[1], letters[0]):
        changes = owner.changes()
        changes.to_park().settled.append(dead_journal(1)._replace(now=letter.failures))
        changes.to_park().dead.append(letter)
        owner.commit(changes)
        assert views.dead_letters(ACTOR) == [letter]
    changes = owner.changes()
    changes.to_park().settled.append(journal_row(1))
    owner.commit(changes)
    assert store.dispositions(ACTOR, [message_id(1)]) == {message_id(1): "applied"}


def test_dead_letters_come_newest_first(owner: Owner, views: Views) -> None:
    """Of one actor or of all, at most so many."""
    letters = [dead_letter(number, f"o-{number}", dead_at=at) for number, at in ((1, 20), (2, 30), (3, 10), (4, 20))]
    foreign = dead_letter(5, dead_at=25)._replace(actor="stock")
    bury(owner, *letters, foreign)
    numbers = {letter.message_id: number for number, letter in enumerate([*letters, foreign], start=1)}
    assert [numbers[letter.message_id] for letter in views.dead_letters()] == [2, 5, 4, 1, 3]
    assert [numbers[letter.message_id] for letter in views.dead_letters(ACTOR)] == [2, 4, 1, 3]
    assert [numbers[letter.message_id] for letter in views.dead_letters(ACTOR, limit=2)] == [2, 4]
    assert [numbers[letter.message_id] for letter in views.dead_letters(limit=2)] == [2, 5]
    assert views.dead_letters("points") == []


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
    """A place that is taken."""
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


@pytest.mark.parametrize("key", ["", "'", "\\", "a\nb", "\u2028", "😀", "ключ", "%", "x" * 1000])
def test_a_parked_key_is_any_text(owner: Owner, store: Store, views: Views, key: str) -> None:
    """It comes back as it was, and is found by nothing else."""
    park(owner, 1, key=key)
    park(owner, 2, key=f"{key} ")
    assert store.parked(ACTOR, key, 1, 10) == [parked_row(1, key)]
    assert views.parked_key(ACTOR, key) == parked_key(key)
    changes = owner.changes()
    changes.to_park().unparked.append(Unparked(ACTOR, key, 1, 1))
    changes.to_park().freed.append((ACTOR, key))
    owner.commit(changes)
    assert [row.key for row in store.parked_keys(SHARD)] == [f"{key} "]


def test_text_that_is_no_text_is_rejected(owner: Owner, store: Store, views: Views) -> None:
    """Half a surrogate pair in an error's text takes the group back as refused for its content (R9)."""
    before = contents(views, store)
    changes = owner.changes()
    changes.to_park().failures.append(failure_row()._replace(error_text="\ud800"))
    with pytest.raises(CommitRejected):
        owner.commit(changes)
    assert contents(views, store) == before


def test_a_fired_timer_waits_for_its_key(owner: Owner, store: Store) -> None:
    """Its row stays while it is parked, and goes in the commit that applies it (R22, R26)."""
    changes = owner.changes()
    changes.armed.append(timer_row())
    owner.commit(changes)
    park(owner, 1)
    assert store.timers(SHARD, 1000) == [timer_row()]
    changes = owner.changes()
    changes.gone.append(fired(timer_row()))
    changes.to_park().unparked.append(Unparked(ACTOR, "o-1", 1, 1))
    owner.commit(changes)
    assert store.timers(SHARD, 1000) == []


def test_many_keys_wait_and_are_freed_at_once(owner: Owner, store: Store) -> None:
    """A whole group's worth and more."""
    numbers = range(1, 1501)
    changes = owner.changes()
    changes.journal += [parked_journal(number, f"o-{number}") for number in numbers]
    changes.to_park().parked += [parked_row(1, f"o-{number}", number) for number in numbers]
    changes.to_park().parked_keys += [parked_key(f"o-{number}") for number in numbers]
    owner.commit(changes)
    assert len(store.parked_keys(SHARD)) == len(numbers)
    changes = owner.changes()
    changes.to_park().settled += [journal_row(number, f"o-{number}") for number in reversed(numbers)]
    changes.to_park().unparked += [Unparked(ACTOR, f"o-{number}", 1, 1) for number in reversed(numbers)]
    changes.to_park().freed += [(ACTOR, f"o-{number}") for number in reversed(numbers)]
    owner.commit(changes)
    assert store.parked_keys(SHARD) == []
    assert store.parked(ACTOR, "o-7", 1, 10) == []
    assert set(store.dispositions(ACTOR, [message_id(number) for number in numbers]).values()) == {"applied"}
