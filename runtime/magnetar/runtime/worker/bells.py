"""The bells of parked keys: retry-topic messages, and where none rings the row's own due time (R23).

A bell is acted on only if its key is parked with that very due time, which has come; else it is acknowledged and
forgotten: the row decides. A tier's topic is subscribed while a key of the shard waits for its bell, and no longer: a
shard on which nothing fails has no more consumers than it has sources.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.runtime import envelope as wire
from magnetar.runtime.bus.port import BusError, Busy
from magnetar.runtime.instant import Instant, from_iso, micros
from magnetar.runtime.wiring import subscription_of
from magnetar.runtime.worker.machine import NEVER, Means, Next

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Consumer, Delivery, Opening
    from magnetar.runtime.store.port import ShardName
    from magnetar.runtime.worker.intake import Receiving, Source
    from magnetar.runtime.worker.shard import Shard

_log = logging.getLogger("magnetar.bells")


@dataclass(frozen=True, slots=True)
class Ringing:
    """Settings, in seconds. `poll`: between two looks at a tier; `reopen`: after a failure.

    `idle`: so long a tier stays subscribed after the last key that waited for it. `batch`: bells taken at a time.
    """

    poll: float = 0.05
    reopen: float = 1.0
    idle: float = 30.0
    batch: int = 100


@dataclass(slots=True)
class Tower:
    """One tier of one shard. `waiting` are bells that were received and have not rung, the first to ring first."""

    opening: Opening[Consumer] | None = None
    source: Source | None = None
    waiting: deque[Delivery] = field(default_factory=deque)
    not_before: Instant = 0
    used: Instant = 0


class Bells:
    """The machine that lets parked keys go on. Steps are called by the loop's thread only."""

    def __init__(self, means: Means, receiving: Receiving, ringing: Ringing) -> None:
        """One for all owned shards; `receiving` makes sources of consumers."""
        self._bus = means.bus
        self._holdings = means.holdings
        self._points = means.points
        self._receiving = receiving
        self._ringing = ringing
        self._towers: dict[ShardName, dict[str, Tower]] = {}

    def step(self, now: Instant) -> Next:
        """Ring for every key whose time has come."""
        self._points.reach("phase:bells")
        for part in (self.leave, self.close):
            for shard in self._holdings.lost:
                part(shard)
        choices = [self._serve(shard, now) for shard in self._holdings.shards() if self._concerns(shard)]
        return Next.first(*choices) if choices else NEVER

    def leave(self, shard: Shard) -> None:
        """Begin to give the shard's tiers back. Waits for nobody."""
        for tower in self._towers.get(shard.name, {}).values():
            if tower.source is not None:
                tower.source.leave()

    def close(self, shard: Shard) -> None:
        """Give the shard's tiers back; idempotent (R15: before its main consumer)."""
        for tower in self._towers.pop(shard.name, {}).values():
            _close(tower)

    def _concerns(self, shard: Shard) -> bool:
        return bool(shard.parking.keys or shard.name in self._towers) and not (shard.stopping or shard.halted)

    def _serve(self, shard: Shard, now: Instant) -> Next:
        offset = self._holdings.clock_offset
        due = shard.parking.ring_by_row(now + offset)
        choices = [NEVER if due is None else Next(due - offset)]  # what rings, the turn takes, when it can
        waits = any((key.failures or key.crashes) and key.due is not None for key in shard.parking.keys.values())
        if waits or shard.name in self._towers:
            towers = self._towers.setdefault(shard.name, {})
            choices += [self._attend(shard, topic, towers, now, waits=waits) for topic, _ in shard.plan.retries]
            if not towers:
                del self._towers[shard.name]
        return Next.first(*choices)

    def _attend(self, shard: Shard, topic: str, towers: dict[str, Tower], now: Instant, *, waits: bool) -> Next:
        tower = towers.get(topic)
        if tower is None:
            if not waits:
                return NEVER
            tower = towers[topic] = Tower(used=now)
        if waits:
            tower.used = now
        elif not tower.waiting and now - tower.used >= micros(self._ringing.idle):
            _close(tower)
            del towers[topic]
            return NEVER
        if now < tower.not_before:
            return Next(tower.not_before)
        try:
            self._listen(shard, topic, tower, now)
        except BusError as error:
            level = logging.DEBUG if isinstance(error, Busy) else logging.WARNING
            _log.log(level, "shard %s: %s: %s; its rows ring meanwhile", shard.name, topic, error)
            _close(tower)
            tower.not_before = now + micros(self._ringing.reopen)
        return self._next(tower, now)

    def _next(self, tower: Tower, now: Instant) -> Next:
        """A tier is in order: while its first bell is to come, no other is looked for. Who waits for one is woken."""
        if tower.source is None:
            return Next(max(tower.not_before, now + micros(self._ringing.poll)))
        due = _due_of(tower.waiting[0]) if tower.waiting else None
        return NEVER if due is None else Next(max(now, due - self._holdings.clock_offset))

    def _listen(self, shard: Shard, topic: str, tower: Tower, now: Instant) -> None:
        if tower.source is None:
            subscription = subscription_of(shard.plan.name)
            tower.opening = tower.opening or self._bus.subscribe(topic, shard.partition, subscription)
            consumer = tower.opening.poll()
            if consumer is None:
                return
            tower.opening, tower.source = None, self._receiving.sourced(consumer)
        if not tower.waiting:
            tower.waiting.extend(tower.source.take(self._ringing.batch))
        instant, rung = now + self._holdings.clock_offset, None
        while tower.waiting and self._is_done(shard, tower.waiting[0], instant):
            rung = tower.waiting.popleft()
        if rung is not None:
            tower.source.acknowledge(rung.position)

    def _is_done(self, shard: Shard, bell: Delivery, instant: Instant) -> bool:
        """Ring it, or see that it is of an earlier time. False: it is the next to ring, and its time is to come.

        Acknowledged at once: the attempt may never be committed, but then the row's own time rings.
        """
        key = shard.parking.keys.get(bell.key or "")
        due = _due_of(bell)
        if key is None or due is None or key.due != due:
            return True
        return shard.parking.ring(key.key, instant)


def _due_of(bell: Delivery) -> Instant | None:
    """When it is to ring; None for what is no bell of ours."""
    try:
        return from_iso(bell.properties[wire.DUE])
    except (KeyError, ValueError):
        return None


def _close(tower: Tower) -> None:
    """Received bells that have not rung come again, to whoever subscribes next."""
    if tower.opening is not None:
        tower.opening.abandon()
    if tower.source is not None:
        tower.source.close()
    tower.opening = tower.source = None
    tower.waiting.clear()
