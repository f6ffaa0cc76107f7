"""The contract of a commit: all of it or nothing, and never over somebody else's rows (R2, R3, R6, R9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import Position
from magnetar.runtime.store.port import CommitRejected, Disposition, StateWrite, VersionConflict
from tests.contract.store.harness import ACTOR, LEDGER, OTHER, PARTITIONS, SHARD, Owner, epoch_of
from tests.contract.store.rows import (
    cancelled,
    fired,
    journal_row,
    ledger_row,
    message_id,
    outbox_row,
    state_row,
    state_write,
    timer_row,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.store.port import ShardChanges, Store
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness


def everything(owner: Owner, shard: str, number: int) -> ShardChanges:
    """A change of every kind, about message `number`."""
    changes = owner.applied(journal_row(number, f"o-{number}", shard=shard), shard=shard)
    changes.states.append(state_write(f"o-{number}", shard=shard))
    changes.lane += 1
    changes.outbox.append(outbox_row(changes.lane, shard))
    changes.armed.append(timer_row(key=f"o-{number}", shard=shard))
    changes.rows.append(ledger_row(number, shard=shard))
    return changes


def contents(views: Views) -> object:
    """All that a commit can change."""
    return (
        views.shards(),
        list(views.journal_of(ACTOR)),
        list(views.states_of(ACTOR)),
        views.unsent_of(ACTOR),
        [views.timers_of(ACTOR, f"o-{number}") for number in range(10)],
        list(views.rows_of(LEDGER.name)),
    )


def test_rows_come_back_as_they_were_written(owner: Owner, views: Views) -> None:
    """Every column of every kind of row, bytes and empty values too."""
    asked = journal_row(2, "ключ ☃", 2)._replace(answer=b"\x00yes", answer_schema="a" * 32, body=b"", position="")
    changes = owner.applied(journal_row(1), asked)
    changes.states += [state_write(), state_write("ключ ☃", body=b"")]
    changes.outbox.append(outbox_row(1))
    changes.armed.append(timer_row())
    changes.rows.append(ledger_row(1, 0, -(2**63), None))
    owner.commit(changes)
    assert list(views.journal_of(ACTOR)) == [journal_row(1), asked]
    assert views.state(ACTOR, "ключ ☃") == state_row("ключ ☃", body=b"")
    assert views.state(ACTOR, "o-1") == state_row()
    assert views.unsent_of(ACTOR) == [outbox_row(1)]
    assert views.timers_of(ACTOR, "o-1") == [timer_row()]
    assert list(views.rows_of(LEDGER.name)) == [(message_id(1), 0, -(2**63), None)]


def test_the_shard_row_advances(owner: Owner, views: Views) -> None:
    """The counter steps by one; lane, floor and the positions given are stored; other positions stay."""
    first = owner.changes()
    first.lane, first.floor, first.positions = 5, 50, {"orders/0": Position(1, 1), "stock-events/0": Position(1, 2)}
    second_positions = {"orders/0": Position(2, 0, 3)}
    owner.commit(first)
    second = owner.changes()
    second.lane, second.floor, second.positions = 6, 60, second_positions
    owner.commit(second)
    [row] = [row for row in views.shards() if row.shard == SHARD]
    assert (row.epoch, row.commits, row.lane, row.floor) == (1, 2, 6, 60)
    assert row.positions == {"orders/0": Position(2, 0, 3), "stock-events/0": Position(1, 2)}


def test_a_group_of_nothing_commits_nothing(store: Store, views: Views) -> None:
    """An empty group is no error."""
    before = contents(views)
    assert store.commit([]) == frozenset()
    assert contents(views) == before


def test_dispositions_of_known_messages(owner: Owner, store: Store) -> None:
    """A message has one disposition per actor; what the actor's journal does not know is left out (R2)."""
    parked = journal_row(2)._replace(disposition=Disposition.PARKED.value)
    owner.commit(owner.applied(journal_row(1), parked))
    asked = [message_id(number) for number in (1, 2, 3)]
    assert store.dispositions({ACTOR: asked})[ACTOR] == {message_id(1): "applied", message_id(2): "parked"}
    assert store.dispositions({"stock": asked})["stock"] == {}
    assert store.dispositions({ACTOR: []})[ACTOR] == {}


