"""A standalone Apache Pulsar as a local process."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from magnetar.runtime.servers import ports, settings
from magnetar.runtime.servers.distribution import Fetch, Progress, pinned_pulsar, silent
from magnetar.runtime.servers.errors import (
    DataBusy,
    NotStarted,
    PortTaken,
    ServerDied,
    ServerNotReady,
)
from magnetar.runtime.servers.health import wait_until_ready
from magnetar.runtime.servers.installation import free_bytes, install, make_room, require_plain
from magnetar.runtime.servers.java import Java, find_java
from magnetar.runtime.servers.locks import try_lock
from magnetar.runtime.servers.maven import fetch_from_maven
from magnetar.runtime.servers.process import Launched, ServerProcess, start
from magnetar.runtime.servers.record import Address, Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

_NEEDED_BYTES = 512 * 1024 * 1024
_STOP_SECONDS = 20.0
_MEMORY = "-Xms256m -Xmx512m -XX:MaxDirectMemorySize=512m"
_COLLECTOR = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+PerfDisableSharedMem -XX:+ExitOnOutOfMemoryError"
# What the distribution sets here by default, which setting anything replaces.
_OPTIONS = "-Dpulsar.allocator.exit_on_oom=true -Dio.netty.recycler.maxCapacityPerThread=4096"


@dataclass(frozen=True, slots=True)
class _Purpose:
    """What a port is for, and the number that Pulsar's users expect."""

    text: str
    usual: int


_BROKER = _Purpose("broker", 6650)
_WEB = _Purpose("REST API", 8080)


@dataclass(frozen=True, slots=True, kw_only=True)
class PulsarPlan:
    """What a server is started from and with.

    `home` is the unpacked distribution. `data` is the server's own directory, kept between a stop and the next start.
    A port that is None is the one this data had last time, else (`usual_ports`) Pulsar's own 6650 and 8080, else any,
    whichever is free. `changes` go over our settings. `tied`: the server never outlives this process; otherwise it
    lives on until it is stopped. `ready_within` is in seconds.
    """

    home: Path
    java: Java
    data: Path
    version: str
    broker_port: int | None = None
    web_port: int | None = None
    usual_ports: bool = False
    changes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tied: bool = True
    ready_within: float = 90.0


