"""After two owners that were lost, arrivals go one by one, each in hand by a commit before it is opened (R24, R25).

A handler that ends its process is one that raises what nothing in the engine catches; then another worker comes.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.runtime import Actor, App, Command, Context, Key, PermanentError, Policy, Retry, State, Timer, replace
from magnetar.runtime.bus.memory import MemoryBus
from magnetar.runtime.identity import id_of
from magnetar.runtime.instant import SECOND
from magnetar.runtime.store.care import Caution
from magnetar.runtime.store.port import CommitUnknown, ShardChanges, StoreUnavailable, Taker
from magnetar.runtime.store.requests import Request, What
from magnetar.runtime.worker.asked import ENDED
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from tests.unit.worker.bench import Bench

if TYPE_CHECKING:
    from typing import Literal

    from magnetar.runtime.store.care import Hand
    from magnetar.runtime.store.parking import DeadLetter
    from magnetar.runtime.store.port import ShardRow

LIMIT = 3

UNSEEN = 2
"""Workers that a message ends before it is in hand: one in ordinary operation, one that had few in a group."""
SHARD = "vats/0"


class Died(BaseException):
    """The process is gone."""


class Stir(Command):
    """Stir the vat, if that does not blow everything up."""

    vat: Key
    word: str
    deadly: bool = False
    later: float = 0.0
    fails: int = 0


class Boil(Timer):
    """It is hot by now."""

    word: str = ""
    deadly: bool = False


class Vat(State):
    """What was done, in order."""

    words: tuple[str, ...] = ()


def app(afterwards: Literal["hold", "skip"] = "hold") -> tuple[App, Actor[Vat]]:
    """One actor of one shard."""
    retry = Retry(tiers=(10.0, 60.0), crashes=LIMIT, jitter=0.0, afterwards=afterwards)
    vats = Actor("vats", Vat, policy=Policy(partitions=1, punctuality=1.0, retry=retry))

    @vats.handles
    def stir(vat: Vat, message: Stir, context: Context) -> Vat:
        if context.envelope.attempt < message.fails:
            raise PermanentError(message.word)
        if message.later:
            context.schedule(Boil(word=message.word, deadly=message.deadly), after=message.later)
        elif message.deadly:
            raise Died
        return replace(vat, words=(*vat.words, message.word))

    @vats.handles
    def boil(vat: Vat, message: Boil, _: Context) -> Vat:
        if message.deadly:
            raise Died
        return replace(vat, words=(*vat.words, f"boiled {message.word}"))

    return App("kitchen", vats), vats


class Kitchen(Bench):
    """A bench on which workers die and are replaced."""

    def __init__(self, afterwards: Literal["hold", "skip"] = "hold", *, group: int = 512, few: int = 8) -> None:
        """A worker that owns the only shard."""
        kitchen, self.vats = app(afterwards)
        super().__init__(kitchen, Settings(limits=Limits(group=group, few=few), tenure=Tenure(liveness=ALONE)))

    def deaths(self, within: float = 300.0, most: int = 20) -> int:
        """Let so many seconds pass, replacing whoever dies; returns how many did."""
        until, count = self.now + int(within * SECOND), 0
        while count <= most:
            try:
                self.advance(max(0, until - self.now) / SECOND)
            except Died:
                count += 1
                self.crash_later()
            else:
                return count
        raise AssertionError(f"{most} workers died, and another one did")

    def stir(self, vat: str, word: str, *, deadly: bool = False, later: float = 0.0) -> None:
        """Publish; its word is its id."""
        self.send(Stir(vat=vat, word=word, deadly=deadly, later=later), word)

    @property
    def shard_row(self) -> ShardRow:
        """The only shard as the store has it."""
        return self.row(SHARD)

    @property
    def in_hand(self) -> list[Hand]:
        """What somebody has in hand."""
        return [hand for hand in self.shard_row.hands if hand.holder]

    def dead(self) -> list[DeadLetter]:
        """All dead letters."""
        return self.views.dead_letters()

    def crashes(self, word: str) -> int:
        """How many are in its ledger."""
        return len(self.views.crashes_of("vats", id_of(word)))

    def noted(self, vat: str) -> tuple[str, ...]:
        """What a vat has noted."""
        return self.state(self.vats, vat).words


def test_a_message_that_kills_dies_after_exactly_its_crashes_and_nobody_else_is_charged() -> None:
    """Two deaths unseen, with others in the group; then it is in hand each time. All neighbours are applied once."""
    kitchen = Kitchen()
    for number in range(4):
        kitchen.stir("b", f"before-{number}")
    kitchen.stir("a", "poison", deadly=True)
    kitchen.stir("a", "behind")
    kitchen.stir("b", "after")
    assert kitchen.deaths() == UNSEEN + LIMIT
    [letter] = kitchen.dead()
    assert (letter.message_id, letter.failures, letter.crashes) == (id_of("poison"), 0, LIMIT)
    assert letter.error == "magnetar.runtime.errors.Crashed"
    assert kitchen.crashes("poison") == LIMIT
    assert kitchen.noted("b") == (*(f"before-{number}" for number in range(4)), "after")
    assert kitchen.noted("a") == ()
    assert [row.message_id for row in kitchen.views.parked_of("vats", "a")] == [id_of("behind")]
    ledgers = [kitchen.crashes(word) for word in ("before-0", "behind", "after")]
    assert ledgers == [0, 0, 0]
    assert (kitchen.shard_row.hands, kitchen.shard_row.careful) == ((), Caution.NONE)


def test_a_key_that_skips_goes_on_without_what_killed() -> None:
    """What came behind it is applied, in order."""
    kitchen = Kitchen("skip")
    kitchen.stir("a", "poison", deadly=True)
    kitchen.stir("a", "behind")
    assert kitchen.deaths() == UNSEEN + LIMIT
    assert kitchen.noted("a") == ("behind",)


def test_a_timer_that_kills_dies_as_a_message_does() -> None:
    """Its row goes in the commit that buries it."""
    kitchen = Kitchen()
    kitchen.stir("a", "egg", deadly=True, later=5.0)
    kitchen.stir("b", "leek", later=5.0)
    assert kitchen.deaths(4) == 0
    assert kitchen.deaths() == UNSEEN + LIMIT
    [letter] = kitchen.dead()
    assert (letter.timer, letter.crashes) == ("Boil", LIMIT)
    assert kitchen.noted("b") == ("leek", "boiled leek")
    assert kitchen.views.timers_of("vats", "a") == []


def test_what_crashed_waits_for_its_tier_and_others_flow() -> None:
    """Once may be anybody's fault; after the second time the key is parked, and tells why."""
    kitchen = Kitchen()
    kitchen.stir("a", "poison", deadly=True)
    for _ in range(UNSEEN + 2):
        with pytest.raises(Died):
            kitchen.run()
        kitchen.crash_later()
    kitchen.stir("b", "after")
    kitchen.advance(9.0)
    key = kitchen.views.parked_key("vats", "a")
    assert key is not None
    assert (key.reason, key.crashes, key.failures, key.error) == ("retry", 2, 0, "magnetar.runtime.errors.Crashed")
    assert kitchen.noted("b") == ("after",)
    [bell] = kitchen.broker.log("vats-magnetar-vats-RETRY-10s", 0)
    assert (bell.properties["crashes"], bell.properties["attempt"]) == ("2", "0")


