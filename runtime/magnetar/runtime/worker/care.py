"""Careful mode (R24, R25): who goes alone, what is in hand meanwhile, and what a crash costs its message.

A handler may end its process: by a signal, for want of memory, or by never returning. Nobody can tell afterwards what
it was, unless that was written down before. So after two owners that did not release their shard, one after the other,
arrivals go one by one, and each is in hand, by a commit, before it is opened. That commit is the one of the group
before it, wherever there is one: a careful arrival costs no more commits than any group. Of the shards of a process at
most one has something in hand at a time, for one thing is handled at a time; so who ends leaves one name behind, and
it is the right one. After the first of the two, few go together: see `worker.custody`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.identity import id_of
from magnetar.runtime.instant import Instant, micros
from magnetar.runtime.store.care import CrashRow, Hand
from magnetar.runtime.store.port import Disposition, ShardChanges
from magnetar.runtime.worker.answers import FIRST
from magnetar.runtime.worker.arrival import EFFECT, TIMER
from magnetar.runtime.worker.asked import to_be_tried
from magnetar.runtime.worker.batch import Batch, Group
from magnetar.runtime.worker.gathering import gather, gather_alone
from magnetar.runtime.worker.parking import rows_of
from magnetar.runtime.worker.part import Handled
from magnetar.runtime.worker.reading import name_of_delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.runtime.store.port import Store
    from magnetar.runtime.worker.custody import Careful
    from magnetar.runtime.worker.holdings import Holdings
    from magnetar.runtime.worker.shard import Shard

LOOK: Instant = micros(0.05)
"""So long between two looks whether a shard must still be careful: each may ask its broker."""


REQUEST = "request"
"""The source of a dead letter that a person has asked to be tried."""

_TRIED_AGAIN = {Disposition.PARKED.value, Disposition.DEAD.value}


class Care:
    """The part of the turn that is careful. Calls of one thread."""

    def __init__(self, store: Store, holdings: Holdings, few: int, code: str) -> None:
        """`few` as in `Limits`."""
        self._store = store
        self._holdings = holdings
        self._few = few
        self._code = code
        self._alone_first = False
        self._served = ""

    # who goes next

    def choose(self, shards: Sequence[Shard], room: int, now: Instant) -> Group | None:
        """A group of what may go together, or one arrival that must go alone; by turns where there is both.

        Raises `StoreUnavailable`; then nothing is taken.
        """
        for alone in (self._alone_first, not self._alone_first):
            batches = self._alone(shards, room, now) if alone else gather(shards, room, self._few, now)
            if batches:
                self._alone_first = not alone
                return Group(batches)
        return None

    def _alone(self, shards: Sequence[Shard], room: int, now: Instant) -> list[Batch]:
        """Not while effects are called, which may end the process, too: none begins until this was handled.

        The shards have their turns: with one arrival each, the first of each is soon behind.
        """
        batches = gather_alone(_behind(shards, self._served), room, now)
        if batches:
            self._name(batches[0], now)
            self._served = batches[0].shard.name
        self._holdings.alone = any(batch.hand is not None for batch in batches)
        if self._holdings.alone and self._holdings.calls:
            batches[0].give_back()
            return []
        return batches

    def _name(self, batch: Batch, now: Instant) -> None:
        """Who it is, and whether it may be opened: by what is known before that."""
        try:
            named = self._named(batch)
        except BaseException:
            batch.give_back()
            raise
        if named is None:
            return
        shard = batch.shard
        message_id, key, source = named
        charged = shard.custody.charged.get(message_id)
        batch.crashes = 0 if charged is None else charged.crashes
        instant = now + self._holdings.clock_offset
        hand = Hand(
            shard.name, message_id, key, source, self._holdings.life, self._holdings.taker.owner, batch.crashes, instant
        )
        batch.named = message_id
        batch.opened = not batch.crashes if batch.request else batch.crashes < shard.plan.policy.retry.crashes
        batch.hand = hand if batch.opened else None

    def _named(self, batch: Batch) -> tuple[bytes, str, str] | None:
        """Id, key and source. None for what never comes again, as mail, and for what is behind already."""
        if batch.request is not None:
            letter = to_be_tried(batch.shard, batch.request)
            return (id_of(letter), batch.request.key, REQUEST) if letter else None
        if batch.keys:
            [name] = batch.keys
            batch.rows = rows_of(self._store, batch.shard.parking.keys[name], 1)
            return (batch.rows[0].message_id, name, batch.rows[0].source) if batch.rows else None
        if batch.due:
            return batch.due[0].generation, batch.due[0].key, TIMER
        if batch.told:
            [told] = batch.told
            return (told.message_id, told.row.key, EFFECT) if told.number == FIRST else None
        if batch.mail or batch.behind:
            return None
        [(feed, [delivery])] = batch.deliveries
        return name_of_delivery(delivery, feed.name)[0], delivery.key or "", feed.name

    # what is in hand

    def is_due(self, shards: Iterable[Shard], group: Group | None, now: Instant) -> bool:
        """Whether something must be committed before this group is opened, or before the turn rests."""
        wanted = None if group is None else group.hand
        for shard in shards:
            custody = shard.custody
            mine = wanted if wanted is not None and wanted.shard == shard.name else None
            if custody.in_hand != mine or (custody.careful is not None and self._is_over(shard, custody.careful, now)):
                return True
        return False

    def concerns(self, shards: Sequence[Shard]) -> bool:
        """Whether anybody has to be careful; in ordinary operation nobody has, and that is all it costs."""
        return any(shard.custody.careful is not None for shard in shards) or self.foresees(shards)

    def foresees(self, shards: Iterable[Shard]) -> bool:
        """Whether what comes next may have to be in hand."""
        for shard in shards:
            custody = shard.custody
            if custody.alone or custody.in_hand is not None or custody.charged:
                return True
            if shard.parking.suspects or custody.suspects:
                return True
        return False

    def write(self, group: Group, following: Group | None, now: Instant) -> None:
        """Add to a handled group's parts: what it has made an end of is laid aside, what follows is in hand."""
        for batch in group.batches:
            if (
                batch.crashes
                and batch.named is not None
                and (batch.request or _is_answered(group, batch.shard, batch.named))
            ):
                part_of(group, batch.shard).to_care().done.append(batch.named)
        wanted = None if following is None else _wanted(group, following)
        gone = {part.shard.name for part in group.parts if not self._holdings.holds(part.shard)}
        for shard in self._holdings.shards():
            if shard.name in gone:  # it was lost and won again meanwhile: first it is learned what became of that part
                continue
            self._lay_aside(group, shard, wanted)
            careful = shard.custody.careful
            if careful is not None and self._is_over(shard, careful, now):
                part_of(group, shard).to_care().eased = True
            if wanted is not None and wanted.shard == shard.name and shard.custody.in_hand != wanted:
                part_of(group, shard).to_care().held.append(wanted)

    def _lay_aside(self, group: Group, shard: Shard, wanted: Hand | None) -> None:
        """What is in hand and does not follow. Given back unopened, one that has crashed waits for its turn again."""
        hand = shard.custody.in_hand
        if hand is None or (wanted is not None and wanted[:2] == hand[:2]):
            return
        care = part_of(group, shard).to_care()
        if hand.message_id in care.done:
            return
        if hand.crashes and not _is_answered(group, shard, hand.message_id):
            care.held.append(hand._replace(holder=""))
        else:
            care.done.append(hand.message_id)

    def _is_over(self, shard: Shard, careful: Careful, now: Instant) -> bool:
        """Whether everything that the last owner may have had in hand is behind. Asks at times only."""
        if now < careful.look_at or shard.custody.found:
            return False
        instant = now + self._holdings.clock_offset
        keys = shard.parking.keys
        waits = any(timer.due <= careful.since for timer in shard.timetable.armed.values()) or any(
            (key := keys.get(name)) is not None and key.first < bound and key.due is not None and key.due <= instant
            for name, bound in careful.keys.items()
        )
        for feed in shard.feeds:  # each is asked at once: the answers come later, all in about the same time
            if (
                careful.owes(feed.name)
                and not feed.returned
                and feed.source.drained(careful.since, instant, feed.applied)
            ):
                careful.settle(feed.name)
        over = not waits and not any(careful.owes(feed.name) for feed in shard.feeds)
        careful.look_at = 0 if over else now + LOOK
        return over

    # what a crash costs

    def charge(self, group: Group, shard: Shard, now: Instant) -> None:
        """R24: what was in hand when the last owner ended has crashed once more. Raises `StoreUnavailable`.

        Not if this very process had it in hand: it lives. Nor if the message is done with, which owners that know
        nothing of hands may have seen to.
        """
        actor, found = shard.plan.name, shard.custody.found
        ids = [hand.message_id for hand in found]
        known, ledger = self._store.dispositions({actor: ids})[actor], self._store.crashes(actor, ids)
        changes = part_of(group, shard)
        care, instant = changes.to_care(), max(now + self._holdings.clock_offset, shard.floor)
        for hand in found:
            ended = known.get(hand.message_id, Disposition.PARKED.value) not in _TRIED_AGAIN
            if ended or (hand.holder == self._holdings.life and not hand.crashes):
                care.done.append(hand.message_id)
            elif hand.holder == self._holdings.life:
                care.held.append(hand._replace(holder=""))
            else:
                number = ledger.get(hand.message_id, 0) + 1
                care.held.append(hand._replace(holder="", crashes=number))
                care.crashes.append(
                    CrashRow(
                        actor,
                        hand.message_id,
                        number,
                        shard.name,
                        hand.key,
                        hand.source,
                        hand.owner,
                        self._code,
                        instant,
                    )
                )


