"""All that a store holds and that some code must read one day, row by row, on every adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.held import HeldRow, What
from magnetar.runtime.store.parking import LetterStatus
from magnetar.runtime.store.port import Taker
from magnetar.runtime.store.requests import LetterMove
from tests.contract.store.asking import effect_row
from tests.contract.store.harness import ACTOR, OTHER, SHARD, Owner, epoch_of
from tests.contract.store.rows import (
    dead_letter,
    journal_row,
    message_id,
    outbox_row,
    parked_key,
    parked_row,
    state_write,
    timer_row,
)

if TYPE_CHECKING:
    from magnetar.runtime.store.port import Store
    from tests.contract.store.harness import StoreHarness


def filled(owner: Owner) -> None:
    """One of each kind."""
    changes = owner.changes()
    changes.journal.append(journal_row(1))
    changes.states.append(state_write())
    changes.lane = 7
    changes.outbox.append(outbox_row(7))
    changes.armed.append(timer_row())
    parking = changes.to_park()
    parking.parked.append(parked_row(1))
    parking.parked_keys.append(parked_key())
    parking.dead += [dead_letter(2), dead_letter(3)]
    changes.to_ask().asked.append(effect_row(4))
    owner.commit(changes)


def test_each_kind_has_its_rows(harness: StoreHarness, owner: Owner) -> None:
    """With what code needs to read it, and to name it."""
    filled(owner)
    held = harness.held()
    found = {what: list(held.rows(what)) for what in What}
    place = (ACTOR, "o-1", SHARD)
    state, timer, parked, out = state_write().row, timer_row(), parked_row(1), outbox_row(7)
    effect, letters = effect_row(4), [dead_letter(2), dead_letter(3)]
    assert found == {
        What.STATES: [HeldRow(*place, b"", "", "", state.schema, state.body, "", "")],
        What.TIMERS: [HeldRow(*place, timer.generation, timer.name, timer.type, timer.schema, timer.body, "", "")],
        What.PARKED: [
            HeldRow(
                *place, message_id(1), parked.timer, parked.type, parked.schema, parked.body, parked.source,
                parked.properties,
            )
        ],
        What.LETTERS: [
            HeldRow(*place, each.message_id, "", each.type, each.schema, each.body, each.source, each.properties)
            for each in letters
        ],
        What.OUTBOX: [HeldRow(ACTOR, out.key, SHARD, b"", "7", "", "", out.body, out.topic, out.properties)],
        What.EFFECTS: [
            HeldRow(
                effect.actor, effect.key, effect.shard, effect.effect_id, effect.dependency, effect.type, effect.schema,
                effect.body, "", "",
            )
        ],
    }  # fmt: skip


def test_what_is_no_letter_any_more_is_not_held(harness: StoreHarness, owner: Owner) -> None:
    """Replayed or discarded, it waits for nobody."""
    filled(owner)
    changes = owner.changes()
    changes.to_answer().letters.append(LetterMove(ACTOR, message_id(2), LetterStatus.DISCARDED.value, 0))
    owner.commit(changes)
    assert [row.id for row in harness.held().rows(What.LETTERS)] == [message_id(3)]


def test_a_shard_has_the_generation_of_its_owners(harness: StoreHarness, store: Store) -> None:
    """The highest that it has had."""
    assert store.take(SHARD, epoch_of(store), Taker("new", contracts=3)) is not None
    found = harness.held().generations()
    assert (found[SHARD], found[OTHER]) == (3, 0)


def test_schemas_are_there_by_fingerprint(harness: StoreHarness, store: Store) -> None:
    """As they were kept."""
    store.remember({"f" * 32: '"string"'})
    assert harness.held().schemas() == {"f" * 32: '"string"'}


def test_many_rows_are_read_as_they_are_wanted(harness: StoreHarness, owner: Owner) -> None:
    """More than come at a time; others may be read meanwhile."""
    changes = owner.changes()
    changes.states += [state_write(f"o-{number}") for number in range(1200)]
    owner.commit(changes)
    held = harness.held()
    rows = held.rows(What.STATES)
    assert next(rows).actor == ACTOR
    assert held.schemas() == {}
    assert sum(1 for _ in rows) == 1199
