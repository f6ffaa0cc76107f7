"""From what a turn took to arrivals that nobody knows yet (R2): asked for first, and only then decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import id_of, mint
from magnetar.runtime.instant import SECOND
from magnetar.runtime.worker.arrival import from_mail, from_told
from magnetar.runtime.worker.asked import Asked, GoesAlone, look_up, to_be_tried
from magnetar.runtime.worker.batch import refuse
from magnetar.runtime.worker.entity import Entity
from magnetar.runtime.worker.failing import Unread
from magnetar.runtime.worker.parking import rows_of
from magnetar.runtime.worker.reading import name_of_delivery
from magnetar.schemas import DecodeFailed, EncodeFailed, SchemaUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import Store
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.batch import Batch, Group
    from magnetar.runtime.worker.observer import Observer
    from magnetar.runtime.worker.reading import Reader
    from magnetar.runtime.worker.shard import Shard


class Knowing:
    """The part of the turn that opens what was taken. Calls of one thread."""

    def __init__(self, store: Store, reader: Reader, observer: Observer, noise: Callable[[int], bytes]) -> None:
        """`noise` mints ids of mail."""
        self._store = store
        self._reader = reader
        self._observer = observer
        self._noise = noise

    def ask(self, group: Group) -> dict[str, set[bytes]]:
        """Actor → ids of this group that its journal knows; before anything is opened. Raises `StoreUnavailable`.

        Some were given up because opening them had ended a worker; they may come again, and must stay shut.
        """
        for batch in group.batches:
            batch.names = [[name_of_delivery(each, feed.name) for each in many] for feed, many in batch.deliveries]
        return self._known(group)

    def open(self, batch: Batch, known: set[bytes], instant: Instant, tail: int) -> None:
        """Read what nobody knows, and of each parked key that goes on so many rows. `instant`: the store's time.

        Raises `SchemaUnavailable`, `StoreUnavailable`; `GoesAlone`, for a request that was taken with others.
        """
        batch.arrivals, batch.tails = [], []
        if batch.request is not None:
            self._ask_for(batch, batch.request)
        elif batch.opened:
            self._decode(batch, known, instant)
            self._recall(batch, tail)
        else:
            self._leave_shut(batch, known, instant)
        if batch.crashes:
            batch.arrivals = [replace(each, crashes=batch.crashes) for each in batch.arrivals]
            batch.tails = [replace(each, crashes=batch.crashes) for each in batch.tails]
        self._drop_known(batch, known)

    def _ask_for(self, batch: Batch, request: Request) -> None:
        """What a person asks, with what it is about; not where that has ended a worker."""
        if not batch.opened:
            batch.asked = Asked(request, {})
            return
        letter = to_be_tried(batch.shard, request)
        if batch.alone and letter and batch.named != id_of(letter):  # it has died since this was chosen
            raise GoesAlone
        try:
            batch.asked = look_up(self._store, self._reader, batch.shard, request, alone=batch.alone)
        except GoesAlone:
            batch.shard.custody.suspects.add(request.id)
            raise

    def load(self, homes: Mapping[str, Mapping[str, Shard]]) -> dict[tuple[str, str], Unread]:
        """Of each actor the states of these keys, which are not live: one question. Raises `StoreUnavailable`.

        Returns by actor and key why a state cannot be read: nothing may be applied to such a key (R30).
        """
        wanted = {actor: sorted(keys) for actor, keys in homes.items() if keys}
        told = self._store.states(wanted) if wanted else {}
        unread: dict[tuple[str, str], Unread] = {}
        for row in (row for rows in told.values() for row in rows):
            shard = homes[row.actor][row.key]
            try:
                state = self._reader.state(shard.plan, row)
            except (DecodeFailed, SchemaUnavailable) as error:
                unread[row.actor, row.key] = Unread(f"the state of {row.actor}/{row.key} cannot be loaded: {error}")
                continue
            entity = Entity(shard, row.key, state, row.version)
            entity.touched = row.changed_at // SECOND
            shard.settle(entity)
        return unread

    def _leave_shut(self, batch: Batch, known: set[bytes], instant: Instant) -> None:
        """It has crashed as often as it may: all that is done with it is done without looking inside."""
        shard, crashes = batch.shard, batch.crashes
        for row in batch.rows:
            if (key := shard.parking.keys.get(row.key)) is not None:
                batch.tails.append(self._reader.shut_row(row, key.failures, crashes))
        for timer in batch.due:
            batch.arrivals.append(self._reader.shut_timer(timer, crashes))
        batch.arrivals += [self._reader.shut_told(told, instant, crashes) for told in batch.told]
        for (feed, deliveries), names in zip(batch.deliveries, batch.names, strict=True):
            for delivery, name in zip(deliveries, names, strict=True):
                if name[0] not in known:
                    batch.arrivals.append(self._reader.shut(feed, delivery, name, crashes))

    def _decode(self, batch: Batch, known: set[bytes], instant: Instant) -> None:
        """`instant` is by the store's clock: letters are published now."""
        shard, skipped, before = batch.shard, 0, 0
        batch.arrivals = [self._reader.timer(shard.plan, row) for row in batch.due]
        batch.arrivals += [from_told(told, instant) for told in batch.told]
        waiting, batch.mail = batch.mail, []
        for mail in waiting:
            try:
                batch.arrivals.append(from_mail(shard.plan, mail, mint(instant, self._noise), instant))
                batch.mail.append(mail)
            except (MisuseError, EncodeFailed) as error:
                refuse(mail, error)
        for (feed, deliveries), names in zip(batch.deliveries, batch.names, strict=True):
            for delivery, name in zip(deliveries, names, strict=True):
                if name[0] in known:
                    before += 1
                elif (arrival := self._reader.read(shard, feed, delivery, name)) is None:
                    skipped += 1
                else:
                    batch.arrivals.append(arrival)
        self._tell(shard.plan.name, before, skipped)

    def _tell(self, actor: str, before: int, skipped: int) -> None:
        if before:
            self._observer.duplicates(actor, before)
        if skipped:
            self._observer.skipped(actor, skipped)

    def _recall(self, batch: Batch, limit: int) -> None:
        """Of each parked key whose time has come the head, and what waits behind it, as far as one group goes."""
        plan = batch.shard.plan
        for name in batch.keys:
            key = batch.shard.parking.keys.get(name)
            if key is None:  # it rang while the group before this one had it, and is free by now
                continue
            rows = batch.rows if batch.alone else rows_of(self._store, key, limit)
            batch.tails += [
                self._reader.parked(plan, row, key.failures if row.ordinal == key.first else 0) for row in rows
            ]

    def _known(self, group: Group) -> dict[str, set[bytes]]:
        """One question for all actors."""
        asked: dict[str, list[bytes]] = {}
        for batch in group.batches:
            ids = asked.setdefault(batch.shard.plan.name, [])
            ids.extend(timer.generation for timer in batch.due)
            ids.extend(told.message_id for told in batch.told)
            ids.extend(message_id for names in batch.names for message_id, _ in names)
        wanted = {actor: ids for actor, ids in asked.items() if ids}
        told = self._store.dispositions(wanted) if wanted else {}
        return {actor: set(told.get(actor, ())) for actor in asked}

    def _drop_known(self, batch: Batch, known: set[bytes]) -> None:
        """R2: what has a disposition, or came twice in this group, is ignored."""
        fresh: list[Arrival] = []
        for arrival in batch.arrivals:
            if arrival.message_id not in known:
                known.add(arrival.message_id)
                fresh.append(arrival)
        if len(fresh) < len(batch.arrivals):
            self._observer.duplicates(batch.shard.plan.name, len(batch.arrivals) - len(fresh))
        batch.arrivals = batch.tails + fresh if batch.tails else fresh