def _behind(shards: Sequence[Shard], served: str) -> list[Shard]:
    """In turn: those that come behind the one that was served last."""
    at = next((number for number, shard in enumerate(shards, start=1) if shard.name == served), 0)
    return [*shards[at:], *shards[:at]]


def part_of(group: Group, shard: Shard) -> ShardChanges:
    """What the group changes in the shard; a part of its own where it had none."""
    for part in group.parts:
        if part.shard is shard:
            return part.changes
    changes = ShardChanges(shard.name, shard.epoch, shard.commits, shard.lane_number, shard.floor)
    group.parts.append(Handled(shard, changes))
    return changes


def _wanted(group: Group, following: Group) -> Hand | None:
    """What is in hand while the next group is handled.

    If it is what this one makes an end of, for it came twice, its crashes are answered, and nobody is charged with
    them once more: else it would be parked whenever its time comes, and never be tried again.
    """
    hand = following.hand
    if hand is not None and hand.crashes:
        [batch] = following.batches
        cares = [part.changes.care for part in group.parts if part.shard is batch.shard]
        if any(care is not None and hand.message_id in care.done for care in cares):
            batch.crashes, batch.hand = 0, hand._replace(crashes=0)
    return following.hand


def _is_answered(group: Group, shard: Shard, message_id: bytes) -> bool:
    """Whether the group says what becomes of a message. It does not where it was dropped: a parked timer fires, too."""
    for part in group.parts:
        if part.shard is shard:
            parking = part.changes.parking
            answered = {row.message_id for row in part.changes.journal} | {each.message_id for each in part.crashed}
            if parking is not None:
                answered |= {row.message_id for row in parking.settled} | {row.message_id for row in parking.failures}
            return message_id in answered
    return False
