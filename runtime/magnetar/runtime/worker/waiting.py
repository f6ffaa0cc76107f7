"""What one group makes of a shard's parked keys: who joins a tail, who goes on, who is parked or buried (R22, R23).

Pure, like handling: the shard's `parking` follows after the commit. A message that may not be applied keeps its place:
nothing of its key is applied before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import Instant, to_iso
from magnetar.runtime.store.parking import DeadLetter, FailureRow, LetterStatus, ParkedKey, ParkedRow, Reason, Unparked
from magnetar.runtime.worker.failing import Crowded, Later, fingerprint_of, name_of, text_of
from magnetar.runtime.worker.letters import body_of, letter

if TYPE_CHECKING:
    from magnetar.runtime.store.port import ShardChanges
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.failing import Unread
    from magnetar.runtime.worker.posting import Posting
    from magnetar.runtime.worker.shard import Shard

UNREAD_AGAIN: Instant = 60_000_000
"""So long (microseconds) until a head that nobody here could read is looked at again, if newer code does not come."""

CROWDED_AGAIN: Instant = 1_000_000
"""So long until one that found a dependency's queue full is tried again."""

_to_json = msgspec.json.Encoder().encode


class Waiting:
    """The parked keys as this group leaves them; one object per shard and group."""

    def __init__(self, shard: Shard, changes: ShardChanges, posting: Posting, code: str) -> None:
        """`changes` gets the rows; letters go by `posting`."""
        self._shard = shard
        self._plan = shard.plan
        self._changes = changes
        self._posting = posting
        self._code = code
        self._committed = shard.parking.keys
        self._keys: dict[str, ParkedKey | None] = {}  # as this group leaves them; None: not parked any more

    def parked(self, key: str) -> ParkedKey | None:
        """Why the key is parked, if it is, as far as this group has come."""
        if key in self._keys:
            return self._keys[key]
        return self._committed.get(key)

    def may_go_on(self, arrival: Arrival, now: Instant) -> bool:
        """Whether this is the head of its key, and its time has come (R23)."""
        key = self.parked(arrival.key)
        return key is not None and key.first == arrival.ordinal and key.due is not None and key.due <= now

    def join(self, arrival: Arrival, key: ParkedKey, now: Instant) -> None:
        """Behind the last one that waits (R22)."""
        self._keys[arrival.key] = key._replace(last=key.last + 1)
        self._changes.to_park().parked.append(self._row(arrival, key.last + 1, now))

    def note(self, arrival: Arrival, error: Exception, failures: int, now: Instant) -> None:
        """One more line in the ledger of failures (R24)."""
        self._changes.to_park().failures.append(
            FailureRow(
                self._plan.name, arrival.message_id, failures, self._shard.name, arrival.key, name_of(error),
                text_of(error), self._fingerprint(arrival, error), self._code, now,
            )
        )  # fmt: skip

    def park(self, arrival: Arrival, error: Exception, failures: int, later: Later, now: Instant) -> None:
        """The head waits for its next attempt, and its copy, the bell, goes to the tier's topic."""
        self._wait(arrival, Reason.RETRY, failures, later.due, error, now)
        properties = letter(arrival, self._shard.name, error, (failures, self._crashes(arrival)), later.due)
        self._post(later.tier.topic, arrival, properties)

    def set_aside(self, arrival: Arrival, error: Unread | Crowded, now: Instant) -> None:
        """No attempt is spent, no bell is needed: newer code takes the shard anew (R30), or a queue has room again."""
        if isinstance(error, Crowded):
            self._wait(arrival, Reason.CROWDED, arrival.failures, now + CROWDED_AGAIN, error, now)
        else:
            self._wait(arrival, Reason.UNREAD, 0, now + UNREAD_AGAIN, error, now)

    def bury(self, arrival: Arrival, error: Exception, failures: int, now: Instant, *, hold: bool) -> None:
        """A dead letter: index row and topic in this one commit. `hold`: the key waits until a person decides."""
        crashes = self._crashes(arrival)
        properties = letter(arrival, self._shard.name, error, (failures, crashes), None)
        self._changes.to_park().dead.append(
            DeadLetter(
                self._plan.name, arrival.message_id, self._shard.name, arrival.key, *_origin(arrival),
                name_of(error), text_of(error), self._fingerprint(arrival, error), failures, crashes, now,
                LetterStatus.DEAD.value,
            )
        )  # fmt: skip
        self._post(self._plan.dead_letters, arrival, properties)
        if hold:
            self._hold(arrival, error, now)
        elif arrival.ordinal is not None:
            self.advance(arrival, now)

    def advance(self, arrival: Arrival, now: Instant) -> None:
        """The head is done with: the next one is the head, at once; after the last the key is free."""
        key = self._left(arrival)
        if key.first > key.last:
            self._keys[arrival.key] = None
        else:
            self._keys[arrival.key] = _next(key, now)

    # what a person asks (R27)

    def stop(self, arrival: Arrival, now: Instant) -> None:
        """The head's type is paused: it waits until that is resumed, and no attempt is spent."""
        key = self._headed(arrival, now)
        self._keys[arrival.key] = key._replace(reason=Reason.STOPPED.value, due=None, held_by=arrival.envelope.type)

    def pause(self, key: str, now: Instant) -> None:
        """Whatever comes for the key waits, and its head is tried no more."""
        parked = self.parked(key) or self._new(key, now)
        self._keys[key] = parked._replace(reason=Reason.PAUSED.value, due=None, held_by="")

    def lift(self, key: str, now: Instant) -> None:
        """The key need not wait for a person any more: its head goes on at once, and is free where there is none."""
        parked = self.parked(key)
        assert parked is not None, f"shard {self._shard.name}: {key!r} is to go on, but is not parked"
        if parked.first > parked.last:
            self._keys[key] = None
        elif parked.reason == Reason.HELD:
            self._keys[key] = _next(parked, now)
        else:
            self._keys[key] = parked._replace(reason=Reason.RETRY.value, due=now, held_by="")

    def skip(self, arrival: Arrival, now: Instant) -> None:
        """The head is given up; one that is paused stays so."""
        paused = self.parked(arrival.key)
        self.advance(arrival, now)
        if paused is not None and paused.reason == Reason.PAUSED:
            left = paused._replace(first=paused.first + 1, failures=0, error="", error_text="", crashes=0)
            self._keys[arrival.key] = left

    def failed_again(self, letter: DeadLetter) -> None:
        """A dead letter was replayed, and has died again."""
        self._changes.to_park().dead.append(letter)
        key = self.parked(letter.key)
        if key is not None and key.held_by == to_text(letter.message_id):
            self._keys[letter.key] = key._replace(error=letter.error, error_text=letter.error_text)

    def finish(self) -> None:
        """Write what became of the keys."""
        for name, key in self._keys.items():
            if key is not None:
                self._changes.to_park().parked_keys.append(key)
            elif name in self._committed:
                self._changes.to_park().freed.append((self._plan.name, name))

    def _wait(
        self, arrival: Arrival, reason: Reason, failures: int, due: Instant, error: Exception, now: Instant
    ) -> None:
        crashes = self._crashes(arrival)
        self._keys[arrival.key] = self._headed(arrival, now)._replace(
            reason=reason.value, failures=failures, due=due, error=name_of(error), error_text=text_of(error),
            crashes=crashes, held_by=error.dependency if isinstance(error, Crowded) else "",
        )  # fmt: skip

    def _headed(self, arrival: Arrival, now: Instant) -> ParkedKey:
        """The key with this message as its head, which it is already where the key is parked."""
        key = self.parked(arrival.key)
        if key is None:
            key = self._new(arrival.key, now)
            self._changes.to_park().parked.append(self._row(arrival, key.first, now))
            key = key._replace(last=key.first)
        return key

    def _crashes(self, arrival: Arrival) -> int:
        """How often it took a worker with it, as far as its key or the arrival itself says."""
        key = self.parked(arrival.key)
        head = key is not None and key.first == arrival.ordinal
        return arrival.crashes or (key.crashes if key is not None and head else 0)

    def _hold(self, arrival: Arrival, error: Exception, now: Instant) -> None:
        """One that dies while another one of its key waits holds that one, too."""
        if arrival.ordinal is None:
            key = self.parked(arrival.key) or self._new(arrival.key, now)
        else:
            key = self._left(arrival)
        self._keys[arrival.key] = key._replace(
            reason=Reason.HELD.value, failures=0, due=None, error=name_of(error), error_text=text_of(error),
            held_by=to_text(arrival.message_id), crashes=0,
        )  # fmt: skip

    def _new(self, key: str, now: Instant) -> ParkedKey:
        """A key with nothing that waits yet; places go on from those that this group has emptied."""
        before = self._committed.get(key)
        first = 1 if before is None else before.last + 1
        return ParkedKey(
            self._plan.name, key, self._shard.name, Reason.RETRY.value, first, first - 1, 0, None, "", "", now
        )

    def _left(self, arrival: Arrival) -> ParkedKey:
        """The key without its head, whose row goes."""
        key = self.parked(arrival.key)
        assert key is not None, f"shard {self._shard.name}: {arrival.key!r} goes on, but is not parked"
        assert key.first == arrival.ordinal, f"shard {self._shard.name}: {arrival.key!r}: only its head goes on"
        gone = self._changes.to_park().unparked
        if gone and gone[-1].key == arrival.key and gone[-1].last == key.first - 1:
            gone[-1] = gone[-1]._replace(last=key.first)
        else:
            gone.append(Unparked(self._plan.name, arrival.key, key.first, key.first))
        return key._replace(first=key.first + 1)

    def _row(self, arrival: Arrival, ordinal: int, now: Instant) -> ParkedRow:
        return ParkedRow(
            self._plan.name, arrival.key, ordinal, self._shard.name, arrival.message_id, *_origin(arrival), now
        )

    def _post(self, topic: str, arrival: Arrival, properties: dict[str, str]) -> None:
        """Letters go to the shard's own partition number: who owns the shard consumes them."""
        self._posting.post(topic, self._shard.partition, arrival.key, body_of(arrival, properties), properties)

    def _fingerprint(self, arrival: Arrival, error: Exception) -> str:
        return fingerprint_of(error, self._plan.name, arrival.envelope.type, arrival.key)


