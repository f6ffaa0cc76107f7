"""The relay: what was decided is published, in lane order per destination, by the shard's only owner (R18 to R20).

Producers are opened when it is likely that something will be sent: when a shard is won, and when a group is handled.
Nothing is sent before it is committed.

From memory, unbatched, under numbers that the broker de-duplicates. On a failed send it waits for all receipts and
goes on from the lowest unconfirmed, with the same numbers: never a higher one before a lower one is stored.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.bus.port import BusError, Busy, Outgoing, Refused, SchemaRefused
from magnetar.runtime.errors import BrokenPromise
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.worker.machine import NEVER, Means, Next
from magnetar.runtime.worker.observer import Loss, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.bus.port import Opening, Producer, Receipt
    from magnetar.runtime.store.port import OutboxRow, ShardName
    from magnetar.runtime.wiring import Wiring
    from magnetar.runtime.worker.shard import Destination, Shard

_log = logging.getLogger("magnetar.relay")
_properties = msgspec.json.Decoder(dict[str, str]).decode


@dataclass(frozen=True, slots=True)
class Pace:
    """Settings of the relay. `window`: sends without a receipt per destination; seconds for the rest."""

    window: int = 1000
    poll: float = 0.003
    reopen: float = 0.2
    idle_close: float = 60.0
    reload: int = 1000


@dataclass(slots=True)
class Outlet:
    """One destination partition of one shard: rows to send, rows on their way, and the producer.

    `unconfirmed`: their sends failed; nothing more is sent until every receipt is in, then from the lowest (R19).
    """

    queue: deque[OutboxRow] = field(default_factory=deque)
    flying: deque[OutboxRow] = field(default_factory=deque)
    unconfirmed: list[OutboxRow] = field(default_factory=list)
    opening: Opening[Producer] | None = None
    producer: Producer | None = None
    not_before: Instant = 0
    used: Instant = 0
    last_sent: int = 0
    blocked: str = ""


@dataclass(slots=True)
class Outlets:
    """A shard's outlets. Those with work are known apart: a step must not look at every producer that is open."""

    known: dict[Destination, Outlet] = field(default_factory=dict)
    busy: dict[Destination, Outlet] = field(default_factory=dict)
    sweep_at: Instant = 0

    def queue(self, row: OutboxRow) -> None:
        """Give a row to the outlet of its destination."""
        destination = (row.topic, row.partition)
        outlet = self.known.get(destination)
        if outlet is None:
            outlet = self.known[destination] = Outlet()
        outlet.queue.append(row)
        self.busy[destination] = outlet

    def expect(self, destinations: Iterable[Destination]) -> None:
        """Something will be sent there: a producer that is not open yet can be opened meanwhile."""
        for destination in destinations:
            if destination not in self.known:
                self.known[destination] = self.busy[destination] = Outlet()

    def rest(self, destination: Destination) -> None:
        """The outlet may have nothing left to do."""
        outlet = self.busy[destination]
        if not (outlet.queue or outlet.flying or outlet.unconfirmed or outlet.opening):
            del self.busy[destination]

    def sweep(self, before: Instant) -> None:
        """Close the producers that were last used before that."""
        for destination, outlet in list(self.known.items()):
            if destination not in self.busy and outlet.producer is not None and outlet.used < before:
                outlet.producer.close()
                del self.known[destination]


