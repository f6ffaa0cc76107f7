"""A PostgreSQL as a local process."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from magnetar.runtime.servers import family, ports
from magnetar.runtime.servers.accounts import Account, first_closed, other_than_root
from magnetar.runtime.servers.errors import (
    DataBusy,
    NotStarted,
    PathClosed,
    PortTaken,
    ServerDied,
    ServerNotReady,
)
from magnetar.runtime.servers.greeting import ailing, wait_until_well
from magnetar.runtime.servers.installation import free_bytes, make_room
from magnetar.runtime.servers.locks import try_lock
from magnetar.runtime.servers.postgres_layout import USER, PostgresAddress, PostgresLayout, reached
from magnetar.runtime.servers.postgres_making import ENVIRON, make_cluster, packaged_postgres
from magnetar.runtime.servers.process import Launched, ServerProcess, recorded, start, until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

_NEEDED_BYTES = 256 * 1024 * 1024
_STOP_SECONDS = 20.0
_FAREWELL_SECONDS = 10.0
_POLL_SECONDS = 0.02
_PURPOSE = "PostgreSQL"
_USUAL_PORT = 5432
_OURS: Mapping[str, str] = MappingProxyType(
    {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "unix_socket_directories": "",  # paths to sockets may be too long, and nothing of ours needs one
        "client_connection_check_interval": "1s",  # a query whose client is gone ends, and lets go of its locks
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPlan:
    """What a server is started from and with.

    `home` is the installation. `data` is the server's own directory, kept between a stop and the next start; the
    database itself is in `disk`, a directory that is there, if that is given. `host` is
    the address that it listens on: whoever is in one of this machine's networks may come in there without a password.
    A port that is None is the one this data had last time, else (`usual_port`) 5432, else any, whichever is free.
    `changes` go over our settings, `environ` over what it sees of an environment. `tied`: the server never outlives
    this process; otherwise it lives on until it is stopped. `ready_within` is in seconds. `account` is who it runs as
    if not as we do; PostgreSQL refuses root.
    """

    home: Path
    data: Path
    version: str
    disk: Path | None = None
    host: str = ports.HOST
    port: int | None = None
    usual_port: bool = False
    changes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tied: bool = True
    ready_within: float = 60.0
    account: Account | None = field(default_factory=other_than_root)


class PostgresServer:
    """One server: started, stopped, killed, frozen and started again on the same data and port.

    As a context manager it starts on entering and stops on leaving. Not thread-safe.
    """

    def __init__(self, plan: PostgresPlan, free: Callable[[Path], int] = free_bytes) -> None:
        self._plan = plan
        self._free = free
        self._layout = PostgresLayout(plan.data.absolute(), plan.disk)
        self._address: PostgresAddress | None = None
        self._launched: Launched | None = None

    @property
    def service_url(self) -> str:
        """For clients; stays the same over restarts. Raises `NotStarted` before the first."""
        return self.address.service_url

    @property
    def address(self) -> PostgresAddress:
        """Host and port, likewise."""
        if self._address is None:
            raise NotStarted(self.data)
        return self._address

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
        """The server's first process; raises `NotStarted` if there is none."""
        if self._launched is None:
            raise NotStarted(self.data)
        return self._launched.process

    @property
    def running(self) -> bool:
        """Whether its process lives (a paused one does)."""
        return self._launched is not None and self._launched.process.alive()

    def start(self) -> None:
        """Start it and wait until it answers a query; whatever is raised, no process of ours is left behind.

        Raises `DataBusy`, `NoSpace`, `PathClosed`, `PortTaken`, `ServerDied` or `ServerNotReady`.
        """
        self._check_machine()
        lock = self._lock()
        try:
            self._address = self._choose()
            self._make(self._address)
            self._launched = self._launch(self._address, lock)
        finally:
            os.close(lock)
        try:
            self._wait(self._address, self._launched.process)
        except BaseException:  # Ctrl-C as well
            self.kill()
            raise

    def stop(self, within: float = _STOP_SECONDS) -> None:
        """Ask it to stop, without waiting for its clients, and kill it after `within` seconds.

        Nothing to do if it is not running.
        """
        if self._launched is not None:
            end(self._launched.process, within)
            self._gone(self._launched)

    def kill(self) -> None:
        """SIGKILL for all of its processes, as a crash would; its data stays. Nothing to do if it is not running."""
        if self._launched is not None:
            family.kill(self._launched.process)
            self._gone(self._launched)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers."""
        family.freeze(self.process)

    def resume(self) -> None:
        """Thaw it (SIGCONT)."""
        family.thaw(self.process)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _gone(self, launched: Launched) -> None:
        """Forget it when the last of its processes is gone, so that it can be started again."""
        launched.reap()
        self._launched = None
        until(self._is_unlocked, _FAREWELL_SECONDS)

    def _is_unlocked(self) -> bool:
        if (lock := try_lock(self._layout.lock)) is None:
            return False
        os.close(lock)
        return True

    def _lock(self) -> int:
        """The lock of the data; the children of a server that was killed hold it for a moment. Raises `DataBusy`."""
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while (lock := try_lock(self._layout.lock)) is None:
            if time.monotonic() >= deadline or recorded(self._layout.pid_file) is not None:
                raise DataBusy(self.data)
            time.sleep(_POLL_SECONDS)
        return lock

    def _check_machine(self) -> None:
        make_room(self.data, _NEEDED_BYTES, self._free)
        account = self._plan.account
        if account is not None and (closed := first_closed(self._plan.home / "bin", account)) is not None:
            raise PathClosed(closed, account.name)

    def _choose(self) -> PostgresAddress:
        """The port: of this object's last start, asked for, of the data, the usual one, any."""
        last = self._address or self._layout.read_address()
        return PostgresAddress(
            version=self._plan.version, host=self._plan.host, port=self._port(last.port if last else None)
        )

    def _port(self, last: int | None) -> int:
        host = self._plan.host
        asked = last if self._address is not None else self._plan.port
        if asked is not None:
            return ports.require_free(asked, _PURPOSE, host)
        wishes = (last, _USUAL_PORT if self._plan.usual_port else None)
        found = (port for port in wishes if port is not None and ports.is_free(port, host))
        return next(found, None) or ports.any_free(_PURPOSE, host=host)

    def _make(self, address: PostgresAddress) -> None:
        layout = self._layout
        layout.log.parent.mkdir(exist_ok=True)
        if layout.log.exists():
            layout.log.replace(layout.log.with_suffix(".1.log"))
        make_cluster(self._plan.home, layout, self._plan.account)
        # We hold the lock, which each of its processes would hold: what it says of an earlier server is out of date,
        # and would stop this one if that pid is somebody else's by now.
        (layout.cluster / "postmaster.pid").unlink(missing_ok=True)
        layout.write_address(address)

    def _launch(self, address: PostgresAddress, lock: int) -> Launched:
        where = {"listen_addresses": address.host, "port": str(address.port)}
        settings = {**_OURS, **where, **self._plan.changes}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with reached(self._layout.cluster, self._plan.account) as (path, guise):
            return start(
                (str(self._plan.home / "bin" / "postgres"), "-D", path, *options),
                pid_file=self._layout.pid_file,
                lock=lock,
                log=self._layout.log,
                environ={**ENVIRON, **self._plan.environ},
                tied=self._plan.tied,
                guise=guise,
            )

    def _wait(self, address: PostgresAddress, process: ServerProcess) -> None:
        complaint = wait_until_well(
            lambda: ailing(address.host, address.port, USER, USER), process.alive, self._plan.ready_within
        )
        if not complaint and process.alive():
            return
        if process.alive():
            raise ServerNotReady(self._plan.ready_within, complaint, self.log)
        if not ports.is_free(address.port, address.host):  # taken between our look and the server's
            raise PortTaken(address.port, _PURPOSE)
        raise ServerDied(self.log)


def end(process: ServerProcess, within: float = _STOP_SECONDS) -> None:
    """Stop a server, whoever started it: without waiting for its clients, by SIGKILL after `within` seconds."""
    family.thaw(process)
    process.signal(signal.SIGINT)
    if not until(lambda: not process.alive(), within):
        family.kill(process)


@contextmanager
def running_postgres(data: Path, *, changes: Mapping[str, str] | None = None) -> Generator[PostgresServer]:
    """A ready server for the block, tied to this process; its data stays in `data`. Raises any `ServerError`."""
    home, version = packaged_postgres()
    with PostgresServer(PostgresPlan(home=home, data=data, version=version, changes=changes or {})) as server:
        yield server
