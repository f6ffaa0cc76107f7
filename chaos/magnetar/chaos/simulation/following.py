"""What is committed about requests, as the database sees it: blame for what should not be, situations worth meeting.

The `requests` checker does not ask it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.identity import to_text
from magnetar.runtime.store.parking import LetterStatus, Reason
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.store.requests import RequestStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.history import History
    from magnetar.chaos.simulation.tails import Tails
    from magnetar.runtime.store.port import JournalRow, ShardChanges
    from magnetar.runtime.store.requests import Answering

_PAUSED = "what a person has paused is not applied"
_GIVEN_UP = "nothing is given up unless a person asks"
_GONE = {Disposition.SKIPPED.value, Disposition.DISCARDED.value}
_OVERTAKEN = "a replayed letter overtakes nobody"


class Followed:
    """Follows what is committed."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._pauses: dict[str, set[str]] = {}

    def committed(self, changes: ShardChanges, tails: Tails) -> None:
        """One shard's part of a commit that the database accepted; `tails` knows keys as they were before."""
        answering = changes.answering
        for row in _settled(changes):
            self._judge(changes, row, tails)
        if answering is not None:
            self._follow(changes, answering, tails)

    def _judge(self, changes: ShardChanges, row: JournalRow, tails: Tails) -> None:
        subject = f"shard {changes.shard}, key {row.key}, message {to_text(row.message_id)}"
        paused = self._pauses.get(changes.shard, set())
        if row.disposition == Disposition.APPLIED.value:
            key = tails.known(row.actor, row.key)
            if paused & {"", row.type}:
                self._history.blame(_PAUSED, subject, f"{row.type} is applied while {sorted(paused)} are paused")
            if key is not None and key.reason == Reason.PAUSED:
                self._history.blame(_PAUSED, subject, "it is applied while its key is paused")
        elif row.disposition in _GONE and changes.answering is None and row.source != "timer":
            self._history.blame(_GIVEN_UP, subject, f"it is {row.disposition}")

    def _follow(self, changes: ShardChanges, answering: Answering, tails: Tails) -> None:
        for move in answering.letters:
            if move.status == LetterStatus.REPLAYED.value:
                self._replayed(changes, move.actor, move.message_id, tails)
        for situation in self._met(changes, answering):
            self._history.meet(situation)
        pauses = self._pauses.setdefault(changes.shard, set())
        pauses.difference_update(type_ for _, type_ in answering.resumed)
        pauses.update(pause.type for pause in answering.paused)

    def _replayed(self, changes: ShardChanges, actor: str, message_id: bytes, tails: Tails) -> None:
        """R22: what waits for its key, but for this very letter, comes first."""
        applied = {row.message_id: row.key for row in _settled(changes)}
        dead = {} if changes.parking is None else {row.message_id: row.key for row in changes.parking.dead}
        name = (applied | dead)[message_id]
        key = tails.known(actor, name)
        if key is not None and not (key.reason == Reason.HELD and key.held_by == to_text(message_id)):
            what = f"its key is {key.reason}, {key.held_by or 'by nothing'}"
            self._history.blame(_OVERTAKEN, f"key {name}, message {to_text(message_id)}", what)
        became = "was applied" if message_id in applied else "failed again"
        self._history.meet(f"a replayed letter {became}")

    def _met(self, changes: ShardChanges, answering: Answering) -> Iterator[str]:
        for answer in answering.answers:
            asked = self._history.requests.get(answer.id)
            if asked is not None and asked.epoch and asked.epoch < changes.epoch:
                yield "a request survived a takeover"
            if answer.status == RequestStatus.REFUSED.value:
                yield "a request was refused"
        if answering.resumed:
            yield "what was paused as a whole went on"
        parking = changes.parking
        for key in () if parking is None else parking.parked_keys:
            if key.reason == Reason.PAUSED.value:
                yield "a key was paused"
        if not answering.letters and any(row.disposition == Disposition.SKIPPED.value for row in _settled(changes)):
            yield "a person skipped a head"


def _settled(changes: ShardChanges) -> Iterator[JournalRow]:
    yield from changes.journal
    if changes.parking is not None:
        yield from changes.parking.settled
