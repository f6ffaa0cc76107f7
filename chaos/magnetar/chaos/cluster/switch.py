"""The cluster's network: a switch in a namespace of its own, a cable to every node, and what is cut.

Every node knows the hardware address of every other for good, so nobody ever asks for one. A link is cut, in one
direction, by giving the sender an address that the switch itself takes and drops: frames vanish, nobody is told, the
other direction and all other links stay as they are, and no packet filter is needed.
"""

from __future__ import annotations

import ctypes
import os
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from magnetar.chaos.cluster.errors import CommandFailed
from magnetar.chaos.cluster.profile import CONTROL, NETWORK, WIDTH, Node
from magnetar.chaos.cluster.running import batch, run

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence

    from magnetar.chaos.cluster.estate import Estate

Link: TypeAlias = tuple[Node, Node]
"""From whom to whom."""
NOWHERE = "02:00:00:00:00:fe"
"""The hardware address that the switch keeps for itself."""
_CLONE_NEWNET = 0x40000000
_NAMESPACES = "/run/netns"
DEVICE = "eth0"
"""A node's own end of its cable."""


def fabric(switch: str) -> list[str]:
    """The switch, as commands of `ip` in its namespace."""
    return [
        f"link add {switch} type bridge forward_delay 0",
        f"link set {switch} up",
    ]


def cable(node: Node, switch: str, end: str) -> list[str]:
    """A port of the switch and the node's end of it, as commands of `ip` in the switch's namespace.

    `end` is the namespace of the other end, or a process in it.
    """
    return [
        f"link add {port(node)} type veth peer name {DEVICE} address {node.mac} netns {end}",
        f"link set {port(node)} master {switch} up",
    ]


def port(node: Node) -> str:
    """The switch's end of a node's cable."""
    return f"p-{node.name}"


def seat(node: Node, others: Iterable[Node]) -> list[str]:
    """The node's own end, and whom it knows, as commands of `ip` in its namespace."""
    return [
        "link set lo up",
        f"address add {node.address}/{WIDTH} broadcast {NETWORK}.255 dev {DEVICE}",
        f"link set {DEVICE} up",
        *(known(other, other.mac) for other in others if other != node),
    ]


def known(node: Node, mac: str) -> str:
    """How a node is told where another one is."""
    return f"neighbour replace {node.address} lladdr {mac} nud permanent dev {DEVICE}"


def told(links: Iterable[Link], *, cut: bool) -> Mapping[Node, list[str]]:
    """What each sender is told when links are cut or healed, as commands of `ip` in its namespace."""
    words: dict[Node, list[str]] = {}
    for sender, receiver in links:
        words.setdefault(sender, []).append(known(receiver, NOWHERE if cut else receiver.mac))
    return words


class Cuts:
    """What is cut, and how often: faults may overlap, and a link is whole again when the last of them is healed."""

    def __init__(self) -> None:
        """Nothing is."""
        self._counts: Counter[Link] = Counter()

    @property
    def now(self) -> frozenset[Link]:
        """What is cut."""
        return frozenset(self._counts)

    def add(self, links: Iterable[Link]) -> frozenset[Link]:
        """One more cut of each; those that were whole before."""
        before = self.now
        self._counts.update(set(links))
        return self.now - before

    def remove(self, links: Iterable[Link]) -> frozenset[Link]:
        """One cut of each less; those that are whole now."""
        before = self.now
        self._counts.subtract(set(links) & before)
        self._counts = +self._counts
        return before - self.now


class Switch:
    """Made inside an enclosure, whose end is its own. One thread at a time but for `inside`."""

    def __init__(self, estate: Estate, nodes: Sequence[Node]) -> None:
        """Lay it out. Raises `CommandFailed` and `NotEnclosed`."""
        self._estate = estate
        self._nodes = tuple(nodes)
        self._cuts = Cuts()
        estate.require_enclosure()
        run("mount", "-t", "tmpfs", "tmpfs", "/run")  # named namespaces are files there
        switch = estate.switch
        batch([f"netns add {name}" for name in (switch, *map(estate.namespace, nodes))])
        everyone = (CONTROL, *nodes)
        ends = {node: estate.namespace(node) for node in nodes} | {CONTROL: str(os.getpid())}
        cables = [line for node in everyone for line in cable(node, "switch", ends[node])]
        batch([*fabric("switch"), *cables], namespace=switch)
        run("bridge", "-n", switch, "fdb", "add", NOWHERE, "dev", "switch", "self", "local")
        for node in everyone:
            batch(seat(node, everyone), namespace=self._name(node))
        estate.record(nodes)

    @property
    def cuts(self) -> frozenset[Link]:
        """What is cut now."""
        return self._cuts.now

    def cut(self, links: Iterable[Link]) -> None:
        """Let frames on these vanish. Raises `ForeignTarget` and `CommandFailed`."""
        self._tell(self._cuts.add(self._required(links)), cut=True)

    def heal(self, links: Iterable[Link]) -> None:
        """Undo one cut of each."""
        self._tell(self._cuts.remove(self._required(links)), cut=False)

    def heal_all(self) -> None:
        """Undo every cut, whatever is said of it here."""
        self._cuts = Cuts()
        everyone = (CONTROL, *self._nodes)
        self._tell([(one, other) for one in self._nodes for other in everyone if one != other], cut=False)

    def namespace(self, node: Node) -> str:
        """Of a node. Raises `ForeignTarget`."""
        return self._estate.namespace(self._estate.require(node))

    def prefix(self, node: Node) -> tuple[str, ...]:
        """What the command of a process there begins with."""
        return ("nsenter", f"--net={_NAMESPACES}/{self.namespace(node)}")

    @contextmanager
    def inside(self, node: Node) -> Generator[None]:
        """A block in which this thread, and what it starts, is in a node's network; whoever else is not.

        Raises `CommandFailed` if the kernel does not let it.
        """
        ours, theirs = _opened("/proc/thread-self/ns/net"), _opened(f"{_NAMESPACES}/{self.namespace(node)}")
        try:
            _enter(theirs)
            try:
                yield
            finally:
                _enter(ours)
        finally:
            os.close(theirs)
            os.close(ours)

    def _required(self, links: Iterable[Link]) -> list[Link]:
        return [(self._estate.require(sender), self._estate.require(receiver)) for sender, receiver in links]

    def _tell(self, links: Iterable[Link], *, cut: bool) -> None:
        for node, lines in told(links, cut=cut).items():
            batch(lines, namespace=self._name(node))

    def _name(self, node: Node) -> str | None:
        return None if node == CONTROL else self._estate.namespace(node)


def _opened(path: str) -> int:
    return os.open(path, os.O_RDONLY)


def _enter(namespace: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET) != 0:
        raise CommandFailed(("setns",), os.strerror(ctypes.get_errno()))
