"""A disk that fails: what is said must be true, and the store must be usable when the disk is well again."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import apsw
import pytest

from magnetar.runtime.store.port import CommitUnknown, StoreError, StoreUnavailable, Taker
from magnetar.runtime.store.sqlite import SqliteFile, SqliteStore
from magnetar.runtime.store.sqlite.database import Setup
from tests.contract.store.harness import ACTOR, PARTITIONS, SHARD, Owner
from tests.contract.store.rows import journal_row, state_write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class FailingDisk(apsw.VFS):
    """The system's disk, whose log cannot be written or synced while `broken` says so."""

    def __init__(self) -> None:
        self.broken: str | None = None
        self.name = f"failing-{uuid.uuid4().hex}"
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FailingFile:  # noqa: N802
        """A file of this disk."""
        return FailingFile(self, name, flags)


class FailingFile(apsw.VFSFile):
    """A file of the failing disk."""

    def __init__(self, disk: FailingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self.disk = disk
        self.is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Sync, or fail."""
        if self.is_log and self.disk.broken == "sync":
            raise apsw.IOError
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """Write, or fail."""
        if self.is_log and self.disk.broken == "write":
            raise apsw.FullError
        super().xWrite(data, offset)


class Place(SqliteFile):
    """A file on a failing disk."""

    def __init__(self, path: Path, disk: FailingDisk) -> None:
        super().__init__(path, patience=0.05)
        self.setup = Setup(f"{self.setup.uri}?vfs={disk.name}", "wal", 0.05)


@pytest.fixture
def disk() -> Iterator[FailingDisk]:
    """A disk of the test's own."""
    disk = FailingDisk()
    yield disk
    disk.broken = None
    disk.unregister()


@pytest.fixture
def owner(tmp_path: Path, disk: FailingDisk) -> Iterator[Owner]:
    """A worker with its store on that disk."""
    store = SqliteStore(Place(tmp_path / "magnetar.db", disk))
    store.prepare({ACTOR: PARTITIONS}, [])
    yield Owner(store, SHARD)
    disk.broken = None
    store.close()


@pytest.mark.parametrize("broken", ["sync", "write"])
def test_a_commit_that_the_disk_fails_is_unknown_and_can_be_settled(
    owner: Owner, disk: FailingDisk, broken: str
) -> None:
    """Reconnect, take the shard again, compare its counter, send the same rows if need be: applied once (R8)."""
    changes = owner.applied(journal_row(1))
    changes.states.append(state_write())
    disk.broken = broken
    with pytest.raises(CommitUnknown, match="COMMIT"):
        owner.commit(changes)
    with pytest.raises(StoreError):
        owner.store.take(SHARD, 1, Taker("worker"))
    disk.broken = None
    owner.store.reconnect()
    if owner.take(SHARD).commits == changes.commits:
        again = owner.applied(*changes.journal)
        again.states.extend(changes.states)
        assert owner.commit(again) == frozenset()
    [state] = owner.store.states({ACTOR: ["o-1"]})[ACTOR]
    assert state.version == 1
    assert len(owner.store.dispositions({ACTOR: [journal_row(1).message_id]})[ACTOR]) == 1


def test_a_failed_commit_leaves_the_connection_usable(owner: Owner, disk: FailingDisk) -> None:
    """Nothing of it can be read on the same connection, and no transaction is left open."""
    changes = owner.applied(journal_row(1))
    disk.broken = "sync"
    with pytest.raises(CommitUnknown):
        owner.commit(changes)
    disk.broken = None
    assert owner.store.dispositions({ACTOR: [journal_row(1).message_id]})[ACTOR] == {}
    owner.take(SHARD)
    assert owner.commit(owner.applied(journal_row(1))) == frozenset()


def test_a_database_that_may_not_grow_is_unavailable_until_it_may(tmp_path: Path) -> None:
    """No space before the COMMIT: nothing of the call happened, and the same commit works when there is space."""
    store = SqliteFile(tmp_path / "magnetar.db").open()
    store.prepare({ACTOR: PARTITIONS}, [])
    owner = Owner(store, SHARD)
    changes = owner.changes()
    changes.states.extend(state_write(f"o-{number}", body=b"x" * 1000) for number in range(1000))
    [[pages]] = store._connection.rows("PRAGMA page_count")
    store._connection.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        owner.commit(changes)
    assert store.states({ACTOR: ["o-1"]})[ACTOR] == []
    store._connection.rows("PRAGMA max_page_count = 1000000")
    assert owner.commit(changes) == frozenset()
    assert len(store.states({ACTOR: [f"o-{number}" for number in range(1000)]})[ACTOR]) == 1000
