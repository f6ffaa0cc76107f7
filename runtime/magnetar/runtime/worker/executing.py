"""What a person asks for, done: a request → rows, messages and an answer, all in one commit. Pure (R27).

What a person may ask of a key that waits is about its *blocking message*: the one that is tried again, or has died.

| key is | pause | resume | retry | skip |
|---|---|---|---|---|
| free | it waits from now on | refused | refused | refused |
| retried, unread | stays where it is | refused | tried now | given up, the tail goes on |
| held | refused | the tail goes on without it | the dead letter is replayed | given up, the tail goes on |
| paused | nothing | head and tail go on | refused | given up; the key stays paused |
| stopped | stays where it is | refused | refused | given up, the tail goes on |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.envelope import plain
from magnetar.runtime.identity import to_text
from magnetar.runtime.instant import Instant, to_iso
from magnetar.runtime.store.parking import LetterStatus, Reason
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.store.requests import Answer, LetterMove, Pause, RequestStatus, What
from magnetar.runtime.worker.asked import MOST, TYPE
from magnetar.runtime.worker.failing import TEXT_LIMIT, Unread, fingerprint_of, name_of, text_of
from magnetar.runtime.worker.parking import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.runtime.store.parking import DeadLetter, ParkedKey
    from magnetar.runtime.store.port import ShardChanges
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.worker.arrival import Arrival
    from magnetar.runtime.worker.asked import Asked
    from magnetar.runtime.worker.handling import Handling
    from magnetar.runtime.worker.shard import Shard
    from magnetar.runtime.worker.waiting import Waiting

AT_A_TIME = 500
"""So many keys go on in one commit at most when a type is resumed; the request goes on until no key is left."""


class Declined(Exception):
    """Nothing is done; the text says why, and what to do."""


class _FailedAgain(Exception):
    """A message was tried, and has failed; the text says with what."""


class Executing:
    """One request, in a group of its shard's own."""

    def __init__(
        self, handling: Handling, shard: Shard, changes: ShardChanges, waiting: Waiting, now: Instant
    ) -> None:
        """`handling` applies messages, and `changes` gets the rows."""
        self._handling = handling
        self._shard = shard
        self._answering = changes.to_answer()
        self._waiting = waiting
        self._now = now

    def run(self, asked: Asked, refused: Mapping[bytes, str]) -> Request | None:
        """Do it and answer. What is returned is not done yet, and goes on in another group.

        `refused`: what the store has refused for its content (R9).
        """
        status = RequestStatus.DONE
        try:
            if (why := refused.get(asked.request.id)) is not None:
                raise Declined(why)
            answer = self._deed(asked.request.what)(asked)
        except Declined as error:
            status, answer = RequestStatus.REFUSED, str(error)
        except _FailedAgain as error:
            status, answer = RequestStatus.FAILED, str(error)
        if answer is None:
            return asked.request
        self._answer(asked.request, status, answer)
        return None

    def _answer(self, request: Request, status: RequestStatus, answer: str) -> None:
        shard = self._shard
        text = plain(answer)[:TEXT_LIMIT]
        self._answering.answers.append(Answer(request.id, shard.name, status.value, text, self._now, shard.epoch))

    def _deed(self, what: str) -> Callable[[Asked], str | None]:
        deeds: dict[str, Callable[[Asked], str | None]] = {
            What.PAUSE: self._pause,
            What.RESUME: self._resume,
            What.RETRY: self._retry,
            What.SKIP: self._skip,
            What.PAUSE_ALL: self._pause_all,
            What.RESUME_ALL: self._resume_all,
            What.DISCARD: self._discard,
            What.REPLAY: self._replay,
        }
        if what not in deeds:
            message = f"this worker does not know how to {what!r}: a newer tool has asked; update the workers"
            raise Declined(message)
        return deeds[what]

    # a key

    def _name(self, key: str) -> str:
        return f"{self._shard.plan.name}/{key}"

    def _parked(self, request: Request) -> ParkedKey:
        key = self._waiting.parked(request.key)
        if key is None:
            message = f"{self._name(request.key)} is not parked: there is nothing to {request.what}"
            raise Declined(message)
        return key

    def _pause(self, asked: Asked) -> str:
        request = asked.request
        if not self._shard.houses(request.key):
            message = f"{self._name(request.key)} is no key of shard {self._shard.name}"
            raise Declined(message)
        key = self._waiting.parked(request.key)
        if key is not None and key.reason == Reason.HELD:
            message = (
                f"{self._name(request.key)} waits for a person already, after dead letter {key.held_by}: resume it to go "
                "on without that message, retry it, or skip it"
            )
            raise Declined(message)
        if key is not None and key.reason == Reason.PAUSED:
            return f"{self._name(request.key)} was paused already, since {to_iso(key.since)}"
        self._waiting.pause(request.key, self._now)
        return f"{self._name(request.key)} is paused; {_waiting_on(key)}"

    def _resume(self, asked: Asked) -> str:
        key = self._parked(asked.request)
        name = self._name(key.key)
        if key.reason == Reason.STOPPED:
            message = f"{name} waits because {key.held_by} is paused: resume that type"
            raise Declined(message)
        if key.reason not in {Reason.PAUSED, Reason.HELD}:
            message = f"{name} waits for no person: {_due(key)}; retry it to have its first message tried now"
            raise Declined(message)
        self._handling.go_on(key.key)
        if key.reason == Reason.HELD:
            return f"{name} goes on without dead letter {key.held_by}, which stays one; {_waiting_on(key)}"
        return f"{name} goes on; {_waiting_on(key)}"

    def _retry(self, asked: Asked) -> str:
        key = self._parked(asked.request)
        name = self._name(key.key)
        if key.reason == Reason.HELD:
            return self._replay(asked)
        if key.reason == Reason.PAUSED:
            message = f"{name} is paused: resume it, which tries its first message at once"
            raise Declined(message)
        if key.reason == Reason.STOPPED:
            message = f"{name} waits because {key.held_by} is paused: resume that type"
            raise Declined(message)
        self._handling.go_on(key.key)
        return f"{name}: its first message is tried now, after {key.failures} failures; {_waiting_on(key)}"

    def _skip(self, asked: Asked) -> str:
        key = self._parked(asked.request)
        name = self._name(key.key)
        if key.reason == Reason.HELD:
            if asked.letter is None or asked.arrival is None:
                message = f"{name}: the dead letter that it holds for is not known: resume the key, then discard the letter"
                raise Declined(message)
            return self._give_up(asked.arrival, asked.letter, Disposition.SKIPPED)
        if asked.arrival is None:
            message = f"{name} is {key.reason}, and nothing waits for it: there is nothing to skip"
            raise Declined(message)
        self._handling.give_up(asked.arrival, Disposition.SKIPPED)
        self._waiting.skip(asked.arrival, self._now)
        left = waiting(key) - 1
        return f"{name}: message {to_text(asked.arrival.message_id)} is skipped for good; {left} more wait behind it"

    # a type, or all

    def _pause_all(self, asked: Asked) -> str:
        type_, request = asked.arguments.get(TYPE, ""), asked.request
        if (known := self._shard.pauses.get(type_)) is not None:
            return f"{self._all(type_)} was paused already, by {known.who} at {to_iso(known.since)}"
        self._answering.paused.append(Pause(self._shard.name, type_, request.who, request.why, self._now))
        return f"{self._all(type_)} is paused"

    def _resume_all(self, asked: Asked) -> str | None:
        """The keys that it has stopped go on, so many a commit; only then it is answered."""
        type_ = asked.arguments.get(TYPE, "")
        keys = self._shard.parking.keys.values()
        stopped = [key.key for key in keys if key.reason == Reason.STOPPED and key.held_by == type_]
        if type_ in self._shard.pauses:
            self._answering.resumed.append((self._shard.name, type_))
        elif not stopped:
            message = f"{self._all(type_)} is not paused"
            raise Declined(message)
        for key in stopped[:AT_A_TIME]:
            self._handling.go_on(key)
        return None if len(stopped) > AT_A_TIME else f"{self._all(type_)} goes on"

    def _all(self, type_: str) -> str:
        return f"{type_ or 'everything'} of {self._shard.name}"

    # a dead letter

    def _dead(self, asked: Asked) -> tuple[Arrival, DeadLetter]:
        if asked.letter is None or asked.arrival is None:
            message = f"shard {self._shard.name} has no such dead letter"
            raise Declined(message)
        if asked.letter.status != LetterStatus.DEAD:
            message = f"message {to_text(asked.letter.message_id)} is no dead letter any more: it was {asked.letter.status}"
            raise Declined(message)
        return asked.arrival, asked.letter

    def _discard(self, asked: Asked) -> str:
        return self._give_up(*self._dead(asked), Disposition.DISCARDED)

    def _give_up(self, arrival: Arrival, letter: DeadLetter, disposition: Disposition) -> str:
        self._handling.give_up(arrival, disposition)
        self._move(letter, LetterStatus.DISCARDED, letter.replays)
        return f"message {to_text(letter.message_id)} is {disposition} for good; {self._go_on_after(letter)}"

    def _move(self, letter: DeadLetter, status: LetterStatus, replays: int) -> None:
        self._answering.letters.append(LetterMove(letter.actor, letter.message_id, status.value, replays))

    def _go_on_after(self, letter: DeadLetter) -> str:
        """The key that holds for this letter need not any more."""
        key = self._waiting.parked(letter.key)
        if key is None or key.reason != Reason.HELD or not _holds_for(key, letter):
            return "no key waits for it"
        self._handling.go_on(letter.key)
        return f"{self._name(letter.key)} goes on; {_waiting_on(key)}"

    def _replay(self, asked: Asked) -> str:
        arrival, letter = self._dead(asked)
        self._may_replay(asked, arrival, letter)
        replays = letter.replays + 1
        self._move(letter, LetterStatus.REPLAYED, replays)
        error = self._handling.tried(arrival, letter.failures)
        if error is None:
            return f"message {to_text(letter.message_id)} is applied; {self._go_on_after(letter)}"
        failures = letter.failures + 1
        self._handling.fail_again(arrival, error, failures)
        again = letter._replace(
            error=name_of(error), error_text=text_of(error),
            fingerprint=fingerprint_of(error, letter.actor, letter.type),
            failures=failures, dead_at=self._now, replays=replays,
        )  # fmt: skip
        self._waiting.failed_again(again)
        message = f"message {to_text(letter.message_id)} has failed again, for the {failures}. time: {again.error}: {again.error_text}"
        raise _FailedAgain(message)

    def _may_replay(self, asked: Asked, arrival: Arrival, letter: DeadLetter) -> None:
        """R22: it may not overtake what waits for its key, nor an earlier letter that its key holds for."""
        name, key = self._name(letter.key), self._waiting.parked(letter.key)
        if isinstance(arrival.problem, Unread):
            raise Declined(f"no code here can handle it: {arrival.problem}")
        if letter.type in self._shard.pauses:
            raise Declined(f"its type {letter.type} is paused: resume that first")
        if not letter.key:
            raise Declined("it has no key that could be read: send what it meant anew, and discard it")
        if not self._shard.houses(letter.key):
            raise Declined(f"{name} does not belong to shard {self._shard.name}: send it anew, and discard it")
        if key is not None and not (key.reason == Reason.HELD and _holds_for(key, letter)):
            raise Declined(f"{name} is parked ({key.reason}), and what waits for it comes first; {_due(key)}")
        most = asked.arguments.get(MOST, "")
        if most.isdecimal() and letter.replays >= int(most):
            raise Declined(f"it was replayed {letter.replays} times already, and has failed each time: mend its cause first")


def _holds_for(key: ParkedKey, letter: DeadLetter) -> bool:
    """Whether the key waits for this letter; of a key that older code held that is not known."""
    return key.held_by in {to_text(letter.message_id), ""}


def _waiting_on(key: ParkedKey | None) -> str:
    count = 0 if key is None else waiting(key)
    return f"{count} {'message waits' if count == 1 else 'messages wait'} for it"


def _due(key: ParkedKey) -> str:
    return f"its first message is tried again at {to_iso(key.due)}" if key.due is not None else f"it is {key.reason}"
