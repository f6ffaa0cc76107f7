"""How long a shard stood still while something waited for it. Pure.

What is looked at are messages: when each was published to the shard, and when the first of what it decided was
published in turn. The second is after its commit, so a gap here ends no earlier than that of the commits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName


class Passed(NamedTuple):
    """A message that went through a shard: published to it, and seen to have had its effect. Microseconds."""

    shard: ShardName
    came: Instant
    seen: Instant


class Gap(NamedTuple):
    """A stretch in which a shard had something to do, and nothing was seen of it until the end."""

    shard: ShardName
    begin: Instant
    end: Instant

    def since(self, instant: Instant | None) -> Instant:
        """How much of it was after an instant, in microseconds; all of it for None."""
        return max(0, self.end - (self.begin if instant is None else max(self.begin, instant)))


def gaps(passed: Iterable[Passed]) -> dict[ShardName, list[Gap]]:
    """The gaps of each shard, in the order of time, those of no length left out."""
    by_shard: dict[ShardName, list[Passed]] = {}
    for each in passed:
        by_shard.setdefault(each.shard, []).append(each)
    return {shard: _gaps(shard, sorted(some, key=lambda each: each.seen)) for shard, some in by_shard.items()}


def _gaps(shard: ShardName, some: Sequence[Passed]) -> list[Gap]:
    """Before an effect was seen, the shard had been idle since the one before, or since the oldest that waited came."""
    waited = _oldest(some)
    found: list[Gap] = []
    for at, each in enumerate(some):
        begin = waited[at] if at == 0 else max(some[at - 1].seen, waited[at])
        if begin < each.seen:
            found.append(Gap(shard, begin, each.seen))
    return found


def _oldest(some: Sequence[Passed]) -> list[Instant]:
    """For each place, when the oldest came of those that were not seen before it."""
    oldest = [each.came for each in some]
    for at in range(len(some) - 2, -1, -1):
        oldest[at] = min(oldest[at], oldest[at + 1])
    return oldest


def longest(found: Iterable[Gap], begin: Instant, end: Instant, since: Instant | None = None) -> Gap | None:
    """Of the gaps that ended in a stretch of time, the one with most of it after `since`."""
    ended = [gap for gap in found if begin <= gap.end <= end]
    return max(ended, key=lambda gap: gap.since(since), default=None)
