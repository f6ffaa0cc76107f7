"""Which letters of a replay may go next, and when it has to stop. Pure.

Of one key one letter is on its way at a time, and the next goes only when it was applied: what has failed again, or was
refused, keeps those behind it where they are.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.store.requests import RequestStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from magnetar.runtime.store.replays import Replayed, ReplayLetter

ENOUGH = 20
"""After the first ones, a share of failures is judged from so many answers on."""


class Progress(msgspec.Struct, frozen=True):
    """How far a replay has come, in letters. `behind`: not tried, for one before it of the same key was not applied."""

    letters: int
    applied: int
    failed: int
    refused: int
    behind: int
    waiting: int
    left: int


class Course:
    """The way of one replay. One thread."""

    def __init__(self, letters: Iterable[ReplayLetter], known: Iterable[Replayed], canary: int, stop_at: float) -> None:
        """`letters` in their order; `known` are those asked already, and what became of them."""
        self._canary = canary
        self._stop_at = stop_at
        self._keys: dict[tuple[str, str], deque[ReplayLetter]] = {}
        self._ready: list[int] = []
        self._by_number: dict[int, deque[ReplayLetter]] = {}
        self._open: dict[int, ReplayLetter] = {}
        self._counts = dict.fromkeys(RequestStatus, 0)
        self._forgiven = dict.fromkeys(RequestStatus, 0)
        self._letters = self._behind = 0
        for letter in letters:
            self._letters += 1
            self._keys.setdefault((letter.actor, letter.key), deque()).append(letter)
        found = {each.number: each.status for each in known}
        for waiting in self._keys.values():
            self._recall(waiting, found)

    def _recall(self, waiting: deque[ReplayLetter], known: Mapping[int, str]) -> None:
        """What was asked of a key before, by a tool that may be gone."""
        while waiting and (status := known.get(waiting[0].number)) is not None:
            letter = waiting.popleft()
            if status == RequestStatus.ASKED:
                self._open[letter.number] = letter
                return
            self._count(status, waiting)
        self._offer(waiting)

    def _offer(self, waiting: deque[ReplayLetter]) -> None:
        """The key's next letter may go."""
        if waiting:
            self._by_number[waiting[0].number] = waiting
            heappush(self._ready, waiting[0].number)

    def _count(self, status: str, waiting: deque[ReplayLetter]) -> None:
        self._counts[RequestStatus(status)] += 1
        if status != RequestStatus.DONE:
            self._behind += len(waiting)
            waiting.clear()

    def forgive(self) -> None:
        """A person lets it go on though too many have failed: those count no more, and a few go first again."""
        self._forgiven = dict(self._counts)

    def next(self, most: int) -> list[ReplayLetter]:
        """The next ones, at most so many; they count as on their way from now on."""
        chosen: list[ReplayLetter] = []
        while self._ready and len(chosen) < most:
            chosen.append(self._send(heappop(self._ready)))
        return chosen

    def _send(self, number: int) -> ReplayLetter:
        letter = self._open[number] = self._by_number.pop(number).popleft()
        return letter

    def answered(self, number: int, status: str) -> None:
        """What became of one that was on its way."""
        if status == RequestStatus.ASKED:
            return
        letter = self._open.pop(number)
        waiting = self._keys[letter.actor, letter.key]
        self._count(status, waiting)
        self._offer(waiting)

    @property
    def on_their_way(self) -> list[ReplayLetter]:
        """Those that were asked and are not answered."""
        return list(self._open.values())

    @property
    def in_canary(self) -> bool:
        """Whether the first ones are not through yet."""
        return self._answered < self._canary and bool(self._ready or self._open)

    def canary_left(self) -> int:
        """How many more may go before the first ones are through."""
        return max(0, self._canary - self._answered - len(self._open))

    @property
    def over(self) -> bool:
        """Whether nothing is left to ask, and nothing on its way."""
        return not self._ready and not self._open

    @property
    def too_many_failed(self) -> bool:
        """Whether a larger share of those tried has failed again than may."""
        failed, applied = self._judged(RequestStatus.FAILED), self._judged(RequestStatus.DONE)
        enough = not self.in_canary and (self._answered <= self._canary or self._answered >= ENOUGH)
        return enough and failed > self._stop_at * (failed + applied)

    def _judged(self, status: RequestStatus) -> int:
        return self._counts[status] - self._forgiven[status]

    @property
    def _answered(self) -> int:
        return sum(self._judged(status) for status in RequestStatus)

    @property
    def progress(self) -> Progress:
        """In numbers."""
        counts = self._counts
        left = self._letters - sum(counts.values()) - self._behind - len(self._open)
        return Progress(
            self._letters, counts[RequestStatus.DONE], counts[RequestStatus.FAILED], counts[RequestStatus.REFUSED],
            self._behind, len(self._open), left,
        )  # fmt: skip