def _origin(arrival: Arrival) -> tuple[str, str, bytes, str, str, str, str, Instant, Instant, str, str]:
    """What a parked row and a dead letter keep alike, in the order of their columns: from `type` to `timer`."""
    envelope = arrival.envelope
    return (
        envelope.type, arrival.schema, arrival.body, envelope.source, arrival.at, envelope.correlation_id,
        envelope.causation_id, envelope.occurred, arrival.published_at, _to_json(dict(arrival.properties)).decode(),
        "" if arrival.timer is None else arrival.timer.name,
    )  # fmt: skip


def _next(key: ParkedKey, now: Instant) -> ParkedKey:
    """The key with a head that was not tried yet."""
    return key._replace(reason=Reason.RETRY.value, failures=0, due=now, error="", error_text="", held_by="", crashes=0)


def describe(key: ParkedKey) -> str:
    """What the key waits for, for who has asked it."""
    if key.crashes and key.due is not None:
        return f"its first message has crashed its worker {key.crashes} times and is tried again at {to_iso(key.due)}"
    last = f"{key.error}: {key.error_text}" if key.error else "what was before it is being applied"
    if key.due is None:
        return f"it is {key.reason} until a person decides ({last})"
    return f"its first message has failed {key.failures} times and is tried again at {to_iso(key.due)} ({last})"
