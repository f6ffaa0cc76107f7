"""What a data directory knows of its server: where it answers, and which process it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from magnetar.runtime.servers.errors import StateUnreadable
from magnetar.runtime.servers.ports import HOST
from magnetar.runtime.servers.process import ServerProcess, recorded

if TYPE_CHECKING:
    from pathlib import Path

_State = TypeVar("_State", bound=msgspec.Struct)


def read_state(path: Path, kind: type[_State]) -> _State | None:
    """What a state file holds, or None if it is not there; raises `StateUnreadable`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as problem:
        raise StateUnreadable(path, str(problem)) from problem


def write_state(path: Path, state: msgspec.Struct) -> None:
    """Replace a state file as a whole, on the disk before it is seen."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(msgspec.json.encode(state))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Which release a server was started from, and its ports. Kept, so that a restart answers at the same place."""

    version: str
    broker_port: int
    web_port: int
    bookie_port: int

    @property
    def service_url(self) -> str:
        """For clients that publish and consume."""
        return f"pulsar://{HOST}:{self.broker_port}"

    @property
    def admin_url(self) -> str:
        """For the REST API."""
        return f"http://{HOST}:{self.web_port}"


@dataclass(frozen=True, slots=True)
class Kept:
    """The paths that the directory of every server has."""

    data: Path

    @property
    def lock(self) -> Path:
        """Held by each of the server's processes for as long as it lives."""
        return self.data / "lock"

    @property
    def turn(self) -> Path:
        """Held by a command that starts or stops the server, while it does."""
        return self.data / "turn"

    @property
    def pid_file(self) -> Path:
        """Which process the server is or was."""
        return self.data / "pid.json"

    @property
    def address(self) -> Path:
        """Where the server answers or last answered."""
        return self.data / "address.json"

    @property
    def logs(self) -> Path:
        """This run's log and the one before it."""
        return self.data / "logs"

    @property
    def log(self) -> Path:
        """All that the server prints."""
        return self.logs / "server.log"


@dataclass(frozen=True, slots=True)
class Layout(Kept):
    """The paths inside a standalone Pulsar's directory."""

    @property
    def settings(self) -> Path:
        """Written anew at each start."""
        return self.data / "standalone.conf"

    @property
    def scratch(self) -> Path:
        """Java's temporary files; emptied at each start."""
        return self.data / "tmp"

    def read_address(self) -> Address | None:
        """Where the server of this directory last answered, or None for a new one; raises `StateUnreadable`."""
        return read_state(self.address, Address)

    def write_address(self, address: Address) -> None:
        """Replace it as a whole, on the disk before it is seen."""
        write_state(self.address, address)


@dataclass(frozen=True, slots=True)
class Running:
    """A live server, whoever started it."""

    process: ServerProcess
    address: Address

    @property
    def ports(self) -> tuple[int, int]:
        """Of the broker and of the REST API."""
        return self.address.broker_port, self.address.web_port


def running(layout: Layout) -> Running | None:
    """The live server of a data directory, or None. Raises `StateUnreadable`."""
    process = recorded(layout.pid_file)
    if process is None:
        return None
    address = layout.read_address()
    if address is None:
        raise StateUnreadable(layout.address, f"it is missing, though process {process.pid} runs")
    return Running(process, address)
