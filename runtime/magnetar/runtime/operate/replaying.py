"""Replaying many dead letters: chosen once, a few first, then so many a second, stopped when too many fail again (R27).

All state is in the store, so that a tool may be killed at any line: the replay and its letters with the ids of their
requests, and the requests with their answers. Whoever resumes it asks what was not asked yet.
"""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.identity import mint, to_text
from magnetar.runtime.instant import to_datetime
from magnetar.runtime.operate.course import Course, Progress
from magnetar.runtime.store.port import CommitUnknown
from magnetar.runtime.store.replays import Replay, ReplayStatus
from magnetar.runtime.store.requests import Request, RequestStatus, What
from magnetar.runtime.worker.asked import LETTER, MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime.operate.asking import Asker
    from magnetar.runtime.store.replays import ReplayLetter, Requests
    from magnetar.runtime.store.views import Views, Which

MOST_ON_THEIR_WAY = 1_000
"""So many letters wait for an answer at a time: where a dependency's queue is full, a replay goes at its pace."""

_TICK = 0.1
_TRIES = 5


class Pace(NamedTuple):
    """`canary`: so many letters first, alone; then `rate` a second; stopped when more than the share `stop_at` fail.

    `most`: a letter that was replayed so often before goes back no more.
    """

    canary: int = 1
    rate: float = 10.0
    stop_at: float = 0.1
    most: int = 3


class ReplayReport(msgspec.Struct, frozen=True):
    """A replay, and how far it has come."""

    id: str
    chosen: str
    who: str
    why: str
    status: str
    said: str
    begun_at: datetime
    ended_at: datetime | None
    progress: Progress


class Silence(Exception):
    """Nobody answers: the shards have no owner now, or a dependency has no room. The replay can be resumed."""


def begin(views: Views, book: Requests, asker: Asker, pace: Pace, which: Which, letters: Sequence[bytes]) -> Replay:
    """Choose the letters, once and for all. Raises `StoreUnavailable`; `MisuseError` where there are none."""
    chosen = ", ".join(f"{name} {value}" for name, value in which._asdict().items() if value not in {None, "dead"})
    words = f"{len(letters)} by their ids" if letters else chosen or "all"
    replay_id = mint(views.now(), os.urandom)
    running = ReplayStatus.RUNNING.value
    replay = Replay(
        replay_id, words, *asker, pace.canary, pace.rate, pace.stop_at, pace.most, 0, 0, running, "", None
    )  # fmt: skip
    if not _again(lambda: book.freeze(replay, which, letters)):
        book.end(replay_id, ReplayStatus.DONE, "there was nothing to replay")
        message = "there is no such dead letter; `magnetar dlq groups` counts those there are"
        raise MisuseError(message)
    return find(views, to_text(replay_id))


def find(views: Views, name: str) -> Replay:
    """The replay whose id this is, or ends so. Raises `MisuseError`."""
    found = [each for each in views.replays() if to_text(each.id).endswith(name.removeprefix("…")) and name]
    if len(found) != 1:
        message = f"{name!r} is the id of {len(found)} replays; `magnetar dlq replays` lists them"
        raise MisuseError(message)
    return found[0]


def report(views: Views, replay: Replay) -> ReplayReport:
    """How far it has come, as the store tells."""
    return _reported(replay, _course(views, replay).progress)


def _reported(replay: Replay, progress: Progress) -> ReplayReport:
    return ReplayReport(
        to_text(replay.id), replay.chosen, replay.who, replay.why, replay.status, replay.said,
        to_datetime(replay.begun_at), None if replay.ended_at is None else to_datetime(replay.ended_at), progress,
    )  # fmt: skip


def _course(views: Views, replay: Replay) -> Course:
    course = Course(views.replay_letters(replay.id), views.replayed(replay.id), replay.canary, replay.stop_at)
    if replay.status == ReplayStatus.STOPPED:
        course.forgive()
    return course


class Driver:
    """Goes on with a replay until it is over, or stopped. One thread; may be killed at any time."""

    def __init__(self, views: Views, book: Requests, replay: Replay, patience: float) -> None:
        """`patience`: seconds without an answer after which it gives up waiting."""
        self._views = views
        self._book = book
        self._replay = replay
        self._patience = patience
        self._course = _course(views, replay)
        self._tokens = 0.0

    def run(self, tell: Callable[[Progress], None]) -> ReplayReport:
        """To its end. Raises `Silence`, `StoreUnavailable`; then it can be resumed."""
        if self._replay.status != ReplayStatus.RUNNING:
            self._book.end(self._replay.id, ReplayStatus.RUNNING, "")
        heard = asked_at = time.monotonic()
        while not self._course.over:
            now = time.monotonic()
            self._tokens = min(self._tokens + (now - asked_at) * self._replay.rate, max(1.0, self._replay.rate / 2))
            asked_at = now
            if self._course.too_many_failed:
                return self._stop(tell)
            self._ask(self._course.next(self._room()))
            if self._listen() or not self._course.on_their_way:
                heard = time.monotonic()
            elif time.monotonic() - heard > self._patience:
                raise Silence
            tell(self._course.progress)
            time.sleep(_TICK)
        if self._course.too_many_failed:
            return self._stop(tell)
        return self._end(ReplayStatus.DONE, "all letters were tried, but those behind one that failed")

    def _room(self) -> int:
        """So many may go now; where answers take their time, no more than so many wait for one."""
        if self._course.in_canary:
            return self._course.canary_left()
        room = min(int(self._tokens), MOST_ON_THEIR_WAY - len(self._course.on_their_way))
        self._tokens -= room
        return room

    def _ask(self, letters: Sequence[ReplayLetter]) -> None:
        if letters:
            requests = [self._request(letter) for letter in letters]
            _again(lambda: self._book.ask(requests))

    def _request(self, letter: ReplayLetter) -> Request:
        arguments = {LETTER: to_text(letter.message_id), MOST: str(self._replay.most)}
        about, replay = msgspec.json.encode(arguments).decode(), self._replay
        return Request(
            letter.request, letter.shard, What.REPLAY.value, letter.key, about, replay.who, replay.why, 0,
            RequestStatus.ASKED.value, "", None, None,
        )  # fmt: skip

    def _listen(self) -> int:
        """How many answers there were."""
        numbers = {letter.request: letter.number for letter in self._course.on_their_way}
        answers = [each for each in self._views.requests(list(numbers)) if each.status != RequestStatus.ASKED]
        for answer in answers:
            self._course.answered(numbers[answer.id], answer.status)
        return len(answers)

    def _stop(self, tell: Callable[[Progress], None]) -> ReplayReport:
        """What is on its way is waited for: it cannot be called back."""
        heard = time.monotonic()
        while self._course.on_their_way and time.monotonic() - heard <= self._patience:
            if self._listen():
                heard = time.monotonic()
            tell(self._course.progress)
            time.sleep(_TICK)
        progress = self._course.progress
        share = progress.failed / max(1, progress.applied + progress.failed)
        return self._end(ReplayStatus.STOPPED, f"{share:.0%} of those tried have failed again")

    def _end(self, status: ReplayStatus, said: str) -> ReplayReport:
        self._book.end(self._replay.id, status, said)
        return _reported(find(self._views, to_text(self._replay.id)), self._course.progress)


def _again(write: Callable[[], int | None]) -> int | None:
    """A write that may be repeated, where nobody knows whether it was done."""
    for _ in range(_TRIES):
        try:
            return write()
        except CommitUnknown:
            continue
    return write()
