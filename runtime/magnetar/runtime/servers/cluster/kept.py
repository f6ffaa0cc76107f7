"""A cluster that lives on between commands: brought up once, looked at, brought down by whoever comes later."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from magnetar.runtime.servers.cluster.answering import all_lacking
from magnetar.runtime.servers.cluster.member import MemberProcess, settle
from magnetar.runtime.servers.cluster.plan import ClusterPlan, keep
from magnetar.runtime.servers.cluster.record import ROLES, ClusterAddress, ClusterLayout, Member
from magnetar.runtime.servers.cluster.server import ClusterServer
from magnetar.runtime.servers.cluster.supervising import Told
from magnetar.runtime.servers.cluster.supervisor import end_in_order
from magnetar.runtime.servers.errors import AlreadyRunning, DataBusy, ServerDied, ServerNotReady, StateUnreadable
from magnetar.runtime.servers.locks import locked
from magnetar.runtime.servers.process import ServerProcess, recorded, start, until
from magnetar.runtime.servers.record import read_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from magnetar.runtime.servers.cluster.addresses import Asked

_TURN_SECONDS = 180.0
_STOP_SECONDS = 20.0
_OWNER_SECONDS = 5.0
_WORD_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Standing:
    """One member as it was found: its process if it lives, what it lacks, how often it was started again."""

    member: Member
    process: ServerProcess | None
    lacking: str
    restarts: int

    @property
    def state(self) -> str:
        """In two words at most."""
        if self.process is None:
            return "not running"
        return "not answering" if self.lacking else "running"


@dataclass(frozen=True, slots=True)
class RunningCluster:
    """A cluster of which something lives; `supervisor` is None if nobody starts its members again."""

    address: ClusterAddress
    supervisor: ServerProcess | None
    members: tuple[Standing, ...]

    @property
    def problem(self) -> str:
        """What is wrong with it; empty if nothing is."""
        found = [f"{one.member.name}: {one.lacking or 'it does not run'}" for one in self.members if one.lacking]
        if self.supervisor is None:
            found.append("its supervisor does not run, so members that end stay down: magnetar up --cluster mends that")
        return "; ".join(found)


def bring_up(data: Path, asked: Asked, plan: Callable[[], ClusterPlan]) -> tuple[RunningCluster, bool]:
    """The ready cluster of a directory, and whether it was started now; `plan` is asked for only then.

    A cluster of which only some members, or not the supervisor, are left is completed. Two at once are safe: the second
    waits and finds the cluster of the first. Raises any `ServerError`.
    """
    layout = ClusterLayout(data.absolute())
    with locked(layout.turn, _TURN_SECONDS, DataBusy(data)):
        found = _found(layout)
        if found is not None and not asked.fits(found.address):
            raise AlreadyRunning(layout.data, found.address.service_url, found.address.admin_url)
        if found is not None and not found.problem:
            return found, False
        if found is not None:
            _end(layout.supervisor.pid_file)
        _start(layout, plan())
        started = _found(layout)
        if started is None:
            raise DataBusy(data)
        return started, True


def bring_down(data: Path) -> RunningCluster | None:
    """Stop the cluster of a directory, its supervisor first, and no other process; None if nothing of it ran.

    Its data stays. Raises `DataBusy` if another program supervises it: a cluster that a test has started, for one.
    """
    layout = ClusterLayout(data.absolute())
    if not layout.data.is_dir():
        return None
    with locked(layout.turn, _TURN_SECONDS, DataBusy(data)):
        found = _found(layout, ask=False)
        _end(layout.supervisor.pid_file)
        with locked(layout.lock, _OWNER_SECONDS, DataBusy(data)):
            _end_members(layout)
        return found


def look(data: Path) -> RunningCluster | None:
    """What runs of a directory's cluster, each member asked once; None if nothing does. Raises `StateUnreadable`."""
    return _found(ClusterLayout(data.absolute()))


def _start(layout: ClusterLayout, plan: ClusterPlan) -> None:
    """Members first, which need not wait for it, then the supervisor, which takes them over and the lock with them."""
    server = ClusterServer(plan)
    server.start()
    lock = server.hand_over()
    try:
        keep(plan)
        _wait_for_word(layout, _supervise(layout, lock))
    except BaseException:  # nothing is left half supervised
        _end(layout.supervisor.pid_file)
        _end_members(layout)
        raise
    finally:
        os.close(lock)


def _supervise(layout: ClusterLayout, lock: int) -> ServerProcess:
    place = layout.supervisor
    layout.restarts.unlink(missing_ok=True)
    place.logs.mkdir(parents=True, exist_ok=True)
    return start(
        (sys.executable, "-m", "magnetar.runtime.servers.cluster.supervising", str(layout.data)),
        pid_file=place.pid_file,
        lock=lock,
        log=place.log,
        environ={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)},
        tied=False,
    ).process


def _wait_for_word(layout: ClusterLayout, supervisor: ServerProcess) -> None:
    """Until it has taken over: what ends from then on is started again."""
    until(lambda: layout.restarts.exists() or not supervisor.alive(), _WORD_SECONDS)
    if not supervisor.alive():
        raise ServerDied(layout.supervisor.log)
    if not layout.restarts.exists():
        raise ServerNotReady(_WORD_SECONDS, "the supervisor says nothing", layout.supervisor.log)


def _end(pid_file: Path) -> None:
    process = recorded(pid_file)
    if process is not None:
        process.end(_STOP_SECONDS)


def _end_members(layout: ClusterLayout) -> None:
    members = {name: MemberProcess(layout.member(name), _no_launch, tied=False) for name in ROLES}
    end_in_order(members, _STOP_SECONDS, ROLES)
    settle(layout.preparation, _STOP_SECONDS)


def _no_launch() -> NoReturn:
    raise AssertionError


def _found(layout: ClusterLayout, *, ask: bool = True) -> RunningCluster | None:
    processes = {name: recorded(layout.member(name).pid_file) for name in ROLES}
    supervisor = recorded(layout.supervisor.pid_file)
    if supervisor is None and not any(processes.values()):
        return None
    address = layout.read_address()
    if address is None:
        raise StateUnreadable(layout.address, "it is missing, though its processes run")
    lacking = all_lacking(address) if ask else {}
    told = read_state(layout.restarts, Told) or Told({}, {})
    standings = (
        Standing(
            member=member,
            process=processes[member.name],
            lacking=told.problems.get(member.name) or lacking.get(member.name, ""),
            restarts=told.restarts.get(member.name, 0),
        )
        for member in address.members
    )
    return RunningCluster(address, supervisor, tuple(standings))
