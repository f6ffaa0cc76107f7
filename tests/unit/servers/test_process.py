"""A server's process is recorded before it runs, ends when it must, and is never mistaken for another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest

from magnetar.runtime.servers.errors import ServerDied, StateUnreadable
from magnetar.runtime.servers.launch import born
from magnetar.runtime.servers.locks import locked, try_lock
from magnetar.runtime.servers.process import Launched, ServerProcess, recorded, start, until

FOR_EVER = ("sleep", "1000")
DEAF = ("bash", "-c", "trap '' TERM; echo deaf; exec sleep 1000")  # what is ignored stays ignored in what follows
# A program that starts a tied process, says which, and waits to be killed; argument: the directory.
OWNER = """
import os, sys
from pathlib import Path
from magnetar.runtime.servers.locks import try_lock
from magnetar.runtime.servers.process import start
here = Path(sys.argv[1])
lock = try_lock(here / "lock")
start(["sleep", "1000"], pid_file=here / "pid.json", lock=lock, log=here / "log", environ=os.environ, tied=True)
os.close(lock)
print("started", flush=True)
sys.stdin.read()
"""

Start: TypeAlias = Callable[..., Launched]


@pytest.fixture
def run(tmp_path: Path) -> Generator[Start]:
    """Starts a command as a server would be; whatever is left at the end is killed."""

    def begin(*command: str, tied: bool) -> Launched:
        lock = try_lock(tmp_path / "lock")
        assert lock is not None
        try:
            begun.append(
                start(
                    command,
                    pid_file=tmp_path / "pid.json",
                    lock=lock,
                    log=tmp_path / "log",
                    environ={"PATH": os.defpath},
                    tied=tied,
                )
            )
        finally:
            os.close(lock)
        return begun[-1]

    begun: list[Launched] = []
    yield begin
    for launched in begun:
        launched.process.kill()
        launched.reap()


def _eventually(condition: Callable[[], bool]) -> None:
    assert until(condition, 20)


def _is_running_sleep(process: ServerProcess) -> bool:
    return Path(f"/proc/{process.pid}/comm").read_text(encoding="utf-8") == "sleep\n"


def _launcher_of(process: ServerProcess) -> int:
    stat = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
    return int(stat[stat.rindex(")") + 2 :].split()[1])


@pytest.mark.parametrize("tied", [True, False])
def test_a_started_process_is_recorded_and_runs(run: Start, tmp_path: Path, *, tied: bool) -> None:
    """The record names the process that runs the command, in a session of its own, out of reach of Ctrl-C."""
    process = run(*FOR_EVER, tied=tied).process
    _eventually(lambda: _is_running_sleep(process))
    assert recorded(tmp_path / "pid.json") == process
    assert os.getsid(process.pid) == process.pid != os.getsid(0)


def test_a_process_of_its_own_has_no_launcher(run: Start) -> None:
    """It is nobody's child of ours: there is no one to wait for it, and nothing that would end it."""
    process = run(*FOR_EVER, tied=False).process
    assert _launcher_of(process) != os.getpid()
    assert "launch.py" not in Path(f"/proc/{_launcher_of(process)}/cmdline").read_text(encoding="utf-8")


