"""Where SQLite keeps the data: files and memory, locks, and files that are no store of ours."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
import time
from pathlib import Path

import apsw
import pytest

from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.port import StoreError, StoreMismatch, StoreUnavailable, Taker
from magnetar.runtime.store.roster import Beat
from magnetar.runtime.store.sql.migrations import Migration, Phase
from magnetar.runtime.store.sqlite import SqliteFile, SqliteMemory
from magnetar.runtime.store.sqlite.database import SQL, SqliteLedger
from tests.contract.store.harness import ACTOR, PARTITIONS, SHARD, Owner, epoch_of
from tests.contract.store.rows import journal_row, state_write


@pytest.fixture
def file(tmp_path: Path) -> SqliteFile:
    """A place that waits for locks only briefly."""
    return SqliteFile(tmp_path / "magnetar.db", patience=0.05)


def raw(file: SqliteFile) -> apsw.Connection:
    """Somebody else's connection to the file."""
    return apsw.Connection(str(file.path))


def test_a_commit_is_durable_when_it_returns(file: SqliteFile) -> None:
    """The log is synced at every commit, on every operating system; nothing weaker is ever opened."""
    connection = file.open()._connection
    settings = ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync")
    assert [connection.rows(f"PRAGMA {name}")[0][0] for name in settings] == ["wal", 2, 1, 1]


def test_an_odd_path_is_just_a_path(tmp_path: Path) -> None:
    """A file name is quoted, for SQLite takes it as a URI."""
    folder = tmp_path / "50% off? #1 &c=d"
    folder.mkdir()
    store = SqliteFile(folder / "é .db").open()
    store.prepare({ACTOR: 1}, [])
    assert (folder / "é .db").exists()
    store.close()
    assert epoch_of(SqliteFile(folder / "é .db").open()) == 0


