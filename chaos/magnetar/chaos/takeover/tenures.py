"""Which worker a shard depended on at each moment, by what the workers have logged. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName

_OWNS = re.compile(r"owns (?P<shard>\S+) (?P<what>since epoch|no more)")
EVER = 2**62


class Turn(NamedTuple):
    """A worker's log says that it has won a shard, or that it has it no more."""

    at: Instant
    shard: ShardName
    process: int
    won: bool


class Tenure(NamedTuple):
    """From when to when a shard depended on one process: it had it, or was the next that won it."""

    process: int
    begin: Instant
    end: Instant


class _Line(msgspec.Struct):
    event: str = ""
    timestamp: str = ""


def turns(log: Iterable[str], process: int) -> Iterator[Turn]:
    """What a worker's log, one JSON object a line, says of its shards; other lines are passed over."""
    for line in log:
        try:
            told = msgspec.json.decode(line, type=_Line)
        except msgspec.DecodeError:  # the client library's own lines, and the last one of who was killed
            continue
        found = _OWNS.match(told.event)
        if found:
            yield Turn(_instant(told.timestamp), found["shard"], process, found["what"] == "since epoch")


def tenures(some: Iterable[Turn]) -> Mapping[ShardName, list[Tenure]]:
    """For each shard, who it depended on: whoever had it; while nobody does, the next who wins it.

    Of one that was killed nobody has said that it has the shard no more: it depends on the dead until it is won.
    """
    by_shard: dict[ShardName, list[Turn]] = {}
    for each in sorted(some):
        by_shard.setdefault(each.shard, []).append(each)
    return {shard: list(_tenures(each)) for shard, each in by_shard.items()}


def _tenures(some: Iterable[Turn]) -> Iterator[Tenure]:
    holder, since = None, 0
    for each in some:
        if holder is not None and (each.won or each.process == holder):
            yield Tenure(holder, since, each.at)
            holder, since = None, each.at
        if each.won:
            holder = each.process
    if holder is not None:
        yield Tenure(holder, since, EVER)


def _instant(timestamp: str) -> Instant:
    return round(datetime.fromisoformat(timestamp).timestamp() * 1_000_000)
