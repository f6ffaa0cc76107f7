"""Effects and careful mode: whatever ends the worker, call or handler, is known; nobody else is charged (R24, R25)."""

from __future__ import annotations

import pytest

from magnetar.runtime import (
    Actor,
    App,
    Call,
    Command,
    Context,
    Dependency,
    Effect,
    Key,
    NotSent,
    Outcome,
    Policy,
    Retry,
    State,
    Unknown,
    replace,
)
from magnetar.runtime.identity import derive, id_of
from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.care import Caution
from magnetar.runtime.worker.custody import Careful
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from tests.unit.worker.bench import Bench
from tests.unit.worker.outside import Switchboard

LIMIT, ATTEMPTS, TIMEOUT = 3, 5, 2.0
SHARD = "loaves/0"


class Died(BaseException):
    """The process is gone."""


class Knead(Command):
    """Knead, and have it baked if asked to."""

    loaf: Key
    word: str
    bake: bool = False


class Bake(Effect):
    """Bake it."""

    loaf: str


class Baked(Outcome):
    """It is done; telling so may blow everything up."""

    deadly: bool = False


class BakeUnknown(Unknown):
    """Nobody knows whether it is."""


class Loaf(State):
    """What was done, in order."""

    words: tuple[str, ...] = ()


oven = Dependency("oven", timeout=TIMEOUT, attempts=ATTEMPTS, tiers=(1.0,), jitter=0.0)


def app(immediate: int) -> tuple[App, Actor[Loaf]]:
    """One actor of one shard."""
    retry = Retry(immediate=immediate, tiers=(10.0, 60.0), crashes=LIMIT, jitter=0.0)
    loaves = Actor("loaves", Loaf, policy=Policy(partitions=1, punctuality=1.0, retry=retry))

    @loaves.handles
    def knead(loaf: Loaf, message: Knead, context: Context) -> Loaf:
        if message.bake:
            context.effect(Bake(loaf=context.key))
        return replace(loaf, words=(*loaf.words, message.word))

    @loaves.handles
    def baked(loaf: Loaf, message: Baked, _: Context) -> Loaf:
        if message.deadly:
            raise Died
        return replace(loaf, words=(*loaf.words, "baked"))

    @loaves.handles
    def nobody_knows(loaf: Loaf, message: BakeUnknown, _: Context) -> Loaf:
        return replace(loaf, words=(*loaf.words, f"unknown {message.attempts}"))

    @loaves.effect(oven, unknown=BakeUnknown)
    def bake(request: Bake, _: Call) -> Baked:
        raise NotSent(request.loaf)  # never run: the bench answers

    return App("bakery", loaves), loaves


class Bakery(Bench):
    """A bench on which workers die and are replaced; `outside` is the switchboard of its present worker."""

    def __init__(self, immediate: int = 2) -> None:
        """A worker that owns the only shard."""
        self.outside: Switchboard
        bakery, self.loaves = app(immediate)
        super().__init__(bakery, Settings(tenure=Tenure(liveness=ALONE)), bulkhead=self._connected)

    def _connected(self) -> Switchboard:
        self.outside = Switchboard()
        return self.outside

    def knead(self, loaf: str, word: str, *, bake: bool = False) -> None:
        """Publish; its word is its id."""
        self.send(Knead(loaf=loaf, word=word, bake=bake), word)

    def noted(self, loaf: str) -> tuple[str, ...]:
        """What a loaf has noted."""
        return self.state(self.loaves, loaf).words

    def holds(self) -> list[bytes]:
        """What somebody has in hand, by the store."""
        return [hand.message_id for hand in self.row(SHARD).hands if hand.holder]

    def crashes(self, word: str) -> int:
        """How many are in its ledger."""
        return len(self.views.crashes_of("loaves", id_of(word)))

    def asked(self) -> bytes:
        """The id of the outcome of the only effect."""
        [row] = self.views.effects_of("loaves", "a")
        return derive(row.effect_id, 0)


@pytest.fixture
def bakery() -> Bakery:
    """A worker whose calls a test answers."""
    return Bakery()


def careful_while_called(bakery: Bakery, calls: int = 1) -> None:
    """A call is under way, and its worker must be careful from now on, as one that comes after two that were lost."""
    bakery.knead("a", "first", bake=True)
    bakery.step(24)
    assert len(bakery.outside.jobs) == calls
    shard = bakery.engine.holdings.shards()[0]
    few = Careful(bakery.now, {feed.name: 512 for feed in shard.feeds}, {})
    shard.custody.careful = Careful(bakery.now, {feed.name: 8 for feed in shard.feeds}, {}, few)
    bakery.knead("b", "second")
    bakery.step(24)


def test_nothing_is_handled_alone_while_an_effect_is_called(bakery: Bakery) -> None:
    """The call may end the process, and who was in hand then would be charged for it."""
    careful_while_called(bakery)
    assert (bakery.noted("b"), bakery.holds()) == ((), [])
    bakery.outside.answer(Baked())
    bakery.step(48)
    assert (bakery.noted("a"), bakery.noted("b")) == (("first", "baked"), ("second",))


