"""A question that only a broker can answer, to know that one can be reached.

The question is for a topic's number of partitions. The client keeps no answer to it (tried: while the broker is frozen
it times out), it goes over the connection that consumers of that broker use, and it costs 0.6 ms. It needs no thread:
the client's I/O thread puts the answer into a dictionary, in C, as it does with a producer's receipts; and a question
that nobody answers is dropped by the client itself after its operation time-out.

The client turns to the hosts of its service URL in turn. So each ping asks as many questions as there are hosts, and
one that stands still keeps only one of them. And it joins a question to one about the same topic that is still
unanswered, whose answer may be an old one: a process that was frozen finds it in its socket. So they are about
different partitions, as far as there are any, and a question that had to be joined counts from when it was first asked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.bus.pulsar import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime.bus.port import BusError
    from magnetar.runtime.bus.pulsar.native import NativeClient, NativeResult


class Question:
    """One question to the client: when it was asked, and the dictionary for its one answer, empty until then."""

    __slots__ = ("asked", "box")

    def __init__(self, asked: float) -> None:
        self.asked = asked
        self.box: dict[NativeResult, Sequence[str]] = {}

    def answer(self) -> NativeResult | None:
        """What the client said, if it has."""
        return next(iter(list(self.box)), None)  # the client's thread adds to it meanwhile


class Questions:
    """The questions to one client. Called by the loop only."""

    def __init__(self, client: NativeClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._last: dict[str, Question] = {}
        self._known: dict[str, Sequence[str]] = {}

    def ask(self, topic: str, hosts: int) -> list[Question]:
        """One question for each host: about the topic, then its partitions, whichever nobody waits for yet."""
        guessed = [f"{topic}-partition-{number}" for number in range(hosts - 1)]
        names = [topic, *(self._partitions(topic) or guessed)]
        free = [name for name in names if self._is_free(name)]
        return [self._ask(name) for name in (free or names)[:hosts]]

    def _partitions(self, topic: str) -> Sequence[str]:
        last = self._last.get(topic)
        if last is not None:
            self._known.update((topic, answer) for answer in list(last.box.values()) if answer)
        return self._known.get(topic, ())

    def _is_free(self, name: str) -> bool:
        last = self._last.get(name)
        return last is None or last.answer() is not None

    def _ask(self, name: str) -> Question:
        if self._is_free(name):
            fresh = self._last[name] = Question(self._clock())
            self._client.get_topic_partitions_async(name, fresh.box.setdefault)
        return self._last[name]


class PulsarPing:
    """See `Bus.ping`.

    Args:
        questions: what was asked; one good answer is enough.
        doing: what was asked, for error messages.
        deadline: seconds from now.
        clock: seconds, monotonic; that of the questions.
    """

    def __init__(
        self, questions: Sequence[Question], doing: str, deadline: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._questions = questions
        self._doing = doing
        self._deadline = deadline
        self._clock = clock
        self._until = clock() + deadline
        self._outcome: float | BusError | None = None

    def poll(self) -> float | None:
        """Seconds from the question to the first call that sees the answer, or None; raises. Never blocks."""
        if self._outcome is None:
            self._outcome = self._look()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def abandon(self) -> None:
        """Nothing is to be closed: the answer is dropped with this object."""

    def _look(self) -> float | BusError | None:
        now = self._clock()
        answers = [(question.answer(), question.asked) for question in self._questions]
        good = [asked for answer, asked in answers if answer is not None and answer.name == "Ok"]
        if good:
            return now - max(good)
        said = [answer for answer, _ in answers if answer is not None]
        if len(said) == len(answers):
            return errors.from_result(said[0], self._doing)
        if now > self._until:
            return BusUnavailable(f"{self._doing}: no broker has answered within {self._deadline:g} s; ask again")
        return None