def test_a_tied_process_does_not_outlive_its_owner(tmp_path: Path) -> None:
    """The owner is killed without a chance to clean up: its server is killed too."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdin=-1, stdout=-1) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        process = recorded(tmp_path / "pid.json")
        assert process is not None
        owner.kill()
    _eventually(lambda: not process.alive())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux' kernel does this")
def test_a_tied_process_does_not_outlive_its_launcher(run: Start) -> None:
    """Somebody kills the launcher itself: the kernel kills the server."""
    process = run(*FOR_EVER, tied=True).process
    _eventually(lambda: _is_running_sleep(process))
    os.kill(_launcher_of(process), signal.SIGKILL)
    _eventually(lambda: not process.alive())


def test_asking_the_launcher_to_end_ends_the_process(run: Start) -> None:
    """SIGTERM at the launcher, as a machine that shuts down sends it, is for the server."""
    started = run(*FOR_EVER, tied=True)
    os.kill(_launcher_of(started.process), signal.SIGTERM)
    started.reap()
    assert not started.process.alive()


@pytest.mark.parametrize("tied", [True, False])
def test_the_lock_is_held_as_long_as_the_process_lives(run: Start, tmp_path: Path, *, tied: bool) -> None:
    """Not by its launcher, and not by us."""
    process = run(*FOR_EVER, tied=tied).process
    assert try_lock(tmp_path / "lock") is None
    process.kill()
    lock = try_lock(tmp_path / "lock")
    assert lock is not None
    os.close(lock)


def test_a_command_that_does_not_exist_is_told_in_the_log(run: Start, tmp_path: Path) -> None:
    """There was a process for a moment; its last word is in the log."""
    process = run("no-such-command", tied=False).process
    _eventually(lambda: not process.alive())
    assert "no-such-command cannot be run" in (tmp_path / "log").read_text(encoding="utf-8")


def test_a_launch_that_fails_is_an_error(run: Start, tmp_path: Path) -> None:
    """If not even the record can be written, nothing runs, and the error shows why."""
    (tmp_path / "pid.json").mkdir()
    with pytest.raises(ServerDied, match="Is a directory"):
        run(*FOR_EVER, tied=False)
    (tmp_path / "pid.json").rmdir()
    _eventually(lambda: try_lock(tmp_path / "lock") is not None)


def test_a_process_that_is_asked_to_stop_stops(run: Start) -> None:
    """SIGTERM is enough, for a paused one too."""
    process = run(*FOR_EVER, tied=False).process
    process.signal(signal.SIGSTOP)
    assert process.alive()
    assert process.end(20)
    assert not process.alive()


def test_a_process_that_does_not_listen_is_killed(run: Start, tmp_path: Path) -> None:
    """After its time is up, it goes anyway."""
    process = run(*DEAF, tied=False).process
    _eventually(lambda: (tmp_path / "log").read_text(encoding="utf-8") == "deaf\n")
    assert not process.end(0.1)
    assert not process.alive()


def test_another_process_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    """The record is of a dead server, its pid is somebody else's by now: not running, and no signal is sent."""
    with subprocess.Popen(FOR_EVER) as stranger:
        try:
            record = ServerProcess(pid=stranger.pid, born="an earlier boot 1")
            (tmp_path / "pid.json").write_bytes(msgspec.json.encode(record))
            assert recorded(tmp_path / "pid.json") is None
            assert not record.signal(signal.SIGKILL)
            assert record.end(0)
            assert born(stranger.pid) is not None
        finally:
            stranger.kill()


def test_an_ended_process_that_nobody_waited_for_is_not_alive() -> None:
    """A zombie holds a pid, and nothing else."""
    with subprocess.Popen(["true"]) as ended:
        _eventually(lambda: born(ended.pid) is None)
        assert Path(f"/proc/{ended.pid}").exists()


def test_a_record_that_is_none_is_told(tmp_path: Path) -> None:
    """A file of something else is an error that names it, never a pid to be signalled; no file is no server."""
    assert recorded(tmp_path / "pid.json") is None
    for text in ("", "7", '{"pid": "7", "born": "x"}'):
        (tmp_path / "pid.json").write_text(text, encoding="utf-8")
        with pytest.raises(StateUnreadable, match=r"pid\.json is not a state file"):
            recorded(tmp_path / "pid.json")


def test_a_lock_that_stays_taken_is_told(tmp_path: Path) -> None:
    """Whoever waits for a lock gives up after its time with the error it was given."""
    with (
        locked(tmp_path / "lock", 0, ServerDied(tmp_path)),
        pytest.raises(StateUnreadable),
        locked(tmp_path / "lock", 0.1, StateUnreadable(tmp_path, "taken")),
    ):
        raise AssertionError
