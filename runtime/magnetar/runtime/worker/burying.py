"""A dead letter is given up for good, or tried once more: what a person asks of it (R27). Pure.

Replaying moves it from *dead* to *applied* in the commit that applies it (R2). One that fails again is dead again in
the same commit, with one more failure in its ledger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from magnetar.runtime.identity import to_text
from magnetar.runtime.store.parking import LetterStatus, Reason
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.store.requests import Edit, LetterMove, Rewritten, What
from magnetar.runtime.worker.asked import MOST, VALUE, Declined, FailedAgain, NoRoom, due_of, waiting_on
from magnetar.runtime.worker.failing import Crowded, Unread, fingerprint_of, name_of, text_of
from magnetar.runtime.worker.rewriting import rewritten

if TYPE_CHECKING:
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.parking import DeadLetter, ParkedKey
    from magnetar.runtime.store.requests import Answering
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.asked import Asked
    from magnetar.runtime.worker.handling import Handling
    from magnetar.runtime.worker.shard import Shard
    from magnetar.runtime.worker.waiting import Waiting


class Letters:
    """What is asked of dead letters, in a group of their shard's own."""

    def __init__(self, handling: Handling, shard: Shard, answering: Answering, waiting: Waiting, now: Instant) -> None:
        """`handling` applies messages; `answering` gets what becomes of letters."""
        self._handling = handling
        self._shard = shard
        self._answering = answering
        self._waiting = waiting
        self._now = now

    def _dead(self, asked: Asked) -> tuple[Arrival, DeadLetter]:
        if asked.letter is None or asked.arrival is None:
            message = f"shard {self._shard.name} knows no such dead letter; `magnetar dlq list` names those there are"
            raise Declined(message)
        if asked.letter.status != LetterStatus.DEAD:
            message = (
                f"message {to_text(asked.letter.message_id)} is no dead letter any more: it was {asked.letter.status}"
            )
            raise Declined(message)
        return asked.arrival, asked.letter

    def discard(self, asked: Asked, disposition: Disposition = Disposition.DISCARDED) -> str:
        """It is never applied. `Declined`."""
        arrival, letter = self._dead(asked)
        self._handling.give_up(arrival, disposition)
        self._move(letter, LetterStatus.DISCARDED, letter.replays)
        return f"message {to_text(letter.message_id)} is {disposition} for good; {self._go_on_after(letter)}"

    def edit(self, asked: Asked) -> str:
        """It says something else from now on; what it said is kept. `Declined`."""
        _, letter = self._dead(asked)
        request, shard = asked.request, self._shard
        body, schema = rewritten(shard.plan, letter, asked.arguments.get(VALUE, ""))
        self._answering.edits.append(
            Edit(
                request.id, letter.actor, letter.message_id, shard.name, letter.body, letter.schema,
                request.who, request.why, self._now,
            )
        )  # fmt: skip
        self._answering.rewritten.append(Rewritten(letter.actor, letter.message_id, body, schema))
        return f"message {to_text(letter.message_id)} is edited: replay it to have it tried"

    def _move(self, letter: DeadLetter, status: LetterStatus, replays: int) -> None:
        self._answering.letters.append(LetterMove(letter.actor, letter.message_id, status.value, replays))

    def _go_on_after(self, letter: DeadLetter) -> str:
        """The key that holds for this letter need not any more."""
        key = self._waiting.parked(letter.key)
        if key is None or key.reason != Reason.HELD or not _holds_for(key, letter):
            return "no key waits for it"
        self._handling.go_on(letter.key)
        return f"{letter.actor}/{letter.key} goes on; {waiting_on(key)}"

    def replay(self, asked: Asked) -> str:
        """It is tried once more, and dead again where it fails again. `Declined`, `FailedAgain`, `NoRoom`."""
        arrival, letter = self._dead(asked)
        self._may_replay(asked, arrival, letter)
        replays = letter.replays + 1
        error = self._handling.tried(arrival, letter.failures)
        if isinstance(error, Crowded):
            self._wait_for_room(asked, error)
        self._move(letter, LetterStatus.REPLAYED, replays)
        if error is None:
            return f"message {to_text(letter.message_id)} is applied; {self._go_on_after(letter)}"
        failures = letter.failures + 1
        self._handling.fail_again(arrival, error, failures)
        again = letter._replace(
            error=name_of(error), error_text=text_of(error),
            fingerprint=fingerprint_of(error, letter.actor, letter.type, letter.key),
            failures=failures, replays=replays,
        )  # fmt: skip
        self._waiting.failed_again(again)
        message = f"message {to_text(letter.message_id)} has failed again, {failures} times in all: "
        raise FailedAgain(f"{message}{again.error}: {again.error_text}")

    def _wait_for_room(self, asked: Asked, error: Crowded) -> NoReturn:
        """It was not tried: no failure, no replay. One of many goes when there is room; a person is told at once."""
        if asked.request.what == What.REPLAY:
            raise NoRoom
        raise Declined(f"nothing is tried now: {error}; ask again when there is room")

    def _may_replay(self, asked: Asked, arrival: Arrival, letter: DeadLetter) -> None:
        """R22: it may not overtake what waits for its key, nor an earlier letter that its key holds for."""
        name, key = f"{letter.actor}/{letter.key}", self._waiting.parked(letter.key)
        if isinstance(arrival.problem, Unread):
            raise Declined(f"no code here can handle it: {arrival.problem}")
        if self._shard.halted or letter.type in self._shard.pauses:
            what = f"everything of {self._shard.name}" if self._shard.halted else f"its type {letter.type}"
            raise Declined(f"{what} is paused: resume that first")
        if not letter.key:
            raise Declined("it has no key that could be read: send what it meant anew, and discard it")
        if not self._shard.houses(letter.key):
            raise Declined(f"{name} does not belong to shard {self._shard.name}: send it anew, and discard it")
        if key is not None and not (key.reason == Reason.HELD and _holds_for(key, letter)):
            raise Declined(f"{name} is parked ({key.reason}), and what waits for it comes first; {due_of(key)}")
        most = asked.arguments.get(MOST, "")
        if most.isdecimal() and letter.replays >= int(most):
            raise Declined(
                f"it was replayed {letter.replays} times already, and has failed each time: mend its cause first"
            )


def _holds_for(key: ParkedKey, letter: DeadLetter) -> bool:
    """Whether the key waits for this letter; of a key that older code held that is not known."""
    return key.held_by in {to_text(letter.message_id), ""}
