"""The journal's partitions on a real PostgreSQL: made ahead, unique over all, dropped without losing what counts."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import psycopg
import pytest

from magnetar.runtime.cli import working
from magnetar.runtime.compose.places import store_upkeep
from magnetar.runtime.compose.trimming import Trimming
from magnetar.runtime.identity import foreign, mint
from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.port import Disposition, JournalRow, StoreUnavailable, VersionConflict
from magnetar.runtime.store.postgres.journal import AHEAD, Trimmed, _old, _set_aside, make_ahead, partitions
from magnetar.runtime.store.postgres.periods import Period, instant_of, lowest_id, ranges, start_of
from tests.contract.store.harness import ACTOR, SHARD, Owner
from tests.contract.store.rows import journal_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.store.postgres import PostgresPlace, PostgresStore

DAY = 86_400 * SECOND
PATIENCE = 30.0
NOISE = bytes(range(10))


def row_of(identity: bytes, applied_at: int, disposition: Disposition = Disposition.APPLIED) -> JournalRow:
    """A message of that id, journalled at that instant."""
    return journal_row(1)._replace(message_id=identity, now=applied_at, disposition=disposition.value)


def commit(store: PostgresStore, *rows: JournalRow) -> None:
    """One group."""
    owner = Owner(store, SHARD)
    assert owner.commit(owner.applied(*rows)) == frozenset()


def where(server: PostgresServer, identity: bytes) -> str:
    """The table that holds the message."""
    with closing(psycopg.connect(server.service_url)) as connection:
        found = connection.execute(
            "SELECT tableoid::regclass::text FROM journal WHERE message_id = %s", (identity.hex(),)
        )
        [[table]] = found.fetchall()
    return str(table)


def old_partition(server: PostgresServer, now: int) -> str:
    """A partition of 100 days ago, as if the store had been there then."""
    [past] = ranges(Period.MONTH, None, now - 100 * DAY, start_of(Period.MONTH, now - 100 * DAY) + DAY)
    with closing(psycopg.connect(server.service_url, autocommit=True)) as connection:
        bounds = f"FROM ('{past.lower}') TO ('{past.upper}')"
        connection.execute(f"CREATE TABLE {past.table} PARTITION OF journal FOR VALUES {bounds}".encode())
    return past.table


def test_partitions_are_made_ahead(store: PostgresStore, server: PostgresServer) -> None:
    """A year and more when the store is first opened, end to end; a message goes where its id says."""
    now = store.now()
    there = partitions(store._session)
    assert there[0].lower <= lowest_id(now)
    assert instant_of(there[-1].upper) >= now + AHEAD
    assert make_ahead(store._session, Period.MONTH) == []
    another = foreign("order 17")
    today = mint(now, lambda count: NOISE[:count])
    commit(store, row_of(today, now), row_of(another, now))
    assert (where(server, today), where(server, another)) == (there[0].table, "journal_default")


def test_a_message_has_one_row_wherever_it_lies(store: PostgresStore) -> None:
    """Uniqueness spans the partitions, the last one too (R3)."""
    now = store.now()
    for identity in (mint(now, lambda count: NOISE[:count]), foreign("order 17")):
        commit(store, row_of(identity, now))
        with pytest.raises(VersionConflict, match="is applied already"):
            commit(store, row_of(identity, now))


def test_rows_that_came_before_their_partition_move_into_it(store: PostgresStore, server: PostgresServer) -> None:
    """Another's id looks like an instant that gets its partition later."""
    stray = mint(store.now() + 600 * DAY, lambda count: NOISE[:count])
    commit(store, row_of(stray, store.now()))
    assert where(server, stray) == "journal_default"
    with closing(psycopg.connect(server.service_url, autocommit=True)) as connection:
        for each in partitions(store._session)[1:]:
            connection.execute(f"DROP TABLE {each.table}".encode())
        connection.execute(
            "UPDATE journal SET message_id = %s", (mint(store.now() + 60 * DAY, lambda n: NOISE[:n]).hex(),)
        )
    made = make_ahead(store._session, Period.WEEK)
    with closing(psycopg.connect(server.service_url)) as connection:
        [[table]] = connection.execute("SELECT tableoid::regclass::text FROM journal").fetchall()
    assert table in {each.table for each in made}


