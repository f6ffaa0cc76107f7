"""The contract of effects: asked, tried and closed under the fence, all of it or nothing (R6, R29)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.store.effects import ClosedEffect, EffectMove, EffectRow, EffectState
from magnetar.runtime.store.port import VersionConflict
from tests.contract.store.asking import closed, effect_row, tried
from tests.contract.store.harness import ACTOR, OTHER, PARTITIONS, SHARD, Owner
from tests.contract.store.rows import journal_row, message_id, state_write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.store.port import ShardChanges, Store
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness


def effects(
    owner: Owner,
    asked: Iterable[EffectRow] = (),
    moved: Iterable[EffectMove] = (),
    gone: Iterable[ClosedEffect] = (),
    shard: str = SHARD,
) -> ShardChanges:
    """Changes of effects alone."""
    changes = owner.changes(shard)
    group = changes.to_ask()
    group.asked.extend(asked)
    group.moved.extend(moved)
    group.closed.extend(gone)
    return changes


def test_what_is_asked_is_found_by_its_shard_and_by_its_key(owner: Owner, store: Store, views: Views) -> None:
    """By due time in the shard, in the order of asking for the key; never another shard's, key's or actor's."""
    first, second = effect_row(1, due=30), effect_row(2, due=20)
    other = effect_row(3, key="o-2", due=10)
    elsewhere, alien = effect_row(4, shard=OTHER), effect_row(5, shard=OTHER, actor="payments")
    owner.commit(effects(owner, [second, other, first]), effects(owner, [elsewhere, alien], shard=OTHER))
    assert store.effects(SHARD) == [other, second, first]
    assert views.effects_of(ACTOR, "o-1") == [first, second, elsewhere]
    assert store.effects(f"{ACTOR}/2") == []


def test_an_attempt_is_seen_by_the_next_owner(owner: Owner, store: Store, views: Views) -> None:
    """Attempts, doubt, due time and the last error; the request and who asked stay as they were."""
    row = effect_row(1)
    owner.commit(effects(owner, [row, effect_row(2)]))
    opened = tried(row)
    owner.commit(effects(owner, moved=[opened]))
    assert store.effects(SHARD) == [effect_row(2), opened.row]
    unknown = opened.row._replace(state=EffectState.UNKNOWN.value, due=5)
    owner.commit(effects(owner, moved=[EffectMove(unknown, 1)]))
    assert store.effects(SHARD) == [unknown, effect_row(2)]
    assert views.effects_of(ACTOR, "o-1") == [unknown, effect_row(2)]


def test_an_effect_closes_in_the_commit_of_its_outcome(owner: Owner, store: Store, views: Views) -> None:
    """Its row goes with the journal row of the outcome, also where an attempt began in the same group."""
    row = effect_row(1)
    owner.commit(effects(owner, [row, effect_row(2)]))
    changes = effects(owner, moved=[tried(row)], gone=[closed(row)])
    changes.journal.append(journal_row(7))
    changes.states.append(state_write())
    owner.commit(changes)
    assert store.effects(SHARD) == [effect_row(2)]
    assert views.entry(ACTOR, message_id(7)) is not None


@pytest.mark.parametrize(
    ("asked", "moved", "gone", "says"),
    [
        ([effect_row(1)], [], [], "asked already"),
        ([], [tried(effect_row(1)._replace(attempts=1))], [], "0 attempts, this worker knows 1"),
        ([], [tried(effect_row(3))], [], "never asked"),
        ([], [], [closed(effect_row(3))], "never asked"),
        ([], [], [closed(effect_row(1)._replace(actor="payments"))], "never asked"),
    ],
)
def test_what_is_not_as_this_worker_knows_it_is_a_conflict(
    owner: Owner,
    store: Store,
    asked: list[EffectRow],
    moved: list[EffectMove],
    gone: list[ClosedEffect],
    says: str,
) -> None:
    """An effect is asked once, an attempt is counted once, a close closes something; else nothing is written."""
    owner.commit(effects(owner, [effect_row(1)]))
    fine = effects(owner, [effect_row(9, shard=OTHER)], shard=OTHER)
    with pytest.raises(VersionConflict, match=says) as caught:
        owner.commit(effects(owner, asked, moved, gone), fine)
    assert caught.value.shard == SHARD
    assert store.effects(SHARD) == [effect_row(1)]
    assert store.effects(OTHER) == []


def test_a_zombie_begins_no_attempt(harness: StoreHarness, owner: Owner, store: Store) -> None:
    """Its fence refuses the commit of the attempt, so it never calls (R6, R29)."""
    row = effect_row(1)
    owner.commit(effects(owner, [row]))
    other = harness.open()
    other.prepare({ACTOR: PARTITIONS}, [])
    heir = Owner(other, SHARD, name="heir")
    assert owner.commit(effects(owner, moved=[tried(row)])) == {SHARD}
    assert store.effects(SHARD) == [row]
    assert heir.commit(effects(heir, moved=[tried(row)])) == frozenset()


def test_a_process_that_dies_while_committing_leaves_nothing_of_it(harness: StoreHarness, owner: Owner) -> None:
    """Neither what it asked, nor an attempt, nor a close."""
    row = effect_row(1)
    owner.commit(effects(owner, [row]))
    harness.die_before_commit(owner.store, [effects(owner, [effect_row(2)], [tried(row)])])
    other = harness.open()
    assert other.effects(SHARD) == [row]
