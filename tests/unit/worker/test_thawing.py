"""A worker that is frozen in the middle of a read sees what its next owner has written, and does no harm (R6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime import Actor, App, Command, Context, Key, Policy, Retry, State, replace
from magnetar.runtime.identity import mint
from magnetar.runtime.store.requests import Request, What
from tests.unit.worker.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.store.parking import ParkedKey

KEY, SHARD = "a", "desks/0"


class Note(Command):
    """Write it down."""

    desk: Key
    word: str


class Desk(State):
    """What was written down, in order."""

    words: tuple[str, ...] = ()


class Office:
    """Two workers, and a desk with three notes that wait, for there is no ink."""

    def __init__(self) -> None:
        self.ink = False
        desks = Actor("desks", Desk, policy=Policy(partitions=1, retry=Retry(tiers=(10.0,), attempts=99, jitter=0.0)))

        @desks.handles
        def note(desk: Desk, message: Note, context: Context) -> Desk:
            if not self.ink:
                raise RuntimeError(message.word)
            return replace(desk, words=(*desk.words, message.word))

        self.desks = desks
        self.crew = Crew("w1", "w2", app=App("office", desks))
        self.victim = ""
        for word in ("first", "second", "third"):
            self.send(word)
        assert self.crew.until(lambda: self.waits(1, 3), 20)

    def send(self, word: str) -> None:
        """One more note comes."""
        self.crew.bench.send(Note(desk=KEY, word=word))

    def skip(self) -> None:
        """A person wants the head to be skipped."""
        now = self.crew.bench.now
        request_id = mint(now, lambda size: now.to_bytes(size, "big"))
        row = Request(request_id, SHARD, What.SKIP, KEY, "{}", "ann", "because", 0, "asked", "", None, None)
        self.crew.bench.database.requests().ask([row])

    def parked(self) -> ParkedKey | None:
        """What the store says of the desk."""
        return self.crew.bench.views.parked_key("desks", KEY)

    def waits(self, first: int, last: int) -> bool:
        """Whether notes with these numbers wait."""
        key = self.parked()
        return key is not None and (key.first, key.last) == (first, last)

    def freeze_in_a_read(self, meanwhile: Callable[[], bool]) -> None:
        """Who next reads what waits for the desk falls asleep in that read until its shard is another's, and then some.

        Its clock stands still meanwhile, so that it does not look first whether the shard is still its own.
        """

        def freeze(*_: object) -> None:
            self.crew.bench.moods.heal()
            self.victim, asleep = self.crew.owners[SHARD], self.crew.bench.now
            self.crew.freeze(self.victim)
            assert self.crew.until(lambda: self.crew.owners[SHARD] != self.victim, 20)
            assert meanwhile()
            self.crew.thaw(self.victim, slept=self.crew.bench.now - asleep)

        self.crew.bench.moods.watch("parked", freeze)
        assert self.crew.until(lambda: bool(self.victim) and not self.crew.hands[self.victim].frozen, 60)

    def words(self) -> tuple[str, ...]:
        """What is written down when all is done."""
        self.ink = True
        assert self.crew.until(lambda: self.parked() is None, 60)
        return self.crew.bench.state(self.desks, KEY).words


@pytest.fixture
def office() -> Office:
    """It has no ink."""
    return Office()


def test_a_head_is_skipped_once_though_two_workers_were_asked(office: Office) -> None:
    """The request is read, and then its head, in a worker that is frozen in between."""
    office.skip()
    office.freeze_in_a_read(lambda: office.crew.until(lambda: office.waits(2, 3), 20))
    assert office.words() == ("second", "third")
