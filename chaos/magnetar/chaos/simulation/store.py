"""A store between the engine and the real one: it goes away, leaves commits unknown, and writes down what happened."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from magnetar.chaos.history import Committed, Found, LaneRow, Taken
from magnetar.chaos.simulation.tearing import Tear, Torn
from magnetar.chaos.simulation.weather import HAPPENED, LATE, LOST, TORN
from magnetar.runtime.store.care import Caution
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable, VersionConflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.simulation.weather import Weather
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.effects import EffectRow
    from magnetar.runtime.store.parking import DeadLetter, ParkedKey, ParkedRow
    from magnetar.runtime.store.port import (
        OutboxRow,
        ShardChanges,
        ShardName,
        ShardRow,
        StateRow,
        Store,
        Taker,
        TimerRow,
    )
    from magnetar.runtime.store.requests import Pause, Request
    from magnetar.runtime.store.roster import Beat, Roster, Standing
    from magnetar.runtime.table import Table


class StormyStore:
    """One worker's connection. Implements `Store` by delegation. `cut`: this one does not get through."""

    def __init__(self, inner: Store, weather: Weather, owner: str) -> None:
        self._inner = inner
        self._weather = weather
        self._owner = owner
        self.cut = False
        self._seen_well: dict[ShardName, bool] = {}
        self._loads: set[tuple[ShardName, int, str]] = set()

    def _read(self, what: str) -> None:
        """A call that only reads begins."""
        if self.cut:
            text = f"{what}: no way to the store"
            raise StoreUnavailable(text)
        self._weather.reach(what)

    def _write(self, what: str) -> None:
        """A call that writes begins."""
        self._read(what)
        self._weather.write(what)

    def now(self) -> Instant:
        """See the port."""
        self._read("asking for the time")
        return self._inner.now()

    def prepare(self, partitions: Mapping[str, int], tables: Iterable[Table]) -> None:
        """See the port."""
        self._write("preparing")
        self._weather.writes += 1
        self._inner.prepare(partitions, tables)

    def remember(self, schemas: Mapping[str, str]) -> None:
        """See the port."""
        self._write("keeping schemas")
        self._inner.remember(schemas)

    def schemas(self) -> dict[str, str]:
        """See the port."""
        self._read("reading schemas")
        return self._inner.schemas()

    def beat(self, beat: Beat) -> Roster:
        """See the port."""
        self._write("telling that it lives")
        roster = self._inner.beat(beat)
        self._weather.beaten(beat)
        return roster

    def depart(self, worker: str) -> None:
        """See the port."""
        self._write("telling that it is gone")
        self._inner.depart(worker)
        self._weather.departed(worker)

    def standings(self, shards: Sequence[ShardName]) -> dict[ShardName, Standing]:
        """See the port."""
        self._read("reading who has which shard")
        standings = self._inner.standings(shards)
        self._seen_well.update({shard: self._weather.is_well(each.owner) for shard, each in standings.items()})
        return standings

    def take(self, shard: ShardName, epoch: int, taker: Taker) -> ShardRow | None:
        """See the port."""
        self._write(f"taking {shard}")
        self._weather.writes += 1
        self._weather.settle()
        fate = self._weather.take_fates.popleft() if self._weather.take_fates else None
        owner = self._inner.standings([shard])[shard].owner
        row = None if fate == LOST else self._inner.take(shard, epoch, taker)
        if row is not None:
            self._spare_the_living(shard, owner, taker)
            if not taker.keeps:
                self._find(row)
            self._weather.history.append(Taken(self._weather.clock(), shard, row.epoch, taker.owner))
        if fate is not None:
            self._weather.history.took_effect("unknown take")
            text = f"taking {shard}: the answer was lost"
            raise CommitUnknown(text)
        return row

    def _find(self, row: ShardRow) -> None:
        history = self._weather.history
        for hand in row.hands:
            if hand.holder:
                history.append(Found(self._weather.clock(), row.shard, hand.message_id, hand.owner, hand.since))
                history.meet("who took a shard found something in hand")
        history.meet("a shard was careful", row.careful == Caution.FEW)
        history.meet("messages of a shard went alone", row.careful == Caution.ALONE)

    def _spare_the_living(self, shard: ShardName, owner: str, taker: Taker) -> None:
        """R14: the broker hands a shard over at the first hiccup, so nobody may even try while its owner is well."""
        weather = self._weather
        well = self._seen_well.get(shard) and weather.is_well(owner) and weather.is_up_to_date(taker.owner)
        if owner not in {"", taker.owner} and well:
            what = f"{taker.owner} takes it from {owner}, which was well"
            weather.history.blame("a shard of a live owner is left alone", f"shard {shard}", what)

    def release(self, shard: ShardName, epoch: int, holder: str, sent: tuple[int, int] | None = None) -> bool:
        """See the port."""
        self._write(f"releasing {shard}")
        self._weather.writes += 1
        return self._inner.release(shard, epoch, holder, sent)

    def outbox(self, shard: ShardName, after: int, limit: int) -> list[OutboxRow]:
        """See the port."""
        self._read("reading an outbox")
        rows = self._inner.outbox(shard, after, limit)
        self._weather.history.meet("a lane was longer than its window", after > 0 and bool(rows))
        return rows

    def timers(self, shard: ShardName, until: Instant) -> list[TimerRow]:
        """See the port."""
        self._read("reading timers")
        return self._inner.timers(shard, until)

    def parked_keys(self, shard: ShardName) -> list[ParkedKey]:
        """See the port."""
        self._read("reading parked keys")
        return self._inner.parked_keys(shard)

    def parked(self, actor: str, key: str, first: int, limit: int) -> list[ParkedRow]:
        """See the port."""
        self._read("reading what waits for a key")
        return self._inner.parked(actor, key, first, limit)

    def effects(self, shard: ShardName) -> list[EffectRow]:
        """See the port."""
        self._read("reading effects")
        return self._inner.effects(shard)

    def letter(self, actor: str, message_id: bytes) -> DeadLetter | None:
        """See the port."""
        self._read("reading a dead letter")
        return self._inner.letter(actor, message_id)

    def asked(self, shards: Sequence[ShardName], limit: int) -> list[Request]:
        """See the port."""
        self._read("reading what is asked")
        return self._inner.asked(shards, limit)

    def pauses(self, shard: ShardName) -> list[Pause]:
        """See the port."""
        self._read("reading what is paused")
        return self._inner.pauses(shard)

    def dispositions(self, asked: Mapping[str, Sequence[bytes]]) -> dict[str, dict[bytes, str]]:
        """See the port."""
        self._read("reading the journal")
        return self._inner.dispositions(asked)

    def crashes(self, actor: str, message_ids: Sequence[bytes]) -> dict[bytes, int]:
        """See the port."""
        self._read("reading the ledger of crashes")
        return self._inner.crashes(actor, message_ids)

    def states(self, asked: Mapping[str, Sequence[str]]) -> dict[str, list[StateRow]]:
        """See the port."""
        self._read("loading states")
        told = self._inner.states(asked)
        for rows in told.values():
            self._meet_again(rows)
        return told

    def _meet_again(self, rows: Iterable[StateRow]) -> None:
        """A state that is loaded twice under one epoch had left memory in between."""
        history = self._weather.history
        loads = {(row.shard, history.epochs.get(row.shard, 0), row.key) for row in rows}
        history.meet("an entity left memory and came back", len(loads & self._loads))
        self._loads |= loads

    def commit(self, group: Sequence[ShardChanges]) -> frozenset[ShardName]:
        """See the port."""
        self._write("committing")
        self._weather.settle()
        fate = self._weather.fates.popleft() if self._weather.fates else None
        if fate is None:
            return self._commit(group)
        self._weather.history.took_effect("unknown commit")
        self._weather.history.tell(f"{self._owner}: the answer to a commit is lost ({fate})", harm=True)
        if fate == HAPPENED:
            self._commit(group)
        elif fate == LATE:
            self._weather.late = lambda: self._late(list(group))
        elif fate in TORN:
            self._torn(group, fate)
        text = "committing: the connection was lost"
        raise CommitUnknown(text)

    def _torn(self, group: Sequence[ShardChanges], part: str) -> None:
        """Nothing of it may be left."""
        tear: dict[str, Any] = {part: Tear()}
        try:
            self._inner.commit([replace(changes, **tear) for changes in group])
        except Torn:
            self._weather.history.meet("a commit broke off in its midst")
        except VersionConflict as error:  # as above
            self._weather.history.tell(f"{self._owner}: a commit failed before it was torn: {error}")

    def _late(self, group: list[ShardChanges]) -> None:
        try:
            self._commit(group)
        except VersionConflict as error:  # nobody is there any more to be told
            self._weather.history.tell(f"{self._owner}: a late commit failed: {error}")

    def _commit(self, group: Sequence[ShardChanges]) -> frozenset[ShardName]:
        history = self._weather.history
        self._weather.writes += 1
        try:
            refused = self._inner.commit(group)
        except VersionConflict as error:
            mine = next(changes.epoch for changes in group if changes.shard == error.shard)
            if mine == history.epochs.get(error.shard):
                history.blame("a worker never contradicts itself", f"{self._owner}, shard {error.shard}", str(error))
            raise
        self._weather.committed()
        for changes in group:
            if changes.shard not in refused:
                history.append(self._record(changes))
                self._weather.requests.committed(changes, self._weather.tails)
                self._weather.tails.committed(changes)
        if refused:
            history.meet("a zombie's commit was refused")
        return refused

    def _record(self, changes: ShardChanges) -> Committed:
        history = self._weather.history
        return Committed(
            self._weather.clock(), self._owner, changes.shard, changes.epoch, history.epochs.get(changes.shard, 0),
            changes.commits,
            tuple(map(_lane_row, changes.outbox)),
            tuple(timer.generation for timer in changes.armed),
            tuple(timer.generation for timer in changes.gone if timer.must_exist),
            () if changes.answering is None else tuple(answer.id for answer in changes.answering.answers),
        )  # fmt: skip

    def reconnect(self) -> None:
        """See the port."""
        self._read("reconnecting")
        self._weather.settle()
        self._inner.reconnect()

    def close(self) -> None:
        """See the port. What was under way ends first."""
        self._weather.settle()
        self._inner.close()


def _lane_row(row: OutboxRow) -> LaneRow:
    return LaneRow(row.number, row.topic, row.partition, json.loads(row.properties)["message_id"])
