"""What the engine asks is found by key, whatever the planner believes: tables may have been counted when empty."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from magnetar.runtime.store.postgres import database
from magnetar.runtime.store.postgres.database import SQL

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.store.postgres import PostgresStore

COUNTED_WHEN_EMPTY = """
SELECT pg_restore_relation_stats('schemaname', 'public', 'relname', relname::text, 'relpages', 1, 'reltuples', 0::real)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""
GROUPS = sorted(name for name, text in SQL.items() if "unnest(" in text)
"""The statements that take rows as arrays; most look for others by them."""
SMALL = {"shards"}


@pytest.fixture
def planner(server: PostgresServer, store: PostgresStore) -> Generator[psycopg.Connection]:
    """A connection set as the engine's, to a database whose tables were counted when they were empty."""
    del store  # it has made the tables
    with closing(psycopg.connect(server.service_url, autocommit=True)) as connection:
        connection.execute(COUNTED_WHEN_EMPTY)
        for name, setting in database._ENGINE.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, setting))
        yield connection


def whole_reads(node: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan reads from end to end."""
    table = node.get("Relation Name")
    if table and node["Node Type"] != "ModifyTable" and not {"Index Cond", "TID Cond"} & node.keys():
        yield f"{node['Node Type']} of {table}"
    for part in node.get("Plans", ()):
        yield from whole_reads(part)


def test_no_group_reads_a_whole_table(planner: psycopg.Connection) -> None:
    """A thousand rows looked for in a thousand are a million comparisons, and last longer than a commit may."""
    found: dict[str, set[str]] = {}
    for name in GROUPS:
        ((plans,),) = planner.execute(f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {SQL[name]}".encode())
        whole = {read for read in whole_reads(plans[0]["Plan"]) if read.rpartition(" ")[2] not in SMALL}
        if whole:
            found[name] = whole
    assert found == {}
    assert len(GROUPS) > 15
