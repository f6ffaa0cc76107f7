"""The demo's measurements: one JSON line for each committed group, in a file that survives the worker's death."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.store.parking import Reason
from magnetar.runtime.worker.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardChanges

SECOND = 1_000_000


class Group(msgspec.Struct, array_like=True, frozen=True):
    """A group: when it was committed, each topic message's microseconds since published, and how many duplicates came.

    timers: messages of no topic. parked, freed: keys that wait for what has failed; and keys that do not any more.
    """

    at: int
    waits: list[int]
    timers: int
    duplicates: int
    parked: list[str] = []
    freed: list[str] = []


class Meter(Observer):
    """Writes groups to a file, in the loop's thread; each line is one write, so a killed worker loses none."""

    def __init__(self, path: Path) -> None:
        """Appends to `path`."""
        self._file = path.open("ab", buffering=0)
        self._duplicates = 0

    def close(self) -> None:
        """No more lines."""
        self._file.close()

    def duplicates(self, actor: str, count: int) -> None:  # noqa: ARG002 - the hook's signature
        """Counted until the next group is committed."""
        self._duplicates += count

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:
        """One line."""
        rows = [row for changes in group for row in changes.journal]
        waits = [at - row.published_at for row in rows if row.source not in {"timer", "effect"}]
        parking = [changes.parking for changes in group if changes.parking is not None]
        parked = [f"{key.actor}/{key.key}" for each in parking for key in each.parked_keys if key.reason != Reason.HELD]
        freed = [f"{actor}/{key}" for each in parking for actor, key in each.freed]
        line = Group(at, waits, len(rows) - len(waits), self._duplicates, parked, freed)
        self._duplicates = 0
        self._file.write(msgspec.json.encode(line) + b"\n")


@dataclass(frozen=True, slots=True)
class Measured:
    """All lines of a demo. Instants are microseconds; `waits` are seconds from published to committed, ascending."""

    commits: list[tuple[int, int]]  # (instant, messages)
    waits: list[float]
    duplicates: int
    parked: frozenset[str] = frozenset()  # keys that ever waited for what had failed
    freed: frozenset[str] = frozenset()  # keys that ever waited, and went on

    def wait(self, share: float) -> float:
        """The wait that this share of messages did not exceed, in seconds; 0 when there were none."""
        return self.waits[min(len(self.waits) - 1, int(len(self.waits) * share))] if self.waits else 0.0


def read_meter(path: Path) -> Measured:
    """Read the lines; a last one that was cut short by the worker's death is left out."""
    decoder = msgspec.json.Decoder(Group)
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    groups = [decoder.decode(line) for line in lines[:-1]]
    return Measured(
        commits=[(group.at, len(group.waits) + group.timers) for group in groups],
        waits=sorted(wait / SECOND for group in groups for wait in group.waits),
        duplicates=sum(group.duplicates for group in groups),
        parked=frozenset(key for group in groups for key in group.parked),
        freed=frozenset(key for group in groups for key in group.freed),
    )