def test_many_keys_and_messages_are_asked_for_at_once(owner: Owner, store: Store) -> None:
    """A whole group's worth and more, in any order, with repetitions."""
    changes = owner.changes()
    for number in range(3000):
        changes.journal.append(journal_row(number, f"o-{number}"))
        changes.states.append(state_write(f"o-{number}", body=b"%d" % number))
    owner.commit(changes)
    known = store.dispositions({ACTOR: [message_id(number) for number in range(5999, -1, -1)] + [message_id(7)]})[ACTOR]
    assert known == {message_id(number): "applied" for number in range(3000)}
    found = store.states({ACTOR: [f"o-{number}" for number in range(2999, 1999, -1)] + ["nobody"]})[ACTOR]
    assert {row.key: row.body for row in found} == {f"o-{number}": b"%d" % number for number in range(2000, 3000)}
    assert store.states({"stock": ["o-1"]})["stock"] == []
    assert store.states({ACTOR: []})[ACTOR] == []


@pytest.mark.parametrize("key", ["", "'", '"', "\\", "a\nb", "\u2028", "😀", "ключ", "[1]", "null", "%", "x" * 1000])
def test_a_key_is_any_text(owner: Owner, store: Store, views: Views, key: str) -> None:
    """It comes back as it was, and is found by nothing else."""
    changes = owner.applied(journal_row(1, key))
    changes.states += [state_write(key), state_write(f"{key} ")]
    owner.commit(changes)
    assert store.states({ACTOR: [key]})[ACTOR] == [state_row(key)]
    assert views.state(ACTOR, key) == state_row(key)
    assert views.timeline(ACTOR, key) == [journal_row(1, key)]


def test_a_state_is_written_over_the_version_it_came_from(owner: Owner, store: Store) -> None:
    """New, then over the version before; a group may jump several versions at once."""
    for version, over in ((1, 0), (2, 1), (9, 2)):
        changes = owner.changes()
        changes.states.append(StateWrite(state_row(version=version, body=b"v%d" % version), over))
        owner.commit(changes)
    assert store.states({ACTOR: ["o-1"]})[ACTOR] == [state_row(version=9, body=b"v9")]


@pytest.mark.parametrize("over", [1, 3])
def test_a_state_at_another_version_is_never_overwritten(owner: Owner, store: Store, over: int) -> None:
    """Neither an older nor a newer one than this worker loaded: somebody else wrote it (R3)."""
    changes = owner.changes()
    changes.states.append(StateWrite(state_row(version=2), 0))
    owner.commit(changes)
    stale = owner.changes()
    stale.states.append(StateWrite(state_row(version=over + 1, body=b"stale"), over))
    with pytest.raises(VersionConflict, match=f"orders/o-1 is at version 2, this worker knows {over}"):
        owner.commit(stale)
    assert store.states({ACTOR: ["o-1"]})[ACTOR] == [state_row(version=2)]


def spoiled_state(changes: ShardChanges, number: int) -> None:
    """A state over a version that is not there."""
    changes.states[0] = StateWrite(state_row(f"o-{number}", 8, shard=changes.shard), 7)


def spoiled_new_state(changes: ShardChanges, number: int) -> None:
    """A new state for a key that has one."""
    changes.states.append(state_write("o-1", shard=changes.shard))


def spoiled_journal(changes: ShardChanges, number: int) -> None:
    """A second disposition of a message."""
    changes.journal.append(journal_row(1, f"o-{number}", 2, changes.shard))


def spoiled_outbox(changes: ShardChanges, number: int) -> None:
    """A number of the first shard's lane that is taken."""
    changes.outbox.append(outbox_row(1))


def spoiled_timer(changes: ShardChanges, number: int) -> None:
    """A timer fired that was never armed."""
    changes.gone.append(fired(timer_row(key="never")))


def spoiled_generation(changes: ShardChanges, number: int) -> None:
    """A timer fired that was armed anew since."""
    changes.gone.append(fired(timer_row(key="o-2", generation=99)))


def spoiled_older_generation(changes: ShardChanges, number: int) -> None:
    """A timer fired that is armed with a later generation."""
    changes.gone.append(fired(timer_row(key="o-2", generation=0)))


def spoiled_counter(changes: ShardChanges, number: int) -> None:
    """Right epoch, but the shard is not at the commit that this worker knows."""
    changes.commits += 1


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoiled_state, "states: orders/o-3"),
        (spoiled_new_state, "states: orders/o-1"),
        (spoiled_journal, "journal: .*01 of orders/o-3 is applied"),
        (spoiled_outbox, "outbox: .*number 1 "),
        (spoiled_timer, "timers: orders/never 'overdue' is not armed"),
        (spoiled_generation, "timers: orders/o-2 'overdue'"),
        (spoiled_older_generation, "timers: orders/o-2 'overdue'"),
        (spoiled_counter, "shards: .*commits"),
    ],
)
def test_a_conflict_takes_the_whole_group_back(
    owner: Owner, views: Views, spoil: Callable[[ShardChanges, int], None], says: str
) -> None:
    """Nothing of any shard is written, the error names shard, table and key, and the store goes on."""
    first = everything(owner, SHARD, 1)
    first.outbox.append(outbox_row(9))
    first.armed.append(timer_row(key="o-2"))
    owner.commit(first)
    before = contents(views)
    good, bad = everything(owner, SHARD, 2), everything(owner, OTHER, 3)
    good.armed.clear()
    good.gone.append(cancelled(timer_row(key="o-1")))
    spoil(bad, 3)
    with pytest.raises(VersionConflict, match=says) as caught:
        owner.commit(good, bad)
    assert caught.value.shard == OTHER
    assert contents(views) == before
    assert owner.commit(everything(owner, SHARD, 2), everything(owner, OTHER, 3)) == frozenset()