def test_trimming_drops_what_is_old_and_nothing_else(
    store: PostgresStore, server: PostgresServer, place: PostgresPlace
) -> None:
    """Of an old partition stay parked and dead rows and those journalled lately; old rows of the last one go too."""
    now = store.now()
    table = old_partition(server, now)
    ids = [mint(now - 100 * DAY + number * SECOND, lambda count: NOISE[:count]) for number in range(4)]
    old, recent = now - 99 * DAY, now - DAY
    stays = {ids[1]: recent, ids[2]: old, ids[3]: old, foreign("new"): recent, mint(now, lambda n: NOISE[:n]): now}
    commit(
        store,
        row_of(ids[0], old),
        row_of(ids[1], recent),
        row_of(ids[2], old, Disposition.PARKED),
        row_of(ids[3], old, Disposition.DEAD),
        *(row_of(foreign("new"), recent), row_of(foreign("old"), old), row_of(mint(now, lambda n: NOISE[:n]), now)),
    )
    wanted = [Trimmed(table, 1, 3), Trimmed("journal_default", 1, 0)]
    with place.upkeep() as upkeep:
        assert upkeep.trim(now - 30 * DAY, apply=False) == wanted
        assert where(server, ids[0]) == table
        assert upkeep.trim(now - 30 * DAY, apply=True) == wanted
        assert upkeep.trim(now - 30 * DAY, apply=True) == []
    assert set(store.dispositions({ACTOR: [*ids, foreign("old"), *stays]})[ACTOR]) == set(stays)
    assert table not in {each.table for each in partitions(store._session)}


def test_trimming_does_not_stand_in_the_way(store: PostgresStore, server: PostgresServer, place: PostgresPlace) -> None:
    """While somebody reads the journal for long it gives up soon, so that commits do not queue behind it."""
    now = store.now()
    table = old_partition(server, now)
    with closing(psycopg.connect(server.service_url)) as reader, place.upkeep() as upkeep:
        reader.execute("SELECT count(*) FROM journal")
        with pytest.raises(StoreUnavailable, match=table):
            upkeep.trim(now - 30 * DAY, apply=True)
    commit(store, row_of(foreign("a"), now))
    assert table in {each.table for each in partitions(store._session)}


def test_commits_go_on_while_an_old_partition_is_looked_through(
    store: PostgresStore, server: PostgresServer, place: PostgresPlace
) -> None:
    """However large it is: what is kept of it is copied before anybody is locked out."""
    now = store.now()
    old_partition(server, now)
    with place.upkeep() as upkeep, upkeep._session.transaction("looking through it") as transaction:
        [each] = _old(upkeep._session, now - 30 * DAY)
        assert _set_aside(transaction, each, now - 30 * DAY) == Trimmed(each.table, 0, 0)
        commit(store, row_of(mint(now, lambda n: NOISE[:n]), now))


def test_one_trims_at_a_time(store: PostgresStore, place: PostgresPlace) -> None:
    """Until it is done, the others have nothing to do."""
    del store  # it made the database
    with place.upkeep() as second:
        with place.upkeep() as first:
            assert first.trim_alone(30 * DAY) == []
            assert second.trim_alone(30 * DAY) is None
        _until(lambda: second.trim_alone(30 * DAY) == [])


def test_workers_trim_by_themselves(store: PostgresStore, server: PostgresServer) -> None:
    """Two of them; the old partition goes once, and what is new stays."""
    now = store.now()
    table = old_partition(server, now)
    old, new = (mint(at, lambda count: NOISE[:count]) for at in (now - 100 * DAY, now))
    commit(store, row_of(old, now - 99 * DAY), row_of(new, now))
    jobs = [Trimming(partial(store_upkeep, server.service_url), days=30, every=0.05) for _ in range(2)]
    try:
        _until(lambda: table not in {each.table for each in partitions(store._session)})
    finally:
        for job in jobs:
            job.close()
            job._thread.join(PATIENCE)
    assert set(store.dispositions({ACTOR: [old, new]})[ACTOR]) == {new}


@pytest.mark.parametrize(("days", "shared", "there"), [(30.0, True, True), (None, True, False), (30.0, False, False)])
def test_a_worker_trims_where_it_is_told_to(
    server: PostgresServer, days: float | None, *, shared: bool, there: bool
) -> None:
    """On a store that needs it, and for as long as it runs."""
    asked = working._Asked(
        "shop:app", "memory:", None, server.service_url, 10.0, 10.0, None, days, as_json=False, edits=False, places=()
    )
    with working._trimming(asked, shared=shared):
        found = [thread for thread in threading.enumerate() if thread.name == "magnetar-trimming"]
        assert bool(found) == there
    for thread in found:
        thread.join(PATIENCE)
        assert not thread.is_alive()


def _until(there: Callable[[], bool]) -> None:
    until, pause = time.monotonic() + PATIENCE, threading.Event()
    while not there():
        assert time.monotonic() < until, "it is not so"
        pause.wait(0.02)
