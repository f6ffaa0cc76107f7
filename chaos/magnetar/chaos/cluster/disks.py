"""A small disk in memory for each ZooKeeper and each bookie, which can be filled."""

from __future__ import annotations

import errno
import os
import shutil
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.running import run

if TYPE_CHECKING:
    from pathlib import Path

    from magnetar.chaos.cluster.estate import Estate
    from magnetar.chaos.cluster.profile import Node

MEBIBYTES = 640
"""The size of each. A bookie under the load of a scenario writes some 50 a minute; memory is taken as it is written."""
_BALLAST = "ballast"
_CHUNK = bytes(1024 * 1024)


class Disks:
    """Mounted in the enclosure, and gone with it. Raises `ForeignTarget` for what is not below the run's folder."""

    def __init__(self, estate: Estate, folder: Path) -> None:
        """`folder` has a directory for each node, as the servers lay it out."""
        self._estate = estate
        self._folder = folder

    def mount(self, node: Node) -> None:
        """Make a node's. Raises `CommandFailed`."""
        place = self.place(node)
        place.mkdir(parents=True)
        run("mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m,mode=755", "tmpfs", str(place))

    def place(self, node: Node) -> Path:
        """Where a node keeps its data."""
        return self._estate.require_path(self._folder / self._estate.require(node).name / "data")

    def room(self, node: Node) -> int:
        """So many mebibytes are free."""
        return shutil.disk_usage(self.place(node)).free // len(_CHUNK)

    def fill(self, node: Node) -> None:
        """Until not one more byte can be written."""
        with self._ballast(node).open("ab", buffering=0) as ballast:
            for chunk in (_CHUNK, _CHUNK[:4096]):
                while _written(ballast.fileno(), chunk):
                    pass

    def free(self, node: Node) -> None:
        """Undo `fill`; nothing to do if it was not filled."""
        self._ballast(node).unlink(missing_ok=True)

    def refusal(self, node: Node) -> str:
        """What a write of 4 KiB is refused with; empty if it is not."""
        probe = self.place(node) / "probe"
        try:
            with probe.open("wb", buffering=0) as file:
                file.write(_CHUNK[:4096])
        except OSError as problem:
            return os.strerror(problem.errno or 0)
        finally:
            probe.unlink(missing_ok=True)
        return ""

    def _ballast(self, node: Node) -> Path:
        return self.place(node) / _BALLAST


def _written(file: int, chunk: bytes) -> bool:
    """Whether there was room for at least a part of it."""
    try:
        return os.write(file, chunk) > 0
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            return False
        raise