def test_what_goes_alone_waits_no_longer_than_a_call_may_take(bakery: Bakery) -> None:
    """After its time it is an unknown one, whether or not its thread comes back."""
    careful_while_called(bakery)
    bakery.advance(TIMEOUT)
    assert bakery.noted("b") == ("second",)


def test_no_call_begins_while_something_is_in_hand(bakery: Bakery) -> None:
    """Nor is anything in hand when one begins; and both have their turn."""
    bakery.knead("a", "first", bake=True)
    bakery.step(24)
    bakery.crash_twice(SHARD)
    for number in range(20):
        bakery.knead("b", f"m-{number}")
    seen: list[list[bytes]] = []
    bakery.outside.heard = lambda: seen.append(bakery.holds())
    bakery.advance(TIMEOUT)
    bakery.outside.answer(Baked())
    bakery.run()
    assert seen == [[]]
    assert bakery.noted("a") == ("first", "baked")
    assert bakery.noted("b") == tuple(f"m-{number}" for number in range(20))


def test_no_call_begins_while_something_waits_to_go_alone(bakery: Bakery) -> None:
    """Else it might wait for ever, where there is always something to call."""
    bakery.knead("c", "other", bake=True)
    bakery.step(24)
    bakery.outside.answer(ConnectionError("gone"))
    bakery.step(24)
    careful_while_called(bakery, calls=2)
    bakery.advance(1.5)
    assert [job.call.attempt for job in bakery.outside.jobs] == [1, 1]
    bakery.outside.answer(Baked())
    bakery.step(48)
    assert bakery.noted("b") == ("second",)
    assert [job.call.attempt for job in bakery.outside.jobs] == [1, 1, 2]


def test_an_effect_that_is_due_at_a_takeover_is_called_first(bakery: Bakery) -> None:
    """Its attempt is committed though the shard is careful; then what goes alone has its turn."""
    bakery.knead("a", "first", bake=True)
    bakery.step(24)
    bakery.crash_twice(SHARD)
    bakery.knead("b", "second")
    bakery.now += 2 * int(TIMEOUT * SECOND)
    bakery.step(48)
    assert [job.call.attempt for job in bakery.outside.jobs] == [2]
    bakery.outside.answer(Baked())
    bakery.step(48)
    assert (bakery.noted("a"), bakery.noted("b")) == (("first", "baked"), ("second",))


def test_an_effect_that_kills_is_given_up_after_its_attempts_and_charges_nobody(bakery: Bakery) -> None:
    """Each attempt is committed before its call, so it needs no other ledger; who arrives meanwhile is handled once."""

    def die() -> None:
        raise Died

    bakery.outside.heard = die
    bakery.knead("a", "first", bake=True)
    deaths, until = 0, bakery.now + 60 * SECOND
    while bakery.now < until:
        bakery.knead("b", f"m-{deaths}-{bakery.now}")
        try:
            bakery.advance(1.0)
        except Died:
            deaths += 1
            bakery.crash_later()
            bakery.outside.heard = die
    assert deaths == ATTEMPTS
    assert bakery.noted("a") == ("first", f"unknown {ATTEMPTS}")
    rows = bakery.journal(bakery.loaves, "b")
    assert len(bakery.noted("b")) == len(rows) == len(bakery.log("loaves")) - 1
    assert [bakery.views.crashes_of("loaves", row.message_id) for row in rows] == [[]] * len(rows)
    assert (bakery.row(SHARD).hands, bakery.row(SHARD).careful) == ((), Caution.NONE)


@pytest.mark.parametrize("immediate", [1, 2, LIMIT])
def test_an_outcome_that_kills_its_handler_dies_after_exactly_its_crashes(immediate: int) -> None:
    """It comes again as often as its effect is asked again, always alone and in hand, long after careful mode."""
    bakery = Bakery(immediate)
    bakery.knead("a", "first", bake=True)
    bakery.knead("b", "second")
    deaths, answered = 0, 0
    outcome = b""
    for _ in range(200):
        if len(bakery.outside.jobs) > answered:
            outcome = bakery.asked()
            bakery.outside.answer(Baked(deadly=True))
            answered = len(bakery.outside.jobs)
        try:
            bakery.advance(1.0)
        except Died:
            deaths += 1
            bakery.crash_later()
            answered = 0
    assert deaths == 1 + LIMIT
    [letter] = bakery.views.dead_letters("loaves")
    assert (letter.message_id, letter.source, letter.crashes, letter.failures) == (outcome, "effect", LIMIT, 0)
    assert bakery.views.effects_of("loaves", "a") == []
    assert len(bakery.views.crashes_of("loaves", outcome)) == LIMIT
    assert bakery.noted("b") == ("second",)
    assert (bakery.crashes("first"), bakery.crashes("second")) == (0, 0)
    assert (bakery.row(SHARD).hands, bakery.row(SHARD).careful) == ((), Caution.NONE)
