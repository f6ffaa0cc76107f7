"""Each test of the contract runs once for every adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.contract.store.harness import ACTOR, LEDGER, OTHER, PARTITIONS, SHARD, Owner
from tests.contract.store.postgres_harness import postgres_databases, postgres_harness, postgres_template
from tests.contract.store.sqlite_harness import sqlite_file_harness, sqlite_memory_harness

if TYPE_CHECKING:
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.views import Views
    from tests.contract.store.harness import StoreHarness

__all__ = [
    "postgres_databases",
    "postgres_harness",
    "postgres_template",
    "sqlite_file_harness",
    "sqlite_memory_harness",
]

HARNESSES = ["sqlite_file_harness", "sqlite_memory_harness", "postgres_harness"]
"""The fixtures that yield a `StoreHarness`."""


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest) -> StoreHarness:
    """The adapter under test."""
    return cast("StoreHarness", request.getfixturevalue(request.param))


@pytest.fixture
def store(harness: StoreHarness) -> Store:
    """A store that is prepared for one actor and one application's table."""
    store = harness.open()
    store.prepare({ACTOR: PARTITIONS}, [LEDGER])
    return store


@pytest.fixture
def views(harness: StoreHarness, store: Store) -> Views:
    """Views of that store."""
    return harness.views()


@pytest.fixture
def owner(store: Store) -> Owner:
    """A worker that owns two shards."""
    return Owner(store, SHARD, OTHER)
