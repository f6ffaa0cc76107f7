"""What can be seen of a running engine from another thread: read at a scrape, it costs the loop nothing.

The loop goes on meanwhile, so each value is a snapshot of its own; lists and dictionaries are copied or measured in
one step of the interpreter, never walked.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.parking import Reason
from magnetar.runtime.telemetry import catalogue as metrics
from magnetar.runtime.worker.breaker import BreakerState
from magnetar.runtime.worker.parking import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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


class ParkedView(NamedTuple):
    """A shard's parked keys: how many by reason, with how many messages, and the age in seconds of the oldest, or 0.

    `alarming` have as many messages as their alarm, `full` as their bound.
    """

    reasons: Mapping[str, int]
    messages: int
    age: float
    alarming: int
    full: int


class ShardView(NamedTuple):
    """One owned shard. `lag` is the age in seconds of the oldest message that is here and not committed, or 0.

    `effects`: dependency → how many have no outcome yet.
    """

    name: ShardName
    epoch: int
    careful: bool
    lane: int
    inbox: int
    lag: float
    timers: int
    entities: int
    parked: ParkedView
    effects: Mapping[str, int]


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
            metrics.SHARDS_CAREFUL: _careful(shards),
            metrics.LANE: {(shard.name,): shard.lane for shard in shards},
            metrics.INBOX: {(shard.name,): shard.inbox for shard in shards},
            metrics.LAG: {(shard.name,): shard.lag for shard in shards},
            metrics.TIMERS: {(shard.name,): shard.timers for shard in shards},
            metrics.ENTITIES: {(shard.name,): shard.entities for shard in shards},
            metrics.PARKED_KEYS: {
                (shard.name, reason): count for shard in shards for reason, count in shard.parked.reasons.items()
            },
            metrics.PARKED: {(shard.name,): shard.parked.messages for shard in shards},
            metrics.PARKED_AGE: {(shard.name,): shard.parked.age for shard in shards},
            metrics.LONG_TAILS: {(shard.name,): shard.parked.alarming for shard in shards},
            metrics.FULL_TAILS: {(shard.name,): shard.parked.full for shard in shards},
            metrics.EFFECTS_WAITING: {
                (shard.name, name): count for shard in shards for name, count in shard.effects.items()
            },
            metrics.EFFECTS_OPEN: {(name,): count for name, count in self._engine.effects.under_way().items()},
            metrics.BREAKER: {
                (name, each.value): each is state
                for name, state in self._engine.effects.breakers(self._clock()).items()
                for each in BreakerState
            },
            metrics.LOOP_STEPS: {(): self._pulse.steps},
            metrics.LOOP_BUSY: {(): self._pulse.busy},
        }


def _careful(shards: Iterable[ShardView]) -> Numbers:
    """By actor; one of which none is careful is there, too."""
    counts: Counter[tuple[str, ...]] = Counter()
    for shard in shards:
        counts[shard.name.rpartition("/")[0],] += shard.careful
    return dict(counts)


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
        careful=shard.custody.careful is not None,
        lane=shard.lane.unsettled,
        inbox=sum(backlog.waiting for backlog in backlogs) + sum(len(feed.returned) for feed in shard.feeds),
        lag=max(0, now - min(oldest, default=now)) / SECOND,
        timers=len(shard.timetable.armed),
        entities=len(shard.entities),
        parked=_parked(shard, now),
        effects=dict(shard.errands.counts),
    )


def _parked(shard: Shard, now: Instant) -> ParkedView:
    """From a copy that is made in one step: the walk over it may take its time."""
    keys = list(shard.parking.keys.values())
    retry, lengths = shard.plan.policy.retry, [waiting(key) for key in keys]
    counts = Counter(key.reason for key in keys)
    return ParkedView(
        reasons={reason.value: counts[reason.value] for reason in Reason},
        messages=sum(lengths),
        age=max(0, now - min((key.since for key in keys), default=now)) / SECOND,
        alarming=sum(length >= retry.alarm for length in lengths),
        full=sum(length >= retry.bound for length in lengths),
    )
