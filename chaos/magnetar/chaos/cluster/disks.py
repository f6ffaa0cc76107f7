"""A small disk for each ZooKeeper, each bookie and the store.

It can be filled, hang, turn read-only, lose power and go back to a backup.
"""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

from magnetar.chaos.cluster import filesystem
from magnetar.chaos.cluster.errors import BackupMissing, CommandFailed, DiskInMemory, DiskMissing
from magnetar.chaos.cluster.running import run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from magnetar.chaos.cluster.estate import Estate
    from magnetar.chaos.cluster.janitor import Debts
    from magnetar.chaos.cluster.profile import Node

MEBIBYTES = 640
"""The size of each. A bookie under the load of a scenario writes some 50 a minute; memory is taken as it is written."""
_MEBIBYTE = 1024 * 1024
_HEADER = 1024
"""Bytes before the first entry of a file of BookKeeper's entry log."""
_CHUNKS = (64 * _MEBIBYTE, _MEBIBYTE, len(filesystem.BLOCK))
_IMAGES = "disks"
_BALLAST, _PROBE, _FORCED, _WRITTEN = "ballast", "probe", "witness-forced", "witness-written"
_SINCE = "witness-since-the-backup"


class Disks:
    """Mounted in the enclosure, and gone with it; files in memory, so that no neighbour feels what is done to one.

    An ext4 file system each; where none can be made, as in a user namespace, plain memory, which can be filled and
    nothing else. Raises `ForeignTarget` for what is not below the run's folder, `DiskMissing` for a node without one.
    """

    def __init__(self, estate: Estate, debts: Debts, places: Mapping[str, Path]) -> None:
        """`places`: where each node keeps its data, by its name. Raises `CommandFailed`."""
        self._estate = estate
        self._debts = debts
        self._places = places
        self._owed: dict[str, int] = {}
        self._in_memory: dict[str, str] = {}
        self._images = estate.require_path(estate.folder / _IMAGES)
        self._images.mkdir()
        run("mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", str(self._images))

    @property
    def names(self) -> Sequence[str]:
        """Of the nodes that have one."""
        return tuple(self._places)

    def mount(self, node: Node) -> None:
        """Make a node's. Raises `CommandFailed`."""
        place = self.place(node)
        place.mkdir(parents=True)
        try:
            filesystem.make(self._image(node), MEBIBYTES * _MEBIBYTE)
            filesystem.mount(self._image(node), place)
        except CommandFailed as problem:
            self._in_memory[node.name] = str(problem)
            run("mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m,mode=755", "tmpfs", str(place))
            return
        (place / "lost+found").rmdir()  # servers look at what is there
        filesystem.write(place / _FORCED, force=True)

    def settle(self) -> None:
        """Force all that is written by now, on every disk. Raises `CommandFailed`.

        A bookie never forces its cookie, so one whose power fails in the half minute after it was made must be made
        anew. Whose power fails here is to be in its years of service.
        """
        for place in self._places.values():
            run("sync", "--file-system", str(self._estate.require_path(place)))

    def place(self, node: Node) -> Path:
        """Where a node keeps its data."""
        found = self._places.get(self._estate.require(node).name)
        if found is None:
            raise DiskMissing(node.name, self.names)
        return self._estate.require_path(found)

    def room(self, node: Node) -> int:
        """So many mebibytes are free."""
        return shutil.disk_usage(self.place(node)).free // _MEBIBYTE

    def fill(self, node: Node) -> None:
        """Until not one more block can be had; what is taken costs no memory on an ext4 file system."""
        with (self.place(node) / _BALLAST).open("ab") as ballast:
            size = 0
            for chunk in _CHUNKS:
                while _taken(ballast.fileno(), size, chunk):
                    size += chunk

    def free(self, node: Node) -> None:
        """Undo `fill`; nothing to do if it was not filled."""
        (self.place(node) / _BALLAST).unlink(missing_ok=True)

    def refusal(self, node: Node) -> str:
        """What a write of 4 KiB is refused with; empty if it is not. Blocks while it is frozen."""
        probe = self.place(node) / _PROBE
        try:
            filesystem.write(probe, force=False)
            probe.unlink()
        except OSError as problem:
            return os.strerror(problem.errno or 0)
        return ""

    def freeze(self, node: Node) -> None:
        """Whoever writes hangs until `thaw`, which is owed. Raises `DiskInMemory` and `CommandFailed`."""
        place = self._real(node)
        owed = self._debts.owe(*filesystem.thawing(place))
        run(*filesystem.freezing(place))
        self._owed[node.name] = owed

    def thaw(self, node: Node) -> None:
        """Undo `freeze`; nothing to do if it was not frozen. Raises `CommandFailed`."""
        owed = self._owed.pop(node.name, None)
        if owed is not None:
            run(*filesystem.thawing(self._real(node)))
            self._debts.paid(owed)

    def fail(self, node: Node) -> None:
        """It takes no writes until it is mounted `anew`. Raises `DiskInMemory` and `OSError`."""
        filesystem.fail(self._real(node))

    def lose_power(self, node: Node) -> None:
        """What was not forced is gone, a witness with it; nothing goes until `anew`. Raises `DiskInMemory`, `OSError`.

        Whoever writes there is to be stopped before: else it may say that its disk has failed.
        """
        place = self._real(node)
        filesystem.write(place / _WRITTEN, force=False)
        filesystem.lose_power(place)

    def anew(self, node: Node) -> None:
        """Mounted again, when its last user has gone. Raises `DiskInMemory` and `CommandFailed`."""
        place = self._real(node)
        filesystem.unmount(place)
        filesystem.mount(self._image(node), place)

    def witnesses(self, node: Node) -> frozenset[str]:
        """Of `forced` and `written`, what was kept by the last loss of power: the second is nowhere else."""
        place = self._real(node)
        names = {"forced": place / _FORCED, "written": place / _WRITTEN}
        return frozenset(name for name, path in names.items() if path.exists() and path.stat().st_size)

    def keep(self, node: Node) -> int:
        """Back it up as it is at this instant, which is as good as a loss of power; how many bytes that are.

        Writes hang meanwhile. Raises `DiskInMemory`, `CommandFailed` and `OSError`.
        """
        self.freeze(node)
        try:
            run("cp", "--sparse=always", str(self._image(node)), str(self._backup(node)))
        finally:
            self.thaw(node)
        filesystem.write(self.place(node) / _SINCE, force=True)
        return self._backup(node).stat().st_blocks * filesystem.SECTOR

    def require_backup(self, node: Node) -> None:
        """Raise `BackupMissing` where it was never backed up, and `DiskInMemory`."""
        self._real(node)
        if not self._backup(node).exists():
            raise BackupMissing(node.name)

    def put_back(self, node: Node) -> None:
        """It is its backup from now on; whoever used it has gone before. Raises `CommandFailed`."""
        place = self._real(node)
        filesystem.unmount(place)
        self._backup(node).replace(self._image(node))
        filesystem.mount(self._image(node), place)

    def is_older(self, node: Node) -> bool:
        """Whether what was written after the last backup is not there."""
        return not (self._real(node) / _SINCE).exists()

    def rot(self, node: Node) -> int:
        """Flip a bit in each sector of the entries of a bookie that is down; how many. Raises `OSError`.

        Not of its index, beside them: a bookie that does not know what it has says so, and nobody reads what is wrong.
        Its journal is gone, as that of long ago is: it would be read when the bookie starts, and all of it is whole.
        """
        for journal in self.place(node).rglob("journal/current/*.txn"):
            journal.unlink()
        return sum(filesystem.rot(log, _HEADER) for log in self.place(node).rglob("ledgers/current/*.log"))

    def _backup(self, node: Node) -> Path:
        return self._images / f"{node.name}.backup"

    def _real(self, node: Node) -> Path:
        if (reason := self._in_memory.get(node.name)) is not None:
            raise DiskInMemory(node.name, reason)
        return self.place(node)

    def _image(self, node: Node) -> Path:
        return self._images / f"{node.name}.img"


def _taken(file: int, size: int, chunk: int) -> bool:
    """Whether there was room for it."""
    try:
        os.posix_fallocate(file, size, chunk)
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            return False
        raise
    return True