def test_each_is_in_hand_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is read while a shard is careful is in hand by then; and nothing is when all is behind."""
    kitchen = Kitchen()
    kitchen.crash_twice(SHARD)
    for number in range(5):
        kitchen.stir("ab"[number % 2], f"m-{number}")
    seen: list[tuple[bytes, list[bytes]]] = []
    reader = kitchen.engine.turn._reader
    read = reader.read

    def watched(*arguments: Any) -> Any:
        seen.append((id_of(f"m-{len(seen)}"), [hand.message_id for hand in kitchen.in_hand]))
        return read(*arguments)

    monkeypatch.setattr(reader, "read", watched)
    kitchen.run()
    assert seen == [(name, [name]) for name, _ in seen]
    assert len(seen) == 5
    assert kitchen.in_hand == []


def test_what_was_named_before_a_shard_was_lost_is_not_in_hand_when_it_is_won_again() -> None:
    """R24: it would be in hand instead of what is found there, and nobody would be charged with that."""
    kitchen = Kitchen()
    kitchen.crash_twice(SHARD)
    kitchen.stir("a", "m-0")
    choice, ownership = kitchen.engine.turn._choice, kitchen.engine.ownership
    while choice.following is None:
        kitchen.step()
    hand = choice.following.hand
    assert hand is not None
    thief, mine = kitchen.database.open(), kitchen.shard_row
    taken = thief.take(SHARD, mine.epoch, Taker("thief"))
    assert taken is not None
    theft = ShardChanges(SHARD, taken.epoch, taken.commits, taken.lane, taken.floor)
    theft.to_care().held.append(hand._replace(holder="thief", owner="thief"))
    assert not thief.commit([theft])
    while (held := kitchen.engine.holdings.find(SHARD)) is None or held.epoch < taken.epoch:
        kitchen.now += SECOND // 100
        ownership.step(kitchen.now)
    kitchen.run()
    assert [row.owner for row in kitchen.views.crashes_of("vats", id_of("m-0"))] == ["thief"]
    assert kitchen.noted("a") == ("m-0",)


def test_a_careful_arrival_costs_one_commit() -> None:
    """What comes next is in hand by the commit of what came before; the first one needs a commit of its own."""
    kitchen = Kitchen()
    kitchen.crash_twice(SHARD)
    for number in range(20):
        kitchen.stir("a", f"m-{number}")
    before = kitchen.moods.calls["commit"]
    kitchen.run()
    assert kitchen.noted("a") == tuple(f"m-{number}" for number in range(20))
    assert kitchen.moods.calls["commit"] - before <= 20 + 2


def test_careful_mode_ends_step_by_step() -> None:
    """As many alone as few are, then few at a time. What comes behind was in nobody's group."""
    kitchen = Kitchen(group=16, few=4)
    kitchen.crash_twice(SHARD)
    for number in range(60):
        kitchen.stir("a", f"m-{number}")
    kitchen.run()
    sizes = [size for _, size, _ in kitchen.observer.of("committed") if size]
    assert sizes == [*[1] * 5, *[4] * 5, *[16] * 2, 3]  # one more each time: chosen before it was known
    assert not kitchen.shard_row.careful


