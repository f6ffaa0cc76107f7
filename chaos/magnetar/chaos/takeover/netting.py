"""A network for each dependency, and in each an interface for every worker, which can be cut.

A cut disables the worker's port on the bridge: frames vanish in both directions and nobody is told, as when a switch
dies. The worker's own end stays up. A third way into it, for its metrics, is never cut.
"""

from __future__ import annotations

import subprocess
from enum import Enum
from typing import Protocol

from magnetar.chaos.cluster.crew import Berth
from magnetar.runtime.errors import MagnetarError

_PREFIX = "10.213"
_DISABLED, _FORWARDING = "0", "3"
_FIRST_WORKER = 10
LOOPBACK = "127.0.0.1"


class NetworkFailed(MagnetarError):
    """A command that lays out or cuts a network has failed; its own words say why."""


class Side(Enum):
    """What a network leads to; the value is a part of its address."""

    BROKER = 1
    STORE = 2
    REPORT = 3


class Network(Protocol):
    """How workers reach what they need."""

    @property
    def why_uncut(self) -> str:
        """Why nothing can be cut; empty if it can."""
        ...

    def host(self, side: Side) -> str:
        """The address that servers of this side listen on."""
        ...

    def berth(self, number: int) -> Berth:
        """The place of a worker, made when it is first asked for. Numbers are from 1."""
        ...

    def address(self, number: int, side: Side) -> str:
        """From where a worker is seen on this side; empty where all are seen from the same."""
        ...

    def cut(self, number: int, side: Side) -> None:
        """Let a worker reach this side no more."""
        ...

    def heal(self, number: int, side: Side) -> None:
        """Let it again."""
        ...


class Loopback:
    """Everything on the loopback interface, where nothing can be cut."""

    def __init__(self, why: str) -> None:
        """`why` there is nothing better."""
        self.why_uncut = why

    def host(self, side: Side) -> str:  # noqa: ARG002 - the same for all
        """See the protocol."""
        return LOOPBACK

    def berth(self, number: int) -> Berth:
        """See the protocol."""
        return Berth((), LOOPBACK, 19_460 + number)

    def address(self, number: int, side: Side) -> str:  # noqa: ARG002 - as of all
        """See the protocol."""
        return ""

    def cut(self, number: int, side: Side) -> None:  # noqa: ARG002 - as of all
        """Never asked for: see `why_uncut`."""
        raise NetworkFailed(self.why_uncut)

    def heal(self, number: int, side: Side) -> None:  # noqa: ARG002 - as of all
        """As `cut`."""
        raise NetworkFailed(self.why_uncut)


class Bridges:
    """A bridge for each side. Made inside an enclosure, whose end is theirs."""

    why_uncut = ""

    def __init__(self) -> None:
        """Lay out the bridges."""
        self._berths: dict[int, Berth] = {}
        _run("mount", "-t", "tmpfs", "tmpfs", "/run")  # named namespaces are files there
        _run("ip", "link", "set", "lo", "up")
        for side in Side:
            # Its address is its own: else it takes a later port's, and who talks to it talks to nobody for a while.
            _run("ip", "link", "add", _bridge(side), "address", f"02:00:00:00:00:0{side.value}", "type", "bridge")
            _run("ip", "address", "add", f"{self.host(side)}/24", "dev", _bridge(side))
            _run("ip", "link", "set", _bridge(side), "up")

    def host(self, side: Side) -> str:
        """See the protocol."""
        return f"{_PREFIX}.{side.value}.1"

    def berth(self, number: int) -> Berth:
        """See the protocol."""
        found = self._berths.get(number)
        if found is None:
            found = self._berths[number] = self._made(number)
        return found

    def address(self, number: int, side: Side) -> str:
        """See the protocol."""
        return _address(number, side)

    def cut(self, number: int, side: Side) -> None:
        """See the protocol."""
        _run("bridge", "link", "set", "dev", _port(number, side), "state", _DISABLED)

    def heal(self, number: int, side: Side) -> None:
        """See the protocol."""
        _run("bridge", "link", "set", "dev", _port(number, side), "state", _FORWARDING)

    def _made(self, number: int) -> Berth:
        name = f"worker-{number}"
        _run("ip", "netns", "add", name)
        _run("ip", "-n", name, "link", "set", "lo", "up")
        for side in Side:
            inner, outer = side.name.lower(), _port(number, side)
            _run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
            _run("ip", "link", "set", outer, "master", _bridge(side), "up")
            _run("ip", "-n", name, "address", "add", f"{_address(number, side)}/24", "dev", inner)
            _run("ip", "-n", name, "link", "set", inner, "up")
        return Berth(("ip", "netns", "exec", name), _address(number, Side.REPORT), 9464)


def _bridge(side: Side) -> str:
    return f"to-{side.name.lower()}"


def _port(number: int, side: Side) -> str:
    return f"w{number}-{side.name.lower()}"


def _address(number: int, side: Side) -> str:
    return f"{_PREFIX}.{side.value}.{_FIRST_WORKER + number}"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode != 0:
        message = f"{' '.join(command)}: {done.stderr.strip() or f'exit status {done.returncode}'}"
        raise NetworkFailed(message)
