"""Where care is over for one feed of a shard, that feed flows; and shards that go alone have their turns (R21, R25)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from magnetar.runtime import Actor, App, Command, Context, Event, Key, Policy, Retry, State
from magnetar.runtime.identity import id_of
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.care import Caution
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.intake import Inline
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from tests.unit.worker.bench import Bench

if TYPE_CHECKING:
    from magnetar.runtime.worker.intake import Source
    from magnetar.runtime.worker.shard import Shard

FEW = 2

VATS = 3


class Died(BaseException):
    """The process is gone."""


class Stir(Command):
    """Stir the vat, if that does not blow everything up."""

    vat: Key
    word: str
    deadly: bool = False


class Vat(State):
    """Nothing is kept."""


class Burn(Command):
    """Burn a log."""

    stove: Key
    word: str


class Boiled(Event):
    """A vat needs its stove no more."""

    stove: Key


class Stove(State):
    """Nothing is kept."""


class Kitchen(Bench):
    """Three shards of vats and one of stoves, of which every worker so far was lost; `done`: what was handled."""

    def __init__(self) -> None:
        """Whatever comes goes alone, of all four."""
        policy = Policy(partitions=VATS, retry=Retry(tiers=(10.0,), crashes=3, jitter=0.0))
        vats = Actor("vats", Vat, publishes=[Boiled], policy=policy)
        stoves = Actor("stoves", Stove, policy=Policy(partitions=1))
        self.done: list[str] = []

        @vats.handles
        def stir(vat: Vat, message: Stir, _: Context) -> Vat:
            if message.deadly:
                raise Died
            self.done.append(message.word)
            return vat

        @stoves.handles
        def burn(stove: Stove, message: Burn, _: Context) -> Stove:
            self.done.append(message.word)
            return stove

        @stoves.handles
        def boiled(stove: Stove, _: Boiled, __: Context) -> Stove:
            return stove

        tenure = Tenure(liveness=ALONE)
        super().__init__(App("kitchen", vats, stoves), Settings(limits=Limits(few=FEW), tenure=tenure))
        self.keys = {partition_of(key, VATS): key for key in map(str, range(20))}
        self.lose(Caution.FEW)
        self.lose(Caution.ALONE)
        while len(self.shards()) < VATS + 1:
            self.step()

    def lose(self, until: Caution) -> None:
        """The worker is gone; and so is the next one, as soon as it has taken every shard with so much care."""
        self.crash_later()
        while until == Caution.FEW and any(row.careful != until for row in self.views.shards()):
            self.step()

    def shards(self) -> list[Shard]:
        """All four, as their owner has them."""
        return self.engine.holdings.shards()

    def stir(self, partition: int, *words: str, deadly: bool = False) -> None:
        """Publish to the vat of that partition."""
        for word in words:
            self.send(Stir(vat=self.keys[partition], word=word, deadly=deadly), word)

    def burn(self, *words: str) -> None:
        """Publish to the stove."""
        for word in words:
            self.send(Burn(stove="a", word=word), word)

    def sizes(self, shard: str) -> list[int]:
        """How many messages each commit held in which this shard had a part, and no other one."""
        return [size for names, size, _ in self.observer.of("committed") if size and names == (shard,)]


@pytest.fixture
def unending(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker does not say where its partitions end."""

    def drained(*_: object) -> bool:
        return False

    monkeypatch.setattr(Inline, "drained", drained)


@pytest.mark.usefixtures("unending")
def test_a_feed_whose_few_are_behind_flows_though_others_of_its_shard_owe_theirs() -> None:
    """Nobody says that no event comes, so the shard is careful still; its commands do not wait for that."""
    kitchen = Kitchen()
    kitchen.burn(*(f"log-{number}" for number in range(9)))
    while len(kitchen.done) < 9:
        kitchen.step()
    kitchen.until("phase:idle")
    assert kitchen.sizes("stoves/0") == [1, 1, 1, FEW, FEW, FEW]  # one more alone: chosen before it was known
    assert kitchen.row("stoves/0").careful == Caution.ALONE


def test_all_feeds_are_asked_at_once_whether_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look asks the broker about each of a shard: that the first has no answer yet keeps nobody waiting."""
    asked: list[Source] = []

    def drained(source: Source, *_: object) -> bool:
        asked.append(source)
        return False

    monkeypatch.setattr(Inline, "drained", drained)
    kitchen = Kitchen()
    kitchen.advance(0.01)
    assert all(feed.source in asked for shard in kitchen.shards() for feed in shard.feeds)


@pytest.mark.usefixtures("unending")
@pytest.mark.parametrize("logs", [0, 60])
def test_shards_that_go_alone_have_their_turns(logs: int) -> None:
    """Each vat has its first message before any has its second, whether a stove burns all the time or not."""
    kitchen = Kitchen()
    kitchen.burn(*(f"log-{number}" for number in range(logs)))
    while logs and len(kitchen.done) < 2 * FEW + 1:
        kitchen.step()
    for partition in range(VATS):
        kitchen.stir(partition, f"first-{partition}", f"second-{partition}")
    while len(kitchen.done) < logs + 2 * VATS:
        kitchen.step()
    stirred = [word.split("-")[0] for word in kitchen.done if "log" not in word]
    assert stirred == ["first"] * VATS + ["second"] * VATS
    assert not logs or kitchen.done.index(f"second-{VATS - 1}") < logs // 2


def test_what_kills_from_a_feed_that_flows_is_in_hand_the_next_time() -> None:
    """It is new: nobody had it in a group before. The next owner finds it among the first few of its feed."""
    kitchen = Kitchen()
    kitchen.stir(0, "a", "b", "c", "d")
    kitchen.stir(0, "poison", deadly=True)
    kitchen.stir(0, "e")
    deaths = 0
    while True:
        try:
            kitchen.advance(30.0)
        except Died:
            deaths += 1
            kitchen.crash_later()
        else:
            break
    [letter] = kitchen.views.dead_letters()
    assert (letter.message_id, letter.crashes) == (id_of("poison"), 3)
    assert deaths in {4, 5}
    assert [len(kitchen.views.crashes_of("vats", id_of(word))) for word in "abcde"] == [0] * 5