class Relay:
    """The machine that publishes. Steps are called by the loop's thread only."""

    def __init__(self, means: Means, wiring: Wiring, pace: Pace) -> None:
        """One relay serves every owned shard."""
        self._bus = means.bus
        self._store = means.store
        self._holdings = means.holdings
        self._wiring = wiring
        self._observer = means.observer
        self._points = means.points
        self._pace = pace
        self._poll = micros(pace.poll)
        self._idle_close = micros(pace.idle_close)
        self._outlets: dict[ShardName, Outlets] = {}
        self._usual: dict[str, set[str]] = {}
        self._reload_at: Instant = 0

    def step(self, now: Instant) -> Next:
        """Sort committed rows to their destinations, collect receipts, send on."""
        self._points.reach("phase:relay")
        for part in (self.leave, self.close):
            for shard in self._holdings.lost:
                part(shard)
        choices = [self._serve(shard, now) for shard in self._holdings.shards()]
        return Next.first(*choices) if choices else NEVER

    def drained(self, shard: Shard) -> bool:
        """Whether every row of the lane has its receipt."""
        return not shard.lane.waiting and not shard.lane.unsettled and not shard.lane.partial

    def leave(self, shard: Shard) -> None:
        """Begin to close the shard's producers, all at a time: it may have dozens. Waits for nobody."""
        for outlet in self._outlets.get(shard.name, Outlets()).known.values():
            if outlet.opening is not None:
                outlet.opening.abandon()
                outlet.opening = None
            if outlet.producer is not None:
                outlet.producer.leave()

    def close(self, shard: Shard) -> None:
        """Close the shard's producers: nothing of it is sent later (R13)."""
        self.leave(shard)
        for outlet in self._outlets.pop(shard.name, Outlets()).known.values():
            if outlet.producer is not None:
                outlet.producer.close()

    def _serve(self, shard: Shard, now: Instant) -> Next:
        if shard.lane.partial and not shard.lane.waiting and not shard.lane.unsettled and not self._reload(shard, now):
            return Next(self._reload_at)
        outlets = self._outlets.get(shard.name)
        if outlets is None:
            outlets = self._outlets[shard.name] = Outlets()
            outlets.expect((topic, shard.partition) for topic in self._usual_of(shard))
        elif not (shard.heralded or shard.lane.waiting or outlets.busy) and now < outlets.sweep_at:  # most of the time
            return NEVER
        if shard.heralded:
            self._usual_of(shard).update(
                topic for topic, at in shard.heralded if at == shard.partition and self._is_alike(topic, shard)
            )
            outlets.expect(shard.heralded)
        shard.heralded.clear()
        while shard.lane.waiting:
            outlets.queue(shard.lane.waiting.popleft())
        if now >= outlets.sweep_at:
            outlets.sweep(now - self._idle_close)
            outlets.sweep_at = now + self._idle_close // 8
        choices = [NEVER]
        for destination, outlet in list(outlets.busy.items()):
            choices.append(self._push(shard, destination, outlet, now))
            outlets.rest(destination)
        return Next.first(*choices)

    def _is_alike(self, topic: str, shard: Shard) -> bool:
        """Whether a topic has the actor's partitions. What fails is not usual: no producer of letters is kept ready."""
        found = self._wiring.topics.get(topic)
        return found is not None and found.partitions == shard.plan.policy.partitions

    def _usual_of(self, shard: Shard) -> set[str]:
        """Topics on which shards of this actor write to the partition of their own number, for keys that are the same.

        At first that is thought of the actor's events.
        """
        usual = self._usual.get(shard.plan.name)
        if usual is None:
            events = shard.plan.events
            fits = events is not None and events.partitions == shard.plan.policy.partitions
            usual = self._usual[shard.plan.name] = {events.name} if events is not None and fits else set()
        return usual

    def _reload(self, shard: Shard, now: Instant) -> bool:
        """The next window of a lane that was too long for memory (R20). False: the store is away, ask again later."""
        if now < self._reload_at:
            return False
        try:
            found = self._store.outbox(shard.name, shard.lane.loaded, self._pace.reload)
        except StoreUnavailable as error:
            self._observer.waiting(shard.name, str(error), Wait.STORE)
            self._reload_at = now + micros(self._pace.reopen)
            return False
        rows = [row for row in found if row.number <= shard.lane_number]  # a later owner's are not for a zombie
        shard.lane.extend(rows)
        shard.lane.partial = len(rows) == self._pace.reload
        return True

    def _push(self, shard: Shard, destination: Destination, outlet: Outlet, now: Instant) -> Next:
        if outlet.producer is not None and outlet.flying:
            self._collect(shard, destination, outlet, now)
        if outlet.unconfirmed and not outlet.flying:
            self._begin_again(outlet, now)
        if outlet.blocked or now < outlet.not_before:
            return Next(outlet.not_before) if not outlet.blocked else NEVER
        if outlet.producer is None and not self._open(shard, destination, outlet, now):
            return Next(max(outlet.not_before, now + self._poll))
        if not outlet.unconfirmed:
            self._send(shard, destination, outlet, now)
        return Next(now + self._poll) if outlet.flying or outlet.queue else NEVER

    def _collect(self, shard: Shard, destination: Destination, outlet: Outlet, now: Instant) -> None:
        try:
            receipts = outlet.producer.receipts() if outlet.producer is not None else []
        except BusError as error:
            _log.warning("shard %s: %s/%d: %s; opening it anew", shard.name, *destination, error)
            self._drop_producer(outlet, now)
            return
        duplicates = 0
        for receipt in receipts:
            row = outlet.flying.popleft()
            if receipt.number != row.number:
                message = (
                    f"shard {shard.name}: receipt {receipt.number} from {destination} while {row.number} "
                    "is the oldest on its way"
                )
                raise BrokenPromise(message)
            if receipt.error is None:
                self._confirm(shard, outlet, row, destination)
                duplicates += receipt.duplicate
            else:
                self._fail(shard, destination, outlet, row, receipt)
        if receipts:
            outlet.used = now
            self._observer.relayed(shard.name, len(receipts), duplicates)

    def _confirm(self, shard: Shard, outlet: Outlet, row: OutboxRow, destination: Destination) -> None:
        """A receipt.

        One above a failed number means that the broker went past it: sending that again would be dropped (R19).
        """
        if outlet.unconfirmed:
            self._block(
                shard,
                destination,
                outlet,
                f"number {row.number} is stored, but {outlet.unconfirmed[0].number} before it failed",
            )
        shard.lane.confirm(row.number)

    def _fail(self, shard: Shard, destination: Destination, outlet: Outlet, row: OutboxRow, receipt: Receipt) -> None:
        outlet.unconfirmed.append(row)
        if isinstance(receipt.error, Refused):
            self._block(shard, destination, outlet, f"the broker refuses number {row.number}: {receipt.error}")
        else:
            _log.warning(
                "shard %s: send %d to %s/%d: %s; sending again", shard.name, row.number, *destination, receipt.error
            )

    def _begin_again(self, outlet: Outlet, now: Instant) -> None:
        """All receipts are in: from the lowest unconfirmed, same numbers, on a fresh producer of the same name."""
        outlet.queue.extendleft(reversed(outlet.unconfirmed))
        outlet.unconfirmed.clear()
        outlet.last_sent = 0
        outlet.not_before = now + micros(self._pace.reopen)
        if outlet.producer is not None:
            outlet.producer.close()
            outlet.producer = None

    def _open(self, shard: Shard, destination: Destination, outlet: Outlet, now: Instant) -> bool:
        topic, partition = destination
        if outlet.opening is None:
            known = self._wiring.topics.get(topic)
            if known is None and topic not in self._wiring.letters:
                why = "no contract of this code has that topic; a release that has it sends these rows"
                self._block(shard, destination, outlet, why)
                return False
            schema = None if known is None else known.codec.schema.text
            name = producer_name(self._wiring.app, shard.name, destination, shard.generation)
            outlet.opening = self._bus.produce(topic, partition, name, schema)
        try:
            producer = outlet.opening.poll()
        except SchemaRefused as error:
            outlet.opening = None
            self._block(shard, destination, outlet, str(error))
            return False
        except BusError as error:
            outlet.opening = None
            outlet.not_before = now + micros(self._pace.reopen)
            level = logging.DEBUG if isinstance(error, Busy) else logging.WARNING
            _log.log(level, "shard %s: opening %s/%d: %s; trying again", shard.name, topic, partition, error)
            return False
        if producer is None:
            return False
        outlet.opening = None
        outlet.producer = producer
        outlet.used = now
        return producer.last_number <= shard.lane_number or self._outrun(shard, destination, outlet, producer, now)

    def _outrun(self, shard: Shard, destination: Destination, outlet: Outlet, producer: Producer, now: Instant) -> bool:
        """R11: the broker has seen a number that this lane has not given out.

        Its next owner sent it, or the store went back.
        """
        try:
            epoch = self._store.standings([shard.name])[shard.name].epoch
        except StoreUnavailable as error:
            _log.warning("shard %s: %s; opening %s/%d later", shard.name, error, *destination)
            producer.close()
            outlet.producer = None
            outlet.not_before = now + micros(self._pace.reopen)
            return False
        if epoch != shard.epoch:
            why = f"its epoch is {epoch}, not {shard.epoch}: another worker has taken it and sent on"
            self._holdings.lose(shard, why, Loss.TAKEN)
            return False
        why = (
            f"it has given out {shard.lane_number} numbers, but {destination[0]}/{destination[1]} has seen "
            f"{producer.last_number} from it: the store is an older copy"
        )
        _log.error("shard %s: the store went back: %s; taking it anew", shard.name, why)
        self._observer.went_back(shard.name, why)
        self._holdings.went_back.add(shard.name)
        self._holdings.lose(shard, why, Loss.BEHIND)
        return False

    def _send(self, shard: Shard, destination: Destination, outlet: Outlet, now: Instant) -> None:
        producer = outlet.producer
        while producer is not None and outlet.queue and len(outlet.flying) < self._pace.window:
            row = outlet.queue[0]
            if not outlet.last_sent < row.number <= shard.lane_number:
                message = (
                    f"shard {shard.name}: about to send {row.number} after {outlet.last_sent}, lane at "
                    f"{shard.lane_number}"
                )
                raise BrokenPromise(message)
            try:
                producer.send(row.number, Outgoing(row.key, row.body, _properties(row.properties)))
            except Refused as error:
                self._block(shard, destination, outlet, str(error))
                return
            except BusError as error:
                _log.warning("shard %s: %s/%d: %s; opening it anew", shard.name, *destination, error)
                self._drop_producer(outlet, now)
                return
            outlet.queue.popleft()
            outlet.flying.append(row)
            outlet.last_sent = row.number
            outlet.used = now

    def _drop_producer(self, outlet: Outlet, now: Instant) -> None:
        """The producer is of no use: what it has on its way is of unknown outcome, and goes again (R19)."""
        outlet.unconfirmed.extend(outlet.flying)
        outlet.flying.clear()
        self._begin_again(outlet, now)

    def _block(self, shard: Shard, destination: Destination, outlet: Outlet, why: str) -> None:
        """R19: an error that cannot heal blocks the destination and alarms; it never skips."""
        outlet.blocked = why
        _log.error("shard %s: destination %s/%d is blocked: %s", shard.name, *destination, why)
        self._observer.blocked(shard.name, f"{destination[0]}/{destination[1]}", why)


def producer_name(app: str, shard: ShardName, destination: Destination, generation: int) -> str:
    """R18: application, shard, destination partition, store generation; never the epoch."""
    return f"{app}:{shard}:{destination[0]}/{destination[1]}:{generation}"