def test_a_row_twice_in_one_group_is_a_conflict(owner: Owner, views: Views) -> None:
    """A group that contradicts itself is not half written."""
    before = contents(views)
    with pytest.raises(VersionConflict, match="journal"):
        owner.commit(owner.applied(journal_row(1), journal_row(1)))
    assert contents(views) == before


def test_a_message_is_applied_once_per_actor(owner: Owner, store: Store, views: Views) -> None:
    """An event taken by two actors has a row for each (R2)."""
    owner.commit(owner.applied(journal_row(1), journal_row(1, actor="stock")))
    assert store.dispositions({"stock": [message_id(1)]})["stock"] == {message_id(1): "applied"}
    assert [row.actor for row in views.journal_of("stock")] == ["stock"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (("five", "o-1"), "'amount'"),
        ((True, "o-1"), "'amount'"),
        ((5.0, "o-1"), "'amount'"),
        ((2**63, "o-1"), "'amount'"),
        ((None, "o-1"), "'amount'"),
        ((5, b"o-1"), "'order'"),
        ((5, object()), "'order'"),
        ((5, "half a pair \ud800"), "'order'|surrogates"),
        ((5,), "1 values for 2 columns"),
        ((5, "o-1", 1), "3 values for 2 columns"),
    ],
)
def test_content_that_does_not_fit_is_rejected(
    owner: Owner, views: Views, values: tuple[object, ...], says: str
) -> None:
    """A value that its column cannot hold takes the group back and says which; without it the group commits (R9)."""
    before = contents(views)
    changes = everything(owner, SHARD, 1)
    changes.rows.append(ledger_row(1, 1)._replace(values=values))
    with pytest.raises(CommitRejected, match=says):
        owner.commit(changes)
    assert contents(views) == before
    changes.rows.pop()
    assert owner.commit(changes) == frozenset()


def test_text_that_is_no_text_is_rejected(owner: Owner, views: Views) -> None:
    """Half a surrogate pair in a key cannot be stored: the group is taken back as refused for its content."""
    before = contents(views)
    with pytest.raises(CommitRejected):
        owner.commit(owner.applied(journal_row(1, "o-\ud800")))
    assert contents(views) == before
    assert owner.commit(owner.applied(journal_row(1))) == frozenset()


def test_a_row_for_a_table_that_was_not_prepared_is_rejected(owner: Owner) -> None:
    """The error names the table."""
    changes = owner.changes()
    changes.rows.append(ledger_row(1)._replace(table="points"))
    with pytest.raises(CommitRejected, match="points"):
        owner.commit(changes)


def test_a_store_that_died_before_its_commit_wrote_nothing(harness: StoreHarness, owner: Owner, views: Views) -> None:
    """Only the open transaction is lost, and the shard can be taken at once."""
    owner.commit(everything(owner, SHARD, 1))
    before = contents(views)
    harness.die_before_commit(owner.store, [everything(owner, SHARD, 2), everything(owner, OTHER, 3)])
    assert contents(harness.views()) == before
    store = harness.open()
    store.prepare({ACTOR: PARTITIONS}, [LEDGER])
    successor = Owner(store, SHARD, name="successor")
    assert successor.commit(everything(successor, SHARD, 2)) == frozenset()


def test_a_reopened_store_has_everything(harness: StoreHarness, owner: Owner, views: Views) -> None:
    """Whether the store was closed, its process died, or it made a new connection."""
    owner.commit(everything(owner, SHARD, 1), everything(owner, OTHER, 2))
    owner.store.remember({"f": "text"})
    before = contents(views)
    owner.store.reconnect()
    owner.commit(everything(owner, SHARD, 3))
    assert contents(views) != before
    before = contents(views)
    owner.store.close()
    harness.die(harness.open())
    reopened = harness.open()
    assert contents(harness.views()) == before
    assert reopened.schemas() == {"f": "text"}
    assert epoch_of(reopened) == 1