def test_no_folder_no_store(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(StoreUnavailable, match=r"nowhere/magnetar\.db"):
        SqliteFile(tmp_path / "nowhere" / "magnetar.db").open()


def test_views_of_nothing(file: SqliteFile) -> None:
    """Views never make a file, nor a layout in somebody else's file."""
    with pytest.raises(StoreUnavailable, match=r"magnetar\.db"):
        file.views()
    assert not file.path.exists()
    raw(file).execute("CREATE TABLE theirs (a)")
    with pytest.raises(StoreUnavailable, match="start a worker"):
        file.views()


def test_views_cannot_write(file: SqliteFile) -> None:
    """Their connection is read-only by construction."""
    file.open()
    with pytest.raises(apsw.ReadOnlyError):
        file.views()._connection.rows("DELETE FROM shards")


def test_views_of_a_store_that_nobody_has_open(file: SqliteFile) -> None:
    """An operator may look while no worker runs."""
    store = file.open()
    store.prepare({ACTOR: PARTITIONS}, [])
    store.close()
    assert len(file.views().shards()) == PARTITIONS


def test_a_store_that_went_past_this_code_is_refused(file: SqliteFile) -> None:
    """Neither a worker nor views touch a store whose layout they do not know; one merely prepared for it is theirs."""
    file.open().close()
    raw(file).execute("INSERT INTO migrations VALUES (9998, 'pre', 'tomorrow', 'x')")
    file.open().close()
    file.views().close()
    raw(file).execute("INSERT INTO migrations VALUES (9999, 'post', 'the day after', 'x')")
    for opening in (file.open, file.views):
        with pytest.raises(StoreMismatch, match="9999"):
            opening()


def test_a_file_that_is_no_database(file: SqliteFile) -> None:
    """It stops the worker, and nothing waits for it to heal."""
    file.path.write_bytes(b"not a database, and longer than a header " * 100)
    with pytest.raises(StoreError, match="damaged") as caught:
        file.open()
    assert type(caught.value) is StoreError


def test_a_damaged_page_stops_the_worker(file: SqliteFile) -> None:
    """Damage is never taken for an empty table or for a store that is away for a while."""
    store = file.open()
    store.prepare({ACTOR: PARTITIONS}, [])
    owner = Owner(store, SHARD)
    changes = owner.changes()
    changes.states.extend(state_write(f"o-{number}", body=b"x" * 500) for number in range(1000))
    owner.commit(changes)
    store.close()
    with file.path.open("r+b") as handle:
        half = file.path.stat().st_size // 2  # the layout is in the first one
        handle.seek(half)
        handle.write(b"\xff" * half)
    store = file.open()
    with pytest.raises(StoreError, match="damaged") as caught:
        store.states({ACTOR: [f"o-{number}" for number in range(1000)]})[ACTOR]
    assert type(caught.value) is StoreError


def test_a_locked_file_is_unavailable_and_then_goes_on(file: SqliteFile) -> None:
    """The wait has an end, nothing of the call happened, and the same commit works when the lock is gone."""
    store = file.open()
    store.prepare({ACTOR: PARTITIONS}, [])
    owner = Owner(store, SHARD)
    changes = owner.applied(journal_row(1))
    other = raw(file)
    other.execute("BEGIN IMMEDIATE")
    before = time.monotonic()
    with pytest.raises(StoreUnavailable, match="locked"):
        owner.commit(changes)
    with pytest.raises(StoreUnavailable, match="locked"):
        store.take(SHARD, 1, Taker("worker"))
    assert time.monotonic() - before < 1
    assert epoch_of(store) == 1
    other.execute("ROLLBACK")
    assert owner.commit(changes) == frozenset()


def test_a_closed_store_says_so_until_it_reconnects(file: SqliteFile) -> None:
    """Using it is `StoreUnavailable`, as for any lost connection."""
    store = file.open()
    store.prepare({ACTOR: PARTITIONS}, [])
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        epoch_of(store)
    store.reconnect()
    assert epoch_of(store) == 0


def test_memory_outlives_its_stores_and_is_its_own() -> None:
    """It stays while the place is open, and two places share nothing."""
    one, two = SqliteMemory(), SqliteMemory()
    store = one.open()
    store.prepare({ACTOR: 1}, [])
    store.close()
    assert epoch_of(one.open()) == 0
    assert two.open().standings([SHARD]) == {}


def test_a_reader_in_the_way_of_a_commit_in_memory() -> None:
    """In memory a reader holds up the COMMIT: unavailable, nothing written, and the same commit works afterwards."""
    memory = SqliteMemory(patience=0.05)
    store = memory.open()
    store.prepare({ACTOR: PARTITIONS}, [])
    owner = Owner(store, SHARD)
    changes = owner.applied(journal_row(1))
    reading = memory.views()._connection.iterate("SELECT * FROM shards")
    next(reading)
    with pytest.raises(StoreUnavailable, match="locked"):
        owner.commit(changes)
    assert len(list(reading)) == PARTITIONS - 1
    assert owner.commit(changes) == frozenset()


def test_a_migration_is_applied_once_and_whole(file: SqliteFile) -> None:
    """When another process was faster nothing happens; when a statement fails nothing of the file stays."""
    connection = file.open()._connection
    ledger = SqliteLedger(connection)
    step = Migration(9000, Phase.PRE, "step", "CREATE TABLE step (a)")
    ledger.apply(step)
    ledger.apply(step)
    assert ledger.applied()[9000].checksum == step.checksum
    with pytest.raises(StoreError, match="9001"):
        ledger.apply(Migration(9001, Phase.PRE, "half", "CREATE TABLE half (a); CREATE TABLE step (a)"))
    assert 9001 not in ledger.applied()
    assert connection.rows("SELECT name FROM sqlite_schema WHERE name IN ('step', 'half')") == [("step",)]


def test_the_clock_is_injected() -> None:
    """Simulation brings its own time; every store on the place tells it."""
    instants = iter([5, 7])
    memory = SqliteMemory(clock=lambda: next(instants))
    assert [memory.open().now(), memory.open().now()] == [5, 7]


def test_a_worker_that_was_not_seen_for_an_hour_is_forgotten() -> None:
    """Names are new at each start: their rows must not pile up."""
    instants = iter([0, 3600 * SECOND, 3600 * SECOND + 1])
    memory = SqliteMemory(clock=lambda: next(instants))
    store = memory.open()
    store.beat(Beat("old", "", 0, "", 0, 0, leaving=False))
    assert [member.worker for member in store.beat(Beat("new", "", 0, "", 0, 0, leaving=False)).members] == [
        "new",
        "old",
    ]
    assert [member.worker for member in store.beat(Beat("new", "", 0, "", 0, 0, leaving=False)).members] == ["new"]


def test_a_statement_stays_prepared_however_often_others_are_used() -> None:
    """The driver puts out what was used longest ago, whether there is room or not; a worker uses some forty in turn."""
    memory = SqliteMemory()
    connection = memory.open()._connection
    for _ in range(400):
        connection.rows("SELECT 1")
    connection.rows("SELECT 2")
    before = connection._driver.cache_stats()["misses"]
    for _ in range(400):
        connection.rows("SELECT 1")
    connection.rows("SELECT 2")
    assert connection._driver.cache_stats()["misses"] == before
    memory.close()


def test_a_statement_is_not_planned_anew_for_other_values() -> None:
    """The driver plans again what compares a range, a list or a partial index with a value, unless it is told not to.

    Whoever plans a statement asks the authorizer what it may read.
    """
    memory = SqliteMemory()
    connection = memory.open()._connection
    planned: list[int] = []

    def authorize(code: int, *_: str | None) -> int:
        planned.append(code)
        return apsw.SQLITE_OK

    connection._driver.authorizer = authorize
    for count in range(3):
        connection.rows(SQL["timers_due"], (f"a/{count}", count))
        connection.rows(SQL["asked_of"], (f"a/{count}", 1))
        connection.rows(SQL["dispositions"], ("a", json.dumps([f"0{count}"])))
        if not count:
            assert planned
            planned.clear()
    assert not planned
    memory.close()