def test_after_a_release_nobody_has_to_be_careful() -> None:
    """Ordinary operation and orderly takeovers: one group, and nothing is in hand."""
    kitchen = Kitchen()
    kitchen.engine.ownership.leave()
    kitchen.advance(5.0)
    assert kitchen.engine.ownership.gone
    kitchen.crash_later()
    for number in range(20):
        kitchen.stir("a", f"m-{number}")
    held: list[ShardChanges] = []

    def watched(group: list[ShardChanges]) -> None:
        held.extend(each for each in group if each.care is not None)

    kitchen.moods.watch("commit", watched)
    kitchen.run()
    assert [size for _, size, _ in kitchen.observer.of("committed") if size] == [1, 19]  # the first proves the store
    assert held == []


def test_a_crash_without_anything_in_hand_charges_nobody() -> None:
    """A worker is killed by somebody else between two messages."""
    kitchen = Kitchen()
    kitchen.stir("a", "m")
    kitchen.run()
    kitchen.crash()
    kitchen.stir("a", "n")
    kitchen.run()
    assert kitchen.noted("a") == ("m", "n")
    assert kitchen.crashes("m") == kitchen.crashes("n") == 0


def test_an_innocent_in_hand_is_charged_once_and_applied_at_once() -> None:
    """Killed from outside just then: that costs it nothing but a line in the ledger."""
    kitchen = Kitchen()
    kitchen.crash_twice(SHARD)
    kitchen.stir("a", "m")
    kitchen.stir("a", "n")
    kitchen.until("phase:handled")
    while not kitchen.in_hand:
        kitchen.step()
    kitchen.crash()
    assert kitchen.crashes("m") == 1
    assert kitchen.noted("a") == ("m", "n")
    assert kitchen.dead() == []


