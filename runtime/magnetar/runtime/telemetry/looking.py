"""What can be seen of a running engine from another thread: read at a scrape, it costs the loop nothing.

The loop goes on meanwhile, so each value is a snapshot of its own; lists and dictionaries are copied or measured in
one step of the interpreter, never walked.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from magnetar.runtime.instant import SECOND
from magnetar.runtime.telemetry import catalogue as metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.telemetry.catalogue import Metric
    from magnetar.runtime.telemetry.tally import Numbers
    from magnetar.runtime.worker.batch import Batch
    from magnetar.runtime.worker.engine import Engine
    from magnetar.runtime.worker.shard import Shard


class Pulse(Protocol):
    """What the loop lets others know of itself: the steps it has done, and the seconds that it was busy with them."""

    steps: int
    busy: float


class ShardView(NamedTuple):
    """One owned shard. `lag` is the age in seconds of the oldest message that is here and not committed, or 0."""

    name: ShardName
    epoch: int
    lane: int
    inbox: int
    lag: float
    timers: int
    entities: int


class Looking:
    """Looks into an engine. Any thread."""

    def __init__(self, engine: Engine, pulse: Pulse, clock: Callable[[], Instant]) -> None:
        """`clock` is the one that the loop's steps are timed by."""
        self._engine = engine
        self._pulse = pulse
        self._clock = clock

    def shards(self) -> list[ShardView]:
        """The owned shards."""
        now = self._clock() + self._engine.holdings.clock_offset
        hands = {batch.shard.name: batch for batch in self._engine.turn.batches}
        return [_viewed(shard, hands.get(shard.name), now) for shard in self._engine.holdings.shards()]

    def numbers(self) -> dict[Metric, Numbers]:
        """All gauges of shards, and the loop's counters."""
        shards = self.shards()
        return {
            metrics.SHARD_EPOCH: {(shard.name,): shard.epoch for shard in shards},
            metrics.LANE: {(shard.name,): shard.lane for shard in shards},
            metrics.INBOX: {(shard.name,): shard.inbox for shard in shards},
            metrics.LAG: {(shard.name,): shard.lag for shard in shards},
            metrics.TIMERS: {(shard.name,): shard.timers for shard in shards},
            metrics.ENTITIES: {(shard.name,): shard.entities for shard in shards},
            metrics.LOOP_STEPS: {(): self._pulse.steps},
            metrics.LOOP_BUSY: {(): self._pulse.busy},
        }


def _viewed(shard: Shard, hand: Batch | None, now: Instant) -> ShardView:
    backlogs = [feed.source.backlog() for feed in shard.feeds]
    oldest = [backlog.oldest for backlog in backlogs if backlog.oldest is not None]
    for feed in shard.feeds:
        with suppress(IndexError):  # the loop takes it meanwhile
            oldest.append(feed.returned[0].published_at)
    if hand is not None:
        oldest += [deliveries[0].published_at for _, deliveries in hand.deliveries]
    return ShardView(
        name=shard.name,
        epoch=shard.epoch,
        lane=shard.lane.unsettled,
        inbox=sum(backlog.waiting for backlog in backlogs) + sum(len(feed.returned) for feed in shard.feeds),
        lag=max(0, now - min(oldest, default=now)) / SECOND,
        timers=len(shard.timetable.armed),
        entities=len(shard.entities),
    )
