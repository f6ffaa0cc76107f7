"""What a run has made, written down, and the only things that it will ever harm.

Everything is made inside an enclosure: namespaces of one's own for network, mounts and processes. From in there no
other process can even be named; this asks all the same, before each blow, whether the one that is meant lives in one
of the networks that this run has made and recorded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.cluster import enclosure
from magnetar.chaos.cluster.errors import ForeignTarget, NotEnclosed
from magnetar.chaos.cluster.profile import CONTROL, Node
from magnetar.runtime.servers.record import write_state

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PREFIX = "magnetar-chaos"
_NAMESPACES = Path("/run/netns")
_PROCESSES = Path("/proc")


class Deed(msgspec.Struct, frozen=True):
    """The record: the run, and the identity of each node's network namespace, by node."""

    run: str
    networks: dict[str, int]


class Estate:
    """What is ours. Thread-safe once it is recorded."""

    def __init__(self, run: str, folder: Path) -> None:
        """`run` tells this run from any other; the record is kept in `folder`, and so is all of the run's data."""
        self.run = run
        self.folder = folder.resolve()
        self._networks: dict[str, int] = {}

    @property
    def switch(self) -> str:
        """The switch's namespace."""
        return f"{PREFIX}-{self.run}-switch"

    def namespace(self, node: Node) -> str:
        """A node's."""
        return f"{PREFIX}-{self.run}-{node.name}"

    @property
    def deed(self) -> Path:
        """The record."""
        return self.folder / "estate.json"

    def record(self, nodes: Iterable[Node]) -> None:
        """Write down what has just been made for these nodes."""
        self._networks = {node.name: (_NAMESPACES / self.namespace(node)).stat().st_ino for node in nodes}
        write_state(self.deed, Deed(self.run, self._networks))

    def require_enclosure(self) -> None:
        """Raise `NotEnclosed` unless this process and its network are apart from the machine's."""
        if shared := enclosure.shared():
            raise NotEnclosed(shared)

    def require(self, node: Node) -> Node:
        """The node, or `ForeignTarget`."""
        if node == CONTROL:
            raise ForeignTarget(node.name, "whoever plays the run is never a target")
        if self._networks and node.name not in self._networks:
            raise ForeignTarget(node.name, f"run {self.run} has made {', '.join(self._networks)}")
        return node

    def require_process(self, pid: int, node: Node) -> int:
        """The process, or `ForeignTarget` if it is not in the network of a node of ours.

        Raises `ProcessLookupError` for one that has ended, as a server of one client does with its client.
        """
        wanted = self._networks.get(self.require(node).name)
        found = _network(pid)
        if wanted is None or found != wanted:
            raise ForeignTarget(f"process {pid}", f"its network is {found}, that of {node.name} is {wanted}")
        return pid

    def require_path(self, path: Path) -> Path:
        """The path, or `ForeignTarget` if it is not below the run's folder."""
        if not path.resolve().is_relative_to(self.folder):
            raise ForeignTarget(str(path), f"it is not below {self.folder}")
        return path

    def processes(self, node: Node) -> Sequence[int]:
        """All that live in a node's network now."""
        wanted = self._networks[self.require(node).name]
        found = (int(entry.name) for entry in _PROCESSES.iterdir() if entry.name.isdigit())
        return [pid for pid in found if _is_in(pid, wanted)]


def _is_in(pid: int, network: int) -> bool:
    try:
        return _network(pid) == network
    except ProcessLookupError:
        return False


def _network(pid: int) -> int | None:
    """None: it is somebody's who keeps that to himself. Raises `ProcessLookupError` for one that has ended."""
    try:
        return (_PROCESSES / str(pid) / "ns" / "net").stat().st_ino
    except PermissionError:
        return None
    except FileNotFoundError as problem:
        raise ProcessLookupError(problem.errno, f"process {pid} has ended") from problem
