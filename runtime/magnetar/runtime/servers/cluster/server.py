"""A real Pulsar cluster: started, stopped, and each of its members killed, frozen and started again."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TYPE_CHECKING, Self

from magnetar.runtime.servers import ports
from magnetar.runtime.servers.cluster.addresses import addresses
from magnetar.runtime.servers.cluster.answering import standing, wait_for
from magnetar.runtime.servers.cluster.member import Launch, MemberProcess
from magnetar.runtime.servers.cluster.programs import Programs, forgotten, identity, room, settings_of
from magnetar.runtime.servers.cluster.record import ClusterAddress, ClusterLayout, Member
from magnetar.runtime.servers.cluster.supervisor import Supervisor
from magnetar.runtime.servers.errors import (
    DataBusy,
    NotStarted,
    ServerDied,
    ServerNotReady,
    ServerStuck,
)
from magnetar.runtime.servers.installation import free_bytes, make_room, require_plain
from magnetar.runtime.servers.locks import try_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from magnetar.runtime.servers.cluster.plan import ClusterPlan
    from magnetar.runtime.servers.process import ServerProcess

_NEEDED_BYTES = 1024 * 1024 * 1024
_STOP_SECONDS = 20.0
_GIVEN_UP_AFTER = 3
_LONGEST_PREPARATION = 60.0


class ClusterServer:
    """ZooKeeper, three bookies and two brokers: `zookeeper`, `bookie-1` to `bookie-3`, `broker-1` and `broker-2`.

    A member that ends by itself, or is killed by somebody else, is started again after 0.2 to 5 s, by a thread of
    this object; one that was killed through this object stays down until `restart`. A bookie or a broker is not started
    before ZooKeeper has dropped its last session, so one that was killed is back after 5 s at the earliest. As a
    context manager it starts on entering and stops on leaving. `start` and `stop` are called from one thread, all else
    from any.
    """

    def __init__(self, plan: ClusterPlan, free: Callable[[Path], int] = free_bytes) -> None:
        self._plan = plan
        self._free = free
        self._layout = ClusterLayout(plan.data.absolute())
        self._address: ClusterAddress | None = None
        self._supervisor: Supervisor | None = None
        self._lock: int | None = None

    @property
    def address(self) -> ClusterAddress:
        """Where everything is; stays the same over restarts. Raises `NotStarted` before the first start."""
        if self._address is None:
            raise NotStarted(self.data)
        return self._address

    @property
    def service_url(self) -> str:
        """For clients that publish and consume: `pulsar://host:port,host:port`. Raises `NotStarted`."""
        return self.address.service_url

    @property
    def admin_urls(self) -> tuple[str, ...]:
        """For the REST API, one URL a broker. Raises `NotStarted`."""
        return self.address.admin_urls

    @property
    def admin_url(self) -> str:
        """For the REST API: every broker in one. Raises `NotStarted`."""
        return self.address.admin_url

    @property
    def data(self) -> Path:
        """The cluster's own directory."""
        return self._layout.data

    def log(self, name: str) -> Path:
        """All that a member has printed since it was last started by hand."""
        return self._layout.member(name).log

    def process(self, name: str) -> ServerProcess:
        """A member's process; raises `NotStarted` if there is none."""
        return self._member(name).process

    def running(self, name: str) -> bool:
        """Whether a member's process lives (a paused one does)."""
        return self._supervisor is not None and self._member(name).alive

    def restarts(self, name: str) -> int:
        """How often a member was started again because it had ended by itself."""
        return self._supervising().life(self._known(name)).restarts

    def start(self) -> None:
        """Start all members and wait until they are ready; those that live already are taken over.

        Whatever is raised, no process of ours is left behind. Raises `DataBusy`, `HostFixed`, `NoSpace`,
        `PathUnusable`, `PortTaken`, `ServerDied` for a member that ended three times, or `ServerNotReady`.
        """
        self._check_machine()
        if self._lock is not None or (lock := try_lock(self._layout.lock)) is None:
            raise DataBusy(self.data)
        self._lock = lock
        try:
            self._begin()
            self._bring_up(time.monotonic() + self._plan.ready_within)
        except BaseException:  # Ctrl-C as well
            self.kill_all()
            raise

    def stop(self, within: float = _STOP_SECONDS) -> None:
        """Ask all members to stop, kill those that have not after `within` seconds; nothing to do if none runs."""
        if self._supervisor is not None:
            self._supervisor.finish()
            self._supervisor.end_all(within)
        self._let_go()

    def kill_all(self) -> None:
        """SIGKILL for every member, as a power cut would; data stays."""
        if self._supervisor is not None:
            self._supervisor.finish()
            self._supervisor.kill_all()
        self._let_go()

    def kill(self, name: str) -> None:
        """SIGKILL for one member, which stays down until `restart`; nothing to do if it is not running."""
        with self._supervising().ending(self._known(name)) as member:
            member.kill()

    def stop_one(self, name: str, within: float = _STOP_SECONDS) -> None:
        """Ask one member to stop, kill it after `within` seconds; it stays down until `restart`."""
        with self._supervising().ending(self._known(name)) as member:
            member.end(within)

    def restart(self, name: str, within: float = _STOP_SECONDS, *, wait: bool = True) -> None:
        """Start a member, after stopping it in order if it runs; `wait`: until it is ready.

        Raises as `start` does, and leaves all others as they are.
        """
        self.stop_one(name, within)
        self._supervising().want(name)
        if wait:
            self.wait_until_ready(name)

    def pause(self, name: str) -> None:
        """Freeze a member (SIGSTOP): its connections stay open, and it answers nothing."""
        self.process(name).signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Thaw it (SIGCONT)."""
        self.process(name).signal(signal.SIGCONT)

    def wait_until_ready(self, *names: str, within: float | None = None) -> None:
        """Wait until these members (all, if none is named) answer. Raises `ServerDied` or `ServerNotReady`."""
        wanted = [self._known(name) for name in names or self.address.names]
        seconds = self._plan.ready_within if within is None else within
        with ThreadPoolExecutor(len(wanted)) as pool:
            said = list(pool.map(self._wait, wanted, repeat(seconds)))
        for name, lacking in zip(wanted, said, strict=True):
            if lacking and self._failing(name):
                raise ServerDied(self.log(name))
        for name, lacking in zip(wanted, said, strict=True):
            if lacking:
                raise ServerNotReady(seconds, f"{name}: {lacking}", self.log(name))

    def hand_over(self) -> int:
        """Stop supervising and give away the lock that says who does: the descriptor, which the caller closes.

        Members that are not tied live on. Raises `NotStarted`.
        """
        self._supervising().finish()
        lock = self._lock
        if lock is None:
            raise NotStarted(self.data)
        self._lock = self._supervisor = None
        return lock

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _supervising(self) -> Supervisor:
        if self._supervisor is None:
            raise NotStarted(self.data)
        return self._supervisor

    def _member(self, name: str) -> MemberProcess:
        return self._supervising().member(self._known(name))

    def _known(self, name: str) -> str:
        return self.address.member(name).name

    def _let_go(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = self._supervisor = None

    def _check_machine(self) -> None:
        require_plain(self._plan.home, self._plan.java.home, self.data)
        make_room(self.data, _NEEDED_BYTES, self._free)

    def _begin(self) -> None:
        plan = self._plan
        address = self._address = addresses(self._layout, plan.asked, plan.version, plan.members)
        supervisor = supervisor_of(plan, self._layout, address)
        for member in address.members:
            if not supervisor.member(member.name).alive and member.host is None:  # else nobody else is there
                for port in (member.port, member.web_port):
                    if port is not None:
                        ports.require_free(port, member.name, address.host)
        self._layout.write_address(address)
        self._supervisor = supervisor

    def _bring_up(self, deadline: float) -> None:
        supervisor = self._supervising()
        supervisor.want(*self.address.names)
        supervisor.begin()
        if not self._layout.prepared.exists():
            self._prepare(deadline - time.monotonic())
        self.wait_until_ready(within=max(0.0, deadline - time.monotonic()))

    def _prepare(self, within: float) -> None:
        """Write into ZooKeeper what bookies and brokers look for: once, and again if that was cut short."""
        layout, address = self._layout.preparation, self.address
        command = Programs(self._plan.java, self._plan.home, self._plan.classes).preparation(address, layout)
        process = MemberProcess(layout, lambda: Launch("", command), tied=True)
        process.start(fresh=True)
        try:
            status = process.exit_status(min(within, _LONGEST_PREPARATION))
        except ServerStuck as problem:
            raise ServerNotReady(within, "ZooKeeper could not be prepared", layout.log) from problem
        finally:
            process.kill()
        if status != 0:
            raise ServerDied(layout.log)
        self._layout.prepared.touch()

    def _wait(self, name: str, within: float) -> str:
        return wait_for(self.address, self.address.member(name), lambda: not self._failing(name), within)

    def _failing(self, name: str) -> bool:
        return self._supervising().life(name).ends >= _GIVEN_UP_AFTER


def supervisor_of(plan: ClusterPlan, layout: ClusterLayout, address: ClusterAddress) -> Supervisor:
    """Who looks after the members of a cluster, whether they live already or not; it wants none of them yet."""
    programs = Programs(plan.java, plan.home, plan.classes)

    def made(member: Member) -> MemberProcess:
        place = layout.member(member.name)

        def launch() -> Launch:
            text = settings_of(member, address, place, plan.home, plan.changes)
            command, files = programs.member(member, place), identity(member, address)
            return Launch(text, command, files, forgotten(member), room(member))

        return MemberProcess(place, launch, tied=plan.tied, inside=lambda: plan.inside(member.name))

    members = {member.name: made(member) for member in address.members}
    return Supervisor(members, layout.prepared.exists, lambda: standing(address), roles=address.roles)
