"""A real PostgreSQL as a local process: it keeps what is committed, freezes and dies as one, lets in whom it should."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from magnetar.runtime.servers import ports
from magnetar.runtime.servers.errors import DataBusy, NoSpace, NotStarted, PathClosed, PortTaken, ServerDied
from magnetar.runtime.servers.family import children
from magnetar.runtime.servers.greeting import ailing
from magnetar.runtime.servers.launch import born
from magnetar.runtime.servers.postgres import PostgresPlan, PostgresServer, end
from magnetar.runtime.servers.postgres_layout import running_in
from magnetar.runtime.servers.process import until
from tests.unit.servers.conftest import disk_usage_without_room

if TYPE_CHECKING:
    from collections.abc import Generator

# A program that starts a tied server, says so, and waits to be killed; argument: the directory.
OWNER = """
import sys
from pathlib import Path
from magnetar.runtime.servers.postgres import running_postgres
with running_postgres(Path(sys.argv[1])) as server:
    print(server.process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def own(postgres_plan: PostgresPlan, tmp_path_factory: pytest.TempPathFactory) -> Generator[PostgresServer]:
    """A server that these tests may kill and freeze; each leaves it running."""
    with PostgresServer(replace(postgres_plan, data=tmp_path_factory.mktemp("own"))) as server:
        yield server


def _ask(server: PostgresServer, query: str) -> object:
    with psycopg.connect(server.service_url, autocommit=True, connect_timeout=20) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _complaint(server: PostgresServer, user: str = "magnetar", within: float = 20) -> str:
    return ailing(server.address.host, server.address.port, "magnetar", user, within)


def test_our_settings_are_in_force(postgres_server: PostgresServer) -> None:
    """What makes a commit durable, and room for many connections."""
    for name, value in {"fsync": "on", "synchronous_commit": "on", "max_connections": "200", "port": None}.items():
        assert _ask(postgres_server, f"SHOW {name}") == (value or str(postgres_server.address.port))
    assert str(_ask(postgres_server, "SHOW server_version")).startswith("18")


def test_it_never_runs_as_root(postgres_server: PostgresServer) -> None:
    """Who starts it may be root: the process is another's then, and so is its data."""
    runs_as = Path(f"/proc/{postgres_server.process.pid}").stat().st_uid
    assert runs_as != 0
    assert (postgres_server.data / "cluster").stat().st_uid == runs_as


def test_clients_are_no_superusers(postgres_server: PostgresServer) -> None:
    """Whoever may connect can make databases, and cannot make the server run a program; the superuser has no door."""
    assert _ask(postgres_server, "SELECT usesuper FROM pg_user WHERE usename = current_user") is False
    assert "no pg_hba.conf entry" in _complaint(postgres_server, "postgres")


def test_what_is_committed_survives_stop_and_kill(own: PostgresServer) -> None:
    """It comes back at the same place with the same data, whichever way it went."""
    before = own.service_url
    with closing(psycopg.connect(before, autocommit=True)) as connection:
        connection.execute("CREATE TABLE kept (number integer)")
        connection.execute("INSERT INTO kept VALUES (1)")
        own.stop()  # does not wait for that client
    own.start()
    with closing(psycopg.connect(before, autocommit=True)) as connection:
        connection.execute("INSERT INTO kept VALUES (2)")
        own.kill()
    assert not own.running
    own.start()
    assert own.service_url == before
    assert _ask(own, "SELECT sum(number) FROM kept") == 3


def test_a_paused_server_answers_nobody(own: PostgresServer) -> None:
    """Also connections that are open already get no answer, until it is thawed."""
    with psycopg.connect(own.service_url, autocommit=True) as connection:
        process = own.process
        own.pause()
        try:
            assert own.running
            connection.pgconn.send_query(b"SELECT 1")
            assert "timed out" in _complaint(own, within=0.3)
            connection.pgconn.consume_input()
            assert connection.pgconn.is_busy()
        finally:
            own.resume()
        assert own.process == process
        while connection.pgconn.get_result() is not None:
            pass
    assert _complaint(own) == ""


def test_a_paused_server_is_stopped(own: PostgresServer) -> None:
    """Stopping thaws it first; killing does not need to."""
    own.pause()
    own.stop()
    own.start()
    own.pause()
    own.kill()
    own.start()
    assert _complaint(own) == ""


def test_killing_it_leaves_no_process(own: PostgresServer) -> None:
    """Those that serve connections go with the first one, also while they work."""
    with closing(psycopg.connect(own.service_url, autocommit=True)) as connection:
        connection.pgconn.send_query(b"SELECT pg_sleep(1000)")
        family = children(own.process.pid)
        assert connection.info.backend_pid in family
        own.kill()
        assert [pid for pid in family if born(pid) is not None] == []
    own.start()


def test_a_record_of_an_earlier_life_does_not_stop_it(own: PostgresServer) -> None:
    """Its pid may be another process's by now; that nobody holds the lock is what counts."""
    own.stop()
    stale = own.data / "cluster" / "postmaster.pid"
    stale.write_text(f"{os.getppid()}\n", encoding="ascii")
    own.start()
    assert _complaint(own) == ""


def test_two_servers_do_not_share_data(own: PostgresServer, postgres_plan: PostgresPlan) -> None:
    """The second is refused at once, and the first goes on."""
    with pytest.raises(DataBusy):
        PostgresServer(replace(postgres_plan, data=own.data)).start()
    assert _complaint(own) == ""


def test_it_does_not_outlive_who_it_is_tied_to(tmp_path: Path, postgres_plan: PostgresPlan) -> None:
    """The owner is killed: the server ends with all its processes, and the next start need not be told when."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.kill()
        assert owner.wait(20) == -9
        assert until(lambda: born(pid) is None, 20)
        with PostgresServer(replace(postgres_plan, data=tmp_path)) as server:
            assert _complaint(server) == ""


def test_one_that_is_not_tied_is_found_and_ended(tmp_path: Path, postgres_plan: PostgresPlan) -> None:
    """By whoever comes later, from the record alone."""
    server = PostgresServer(replace(postgres_plan, data=tmp_path, tied=False))
    server.start()
    found = running_in(server._layout)
    assert found is not None
    assert (found.process, found.address) == (server.process, server.address)
    end(found.process)
    assert running_in(server._layout) is None


def test_a_cluster_that_was_not_finished_is_made_anew(tmp_path: Path, postgres_plan: PostgresPlan) -> None:
    """A crash while it is made leaves nothing that would be taken for a database."""
    (tmp_path / "cluster.new" / "base").mkdir(parents=True)
    with PostgresServer(replace(postgres_plan, data=tmp_path)) as server:
        assert _complaint(server) == ""
        assert not (tmp_path / "cluster.new").exists()


def test_the_database_may_be_on_a_disk_of_its_own(tmp_path: Path, postgres_plan: PostgresPlan) -> None:
    """Logs and records stay where they are: that disk may fail."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with PostgresServer(replace(postgres_plan, data=tmp_path / "own", disk=disk)) as server:
        assert _complaint(server) == ""
        assert (disk / "cluster" / "PG_VERSION").exists()
        assert [path.name for path in disk.iterdir()] == ["cluster"]
        assert not (tmp_path / "own" / "cluster").exists()


def test_a_server_that_dies_is_told_with_its_last_words(tmp_path: Path, postgres_plan: PostgresPlan) -> None:
    """The error shows the log and where it is."""
    server = PostgresServer(replace(postgres_plan, data=tmp_path, changes={"no_such_setting": "1"}))
    with pytest.raises(ServerDied, match="no_such_setting"):
        server.start()
    assert not server.running


def test_what_the_machine_lacks_is_told(tmp_path: Path, postgres_plan: PostgresPlan) -> None:
    """A taken port, a full disk, and programs that its user may not read, each before anything is made."""
    with socket.create_server((ports.HOST, 0)) as listener:
        port = int(listener.getsockname()[1])
        with pytest.raises(PortTaken, match=str(port)):
            PostgresServer(replace(postgres_plan, data=tmp_path, port=port)).start()
    with pytest.raises(NoSpace):
        PostgresServer(replace(postgres_plan, data=tmp_path), free=disk_usage_without_room).start()
    if postgres_plan.account is not None:
        (closed := tmp_path / "home").mkdir(mode=0o700)
        (closed / "bin").mkdir()
        outermost = next(each for each in (*reversed(closed.parents), closed) if not each.stat().st_mode & 0o001)
        with pytest.raises(PathClosed, match=f"enter {outermost}:"):
            PostgresServer(replace(postgres_plan, home=closed, data=tmp_path)).start()
    assert not (tmp_path / "cluster").exists()
    with pytest.raises(NotStarted):
        _ = PostgresServer(replace(postgres_plan, data=tmp_path)).service_url