def test_a_worker_that_lives_is_not_charged_for_what_it_has_in_hand() -> None:
    """It lost the shard with something in hand, and takes it back: nothing has crashed."""
    kitchen = Kitchen()
    kitchen.crash_twice(SHARD)
    kitchen.stir("a", "m")
    kitchen.until("phase:handled")
    while not kitchen.in_hand:
        kitchen.step()
    kitchen.faults.drop("vats", 0)
    kitchen.advance(6.0)
    kitchen.faults.reconnect("vats", 0)
    kitchen.advance(6.0)
    assert kitchen.noted("a") == ("m",)
    assert kitchen.crashes("m") == 0


def cautions(kitchen: Kitchen) -> list[Caution]:
    """How careful the shard is whenever somebody moves in, from now on."""
    seen: list[Caution] = []
    kitchen.moods.watch("timers", lambda *_: seen.append(kitchen.shard_row.careful))
    return seen


def test_who_takes_its_own_shard_again_need_not_be_careful() -> None:
    """Its broker did not answer for a while. Nobody had it meanwhile, and its owner lives: nothing has ended it."""
    kitchen = Kitchen()
    seen = cautions(kitchen)
    kitchen.faults.drop("vats", 0)
    kitchen.advance(6.0)
    kitchen.faults.reconnect("vats", 0)
    kitchen.advance(6.0)
    assert seen == [Caution.NONE]


def test_who_takes_a_shard_again_that_another_one_was_lost_with_is_careful() -> None:
    """It was its owner once, but not the last one; and of that one nobody can tell that it lives."""
    kitchen = Kitchen()
    seen = cautions(kitchen)
    with closing(kitchen.database.open()) as store:
        assert store.take(SHARD, kitchen.shard_row.epoch, Taker("other")) is not None
    kitchen.stir("a", "m")
    kitchen.advance(6.0)
    assert kitchen.noted("a") == ("m",)
    assert seen == [Caution.ALONE]


def test_a_taking_that_is_given_up_and_begun_again_is_no_loss() -> None:
    """The shard is taken in the store, and then that does not answer: this costs no step."""
    kitchen = Kitchen()
    kitchen.crash_later()
    seen = cautions(kitchen)
    kitchen.moods.fail("timers", StoreUnavailable("away"), times=2)
    kitchen.advance(6.0)
    assert seen == [Caution.FEW] * 3


def test_what_died_of_its_crashes_and_comes_again_stays_shut() -> None:
    """Its acknowledgement was lost: it is known before it is opened."""
    kitchen = Kitchen("skip")
    kitchen.stir("a", "poison", deadly=True)
    assert kitchen.deaths() == UNSEEN + LIMIT
    kitchen.stir("a", "poison", deadly=True)
    assert kitchen.deaths() == 0


def test_what_kills_and_was_published_twice_dies_after_exactly_its_crashes() -> None:
    """The second one is chosen while the first is parked: that answers its crash, and nobody is charged once more."""
    kitchen = Kitchen()
    kitchen.stir("a", "poison", deadly=True)
    kitchen.stir("a", "poison", deadly=True)
    kitchen.stir("b", "after")
    assert kitchen.deaths(within=15) == UNSEEN + LIMIT, "it has waited for its first tier once"
    [letter] = kitchen.dead()
    assert (letter.message_id, letter.crashes, kitchen.crashes("poison")) == (id_of("poison"), LIMIT, LIMIT)
    assert kitchen.noted("b") == ("after",)


