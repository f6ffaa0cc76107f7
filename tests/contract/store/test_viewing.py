"""The contract of views: they only read, each answer is of one instant, and the loop never waits for them (R27)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.operate.doctor import Severity, examine
from magnetar.runtime.store.port import Disposition, StoreError
from magnetar.runtime.store.views import Load
from tests.contract.store.asking import effect_row
from tests.contract.store.harness import ACTOR, LEDGER, OTHER, SHARD
from tests.contract.store.rows import (
    journal_row,
    ledger_row,
    message_id,
    outbox_row,
    parked_key,
    state_row,
    state_write,
    timer_row,
)
from tests.unit.operate.facts import STORE, WELL

if TYPE_CHECKING:
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import Owner, StoreHarness


def commit_history(owner: Owner, key: str, *numbers: int) -> None:
    """The key's messages, one commit each, with its state."""
    for version, number in enumerate(numbers, start=1):
        changes = owner.applied(journal_row(number, key, version))
        changes.states.append(state_write(key, version))
        owner.commit(changes)


def test_a_key_never_seen(views: Views) -> None:
    """It has no state, no timeline and no timers; a message never seen has no entry."""
    assert views.state(ACTOR, "o-1") is None
    assert views.timeline(ACTOR, "o-1") == []
    assert views.timers_of(ACTOR, "o-1") == []
    assert views.entry(ACTOR, message_id(1)) is None


def test_a_timeline_is_in_the_order_of_versions(owner: Owner, views: Views) -> None:
    """Whatever the message ids are; up to a limit; only that key's and that actor's."""
    commit_history(owner, "o-1", 30, 10, 20)
    commit_history(owner, "o-2", 5)
    owner.commit(owner.applied(journal_row(30, actor="stock")))
    assert [row.message_id for row in views.timeline(ACTOR, "o-1")] == [message_id(n) for n in (30, 10, 20)]
    assert [row.version for row in views.timeline(ACTOR, "o-1", limit=2)] == [1, 2]


def test_a_timeline_tells_what_happened_before_the_key_had_a_state(owner: Owner, views: Views) -> None:
    """A message parked or discarded on a key without a state is in its timeline, before and after the state comes."""
    parked = journal_row(1, version=0)._replace(disposition=Disposition.PARKED.value)
    owner.commit(owner.applied(parked))
    assert views.timeline(ACTOR, "o-1") == [parked]
    commit_history(owner, "o-1", 2, 3)
    assert views.timeline(ACTOR, "o-1") == [parked, journal_row(2), journal_row(3, version=2)]
    assert views.timeline(ACTOR, "o-1", limit=1) == [parked]


def test_the_entry_of_a_message(owner: Owner, views: Views) -> None:
    """By actor and message id."""
    commit_history(owner, "o-1", 1, 2)
    assert views.entry(ACTOR, message_id(2)) == journal_row(2, version=2)
    assert views.entry("stock", message_id(2)) is None


def test_whole_tables_come_in_order(owner: Owner, views: Views) -> None:
    """States by key, journal by message id, an application's rows by message id and ordinal."""
    commit_history(owner, "o-2", 9, 8)
    commit_history(owner, "o-10", 7)
    changes = owner.changes()
    changes.rows += [ledger_row(2, 1, 21), ledger_row(2, 0, 20), ledger_row(1, 0, 10)]
    owner.commit(changes)
    assert list(views.states_of(ACTOR)) == [state_row("o-10"), state_row("o-2", 2)]
    assert [row.message_id for row in views.journal_of(ACTOR)] == [message_id(n) for n in (7, 8, 9)]
    assert [row[:3] for row in views.rows_of(LEDGER.name)] == [
        (message_id(1), 0, 10),
        (message_id(2), 0, 20),
        (message_id(2), 1, 21),
    ]


def test_an_unknown_table_is_an_error(views: Views) -> None:
    """A table never prepared is a `StoreError`; what cannot be a table's name never reaches the database."""
    with pytest.raises(StoreError, match="points"):
        list(views.rows_of("points"))
    with pytest.raises(ValueError, match="table name"):
        list(views.rows_of("points; DROP TABLE shards"))


def test_an_answer_is_of_one_instant_and_stops_nobody(owner: Owner, views: Views) -> None:
    """While a long answer is read, the loop commits; what it commits is not in the answer, but in the next one."""
    for number in range(5):
        commit_history(owner, f"o-{number}", number)
    answer = views.states_of(ACTOR)
    assert next(answer).key == "o-0"
    commit_history(owner, "o-9", 9)
    assert [row.key for row in answer] == ["o-1", "o-2", "o-3", "o-4"]
    assert len(list(views.states_of(ACTOR))) == 6


def test_views_opened_early_see_what_comes_later(harness: StoreHarness, owner: Owner, views: Views) -> None:
    """Each call reads the present, also after an answer that was not read to its end."""
    commit_history(owner, "o-1", 1)
    commit_history(owner, "o-2", 2)
    abandoned = views.states_of(ACTOR)
    next(abandoned)
    del abandoned
    commit_history(owner, "o-3", 3)
    assert views.state(ACTOR, "o-3") == state_row("o-3")
    assert next(row for row in views.shards() if row.shard == SHARD).commits == 3


def test_closed_views_say_so(views: Views) -> None:
    """Asking them is an error of the store; closing them twice is none."""
    views.close()
    views.close()
    with pytest.raises(StoreError):
        views.shards()


def test_the_loads_of_shards(owner: Owner, views: Views) -> None:
    """How much is unsent, armed, parked and asked of the outside, by shard; one without any may be left out."""
    assert {shard: load for shard, load in views.loads().items() if any(load)} == {}
    changes, other = owner.changes(), owner.changes(OTHER)
    changes.outbox.extend(outbox_row(number) for number in (1, 2, 3))
    changes.lane = 3
    changes.armed.append(timer_row())
    other.armed.extend(timer_row(key=key, shard=OTHER) for key in ("o-2", "o-3"))
    changes.to_ask().asked += [effect_row(1), effect_row(2)]
    other.to_park().parked_keys += [parked_key("o-4", 3, 5, OTHER), parked_key("o-5", 2, 1, OTHER)]
    owner.commit(changes, other)
    assert {shard: load for shard, load in views.loads().items() if any(load)} == {
        SHARD: Load(unsent=3, timers=1, parked=0, effects=2),
        OTHER: Load(unsent=0, timers=2, parked=3, effects=0),
    }


def test_the_settings_of_a_store_satisfy_the_doctor(views: Views) -> None:
    """Each that the doctor looks at is told, by its name, and is as it should be; memory promises nothing."""
    stores = examine(replace(WELL, store=replace(STORE, settings=views.settings())))
    ill = [each for each in stores if each.check.startswith("store-") and each.severity is not Severity.OK]
    assert [finding for finding in ill if finding.found != "memory"] == []
