"""What a store holds is read by a role that may only read; what that may not see is told, never taken for nothing."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from magnetar.runtime.store.held import What
from magnetar.runtime.store.port import StoreError
from magnetar.runtime.store.postgres import PostgresPlace
from tests.contract.store.harness import SHARD, Owner
from tests.contract.store.rows import dead_letter, state_write

if TYPE_CHECKING:
    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.store.postgres import PostgresStore


@pytest.fixture
def reader(server: PostgresServer, place: PostgresPlace, store: PostgresStore) -> PostgresPlace:
    """Something is held, and whoever asks may read tables, and nothing else: even their owner is left no more."""
    owner = Owner(store, SHARD)
    changes = owner.changes()
    changes.states.append(state_write())
    changes.to_park().dead.append(dead_letter())
    owner.commit(changes)
    tell(server, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM magnetar")
    tell(server, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO magnetar")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        tell(server, "DELETE FROM states")
    return place


def tell(server: PostgresServer, statement: str) -> None:
    """As the owner of the database."""
    with closing(psycopg.connect(server.service_url, autocommit=True)) as connection:
        connection.execute(statement.encode())


def test_a_role_that_may_only_read_is_enough(reader: PostgresPlace) -> None:
    """It reads every kind, and can write nothing."""
    with closing(reader.held()) as held:
        assert {what.value: sum(1 for _ in held.rows(what)) for what in What} == {
            "states": 1,
            "timers": 0,
            "parked": 0,
            "letters": 1,
            "outbox": 0,
            "effects": 0,
        }
        assert held.generations()[SHARD] == 0
        assert held.schemas() == {}


def test_what_a_role_may_not_read_is_no_empty_table(server: PostgresServer, reader: PostgresPlace) -> None:
    """It is an error that names the table."""
    tell(server, "REVOKE SELECT ON dead_letters FROM magnetar")
    with closing(reader.held()) as held, pytest.raises(StoreError, match="dead_letters"):
        list(held.rows(What.LETTERS))


def test_tables_that_are_not_there_yet_hold_nothing(server: PostgresServer, store: PostgresStore) -> None:
    """A store that an older release has made is judged before newer code migrates it."""
    tell(server, "DROP TABLE effects; DELETE FROM migrations WHERE name = 'effects'")
    place = PostgresPlace(server.service_url)
    with closing(place.held()) as held:
        assert list(held.rows(What.EFFECTS)) == []
        assert list(held.rows(What.STATES)) == []


def test_an_empty_database_is_no_store(place: PostgresPlace) -> None:
    """Nothing was judged."""
    with pytest.raises(StoreError, match="no worker has ever started"):
        place.held()
