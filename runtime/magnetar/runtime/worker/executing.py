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
from magnetar.runtime.store.parking import Reason
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.store.requests import Answer, Pause, RequestStatus, What
from magnetar.runtime.worker.asked import TYPE, Declined, FailedAgain, NoRoom, due_of, waiting_on
from magnetar.runtime.worker.burying import Letters
from magnetar.runtime.worker.failing import TEXT_LIMIT
from magnetar.runtime.worker.parking import waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from magnetar.runtime.store.parking import ParkedKey
    from magnetar.runtime.store.port import ShardChanges
    from magnetar.runtime.store.requests import Request
    from magnetar.runtime.worker.asked import Asked
    from magnetar.runtime.worker.handling import Handling
    from magnetar.runtime.worker.shard import Shard
    from magnetar.runtime.worker.waiting import Waiting

AT_A_TIME = 500
"""So many keys go on in one commit at most when a type is resumed; the request goes on until no key is left."""


class Executing:
    """One request, in a group of its shard's own."""

    def __init__(
        self,
        handling: Handling,
        shard: Shard,
        changes: ShardChanges,
        waiting: Waiting,
        now: Instant,
        *,
        edits: bool = False,
    ) -> None:
        """`handling` applies messages, and `changes` gets the rows. `edits`: whether dead letters may be changed."""
        self._edits = edits
        self._handling = handling
        self._shard = shard
        self._answering = changes.to_answer()
        self._waiting = waiting
        self._now = now
        self._letters = Letters(handling, shard, self._answering, waiting, now)

    def run(self, asked: Asked, refused: Mapping[bytes, str]) -> Request | None:
        """Do it and answer. What is returned is not done yet, and goes on in another group.

        `refused`: what the store has refused for its content (R9).
        """
        if (why := refused.get(asked.request.id)) is not None:
            self._answer(asked.request, RequestStatus.REFUSED, why)
            return None
        try:
            answer = self._deed(asked.request.what)(asked)
        except Declined as error:
            self._answer(asked.request, RequestStatus.REFUSED, str(error))
        except FailedAgain as error:
            self._answer(asked.request, RequestStatus.FAILED, str(error))
        except NoRoom:
            return asked.request
        else:
            if answer is None:
                return asked.request
            self._answer(asked.request, RequestStatus.DONE, answer)
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
            What.DISCARD: self._letters.discard,
            What.REPLAY: self._letters.replay,
            What.EDIT: self._edit,
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
                f"{self._name(request.key)} waits for a person already, after dead letter {key.held_by}: "
                "resume it to go on without that message, retry it, or skip it"
            )
            raise Declined(message)
        if key is not None and key.reason == Reason.PAUSED:
            return f"{self._name(request.key)} was paused already, since {to_iso(key.since)}"
        self._waiting.pause(request.key, self._now)
        return f"{self._name(request.key)} is paused; {waiting_on(key)}"

    def _resume(self, asked: Asked) -> str:
        key = self._parked(asked.request)
        name = self._name(key.key)
        if key.reason == Reason.STOPPED:
            message = f"{name} waits because {key.held_by} is paused: resume that type"
            raise Declined(message)
        if key.reason not in {Reason.PAUSED, Reason.HELD}:
            message = f"{name} waits for no person: {due_of(key)}; retry it to have its first message tried now"
            raise Declined(message)
        self._handling.go_on(key.key)
        if key.reason == Reason.HELD:
            return f"{name} goes on without dead letter {key.held_by}, which stays one; {waiting_on(key)}"
        return f"{name} goes on; {waiting_on(key)}"

    def _retry(self, asked: Asked) -> str:
        key = self._parked(asked.request)
        name = self._name(key.key)
        if key.reason == Reason.HELD:
            return self._letters.replay(asked)
        if key.reason == Reason.PAUSED:
            message = f"{name} is paused: resume it, which tries its first message at once"
            raise Declined(message)
        if key.reason == Reason.STOPPED:
            message = f"{name} waits because {key.held_by} is paused: resume that type"
            raise Declined(message)
        self._handling.go_on(key.key)
        return f"{name}: its first message is tried now, after {key.failures} failures; {waiting_on(key)}"

    def _skip(self, asked: Asked) -> str:
        key = self._parked(asked.request)
        name = self._name(key.key)
        if key.reason == Reason.HELD:
            return self._letters.discard(asked, Disposition.SKIPPED)
        if asked.arrival is None:
            message = f"{name} is {key.reason}, and nothing waits for it: there is nothing to skip"
            raise Declined(message)
        self._handling.give_up(asked.arrival, Disposition.SKIPPED)
        self._waiting.skip(asked.arrival, self._now)
        left = waiting(key) - 1
        return f"{name}: message {to_text(asked.arrival.message_id)} is skipped for good; {left} more wait behind it"

    def _edit(self, asked: Asked) -> str:
        if not self._edits:
            message = "dead letters may not be edited here: start the workers with MAGNETAR_EDITS=true"
            raise Declined(message)
        return self._letters.edit(asked)

    # a type, or all

    def _pause_all(self, asked: Asked) -> str:
        type_, request = self._type(asked), asked.request
        if (known := self._shard.pauses.get(type_)) is not None:
            return f"{self._all(type_)} was paused already, by {known.who} at {to_iso(known.since)}"
        self._answering.paused.append(Pause(self._shard.name, type_, request.who, request.why, self._now))
        return f"{self._all(type_)} is paused"

    def _resume_all(self, asked: Asked) -> str | None:
        """The keys that it has stopped go on, so many a commit; only then it is answered."""
        type_ = self._type(asked)
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

    def _type(self, asked: Asked) -> str:
        """The type that is meant, by its whole name or the last part of it; '' where all are."""
        named, plan = asked.arguments.get(TYPE, ""), self._shard.plan
        meant = {each for each in plan.types if named in {each, each.rpartition(".")[2]}} if named else {""}
        if len(meant) == 1:
            return meant.pop()
        if named in self._shard.pauses:  # newer code took it
            return named
        message = f"actor {plan.name} takes no {named}; it takes {', '.join(sorted(plan.types))}"
        raise Declined(message)

    def _all(self, type_: str) -> str:
        return f"{type_ or 'everything'} of {self._shard.name}"
