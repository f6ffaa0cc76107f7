"""Control groups: how much of a processor the processes of a node get.

A group is outside of the enclosure and outlives it, so that it is given up again is owed before it is made.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.errors import CommandFailed, LimitsMissing
from magnetar.chaos.cluster.running import run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.chaos.cluster.estate import Estate
    from magnetar.chaos.cluster.janitor import Debts
    from magnetar.chaos.cluster.profile import Node

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_PERIOD = 100_000
_LEAVING = (
    'test ! -d "$1" || { while read -r pid; do echo "$pid" > "$2/cgroup.procs"; done < "$1/cgroup.procs"; rmdir "$1"; }'
)


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The tree of groups that share out processors: `version` 1 or 2, its `root`, and where we are in it."""

    version: int
    root: Path
    ours: Path

    def limit(self, share: float) -> tuple[str, str]:
        """A file of a group, and what is written there so that all in it get this share of one processor."""
        quota = round(share * _PERIOD)
        return ("cpu.max", f"{quota} {_PERIOD}") if self.version == 2 else ("cpu.cfs_quota_us", str(quota))  # noqa: PLR2004


def hierarchy(root: Path = _ROOT, own: str | None = None) -> Hierarchy:
    """This machine's. Raises `LimitsMissing`. `own`: the text of `/proc/self/cgroup`."""
    places = dict(line.split(":", 2)[1:] for line in (own or _OWN.read_text(encoding="utf-8")).splitlines())
    for names, place in places.items():
        if "cpu" in names.split(",") and (root / "cpu").is_dir():
            return Hierarchy(1, root / "cpu", root / "cpu" / place.lstrip("/"))
    told = root / "cgroup.controllers"
    if "" in places and told.exists() and "cpu" in told.read_text(encoding="ascii").split():
        return Hierarchy(2, root, root / places[""].lstrip("/"))
    raise LimitsMissing(f"no tree of control groups in {root} shares out processors")


@dataclass(frozen=True, slots=True)
class Group:
    """One, with the processes of a node in it."""

    place: Path
    back: Path
    debts: Debts
    owed: int

    def pids(self) -> frozenset[int]:
        """Who is in it now."""
        return frozenset(map(int, (self.place / "cgroup.procs").read_text(encoding="ascii").split()))

    def held_back(self) -> int:
        """In how many tenths of a second somebody in it had to wait for the next."""
        words = dict(line.split() for line in (self.place / "cpu.stat").read_text(encoding="ascii").splitlines())
        return int(words["nr_throttled"])

    def leave(self) -> None:
        """All go back to where they were; nothing to do for a second time. Raises `CommandFailed`."""
        run(*leaving(self.place, self.back))
        self.debts.paid(self.owed)


def leaving(place: Path, back: Path) -> tuple[str, ...]:
    """The command that gives a group up."""
    return ("sh", "-c", _LEAVING, "leaving", str(place), str(back))


def limited(estate: Estate, debts: Debts, node: Node, pids: Iterable[int], share: float) -> Group:
    """Put these processes of a node into a group that gets this share of one processor.

    Raises `ForeignTarget`, `LimitsMissing`, and `OSError` for one who has ended.
    """
    ours = [estate.require_process(pid, node) for pid in pids]
    tree = hierarchy()
    place = tree.root / f"{estate.namespace(node)}-{secrets.token_hex(4)}"
    group = Group(place, tree.ours, debts, debts.owe(*leaving(place, tree.ours)))
    try:
        place.mkdir()
        file, words = tree.limit(share)
        (place / file).write_text(words, encoding="ascii")
        for pid in ours:
            (place / "cgroup.procs").write_text(str(pid), encoding="ascii")
    except OSError as problem:
        group.leave()
        raise CommandFailed(("cgroup", str(place)), str(problem)) from problem
    return group
