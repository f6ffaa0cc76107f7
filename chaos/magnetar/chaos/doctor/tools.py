"""What must be installed: tried on the machine itself."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.chaos.doctor.findings import NotHere, Probe
from magnetar.runtime.compose import machine
from magnetar.runtime.servers.accounts import other_than_root
from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.servers.java import find_java
from magnetar.runtime.servers.postgres_making import packaged_postgres

if TYPE_CHECKING:
    from collections.abc import Callable

_PRESSURE = Path("/proc/pressure/cpu")


def _installed(package: str, *names: str) -> Callable[[], str]:
    def look() -> str:
        missing = [name for name in names if shutil.which(name) is None]
        if missing:
            raise NotHere(f"{', '.join(missing)} not found: install {package}")
        return ", ".join(names)

    return look


def _java() -> str:
    try:
        found = find_java(machine.java_home())
    except ServerError as problem:
        raise NotHere(str(problem)) from problem
    return f"Java {found.major} in {found.home}"


def _postgres() -> str:
    try:
        _, version = packaged_postgres()
        account = other_than_root()
    except ServerError as problem:
        raise NotHere(str(problem)) from problem
    return f"PostgreSQL {version}" + ("" if account is None else f", as {account.name}")


def _pressure() -> str:
    if not _PRESSURE.exists():
        raise NotHere(f"the kernel has no {_PRESSURE}: whether the machine was too slow cannot be told")
    return _PRESSURE.read_text(encoding="ascii").splitlines()[0]


TOOLS = (
    Probe("network tools", "everything", _installed("iproute2", "ip", "bridge", "ss"), vital=True),
    Probe("namespace tools", "everything", _installed("util-linux", "unshare", "nsenter", "mount"), vital=True),
    Probe("Java", "ZooKeeper, bookies, brokers", _java, vital=True),
    Probe("PostgreSQL", "the store", _postgres, vital=True),
    Probe("CPU pressure", "to tell a slow machine from a slow recovery", _pressure),
    Probe("C compiler", "wall clocks that jump, slow fsync", _installed("gcc", "cc")),
)
"""In the order in which they are told."""
