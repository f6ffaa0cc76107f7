"""What the next group takes from the shards: of each its share, or one arrival that must go alone (R21, R25)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusError
from magnetar.runtime.identity import id_of
from magnetar.runtime.worker.asked import to_be_tried
from magnetar.runtime.worker.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.runtime.bus.port import Delivery
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.worker.custody import Careful
    from magnetar.runtime.worker.shard import Feed, Shard

_log = logging.getLogger("magnetar.worker")


def gather(shards: Sequence[Shard], room: int, few: int, now: Instant) -> list[Batch]:
    """What is there, up to `room` arrivals in all, in the order given; `few` of a careful shard at most.

    Each has its share of the room first, and only what nobody needs goes to those that have more: else one that is far
    behind fills every group, and a careful one beside it, with few in each, falls behind for as long (R21).
    """
    share, batches = max(1, room // max(1, len(shards))), list[Batch]()
    for shard in shards:
        most = share if shard.custody.careful is None else min(share, few)
        batch = _batch(shard, min(most, room), now)
        if batch is not None:
            batches.append(batch)
            room -= batch.size
        if room <= 0:
            return batches
    _share_out([batch for batch in batches if batch.size >= share and _may_have_more(batch, now)], room)
    return batches


def _share_out(hungry: list[Batch], room: int) -> None:
    """What is left of the room, in equal parts, until it is gone or nobody has more."""
    while room > 0 and hungry:
        share, still = max(1, room // len(hungry)), list[Batch]()
        for batch in hungry:
            before = batch.size
            _take_arrivals(batch, min(share, room))
            room -= batch.size - before
            if batch.size - before == share:
                still.append(batch)
        hungry = still


def _may_have_more(batch: Batch, now: Instant) -> bool:
    """Not a careful one, nor one that takes nothing now or is asked something."""
    shard = batch.shard
    return batch.request is None and shard.custody.careful is None and not _stops(shard, now)


def _stops(shard: Shard, now: Instant) -> bool:
    return shard.lane.full or now < shard.waits_until


def gather_alone(shards: Iterable[Shard], room: int, now: Instant) -> list[Batch]:
    """One arrival that must go alone, of the first shard that has one; or what is behind already, up to `room`."""
    for shard in shards:
        suspicious = shard.parking.suspects or _tells_alone(shard) or _asks_alone(shard)
        if not shard.custody.alone and not suspicious:
            continue
        if not _stops(shard, now) and not shard.custody.found:
            batch = Batch(shard, alone=True)
            _take_one(batch, room)
            if batch.size:
                shard.in_turn = True
                return [batch]
    return []


def _take_one(batch: Batch, room: int) -> None:
    """In the order of a group: what waits inside the shard, then feed by feed, as many of each as a group holds.

    What an older copy of a store handles again then meets in the order of the first time, as far as it can. A request
    has its turn as in any group.
    """
    shard, alone = batch.shard, batch.shard.custody.alone
    if (alone or _asks_alone(shard)) and _take_request(batch, alone=True):
        return
    if not shard.halted:
        _take_one_arrival(batch, room)
    if not batch.size and (alone or _asks_alone(shard)):
        _take_request(batch, alone=True)


def _asks_alone(shard: Shard) -> bool:
    """Whether a person has asked for a dead letter to be tried that may end the worker, as far as is known."""
    custody = shard.custody
    if not shard.requests or not (custody.suspects or custody.charged):
        return False
    request = shard.requests[0]
    letter = to_be_tried(shard, request)
    return bool(letter) and (request.id in custody.suspects or id_of(letter) in custody.charged)


def _take_one_arrival(batch: Batch, room: int) -> None:
    shard, careful = batch.shard, batch.shard.custody.careful
    key = shard.parking.take_suspect()
    if key is None and shard.custody.alone:
        key = shard.parking.take()
    if key is not None:
        batch.keys.append(key)
    elif careful is not None and shard.custody.alone and not shard.parking.full:
        _take_one_that_came(batch, careful, room)
    elif _tells_alone(shard) and not shard.parking.full:
        batch.told = shard.errands.take_told(1)


def _take_one_that_came(batch: Batch, careful: Careful, room: int) -> None:
    shard = batch.shard
    if shard.due:
        batch.due.append(shard.due.popleft())
    elif shard.errands.told:
        batch.told = shard.errands.take_told(1)
    elif shard.mail:
        batch.mail.append(shard.mail.popleft())
    else:
        _take_from_one(batch, [feed for feed in shard.feeds if careful.owes(feed.name)], room)


def _tells_alone(shard: Shard) -> bool:
    """Whether the next outcome of an effect may be what the last owner has ended of, or surely is."""
    told = shard.errands.told
    return bool(told) and (
        told[0].row.effect_id in shard.errands.suspects or told[0].message_id in shard.custody.charged
    )


def _take_from_one(batch: Batch, feeds: Iterable[Feed], room: int) -> None:
    """The first delivery of the first feed that has any; or all that are behind, for they need not be opened."""
    for feed in feeds:
        deliveries = _take_from(feed, room)
        if deliveries:
            count = feed.known(deliveries)
            batch.behind = count > 0
            batch.deliveries.append((feed, deliveries[: max(1, count)]))
            feed.returned.extendleft(reversed(deliveries[max(1, count) :]))
            return


def _batch(shard: Shard, room: int, now: Instant) -> Batch | None:
    batch, stops, alone = Batch(shard), _stops(shard, now), shard.custody.alone
    if stops or alone or not _take_request(batch):
        batch.moves = shard.errands.take_moves(room)  # a shard that stops keeps no slot from others
    if not stops and batch.request is None:
        (_take_what_owes_nothing if alone else _take_arrivals)(batch, room - len(batch.moves))
    if not stops and not alone and not batch.size and shard.requests:  # nothing else is there: not in the next turn
        _take_request(batch)
    if not batch.size:
        return None
    shard.in_turn = True
    return batch


def _take_request(batch: Batch, *, alone: bool = False) -> bool:
    """R27: one at a time, and in turn with what else arrives, so that neither waits for long."""
    shard = batch.shard
    shard.serves = bool(shard.requests) and (alone or not _asks_alone(shard)) and not shard.serves
    if shard.serves:
        batch.request = shard.requests.popleft()
    return shard.serves


def _take_arrivals(batch: Batch, room: int) -> None:
    shard = batch.shard
    if shard.halted:
        return
    while room > 0 and (key := shard.parking.take()) is not None:
        batch.keys.append(key)
        room -= 1
    if not shard.parking.full:
        _take_what_came(batch, room)


def _take_what_came(batch: Batch, room: int) -> None:
    shard = batch.shard
    while shard.due and room > 0:
        batch.due.append(shard.due.popleft())
        room -= 1
    while room > 0 and shard.errands.told and not _tells_alone(shard):
        batch.told += shard.errands.take_told(1)
        room -= 1
    while shard.mail and room > 0:
        batch.mail.append(shard.mail.popleft())
        room -= 1
    _take_from_each(batch, shard.feeds, room)


def _take_what_owes_nothing(batch: Batch, room: int) -> None:
    """Of a shard whose arrivals go alone: from the feeds of which nobody can have had in hand what comes now."""
    shard, careful = batch.shard, batch.shard.custody.careful
    if careful is not None and not shard.halted and not shard.parking.full:
        _take_from_each(batch, [feed for feed in shard.feeds if not careful.owes(feed.name)], room)


def _take_from_each(batch: Batch, feeds: Iterable[Feed], room: int) -> None:
    for feed in feeds:
        if room <= 0:
            break
        deliveries = _take_from(feed, room)
        if deliveries:
            batch.deliver(feed, deliveries)
            room -= len(deliveries)


def _take_from(feed: Feed, room: int) -> list[Delivery]:
    """What was given back first, then what the source has."""
    if not feed.returned:
        try:
            return feed.source.take(room)
        except BusError as error:
            # The consumer is gone: ownership sees that it is not connected, and takes the shard anew (R32).
            _log.debug("%s: %s", feed.name, error)
            return []
    count = min(room, len(feed.returned))
    return [feed.returned.popleft() for _ in range(count)]
