"""The store on a PostgreSQL that freezes, dies or is cut off: told in time, as what it was, never guessed (R8, R17)."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from magnetar.runtime.servers.process import until
from magnetar.runtime.store.port import CommitUnknown, StoreError, StoreUnavailable, Taker
from magnetar.runtime.store.postgres import PostgresPlace, PostgresStore
from magnetar.runtime.store.postgres.connection import Call, Connection, Rows
from magnetar.runtime.store.postgres.rows import fence
from magnetar.runtime.store.roster import Beat
from tests.contract.store.harness import ACTOR, OTHER, SHARD, Owner
from tests.contract.store.rows import journal_row, message_id, state_write
from tests.integration.postgres.conftest import PATIENCE, SLACK, opened, paused, seconds_of

if TYPE_CHECKING:
    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.store.port import Store

BEAT = Beat("worker", "1", 0, ACTOR, 0, 0, leaving=False)
FILE = "SELECT pg_relation_filepath(%s::regclass)"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


def raises_in_time(kind: type[StoreError], act: Callable[[], object]) -> None:
    """It fails as told, and not later than the patience allows."""

    def check() -> None:
        with pytest.raises(kind):
            act()

    assert seconds_of(check) < PATIENCE + SLACK


@contextmanager
def holding(server: PostgresServer, shard: str) -> Generator[psycopg.Connection]:
    """Somebody else's transaction that has locked a shard's row."""
    with closing(psycopg.connect(server.service_url)) as connection:
        connection.execute("SELECT 1 FROM shards WHERE shard = %s FOR UPDATE", (shard,))
        yield connection


def somebody_waits(server: PostgresServer) -> None:
    """Return once a transaction waits for a lock."""
    with closing(psycopg.connect(server.service_url, autocommit=True)) as connection:
        assert until(lambda: connection.execute(WAITING).fetchone() != (0,), 20)


@contextmanager
def unreadable(server: PostgresServer, table: str) -> Generator[None]:
    """A table whose file cannot be opened by connections that are made in the block."""
    with closing(psycopg.connect(server.service_url)) as connection:
        (row,) = connection.execute(FILE, (table,)).fetchall()
    path = server.data / "cluster" / row[0]
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        yield
    finally:
        path.chmod(mode)


def group_of(owner: Owner, number: int = 1) -> Callable[[], object]:
    """Commits one message."""
    changes = owner.applied(journal_row(number))
    changes.states.append(state_write(body=b"%d" % number))
    return lambda: owner.store.commit([changes])


def is_back(store: Store) -> bool:
    """Whether a new connection can be made; after a silence the store does not even try for a moment."""
    try:
        store.reconnect()
    except StoreUnavailable:
        return False
    return True


def settle(owner: Owner, number: int = 1) -> bool:
    """R8: whether the group that was in doubt is durable; what the counter says is what the journal says."""
    before = owner.owned[SHARD].commits
    assert until(lambda: is_back(owner.store), 10)
    row = owner.take(SHARD)
    durable = row.commits == before + 1
    assert (message_id(number) in owner.store.dispositions({ACTOR: [message_id(number)]})[ACTOR]) == durable
    return durable


def test_nothing_waits_for_a_frozen_server(server: PostgresServer, place: PostgresPlace) -> None:
    """Every call ends within its patience; none that only reads, or is repeated anyway, leaves a doubt."""
    hasty = PostgresPlace(server.service_url, 0.5)
    opened(place).close()
    store = opened(hasty)
    calls: list[Callable[[], object]] = [
        store.now,
        store.schemas,
        lambda: store.states({ACTOR: ["o-1"]})[ACTOR],
        lambda: store.dispositions({ACTOR: [message_id(1)]})[ACTOR],
        lambda: store.beat(BEAT),
        store.reconnect,
        hasty.open,
    ]
    with paused(server):
        for call in calls:
            raises_in_time(StoreUnavailable, call)
    assert until(lambda: is_back(store), 10)
    assert store.standings([SHARD])[SHARD].epoch == 0
    store.close()


def test_a_commit_to_a_frozen_server_is_in_doubt(server: PostgresServer, store: PostgresStore) -> None:
    """It was sent, and may happen when the server thaws: reading it back settles which."""
    owner = Owner(store, SHARD)
    with paused(server):
        raises_in_time(CommitUnknown, group_of(owner))
    settle(owner)


def test_a_server_frozen_in_a_commit(server: PostgresServer, store: PostgresStore) -> None:
    """The group waits for a lock, the server freezes, time is up; after the thaw it is settled."""
    owner = Owner(store, SHARD)
    with holding(server, SHARD), ThreadPoolExecutor(1) as pool:
        done: Future[None] = pool.submit(raises_in_time, CommitUnknown, group_of(owner))
        somebody_waits(server)
        with paused(server):
            done.result(60)
    settle(owner)


def test_a_server_that_may_not_open_its_files(server: PostgresServer, store: PostgresStore) -> None:
    """As when its file system turned read-only: nothing happened, and once it may, the same group commits by itself."""
    owner = Owner(store, SHARD)
    commit = group_of(owner)
    with unreadable(server, "states"):
        store.reconnect()
        raises_in_time(StoreUnavailable, commit)
    assert commit() == frozenset()


def test_a_server_killed_before_a_commit(server: PostgresServer, store: PostgresStore) -> None:
    """Nothing was sent: no doubt, and once the server is back the same group commits by itself."""
    owner = Owner(store, SHARD)
    commit = group_of(owner)
    server.kill()
    raises_in_time(StoreUnavailable, commit)
    server.start()
    assert commit() == frozenset()


def test_a_server_killed_in_a_commit(server: PostgresServer, store: PostgresStore) -> None:
    """The group was sent and not committed: in doubt, then known as not durable, then committed."""
    owner = Owner(store, SHARD)
    with holding(server, SHARD), ThreadPoolExecutor(1) as pool:
        done = pool.submit(raises_in_time, CommitUnknown, group_of(owner))
        somebody_waits(server)
        server.kill()
        done.result(60)
    server.start()
    assert not settle(owner)
    assert group_of(owner)() == frozenset()


def test_a_server_killed_after_a_commit(server: PostgresServer, store: PostgresStore) -> None:
    """What was answered is durable."""
    owner = Owner(store, SHARD)
    assert group_of(owner)() == frozenset()
    server.kill()
    server.start()
    assert settle(owner)
    assert [row.body for row in store.states({ACTOR: ["o-1"]})[ACTOR]] == [b"1"]


def test_commits_under_kills_are_never_guessed(server: PostgresServer, store: PostgresStore) -> None:
    """Killed again and again at no particular point of a commit: what the store says afterwards always adds up."""
    owner = Owner(store, SHARD)
    for number in range(1, 6):
        with ThreadPoolExecutor(1) as pool:
            killed = threading.Barrier(2)
            killer = pool.submit(_kill_at, killed, server)
            killed.wait(20)
            durable = _told(owner, number)
            killer.result(60)
        server.start()
        assert settle(owner, number) or not durable


def _kill_at(moment: threading.Barrier, server: PostgresServer) -> None:
    moment.wait(20)
    server.kill()


def _told(owner: Owner, number: int) -> bool:
    """Whether the store says that it committed the message as one of a new key."""
    changes = owner.applied(journal_row(number, f"o-{number}"))
    try:
        owner.store.commit([changes])
    except (CommitUnknown, StoreUnavailable):
        return False
    return True


def cut(store: PostgresStore) -> None:
    """Both directions of its connection end, as a network that is cut and comes back would have it."""
    connection = store._session._connection
    assert connection is not None
    with socket.socket(fileno=os.dup(connection._pgconn.socket)) as wire:
        wire.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("free", [True, False])
def test_a_lost_transaction_is_waited_for(server: PostgresServer, store: PostgresStore, free: bool) -> None:  # noqa: FBT001
    """Its client is cut off while it holds one shard and waits for another: taking the first waits for its end (R8)."""
    owner = Owner(store, SHARD, OTHER)
    lost = owner.applied(journal_row(1))
    with ThreadPoolExecutor(2) as pool:
        with holding(server, OTHER):
            done = pool.submit(raises_in_time, CommitUnknown, lambda: store.commit([lost, owner.changes(OTHER)]))
            somebody_waits(server)
            cut(store)
            done.result(60)
            store.reconnect()
            taken = pool.submit(store.take, SHARD, 1, Taker("worker"))
            if not free:
                row = taken.result(60)
        row = taken.result(60)
    assert row is not None
    known = store.dispositions({ACTOR: [message_id(1)]})[ACTOR]
    assert row.commits == lost.commits + len(known)
    assert free or not known


def test_a_frozen_worker_holds_no_lock_for_long(store: PostgresStore, place: PostgresPlace) -> None:
    """It stopped in the middle of a transaction: another one has its shard within the patience (R17)."""
    owner = Owner(store, SHARD)
    calls = [Call("BEGIN"), *fence("fence", [owner.changes()])]
    store._session.read("freezing in a transaction", *calls)
    with closing(opened(place)) as successor:
        assert seconds_of(lambda: Owner(successor, SHARD, name="successor")) < PATIENCE + SLACK
        assert successor.standings([SHARD])[SHARD].owner == "successor"
    ended = store._session._connection
    assert ended is not None
    assert until(lambda: not ended.still_there(), 20)  # the server lets go of the lock before it says good-bye
    assert store.commit([owner.changes()]) == {SHARD}


def test_a_deadlock_is_repeated(server: PostgresServer, store: PostgresStore) -> None:
    """The server ends the first of the two that looks, on a busy machine any: if it is the group, that goes again."""
    owner = Owner(store, SHARD, OTHER)
    ended = "the other"
    for number in range(1, 6):
        group = [owner.applied(journal_row(number)), owner.changes(OTHER)]
        with holding(server, OTHER) as other, ThreadPoolExecutor(1) as pool:
            done = pool.submit(owner.commit, *group)
            somebody_waits(server)
            ended = ended_by_deadlock(other)
            assert done.result(60) == frozenset()
        if ended == "the group":
            break
    assert ended == "the group"


def ended_by_deadlock(other: psycopg.Connection) -> str:
    """Who was: the other wants what the group has, while the group waits for what it holds."""
    try:
        other.execute("SELECT 1 FROM shards WHERE shard = %s FOR UPDATE", (SHARD,))
    except psycopg.errors.DeadlockDetected:
        return "the other"
    else:
        return "the group"
    finally:
        other.rollback()


def test_a_connection_that_was_ended_is_made_anew(server: PostgresServer, store: PostgresStore) -> None:
    """Ended by the server while nothing was asked: the next call does not even notice."""
    store.now()
    with closing(psycopg.connect(server.service_url, autocommit=True)) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'magnetar'")
    connection_of_store = store._session._connection
    assert connection_of_store is not None
    assert until(lambda: not connection_of_store.still_there(), 20)
    assert store.standings([SHARD])[SHARD].epoch == 0


def test_a_server_that_says_nothing_is_given_up(server: PostgresServer) -> None:
    """Somebody listens there and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = PostgresPlace(f"postgresql://magnetar@127.0.0.1:{listener.getsockname()[1]}/magnetar", 0.5)
        raises_in_time(StoreUnavailable, place.open)


