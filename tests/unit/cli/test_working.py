"""`magnetar worker`: what its processes are given, what is refused before anything starts, who is who in the logs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from magnetar.runtime.cli import logs, program, working
from magnetar.runtime.cli.exits import Exit
from magnetar.runtime.compose.running import default_owner

ROOT = Path(__file__).parents[3]
MANY = ("worker", "tests.unit.cli.shop:app", "--processes", "3")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--store", "sqlite:///x.db"), "one process uses a SQLite store, and 3 are asked for"),
        (("--store", "postgresql://x/y", "--listen", "127.0.0.1:65534"), "no port above 65535"),
        (("--store", "postgresql://x/y", "--listen", "here"), "'here' is no address to listen on"),
        (("--processes", "0"), "Invalid value for '--processes'"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """In one line, as bad input."""
    assert program.run([*MANY, *arguments]) == Exit.USAGE
    assert said in capsys.readouterr().err


def test_the_default_store_is_one_process_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the environment names it, or nobody does."""
    for environment in ({}, {"MAGNETAR_STORE": "sqlite:///y.db"}):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert program.run(MANY) == Exit.USAGE
        assert "one process uses a SQLite store" in capsys.readouterr().err


class Supervisor:
    """Stands in for the supervisor: asks for each command, starts nothing."""

    def __init__(self) -> None:
        """Not asked yet."""
        self.commands: list[Sequence[str]] = []
        self.settings: Mapping[str, object] = {}

    def __call__(self, command: Callable[[int], Sequence[str]], count: int, **settings: object) -> int:
        """As `supervise_until_signal`."""
        self.commands = [command(number) for number in range(count)]
        self.settings = settings
        return 0

    def configure(self, **settings: object) -> None:
        """As `logs.configure`: does nothing."""


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """In place of the real one; nothing is logged either, for the suite's own log must stay as it is."""
    made = Supervisor()
    monkeypatch.setattr(working, "supervise_until_signal", made)
    monkeypatch.setattr(logs, "configure", made.configure)
    return made


def test_each_process_has_the_same_command_and_its_own_number_and_port(supervisor: Supervisor) -> None:
    """By the same interpreter; one process each."""
    options = ("--bus", "pulsar://b:1", "--store", "postgresql://x/y", "--listen", "127.0.0.1:9464", "--drain", "7")
    assert program.run([*MANY, *options, "--json"]) == Exit.OK
    assert supervisor.settings == {"bad_input": 2, "drain": 7.0}
    assert len(supervisor.commands) == 3
    for number, command in enumerate(supervisor.commands):
        assert command[:5] == [sys.executable, "-m", "magnetar.runtime.cli", "worker", MANY[1]]
        assert "--processes" not in command
        given = dict(zip(command[5:-1:2], command[6::2], strict=True))
        assert given == {
            "--bus": "pulsar://b:1",
            "--store": "postgresql://x/y",
            "--drain": "7.0",
            "--as-process": str(number),
            "--listen": f"127.0.0.1:{9464 + number}",
        }
        assert command[-1] == "--json"


def test_what_the_environment_says_is_on_no_command_line(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody on the machine can read those; the children have the same environment."""
    monkeypatch.setenv("MAGNETAR_STORE", "postgresql://user:secret@x/y")
    monkeypatch.setenv("MAGNETAR_BUS", "pulsar+ssl://secret@b:1")
    assert program.run(MANY) == Exit.OK
    assert not any("secret" in word for command in supervisor.commands for word in command)


def test_a_process_has_a_name_of_its_own() -> None:
    """Host, process, and its number."""
    assert default_owner(2) == f"{default_owner()}#2"
    assert str(os.getpid()) in default_owner()


def test_an_app_that_is_not_there_ends_all_processes(tmp_path: Path) -> None:
    """The real program: no restart loop, the status of bad input, the number of the process in its log."""
    done = subprocess.run(
        [sys.executable, "-m", "magnetar.runtime.cli", "worker", "nowhere:app", "--processes", "2", "--store", "x://y"],
        cwd=tmp_path, env={**os.environ, "COLUMNS": "140"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == Exit.USAGE
    assert 1 <= done.stderr.count("error: there is no module 'nowhere'") <= 2
    assert "cannot be started as it is (exit status 2): all are stopped" in done.stderr
    assert done.stdout == ""


NUMBERED = """
import logging
from magnetar.runtime.cli import logs
logs.configure(as_json=True, process=3)
logging.getLogger("magnetar.worker").info("hello")
logs.configure(as_json=True)
logging.getLogger("magnetar.worker").info("again")
"""


def test_the_number_of_a_process_is_in_its_log() -> None:
    """In every record of one among several, and in no other."""
    done = subprocess.run(
        [sys.executable, "-c", NUMBERED], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    first, second = done.stderr.splitlines()
    assert '"process": 3' in first
    assert "process" not in second
