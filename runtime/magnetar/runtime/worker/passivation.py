"""Passivation: an entity that has been idle for long leaves memory; its state is in the store, and mail brings it back.

No turn ever looks at all entities. Each stands in one round of its shard: the span of time in which it was last found
in use. When a round is old enough its entities are looked at, so many a step: who was used since moves to a later
round, the others are dropped. So an entity is looked at once per `Limits.idle` at most.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from magnetar.runtime.instant import SECOND, Instant
from magnetar.runtime.worker.machine import NEVER, Means, Next

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.worker.batch import Limits
    from magnetar.runtime.worker.shard import Shard
    from magnetar.runtime.worker.turn import Turn

_ROUNDS = 16
"""An entity is dropped when it has been idle for `Limits.idle` and at most one part in so many more."""

LOOKS = 1000
"""So many entities are looked at in one step: about half a millisecond."""


class Passivation:
    """The machine that lets idle entities go. Steps are called by the loop's thread only."""

    def __init__(self, means: Means, turn: Turn, limits: Limits) -> None:
        """It works between groups only: what a group has loaded stays until it is committed."""
        self._holdings = means.holdings
        self._points = means.points
        self._turn = turn
        self._live = limits.live
        self._idle = max(1, round(limits.idle))
        self._width = max(1, self._idle // _ROUNDS)

    def step(self, now: Instant) -> Next:
        """Drop who has been idle for too long, and the longest idle ones above the bound."""
        self._points.reach("phase:passivation")
        if not self._turn.idle:
            return NEVER
        shards = self._holdings.shards()
        for shard in shards:
            if shard.arrived:
                self._enter(shard)
        second = (now + self._holdings.clock_offset) // SECOND
        looked = sum(self._drop(shard, second) for shard in shards if shard.rounds)
        surplus = sum(len(shard.entities) for shard in shards) - self._live
        if surplus > 0 and looked < LOOKS:
            looked += self._crowd_out(shards, min(surplus, LOOKS))
        if looked >= LOOKS:
            return Next(now)
        dues = [self._due(min(shard.rounds)) for shard in shards if shard.rounds]
        return Next(min(dues) * SECOND - self._holdings.clock_offset) if dues else NEVER

    def _due(self, number: int) -> int:
        """The second from which everybody in this round who was not used since has been idle for long enough."""
        return (number + 1) * self._width + self._idle

    def _enter(self, shard: Shard) -> None:
        """Those that became live since the last step."""
        for entity in shard.arrived:
            shard.rounds.setdefault(entity.touched // self._width, deque()).append(entity)
        shard.arrived.clear()

    def _drop(self, shard: Shard, second: int) -> int:
        """Look at the rounds that are due; returns at how many entities."""
        looked = 0
        while shard.rounds and looked < LOOKS:
            number = min(shard.rounds)
            if self._due(number) > second:
                break
            looked += self._look(shard, number, LOOKS - looked)
        return looked

    def _crowd_out(self, shards: Iterable[Shard], looks: int) -> int:
        """Above the bound: the oldest round gives up its entities, whether it is due or not."""
        shard = min((shard for shard in shards if shard.rounds), key=lambda each: min(each.rounds))
        return self._look(shard, min(shard.rounds), looks)

    def _look(self, shard: Shard, number: int, looks: int) -> int:
        """Drop or move up to `looks` entities of one round; returns how many it were."""
        waiting = shard.rounds[number]
        count = min(looks, len(waiting))
        for _ in range(count):
            entity = waiting.popleft()
            later = entity.touched // self._width
            if later > number:
                shard.rounds.setdefault(later, deque()).append(entity)
            else:
                del shard.entities[entity.key]
        if not waiting:
            del shard.rounds[number]
        return count