@pytest.mark.parametrize("happened", [True, False])
def test_a_crash_is_counted_once_though_its_commit_is_unknown(*, happened: bool) -> None:
    """The commit that charges is read back like any other."""
    kitchen = Kitchen()
    kitchen.stir("a", "poison", deadly=True)
    for _ in range(UNSEEN + 1):
        with pytest.raises(Died):
            kitchen.run()
        kitchen.crash_later()
    kitchen.moods.fail("commit", CommitUnknown("lost"), done=happened)
    assert kitchen.deaths() == LIMIT - 1
    assert kitchen.crashes("poison") == LIMIT


def test_the_store_may_be_away_at_each_question() -> None:
    """Nothing is charged twice and nothing is lost, whichever answer does not come."""
    for method in ("crashes", "dispositions", "parked", "states"):
        kitchen = Kitchen("skip")
        kitchen.stir("a", "poison", deadly=True)
        kitchen.stir("b", "after")
        for _ in range(UNSEEN + 1):
            with pytest.raises(Died):
                kitchen.run()
            kitchen.crash_later()
        kitchen.moods.fail(method, StoreUnavailable("away"), times=2)
        assert kitchen.deaths() == LIMIT - 1
        assert kitchen.crashes("poison") == LIMIT
        assert kitchen.noted("b") == ("after",)


def test_a_shard_that_is_released_while_it_is_careful_stays_so() -> None:
    """Its next owner goes on with care, and finds nothing in hand."""
    kitchen = Kitchen()
    kitchen.crash_twice(SHARD)
    for number in range(10):
        kitchen.stir("a", f"m-{number}")
    kitchen.until("phase:handled")
    kitchen.engine.ownership.leave()
    kitchen.advance(5.0)
    assert kitchen.engine.ownership.gone
    row = kitchen.shard_row
    assert (row.owner, row.clean, row.careful, row.hands) == ("", True, Caution.ALONE, ())


def test_a_bus_is_needed_to_be_told_of_the_end() -> None:
    """A quiet shard is careful no more when its broker has said that nothing is left."""
    kitchen = Kitchen()
    kitchen.crash_twice(SHARD)
    assert isinstance(kitchen.bus, MemoryBus)
    kitchen.step(3)
    kitchen.advance(1.0)
    assert not kitchen.shard_row.careful


def please(kitchen: Kitchen, name: str = "please") -> None:
    """Ask for the dead letter of vat a to be tried."""
    with closing(kitchen.database.requests()) as requests:
        asked = Request(id_of(name), SHARD, What.RETRY, "a", "{}", "ann", "mended", 0, "asked", "", None, None)
        requests.ask([asked])


def test_a_dead_letter_that_never_killed_and_does_when_it_is_tried_again_ends_one_worker_more() -> None:
    """The first one in ordinary operation, where nothing is in hand; then what was asked goes alone."""
    kitchen = Kitchen()
    kitchen.send(Stir(vat="a", word="poison", deadly=True, fails=1), "poison")
    assert kitchen.deaths() == 0
    [letter] = kitchen.dead()
    assert (letter.failures, letter.crashes) == (1, 0)
    please(kitchen)
    kitchen.stir("b", "after")
    assert kitchen.deaths(within=10) == 2
    [answer] = kitchen.views.requests([id_of("please")])
    assert (answer.status, answer.answer) == ("refused", ENDED)
    assert (kitchen.crashes("poison"), kitchen.crashes("after"), kitchen.noted("b")) == (1, 0, ("after",))
    assert (kitchen.shard_row.hands, kitchen.shard_row.careful) == ((), Caution.NONE)


