"""What a PostgreSQL's data directory knows of it: where it answers, which process it is, and its files."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.servers.accounts import Account, Guise
from magnetar.runtime.servers.errors import StateUnreadable
from magnetar.runtime.servers.process import ServerProcess, recorded
from magnetar.runtime.servers.record import Kept, read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

USER = "magnetar"
"""The role that clients connect as, and the name of its database. It may make databases, and is no superuser."""


class PostgresAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server answers. Kept, so that a restart answers at the same place."""

    version: str
    host: str
    port: int

    @property
    def service_url(self) -> str:
        """For clients."""
        return f"postgresql://{USER}@{self.host}:{self.port}/{USER}"


@dataclass(frozen=True, slots=True)
class PostgresLayout(Kept):
    """The paths inside one server's directory. All but `cluster` is the caller's own, and may be on another disk."""

    disk: Path | None = None

    @property
    def cluster(self) -> Path:
        """The database itself; there once it is whole."""
        return (self.disk or self.data) / "cluster"

    @property
    def unfinished(self) -> Path:
        """A database that is being made."""
        return (self.disk or self.data) / "cluster.new"

    def read_address(self) -> PostgresAddress | None:
        """Where the server of this directory last answered, or None for a new one; raises `StateUnreadable`."""
        return read_state(self.address, PostgresAddress)

    def write_address(self, address: PostgresAddress) -> None:
        """Replace it as a whole, on the disk before it is seen."""
        write_state(self.address, address)


@contextmanager
def reached(directory: Path, account: Account | None) -> Generator[tuple[str, Guise]]:
    """A path by which the server finds a directory of its own, and how it must be started for that.

    Root's directories are often closed to others, so an account reaches its own through a descriptor.
    """
    if account is None:
        yield str(directory), Guise()
        return
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", Guise(account, (descriptor,))
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class RunningPostgres:
    """A live server, whoever started it."""

    process: ServerProcess
    address: PostgresAddress


def running_in(layout: PostgresLayout) -> RunningPostgres | None:
    """The live server of a directory, or None. Raises `StateUnreadable`."""
    process = recorded(layout.pid_file)
    if process is None:
        return None
    address = layout.read_address()
    if address is None:
        raise StateUnreadable(layout.address, f"it is missing, though process {process.pid} runs")
    return RunningPostgres(process, address)