class PulsarServer:
    """One server: started, stopped, killed, frozen and started again on the same data and ports.

    As a context manager it starts on entering and stops on leaving. Not thread-safe.
    """

    def __init__(self, plan: PulsarPlan, free: Callable[[Path], int] = free_bytes) -> None:
        self._plan = plan
        self._free = free
        self._layout = Layout(plan.data.absolute())
        self._address: Address | None = None
        self._launched: Launched | None = None

    @property
    def service_url(self) -> str:
        """For clients that publish and consume; stays the same over restarts. Raises `NotStarted` before the first."""
        return self._known().service_url

    @property
    def admin_url(self) -> str:
        """For the REST API, likewise."""
        return self._known().admin_url

    @property
    def data(self) -> Path:
        """The server's own directory."""
        return self._layout.data

    @property
    def log(self) -> Path:
        """All that the server has printed since its last start."""
        return self._layout.log

    @property
    def process(self) -> ServerProcess:
        """The server's process; raises `NotStarted` if there is none."""
        if self._launched is None:
            raise NotStarted(self.data)
        return self._launched.process

    @property
    def running(self) -> bool:
        """Whether its process lives (a paused one does)."""
        return self._launched is not None and self._launched.process.alive()

    def start(self) -> None:
        """Start it and wait until it is ready; whatever is raised, no process of ours is left behind.

        Raises `DataBusy`, `NoSpace`, `PathUnusable`, `PortTaken`, `ServerDied` or `ServerNotReady`.
        """
        self._check_machine()
        lock = try_lock(self._layout.lock)
        if lock is None:
            raise DataBusy(self.data)
        try:
            self._address = self._choose()
            self._write_files(self._address)
            self._launched = self._launch(self._address, lock)
        finally:
            os.close(lock)
        try:
            self._wait(self._address, self._launched.process)
        except BaseException:  # Ctrl-C as well
            self.kill()
            raise

    def stop(self, within: float = _STOP_SECONDS) -> None:
        """Ask it to stop, kill it after `within` seconds; nothing to do if it is not running."""
        if self._launched is not None:
            self._launched.process.end(within)
            self._gone(self._launched)

    def kill(self) -> None:
        """SIGKILL, as a crash would; its data stays. Nothing to do if it is not running."""
        if self._launched is not None:
            self._launched.process.kill()
            self._gone(self._launched)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers."""
        self.process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Thaw it (SIGCONT)."""
        self.process.signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _known(self) -> Address:
        if self._address is None:
            raise NotStarted(self.data)
        return self._address

    def _gone(self, launched: Launched) -> None:
        launched.reap()
        self._launched = None

    def _check_machine(self) -> None:
        require_plain(self._plan.home, self._plan.java.home, self.data)
        make_room(self.data, _NEEDED_BYTES, self._free)

    def _choose(self) -> Address:
        """The ports: those of this object's last start, those asked for, those of the data, any."""
        last = self._address or self._layout.read_address()
        broker = self._port(self._plan.broker_port, last.broker_port if last else None, _BROKER)
        web = self._port(self._plan.web_port, last.web_port if last else None, _WEB, broker)
        # The bookie's name, which its data carries, has its port in it.
        bookie = (
            ports.require_free(last.bookie_port, "bookie of this data")
            if last
            else ports.any_free("bookie", broker, web)
        )
        return Address(version=self._plan.version, broker_port=broker, web_port=web, bookie_port=bookie)

    def _port(self, asked: int | None, last: int | None, purpose: _Purpose, *taken: int) -> int:
        if self._address is not None and last is not None:
            return ports.require_free(last, purpose.text)
        if asked is not None:
            return ports.require_free(asked, purpose.text)
        wishes = (last, purpose.usual if self._plan.usual_ports else None)
        found = (port for port in wishes if port is not None and port not in taken and ports.is_free(port))
        return next(found, None) or ports.any_free(purpose.text, *taken)

    def _write_files(self, address: Address) -> None:
        layout = self._layout
        shutil.rmtree(layout.scratch, ignore_errors=True)
        for directory in (layout.scratch, layout.logs):
            directory.mkdir(exist_ok=True)
        if layout.log.exists():
            layout.log.replace(layout.log.with_suffix(".1.log"))
        shipped = (self._plan.home / "conf" / "standalone.conf").read_text(encoding="utf-8")
        own = settings.addresses(address.broker_port, address.web_port)
        changes = {**settings.ours(), **own, **self._plan.changes}
        layout.settings.write_text(settings.merged(shipped, changes), encoding="utf-8")
        layout.write_address(address)

    def _launch(self, address: Address, lock: int) -> Launched:
        layout = self._layout
        directories = (
            *("--metadata-dir", str(layout.data / "metadata")),
            *("--bookkeeper-dir", str(layout.data / "bookkeeper")),
        )
        without = ("--no-functions-worker", "--no-stream-storage")
        program = ("bash", str(self._plan.home / "bin" / "pulsar"), "standalone")
        return start(
            (*program, *without, *directories, "--bookkeeper-port", str(address.bookie_port)),
            pid_file=layout.pid_file,
            lock=lock,
            log=layout.log,
            environ=self._environ(),
            tied=self._plan.tied,
        )

    def _environ(self) -> dict[str, str]:
        """All that the server sees of an environment: nothing of ours, so it starts the same everywhere."""
        return {
            "PATH": os.defpath,
            "JAVA_HOME": str(self._plan.java.home),
            "PULSAR_STANDALONE_CONF": str(self._layout.settings),
            "PULSAR_LOG_DIR": str(self._layout.logs),
            "PULSAR_LOG_IMMEDIATE_FLUSH": "true",
            "PULSAR_MEM": _MEMORY,
            "PULSAR_GC": _COLLECTOR,
            "PULSAR_GC_LOG": " ",  # a blank: none; empty would mean the default
            "PULSAR_EXTRA_OPTS": f"{_OPTIONS} -Djava.io.tmpdir={self._layout.scratch}",
        }

    def _wait(self, address: Address, process: ServerProcess) -> None:
        lacking = wait_until_ready(address.web_port, process.alive, self._plan.ready_within)
        if lacking is None and process.alive():
            return
        if process.alive():
            raise ServerNotReady(self._plan.ready_within, str(lacking), self.log)
        for port, purpose in ((address.broker_port, _BROKER), (address.web_port, _WEB)):
            if not ports.is_free(port):  # taken between our look and the server's
                raise PortTaken(port, purpose.text)
        raise ServerDied(self.log)


@contextmanager
def running_pulsar(
    data: Path,
    cache: Path,
    *,
    java_home: str | None = None,
    fetch: Fetch = fetch_from_maven,
    progress: Progress = silent,
    changes: Mapping[str, str] | None = None,
) -> Generator[PulsarServer]:
    """A ready server for the block, fetched if need be, tied to this process; its data stays in `data`.

    `java_home` is what the variable JAVA_HOME says, if anything. Raises any `ServerError`.
    """
    java = find_java(java_home)
    distribution = pinned_pulsar()
    home = install(distribution, cache, fetch, progress)
    plan = PulsarPlan(home=home, java=java, data=data, version=distribution.version, changes=changes or {})
    with PulsarServer(plan) as server:
        yield server
