"""What operators ask, brought to the shards (R27): one question each half second for all that this worker owns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.observer import Wait

if TYPE_CHECKING:
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.worker.shard import Shard


@dataclass(frozen=True, slots=True)
class Office:
    """Settings, in seconds. `poll`: between two looks; `busy`: after one that found something. `each`: of a shard.

    `edits`: whether a person may change what dead letters say. `retry`: after so long those that found a dependency's
    queue full are tried again, of a shard at most `again` at a time.
    """

    poll: float = 0.5
    busy: float = 0.05
    each: int = 50
    edits: bool = False
    retry: float = 1.0
    again: int = 20


class Reception:
    """The machine that looks what is asked. Steps are called by the loop's thread only."""

    def __init__(self, means: Means, office: Office) -> None:
        """One for all owned shards."""
        self._store = means.store
        self._holdings = means.holdings
        self._observer = means.observer
        self._points = means.points
        self._office = office
        self._look_at: Instant = 0
        self._due: set[ShardName] = set()

    def step(self, now: Instant) -> Next:
        """Look for requests of the shards that have none in hand; of the others as soon as their group is done."""
        self._points.reach("phase:reception")
        owned = self._holdings.shards()
        if not owned:
            return NEVER
        if now >= self._look_at:
            self._due = {shard.name for shard in owned}
            self._look_at = now + micros(self._office.poll)
        free = {shard.name: shard for shard in owned if shard.name in self._due and _is_free(shard)}
        self._due.difference_update(free)
        if free and self._look(free, now):
            self._look_at = min(self._look_at, now + micros(self._office.busy))
            return Next(now)
        return Next(self._look_at)

    def _look(self, shards: dict[str, Shard], now: Instant) -> int:
        """What is new. Those that wait for room are asked still, and keep nobody behind them from being heard."""
        waiting = max(len(shard.crowded) for shard in shards.values())
        try:
            requests = self._store.asked(list(shards), self._office.each + waiting)
        except StoreUnavailable as error:
            for name in shards:
                self._observer.waiting(name, str(error), Wait.STORE)
            return 0
        fresh = [each for each in requests if each.id not in shards[each.shard].crowded]
        for request in fresh:
            shard = shards[request.shard]
            shard.requests.append(request)
            if shard.custody.unlooked:
                shard.custody.suspects.add(request.id)
        for shard in shards.values():
            shard.custody.unlooked = False
            self._try_again(shard, now)
        return len(fresh)

    def _try_again(self, shard: Shard, now: Instant) -> None:
        """The first of those that wait for room, after all that is new."""
        if shard.crowded and now >= shard.crowded_until:
            shard.crowded_until = now + micros(self._office.retry)
            for each in list(shard.crowded)[: self._office.again]:
                shard.requests.append(shard.crowded.pop(each))


def _is_free(shard: Shard) -> bool:
    """Not one with a group in hand: the request in it is not answered yet, and would be found again."""
    return not (shard.requests or shard.in_turn or shard.stopping)