def test_a_request_goes_alone_though_it_is_heard_of_when_care_is_over() -> None:
    """It may be what the last owner has ended of."""
    kitchen = Kitchen()
    kitchen.send(Stir(vat="a", word="poison", deadly=True, fails=1), "poison")
    assert kitchen.deaths() == 0
    please(kitchen)
    with pytest.raises(Died):
        kitchen.advance(10)
    kitchen.crash_later()
    kitchen.moods.fail("asked", StoreUnavailable("away"), times=3)
    kitchen.advance(1.0)
    assert not kitchen.shard_row.careful
    assert kitchen.deaths(within=10) == 1
    [answer] = kitchen.views.requests([id_of("please")])
    assert answer.answer == ENDED


def test_a_request_that_was_chosen_before_its_letter_died_is_in_hand_when_it_is_tried() -> None:
    """The first has the message tried now, which dies of its crashes; the second is about a dead letter by then."""
    kitchen = Kitchen()
    kitchen.stir("a", "poison", deadly=True)
    for _ in range(UNSEEN + LIMIT):
        with pytest.raises(Died):
            kitchen.advance(60)
        kitchen.crash_later()
    please(kitchen)
    please(kitchen, "again")
    with pytest.raises(Died):
        kitchen.advance(30)
    assert kitchen.dead()[0].crashes == LIMIT
    assert [hand.message_id for hand in kitchen.in_hand] == [id_of("poison")]


def test_a_charge_outlives_a_release() -> None:
    """What was asked is not opened by an owner that need not be careful either."""
    kitchen = Kitchen()
    kitchen.send(Stir(vat="a", word="poison", deadly=True, fails=1), "poison")
    assert kitchen.deaths() == 0
    please(kitchen)
    for _ in range(2):
        with pytest.raises(Died):
            kitchen.advance(10)
        kitchen.crash_later()
    kitchen.moods.always["asked"] = StoreUnavailable("away")
    kitchen.advance(2.0)
    kitchen.engine.ownership.leave()
    kitchen.advance(5.0)
    assert (kitchen.shard_row.clean, kitchen.shard_row.careful, len(kitchen.shard_row.hands)) == (True, Caution.NONE, 1)
    kitchen.crash()
    assert kitchen.deaths(within=10) == 0
    [answer] = kitchen.views.requests([id_of("please")])
    assert answer.answer == ENDED
    assert kitchen.shard_row.hands == ()


def test_what_was_found_and_not_charged_outlives_a_release() -> None:
    """Who could not read the ledger, and let the shard go, leaves the charge to the next one: no death is forgotten."""
    kitchen = Kitchen()
    kitchen.crash_twice(SHARD)
    kitchen.stir("a", "poison", deadly=True)
    with pytest.raises(Died):
        kitchen.advance(10)
    [hand] = kitchen.in_hand
    kitchen.crash_later()
    kitchen.moods.always["crashes"] = StoreUnavailable("away")
    kitchen.advance(2.0)
    kitchen.engine.ownership.leave()
    kitchen.advance(5.0)
    assert (kitchen.shard_row.clean, kitchen.in_hand) == (True, [hand])
    del kitchen.moods.always["crashes"]
    kitchen.crash_later()
    assert kitchen.deaths() == LIMIT - 1
    assert kitchen.crashes("poison") == LIMIT


def test_a_dead_letter_that_kills_when_it_is_tried_again_is_tried_once() -> None:
    """Who has asked for it is told, and the worker that comes next does not try it again by itself."""
    kitchen = Kitchen()
    kitchen.stir("a", "poison", deadly=True)
    assert kitchen.deaths() == UNSEEN + LIMIT
    please(kitchen)
    assert kitchen.deaths(within=10) == 1
    [answer] = kitchen.views.requests([id_of("please")])
    assert (answer.status, answer.answer) == ("refused", ENDED)
    assert kitchen.crashes("poison") == LIMIT + 1
    assert (kitchen.shard_row.hands, kitchen.shard_row.careful) == ((), Caution.NONE)
