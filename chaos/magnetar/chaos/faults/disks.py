"""Faults of disks that stay: full, hanging, read-only."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.processes import listed, require_all, revive, well

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.profile import Node
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target

_HANGS_SECONDS = 0.5
_READ_ONLY = "Read-only file system"


@dataclass(frozen=True, slots=True)
class FillDisk:
    """Not one more block can be written to the disks of these: ZooKeepers, bookies and the store have one."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"fill the disk of {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `DiskMissing`."""
        nodes = self.target.resolve(ground)
        for node in nodes:
            ground.disks.fill(node)
        return _Filled(ground, nodes)


@dataclass(frozen=True, slots=True)
class _Filled:
    ground: Ground
    nodes: Sequence[Node]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes)

    def took_effect(self) -> Proof:
        found = _refusals(self.ground, self.nodes)
        return Proof(all(found.values()), _told(found))

    def heal(self) -> None:
        """Who has ended for want of room, and has nobody to look after it, is started again."""
        for node in self.nodes:
            self.ground.disks.free(node)
        revive([self.ground.station(node) for node in self.nodes])

    def healed(self) -> Proof:
        return _taking(self.ground, self.nodes)


@dataclass(frozen=True, slots=True)
class FreezeDisk:
    """Whoever writes to the disks of these hangs until it is healed; SIGKILL does not end it before."""

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"freeze the disk of {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `DiskMissing` and `DiskInMemory`."""
        with ExitStack() as undo:
            nodes = self.target.resolve(ground)
            for node in nodes:
                ground.disks.freeze(node)
                undo.callback(ground.disks.thaw, node)
            frozen = _Frozen(ground, {node: _writer(ground, node) for node in nodes})
            undo.pop_all()
        return frozen


def _writer(ground: Ground, node: Node) -> subprocess.Popen[bytes]:
    """Somebody who writes to a disk, and ends when it has been taken."""
    return subprocess.Popen(["touch", str(ground.disks.place(node) / "written-while-frozen")])  # noqa: S603, S607 - ours


@dataclass(frozen=True, slots=True)
class _Frozen:
    ground: Ground
    writers: Mapping[Node, subprocess.Popen[bytes]]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.writers)

    def took_effect(self) -> Proof:
        """A write to each hangs, and has for half a second."""
        hangs = {node.name: _hangs(writer) for node, writer in self.writers.items()}
        words = listed(f"{name}: a write {'hangs' if on else 'is taken'}" for name, on in hangs.items())
        return Proof(all(hangs.values()), words)

    def heal(self) -> None:
        for node in self.writers:
            self.ground.disks.thaw(node)

    def healed(self) -> Proof:
        """Those writes have come to an end."""
        hanging = [node.name for node, writer in self.writers.items() if writer.poll() != 0]
        if hanging:
            return Proof(holds=False, evidence=f"a write still hangs: {', '.join(hanging)}")
        return _taking(self.ground, tuple(self.writers))


def _hangs(writer: subprocess.Popen[bytes]) -> bool:
    try:
        writer.wait(_HANGS_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


@dataclass(frozen=True, slots=True)
class FailDisk:
    """The file systems of these find an error in themselves and turn read-only, for open files, too.

    Healed as an operator does: whoever is there is ended, the disk is mounted anew, and it is started again.
    """

    target: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"read-only disk of {self.target.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`. Raises `DiskMissing` and `DiskInMemory`."""
        nodes = self.target.resolve(ground)
        for node in nodes:
            ground.disks.fail(node)
        return _ReadOnly(ground, nodes)


@dataclass(frozen=True, slots=True)
class _ReadOnly:
    ground: Ground
    nodes: Sequence[Node]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(node.name for node in self.nodes)

    def took_effect(self) -> Proof:
        found = _refusals(self.ground, self.nodes)
        return Proof(all(said == _READ_ONLY for said in found.values()), _told(found))

    def heal(self) -> None:
        stations = [self.ground.station(node) for node in self.nodes]
        require_all(stations, self.ground.estate)
        for station in stations:
            station.kill()
        for node in self.nodes:
            self.ground.disks.anew(node)
        revive(stations)

    def healed(self) -> Proof:
        return _taking(self.ground, self.nodes)


def _refusals(ground: Ground, nodes: Sequence[Node]) -> dict[str, str]:
    return {node.name: ground.disks.refusal(node) for node in nodes}


def _told(refusals: Mapping[str, str]) -> str:
    return listed(f"{name}: {said or 'takes writes'}" for name, said in refusals.items())


def _taking(ground: Ground, nodes: Sequence[Node]) -> Proof:
    """Whether each takes writes again, and answers."""
    refused = {name: said for name, said in _refusals(ground, nodes).items() if said}
    return Proof(holds=False, evidence=_told(refused)) if refused else well([ground.station(node) for node in nodes])
