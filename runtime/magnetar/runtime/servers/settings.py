"""The configuration of one local Pulsar: the distribution's file, with ours and this server's values in place."""

from __future__ import annotations

import socket
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from magnetar.runtime.servers.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping


def ours(file: str = "standalone.conf") -> Mapping[str, str]:
    """What every local Pulsar changes, or one of its parts; each value's reason stands beside it in the file."""
    text = files("magnetar.runtime.servers").joinpath(file).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return MappingProxyType(dict(line.split("=", 1) for line in lines))


def addresses(broker_port: int, web_port: int) -> Mapping[str, str]:
    """Everything listens on the loopback interface and is advertised there."""
    return {
        "bindAddress": HOST,
        "advertisedAddress": HOST,
        "brokerServicePort": str(broker_port),
        "webServicePort": str(web_port),
        "listeningInterface": loopback(),  # the bookie's
    }


def loopback() -> str:
    """The name of the loopback interface."""
    return next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")


def merged(shipped: str, changes: Mapping[str, str]) -> str:
    """The text of a properties file with the changes made: in place where a key stands, at the end where none does."""
    left = dict(changes)
    lines = [_changed(line, left) for line in shipped.splitlines()]
    return "\n".join([*lines, *(f"{key}={value}" for key, value in left.items())]) + "\n"


def _changed(line: str, left: dict[str, str]) -> str:
    key = line.split("=", 1)[0].strip()
    return f"{key}={left.pop(key)}" if "=" in line and key in left else line
