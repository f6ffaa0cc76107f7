"""The observer that counts. Its hooks run in the loop, so they add to plain numbers and do nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.telemetry import catalogue as metrics
from magnetar.runtime.telemetry.tally import Distribution, Numbers, add, zeros
from magnetar.runtime.worker.answers import Ending
from magnetar.runtime.worker.observer import Loss, Observer, Takeover, Wait

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.parking import Parking
    from magnetar.runtime.store.port import ShardChanges, ShardName
    from magnetar.runtime.telemetry.catalogue import Metric
    from magnetar.runtime.telemetry.tally import Labels

_APPLIED = Disposition.APPLIED.value

MOST_GROUPS = 50
"""So many causes of dead letters are told apart, in one life of a worker; later ones are counted as `OTHERS`."""

OTHERS = "others"


class Counting(Observer):
    """Counts for one worker. Written by the loop's thread; `numbers` and `distributions` may be read by any."""

    def __init__(self, partitions: Mapping[str, int], version: str) -> None:
        """`partitions`: actor → its shards. Every label that can be known is there from the start, at zero."""
        actors = tuple(partitions)
        self._lengths = Distribution(metrics.COMMIT_MESSAGES.bounds)
        self._times = Distribution(metrics.COMMIT_DURATION.bounds)
        self._ages = {actor: Distribution(metrics.MESSAGE_AGE.bounds) for actor in actors}
        self._blocked: dict[ShardName, set[str]] = {}
        self.numbers: dict[Metric, Numbers] = {
            metrics.BUILD_INFO: {(version,): 1},
            metrics.SHARDS: {(actor,): count for actor, count in partitions.items()},
            metrics.SHARDS_OWNED: zeros(actors),
            metrics.SHARDS_ASSIGNED: zeros(actors),
            metrics.TAKEOVERS: zeros(actors, Takeover),
            metrics.LOSSES: zeros(actors, Loss),
            metrics.WENT_BACK: zeros(actors),
            metrics.COMMITS: zeros(),
            metrics.COMMITS_REFUSED: zeros(actors),
            metrics.COMMITS_UNKNOWN: zeros(("happened", "lost")),
            metrics.SETTLED: zeros(actors, Disposition),
            metrics.DUPLICATES: zeros(actors),
            metrics.SKIPPED: zeros(actors),
            metrics.REHOMED: zeros(actors),
            metrics.STALE_TIMERS: zeros(actors),
            metrics.FAILURES: zeros(actors),
            metrics.CRASHES: zeros(actors),
            metrics.DEAD_LETTERS: zeros(actors),
            metrics.DEAD_BY_GROUP: zeros(actors, (OTHERS,)),
            metrics.EFFECT_CALLS: {},
            metrics.EFFECTS_TOLD: {},
            metrics.RELAYED: zeros(actors),
            metrics.RELAY_DUPLICATES: zeros(actors),
            metrics.BLOCKED: {},
            metrics.WAITS: zeros(Wait),
        }
        self.distributions: dict[Metric, dict[Labels, Distribution]] = {
            metrics.COMMIT_MESSAGES: {(): self._lengths},
            metrics.COMMIT_DURATION: {(): self._times},
            metrics.MESSAGE_AGE: {(actor,): ages for actor, ages in self._ages.items()},
            metrics.EFFECT_DURATION: {},
        }

    def assigned(self, shards: Sequence[ShardName]) -> None:
        """See `Observer`."""
        wanted = self.numbers[metrics.SHARDS_ASSIGNED]
        wanted.update(zeros(self._ages) | {(actor,): n for actor, n in Counter(map(_actor, shards)).items()})

    def excluded(self, why: str) -> None:  # noqa: ARG002
        """See `Observer`."""
        self.assigned(())

    def taken_over(self, shard: ShardName, how: Takeover) -> None:
        """See `Observer`."""
        add(self.numbers[metrics.TAKEOVERS], (_actor(shard), how), 1)

    def owned(self, shard: ShardName, epoch: int) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._blocked[shard] = set()
        add(self.numbers[metrics.SHARDS_OWNED], (_actor(shard),), 1)
        self.numbers[metrics.BLOCKED][shard,] = 0

    def went_back(self, shard: ShardName, why: str) -> None:  # noqa: ARG002
        """See `Observer`."""
        add(self.numbers[metrics.WENT_BACK], (_actor(shard),), 1)

    def lost(self, shard: ShardName, why: str, loss: Loss) -> None:  # noqa: ARG002
        """See `Observer`."""
        self._blocked.pop(shard, None)
        add(self.numbers[metrics.SHARDS_OWNED], (_actor(shard),), -1)
        add(self.numbers[metrics.LOSSES], (_actor(shard), loss), 1)
        self.numbers[metrics.BLOCKED].pop((shard,), None)

    def stored(self, took: float) -> None:
        """See `Observer`."""
        self._times.note(took)

    def refused(self, shard: ShardName) -> None:
        """See `Observer`."""
        add(self.numbers[metrics.COMMITS_REFUSED], (_actor(shard),), 1)

    def committed(self, group: Sequence[ShardChanges], at: Instant) -> None:
        """See `Observer`. The only hook that looks at messages: one pass for outcomes, one for ages."""
        if not group:
            return  # every shard of it was lost
        size = 0
        moments: dict[str, list[Instant]] = {}
        for changes in group:
            if changes.parking is not None:
                self._fail(_actor(changes.shard), changes.parking)
            if changes.care is not None:
                add(self.numbers[metrics.CRASHES], (_actor(changes.shard),), len(changes.care.crashes))
            if changes.journal:
                size += len(changes.journal)
                actor = changes.journal[0].actor
                self._settle(actor, changes)
                moments.setdefault(actor, []).extend([row.published_at for row in changes.journal if row.position])
        for actor, published in moments.items():
            self._ages[actor].note_ages(published, at, SECOND)
        add(self.numbers[metrics.COMMITS], (), 1)
        if size:
            self._lengths.note(size)

    def _fail(self, actor: str, parking: Parking) -> None:
        """Failures and dead letters, and what became of messages that had been parked before."""
        add(self.numbers[metrics.FAILURES], (actor,), len(parking.failures))
        add(self.numbers[metrics.DEAD_LETTERS], (actor,), len(parking.dead))
        for letter in parking.dead:
            self._group(actor, letter.fingerprint)
        for outcome, count in Counter(row.disposition for row in parking.settled).items():
            add(self.numbers[metrics.SETTLED], (actor, outcome), count)

    def _group(self, actor: str, fingerprint: str) -> None:
        groups = self.numbers[metrics.DEAD_BY_GROUP]
        known = (actor, fingerprint) in groups or len(groups) < len(self._ages) + MOST_GROUPS
        add(groups, (actor, fingerprint if known else OTHERS), 1)

    def _settle(self, actor: str, changes: ShardChanges) -> None:
        settled = self.numbers[metrics.SETTLED]
        outcomes = [row.disposition for row in changes.journal]
        applied = outcomes.count(_APPLIED)
        add(settled, (actor, _APPLIED), applied)
        if applied < len(outcomes):
            for outcome, count in Counter(outcomes).items():
                if outcome != _APPLIED:
                    add(settled, (actor, outcome), count)

    def duplicates(self, actor: str, count: int) -> None:
        """See `Observer`."""
        add(self.numbers[metrics.DUPLICATES], (actor,), count)

    def skipped(self, actor: str, count: int) -> None:
        """See `Observer`."""
        add(self.numbers[metrics.SKIPPED], (actor,), count)

    def rehomed(self, actor: str, count: int) -> None:
        """See `Observer`."""
        add(self.numbers[metrics.REHOMED], (actor,), count)

    def stale_timers(self, actor: str, count: int) -> None:
        """See `Observer`."""
        add(self.numbers[metrics.STALE_TIMERS], (actor,), count)

    def unknown_commit(self, *, happened: bool) -> None:
        """See `Observer`."""
        add(self.numbers[metrics.COMMITS_UNKNOWN], ("happened" if happened else "lost",), 1)

    def relayed(self, shard: ShardName, count: int, duplicates: int) -> None:
        """See `Observer`."""
        add(self.numbers[metrics.RELAYED], (_actor(shard),), count)
        add(self.numbers[metrics.RELAY_DUPLICATES], (_actor(shard),), duplicates)

    def blocked(self, shard: ShardName, destination: str, why: str) -> None:  # noqa: ARG002
        """See `Observer`."""
        blocked = self._blocked.get(shard)
        if blocked is not None:
            blocked.add(destination)
            self.numbers[metrics.BLOCKED][shard,] = len(blocked)

    def called(self, dependency: str, ending: Ending, took: float) -> None:
        """See `Observer`. The first call of a dependency brings all of its labels."""
        if (dependency,) not in self.distributions[metrics.EFFECT_DURATION]:
            self.numbers[metrics.EFFECT_CALLS].update(zeros((dependency,), Ending))
            self.distributions[metrics.EFFECT_DURATION] = {
                **self.distributions[metrics.EFFECT_DURATION],
                (dependency,): Distribution(metrics.EFFECT_DURATION.bounds),
            }
        add(self.numbers[metrics.EFFECT_CALLS], (dependency, ending), 1)
        self.distributions[metrics.EFFECT_DURATION][dependency,].note(took)

    def outcome(self, dependency: str, ending: Ending) -> None:
        """See `Observer`."""
        counts = self.numbers[metrics.EFFECTS_TOLD]
        counts[dependency, ending] = counts.get((dependency, ending), 0) + 1

    def waiting(self, shard: ShardName, why: str, on: Wait) -> None:  # noqa: ARG002
        """See `Observer`."""
        add(self.numbers[metrics.WAITS], (on,), 1)


def _actor(shard: ShardName) -> str:
    return shard.rpartition("/")[0]