def test_the_password_is_in_no_text(server: PostgresServer) -> None:
    """Neither in what a place says of itself nor in an error."""
    url = f"postgresql://magnetar:hush-hush@127.0.0.1:{server.address.port}/nowhere"
    place = PostgresPlace(url, PATIENCE)
    with pytest.raises(StoreUnavailable, match="nowhere") as caught:
        place.open()
    assert "hush" not in f"{caught.value!s}{caught.value.__cause__!r}{place!r}"


def test_a_group_is_one_round_trip(store: PostgresStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fence, rows and COMMIT go out together; only a group that lost a shard takes more."""
    exchange = Connection.exchange
    trips: list[int] = []

    def counted(self: Connection, calls: Sequence[Call], deadline: float) -> list[Rows]:
        trips.append(len(calls))
        return exchange(self, calls, deadline)

    monkeypatch.setattr(Connection, "exchange", counted)
    owner = Owner(store, SHARD, OTHER)
    commit = group_of(owner)
    trips.clear()
    commit()
    assert trips == [7]  # BEGIN, lock, fence, state, journal, position, COMMIT


def test_after_a_silence_the_next_calls_fail_at_once(server: PostgresServer) -> None:
    """The loop must go round while the store is away, to notice for how long, and let its shards go (R13)."""
    store = opened(PostgresPlace(server.service_url, 3.0))
    with paused(server):
        raises_in_time(StoreUnavailable, store.now)
        assert seconds_of(lambda: raises_in_time(StoreUnavailable, store.now)) < SLACK
    assert until(lambda: is_back(store), 10)
    store.close()
