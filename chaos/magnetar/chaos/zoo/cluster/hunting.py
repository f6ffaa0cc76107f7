"""Plays each bug on a cluster of its own, and the same scenarios with the product as it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from magnetar.chaos.playing.leading import NoCluster, lead
from magnetar.chaos.playing.session import LOGS
from magnetar.chaos.record.keeping import RecordDamaged
from magnetar.chaos.zoo.bug import TargetGone
from magnetar.chaos.zoo.cluster.bug import plays
from magnetar.chaos.zoo.cluster.inside import MODULE, RAN
from magnetar.chaos.zoo.cluster.judging import Catch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from magnetar.chaos.record.shape import Record
    from magnetar.chaos.zoo.cluster.bug import ClusterBug


def hunt(bug: ClusterBug, seed: int, out: Path) -> Catch:
    """Play it. What keeps it from being played is a part of the answer. Raises `OutputBusy`, `KeyboardInterrupt`."""
    began = time.monotonic()
    try:
        bug.require_targets()
        (record,) = lead([bug.name], seed, out, MODULE)
    except (TargetGone, NoCluster, RecordDamaged) as problem:
        return Catch(bug, None, time.monotonic() - began, gone=str(problem))
    return Catch(bug, record, time.monotonic() - began, ran(out / record.id / LOGS / RAN))


def ran(file: Path) -> frozenset[str]:
    """What its workers wrote down; nothing if none of it ran."""
    try:
        return frozenset(file.read_text(encoding="utf-8").split())
    except FileNotFoundError:
        return frozenset()


def sound(bugs: Iterable[ClusterBug], seed: int, out: Path) -> Iterator[Record]:
    """Play the scenarios of these bugs with the product as it is, each once. Raises what `lead` raises."""
    there = plays()
    return lead([str(there[name][0]) for name in dict.fromkeys(bug.play for bug in bugs)], seed, out)
