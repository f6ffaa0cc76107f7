"""The contract of a store's layout: shards and the application's tables are made once, and are then for life."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.store.port import ShardRow, StoreMismatch
from magnetar.runtime.table import Table
from tests.contract.store.harness import ACTOR, LEDGER, PARTITIONS, SHARD, Owner
from tests.contract.store.rows import ledger_row

if TYPE_CHECKING:
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness


def test_preparing_makes_the_shards_of_each_actor(harness: StoreHarness) -> None:
    """A new shard has no owner, has never changed hands, and nothing was left undone in it."""
    harness.open().prepare({"orders": 2, "stock": 1}, [])
    names = ["orders/0", "orders/1", "stock/0"]
    shards = harness.views().shards()
    assert all(type(shard.clean) is bool for shard in shards)
    assert shards == [ShardRow(name, 0, "", 0, 0, True, 0, 0, 0, 0, "", {}) for name in names]  # noqa: FBT003


def test_preparing_again_changes_nothing(store: Store, harness: StoreHarness, views: Views) -> None:
    """Neither shards nor rows are touched; a new actor is added."""
    owner = Owner(store, SHARD)
    changes = owner.changes()
    changes.rows.append(ledger_row(1))
    owner.commit(changes)
    before = views.shards()
    harness.open().prepare({ACTOR: PARTITIONS, "stock": 1}, [LEDGER])
    assert [shard for shard in views.shards() if shard.shard != "stock/0"] == before
    assert len(list(views.rows_of(LEDGER.name))) == 1


def test_an_actor_keeps_its_partitions(store: Store, views: Views) -> None:
    """Another number is refused, by name and with both numbers, and nothing of that call happens (R31)."""
    with pytest.raises(StoreMismatch, match=r"orders.*4 partitions.*not 5"):
        store.prepare({"another": 1, ACTOR: 5}, [])
    assert {shard.shard.split("/")[0] for shard in views.shards()} == {ACTOR}


@pytest.mark.parametrize(
    "columns",
    [
        LEDGER.columns[:1],
        (*LEDGER.columns, ("more", "text", True)),
        (("amount", "real", False), ("order", "text", True)),
        (("amount", "integer", True), ("order", "text", True)),
        (("order", "text", True), ("amount", "integer", False)),
    ],
)
def test_a_table_keeps_its_columns(store: Store, columns: tuple[tuple[str, str, bool], ...]) -> None:
    """A table that is there with other columns, kinds, nullability or order is refused by name."""
    with pytest.raises(StoreMismatch, match="app_ledger"):
        store.prepare({ACTOR: PARTITIONS}, [Table("ledger", columns)])
    store.prepare({ACTOR: PARTITIONS}, [LEDGER])


@pytest.mark.parametrize(
    "table",
    [
        Table("Ledger", LEDGER.columns),
        Table("", LEDGER.columns),
        Table("x; DROP TABLE shards", LEDGER.columns),
        Table("x" * 41, LEDGER.columns),
        Table("empty", ()),
        Table("wide", tuple((f"c{number}", "text", True) for number in range(101))),
        Table("column", (('a" text, b', "text", True),)),
        Table("column", (("2nd", "text", True),)),
        Table("reserved", (("message_id", "blob", False),)),
        Table("twice", (("a", "text", True), ("a", "text", True))),
        Table("kind", (("a", "text PRIMARY KEY", True),)),
    ],
)
def test_names_that_are_no_plain_names_never_reach_the_database(store: Store, table: Table) -> None:
    """A table's and its columns' names become SQL text: anything but plain lower case is a `ValueError`."""
    with pytest.raises(ValueError, match=r"app_|table name"):
        store.prepare({ACTOR: PARTITIONS}, [table])


def test_schemas_are_kept(store: Store, harness: StoreHarness) -> None:
    """Texts are found by fingerprint on every connection; what is known already keeps its text."""
    store.remember({"a": "first", "b": "second"})
    store.remember({"b": "changed", "c": "third"})
    store.remember({})
    kept = {"a": "first", "b": "second", "c": "third"}
    assert store.schemas() == kept
    assert harness.open().schemas() == kept
    assert harness.views().schemas() == kept


def test_the_store_has_a_clock(store: Store) -> None:
    """It gives microseconds since the epoch, and does not run backwards within a test."""
    first, second = store.now(), store.now()
    assert 1_700_000_000_000_000 < first <= second
