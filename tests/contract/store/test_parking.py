"""The contract of parked keys, settled messages, failures and dead letters (R2, R4, R22-R24)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.store.parking import LetterStatus, Reason, Unparked
from tests.contract.store.harness import ACTOR, OTHER, SHARD, Owner
from tests.contract.store.parking import bury, dead_journal, park, parked_journal
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
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.views import Views


def test_nothing_is_parked_at_first(store: Store, views: Views) -> None:
    """Each question has an empty answer."""
    assert store.parked_keys(SHARD) == []
    assert store.parked(ACTOR, "o-1", 0, 10) == []
    assert views.parked_key(ACTOR, "o-1") is None
    assert views.parked_of(ACTOR, "o-1") == []
    assert views.failures_of(ACTOR, message_id(1)) == list(views.all_failures_of(ACTOR)) == []
    assert views.dead_letters() == views.dead_letters(ACTOR) == []


def test_rows_come_back_as_they_were_written(owner: Owner, store: Store, views: Views) -> None:
    """Every column of every kind of row, bytes, empty and missing values too."""
    unread = parked_row(2)._replace(type="", schema="", body=b"", timer="", properties="{}")
    failure = failure_row()._replace(error_text="ключ ☃\n", fingerprint="")
    other = failure_row(message=2)
    letter = dead_letter(3)._replace(body=b"", type="", timer="overdue", crashes=0)
    key = parked_key("o-1", 1, 2, due=None)._replace(reason=Reason.UNREAD.value, error="", failures=0)
    changes = owner.changes()
    parking = changes.to_park()
    parking.parked += [unread, parked_row(1)]
    parking.parked_keys.append(key)
    parking.failures += [other, failure_row(2), failure]
    parking.dead += [letter, dead_letter(4)]
    owner.commit(changes)
    assert store.parked(ACTOR, "o-1", 1, 10) == views.parked_of(ACTOR, "o-1") == [parked_row(1), unread]
    assert store.parked_keys(SHARD) == [key]
    assert views.parked_key(ACTOR, "o-1") == key
    assert views.failures_of(ACTOR, message_id(1)) == [failure, failure_row(2)]
    assert list(views.all_failures_of(ACTOR)) == [failure, failure_row(2), other]
    assert list(views.all_failures_of("stock")) == []
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
    assert store.dispositions({ACTOR: [message_id(1), message_id(2)]})[ACTOR] == {
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
    assert store.dispositions({ACTOR: [message_id(1)]})[ACTOR] == {message_id(1): "applied"}
    assert store.dispositions({"stock": [message_id(1)]})["stock"] == {message_id(1): "parked"}


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
    assert store.dispositions({ACTOR: [message_id(1)]})[ACTOR] == {message_id(1): "applied"}


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
    assert set(store.dispositions({ACTOR: [message_id(number) for number in numbers]})[ACTOR].values()) == {"applied"}
