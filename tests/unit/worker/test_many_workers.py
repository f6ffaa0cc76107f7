"""Workers that share shards out among them: by heartbeats as hints, by broker and fence as truth (R13 to R16)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from magnetar.runtime import Actor, App
from magnetar.runtime.instant import SECOND, micros
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.worker.membership import Liveness
from magnetar.runtime.worker.ownership import Tenure
from tests.unit.worker.bank import Account, Do, accounts, bank
from tests.unit.worker.crew import Crew

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Consumer, Opening
    from magnetar.runtime.instant import Instant

SHARDS = 5
"""Of the bank."""

MAIN = {"accounts", "branches"}
FAR = 10**18


def settled(crew: Crew) -> bool:
    """Whether everybody who lives has a fair share, and knows of it."""
    counts = Counter(crew.owners.values())
    fair = [counts[name] for name in crew.hands]
    known = sum(len(hand.owns) for hand in crew.hands.values())
    return sum(fair) == known == SHARDS and max(fair) - min(fair) <= 1


def epochs(crew: Crew) -> dict[str, int]:
    """Of all shards."""
    return {row.shard: row.epoch for row in crew.bench.views.shards()}


def outage(crew: Crew, seconds: float) -> None:
    """No worker hears the broker for so long, nor after that."""
    for hand in crew.hands.values():
        hand.bus.cut()
    crew.advance(seconds)


def back(crew: Crew) -> None:
    """All hear it again."""
    for hand in crew.hands.values():
        hand.bus.heal()


def test_the_shards_are_shared_out() -> None:
    """The first takes what is there; the second gets its share in order, after a while."""
    crew = Crew("w1")
    assert crew.until(lambda: settled(crew), 2)
    crew.join("w2")
    assert not crew.until(lambda: settled(crew), 9), "a shard just won is not handed on for ten seconds"
    assert crew.until(lambda: settled(crew), 5)
    assert sorted(epochs(crew).values()) == [1, 1, 1, 2, 2], "nothing moved that could stay"
    moved = {row.shard: row.why for row in crew.bench.views.shards() if row.epoch == 2}
    assert moved == dict.fromkeys(moved, "was released")
    assert set(crew.bench.observer.of("lost")) == {(shard, "released") for shard in moved}


def test_nothing_is_handed_on_while_others_still_come() -> None:
    """Those who come together come one after the other: each shard moves once, when all are there."""
    crew = Crew("w1")
    assert crew.until(lambda: settled(crew), 2)
    crew.advance(15)
    crew.join("w2")
    crew.advance(2.4)
    crew.join("w3")
    assert not crew.until(lambda: not crew.hands["w1"].owns.issuperset(epochs(crew)), 2.4)
    assert crew.until(lambda: settled(crew), 3)
    assert sorted(epochs(crew).values()) == [1, 1, 2, 2, 2]


@dataclass
class Slow:
    """An opening that takes as long as on a busy broker."""

    inner: Opening[Consumer]
    ready: Instant
    crew: Crew

    def poll(self) -> Consumer | None:
        """When its time has come."""
        return self.inner.poll() if self.crew.bench.now >= self.ready else None

    def abandon(self) -> None:
        """At once."""
        self.inner.abandon()


class Asked(NamedTuple):
    """A subscription that was begun."""

    at: Instant
    topic: str
    partition: int


def slowed(crew: Crew, name: str, takes: float) -> list[Asked]:
    """Let a worker's openings take so many seconds; what it opens from now on."""
    bus, asked = crew.hands[name].bus, list[Asked]()
    subscribe = bus.subscribe

    def slow(topic: str, partition: int, subscription: str) -> Opening[Consumer]:
        asked.append(Asked(crew.bench.now, topic, partition))
        return Slow(subscribe(topic, partition, subscription), crew.bench.now + micros(takes), crew)

    setattr(bus, "subscribe", slow)  # noqa: B010 - a slow one is no MemoryOpening
    return asked


def times(asked: list[Asked], topic: str) -> set[Instant]:
    """When it opened something of a topic."""
    return {each.at for each in asked if each.topic == topic}


def test_what_is_handed_on_is_opened_all_at_a_time() -> None:
    """A shard with two feeds stands still for one opening, not for two."""
    crew = Crew("w1")
    assert crew.until(lambda: settled(crew), 3)
    crew.advance(15)
    crew.join("w2")
    asked = slowed(crew, "w2", 0.5)
    assert crew.until(lambda: settled(crew), 15)
    assert times(asked, "branches")
    assert times(asked, "accounts-events") == times(asked, "branches")


def test_of_a_dead_workers_shards_the_main_feed_is_opened_first() -> None:
    """R12: several may want it, and the main feed decides who is in. It was looked at while its owner seemed alive."""
    crew = Crew("w1")
    assert crew.until(lambda: settled(crew), 3)
    crew.kill("w1")
    crew.join("w2")
    asked = slowed(crew, "w2", 0.5)
    assert crew.until(lambda: settled(crew), 9)
    assert times(asked, "accounts-events")
    assert times(asked, "accounts-events") == {at + micros(0.5) for at in times(asked, "branches")}


def test_who_hears_the_broker_first_after_an_outage_leaves_the_others_their_share() -> None:
    """They are about to hear it as well; each shard is taken once."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    before = epochs(crew)
    outage(crew, 12.0)
    assert [hand.owns for hand in crew.hands.values()] == [set(), set()]
    crew.hands["w1"].bus.heal()
    assert not crew.until(lambda: 2 * len(crew.hands["w1"].owns) > SHARDS + 1, 2)
    crew.hands["w2"].bus.heal()
    assert crew.until(lambda: settled(crew), 5)
    assert epochs(crew) == {shard: epoch + 1 for shard, epoch in before.items()}


def test_who_does_not_come_back_after_an_outage_is_waited_for_three_seconds() -> None:
    """What it had goes to those who hear the broker."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    outage(crew, 12.0)
    crew.hands["w1"].bus.heal()
    assert crew.until(lambda: len(crew.hands["w1"].owns) == SHARDS, 6)


def test_who_has_its_own_to_win_is_nobodys_substitute() -> None:
    """Where a broker is slow for all, nobody adds to what it has to do."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    outage(crew, 12.0)
    asked = {name: slowed(crew, name, 8.0) for name in crew.hands}
    back(crew)
    crew.advance(9)
    mains = [[(each.topic, each.partition) for each in asked[name] if each.topic in MAIN] for name in asked]
    assert sum(map(len, mains)) == SHARDS
    assert len({*mains[0], *mains[1]}) == SHARDS


def test_a_dead_worker_is_replaced_when_its_heartbeat_is_old() -> None:
    """Not before, and by those that live; what they had stays."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    before = epochs(crew)
    mine = crew.hands["w1"].owns
    crew.kill("w1")
    assert not crew.until(lambda: settled(crew), 1.9)
    assert crew.until(lambda: settled(crew), 3)
    after = epochs(crew)
    assert {shard for shard in before if after[shard] != before[shard]} == mine
    assert {row.why for row in crew.bench.views.shards() if row.shard in mine} == {"w1 was gone"}


def test_a_frozen_worker_is_replaced_and_commits_nothing_when_it_thaws() -> None:
    """R6: what it had in hand is refused; R13: it learns that its shards are gone, and gets its share anew."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    crew.freeze("w1")
    for number in range(20):
        crew.bench.send(Do(account=f"a-{number}"))
    assert crew.until(lambda: set(crew.owners.values()) == {"w2"}, 6)
    crew.advance(20)
    crew.thaw("w1")
    crew.advance(1)
    assert crew.hands["w1"].owns == set()
    assert crew.until(lambda: settled(crew), 20)
    assert {crew.bench.state(accounts, f"a-{number}").done for number in range(20)} == {("nothing",)}


def test_a_live_owner_is_never_tried_for() -> None:
    """R14: the broker would hand its shard over at the first hiccup, for nothing."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    before = epochs(crew)
    for name in ("accounts", "branches"):
        for partition in range(crew.bench.wiring.actors[name].policy.partitions):
            crew.bench.faults.unload(name, partition)
    crew.advance(60)
    assert epochs(crew) == before


def test_who_had_not_heard_of_an_owner_gives_up_its_claim_when_it_does() -> None:
    """R14: frozen between two looks, it goes on to read who has what it wants, and has never heard of that one."""
    crew = Crew("w1")
    assert crew.until(lambda: settled(crew), 20)
    late = crew.join("w2")
    assert crew.until(lambda: len(crew.bench.views.members()) == 2, 1)
    crew.advance(0.1)

    def while_it_was_frozen() -> None:
        del crew.bench.points.acts["phase:ownership"]
        crew.freeze("w2")
        crew.kill("w1")
        crew.join("third")
        assert crew.until(lambda: set(crew.owners.values()) == {"third"}, 10)
        crew.kill("third")
        crew.thaw("w2")

    # what it wants of a third worker's is, by these names, also among what it has wanted of the first one's
    crew.bench.points.acts["phase:ownership"] = while_it_was_frozen
    late.step(crew.bench.now + micros(0.05))
    before = epochs(crew)
    crew.advance(1.5)
    assert epochs(crew) == before, "by all that is known it lives"
    assert crew.until(lambda: late.owns == set(before), 3)


def test_a_worker_that_leaves_hands_over_with_notice() -> None:
    """R15: the others know a second before, and have its shards a moment after it let go; it departs at last."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    leaver = crew.hands["w1"]
    leaver.engine.ownership.leave()
    crew.advance(0.9)
    assert len(leaver.owns) >= 2, "it works on until all can know"
    gone = crew.until(lambda: not leaver.owns, 2)
    let_go = crew.bench.now
    assert gone
    assert crew.until(lambda: leaver.engine.ownership.gone, 1)
    del crew.hands["w1"]
    assert crew.until(lambda: settled(crew), 1)
    assert crew.bench.now - let_go <= micros(0.3)
    assert {row.worker for row in crew.bench.views.members()} == {"w2"}
    assert {row.why for row in crew.bench.views.shards() if row.epoch > 1 and row.since >= let_go} == {"was released"}


def pause_between_two(crew: Crew) -> tuple[int, int]:
    """How long the first shard of a worker that leaves took to be taken, and how long it waited with the second."""
    assert crew.until(lambda: settled(crew), 20)
    slowed(crew, "w2", 0.02)
    leaver = crew.hands["w1"]
    mine, released, taken = set(leaver.owns), dict[str, int](), dict[str, int]()
    assert len(mine) >= 2
    leaver.engine.ownership.leave()
    while len(taken) < len(mine):
        crew.advance(0.005)
        for shard in mine - leaver.owns:
            released.setdefault(shard, crew.bench.now)
        for shard in mine & crew.hands["w2"].owns:
            taken.setdefault(shard, crew.bench.now)
    first, second = sorted(mine, key=released.__getitem__)[:2]
    return taken[first] - released[first], released[second] - taken[first]


def test_who_hands_shards_on_rests_twice_as_long_as_each_took() -> None:
    """Handing on costs processors: where it takes long, since several do so, they make room for each other."""
    took, rested = pause_between_two(Crew("w1", "w2"))
    assert 0 < 2 * took <= rested


def test_who_leaves_has_leisure_for_a_while_only() -> None:
    """It must be gone in time: then it hands on several at once."""
    _, rested = pause_between_two(Crew("w1", "w2", tenure=Tenure(liveness=Liveness(), leisure=0.0)))
    assert rested < 0


def handed_on_at_once(joining: int) -> int:
    """One worker has everything, and others join: so many shards it lets go of before it waits for them to be taken."""
    crew = Crew("w1")
    assert crew.until(lambda: settled(crew), 20)
    first = crew.hands["w1"]
    for number in range(joining):
        crew.join(f"w{number + 2}")
        slowed(crew, f"w{number + 2}", 0.02)
    while len(first.owns) == SHARDS:
        crew.advance(0.005)
    return SHARDS - len(first.owns)


def test_who_has_far_more_than_its_share_hands_on_several_at_once() -> None:
    """The first that is there after all had died: its shards wait longer with it than on their way."""
    assert handed_on_at_once(joining=1) == 1
    assert handed_on_at_once(joining=SHARDS) == SHARDS - 1


def test_the_last_worker_leaves_at_once() -> None:
    """There is nobody to tell."""
    crew = Crew("w1")
    assert crew.until(lambda: settled(crew), 2)
    crew.hands["w1"].engine.ownership.leave()
    assert crew.until(lambda: crew.hands["w1"].engine.ownership.gone, 0.1)
    assert set(crew.owners.values()) == {""}


def test_a_worker_without_a_broker_is_not_live() -> None:
    """R14: its heartbeat says how long it has not heard the broker; others take over, and it lets go then."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    crew.hands["w1"].bus.cut()
    assert crew.until(lambda: set(crew.owners.values()) == {"w2"}, 6)
    assert crew.until(lambda: not crew.hands["w1"].owns, 1.1)
    crew.advance(3)
    assert set(crew.owners.values()) == {"w2"}
    crew.hands["w1"].bus.heal()
    assert crew.until(lambda: settled(crew), 30)


def test_a_broker_that_is_silent_for_all_moves_nothing() -> None:
    """Nobody is live, so nobody is anybody's substitute; when it is back they go on where they were."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    before = epochs(crew)
    outage(crew, 4.0)
    back(crew)
    crew.advance(10)
    assert epochs(crew) == before
    assert settled(crew)


def test_what_the_next_in_line_does_not_take_the_one_after_does() -> None:
    """R14: unowned for five seconds."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    crew.kill("w1")
    deaf = crew.join("w3")
    deaf.bus.cut()
    deaf.engine.ownership._reach._heard = FAR  # it believes that it hears the broker
    assert crew.until(lambda: set(crew.owners.values()) == {"w2"}, 20)


def test_a_shard_that_was_lost_and_taken_by_nobody_is_given_back() -> None:
    """Its row still names the worker that lost it, whom all others respect."""
    crew = Crew("w1", "w2", tenure=Tenure(hold=0.0))
    assert crew.until(lambda: settled(crew), 20)
    loser = crew.hands["w1"]
    crew.join("w3")
    for shard in loser.engine.holdings.shards():
        for member in list(crew.bench.broker.partition(shard.plan.name, shard.partition).members()):
            member.close()
    assert crew.until(lambda: settled(crew), 30)


def test_older_contracts_are_not_eligible() -> None:
    """R16: once a shard was written by newer code, workers of the older leave it alone, and say why."""
    older = App("bank", accounts, *others(), contracts=1)
    newer = App("bank", accounts, *others(), contracts=2)
    crew = Crew("old", app=older)
    assert crew.until(lambda: set(crew.owners.values()) == {"old"}, 3)
    crew.bench.wiring = newer.wire()
    crew.join("new")
    assert crew.until(lambda: "new" in crew.owners.values(), 20)
    crew.advance(20)
    taken = {shard for shard, owner in crew.owners.items() if owner == "new"}
    crew.hands["new"].engine.ownership.leave()
    assert crew.until(lambda: crew.hands["new"].engine.ownership.gone, 5)
    del crew.hands["new"]
    crew.advance(20)
    assert {shard for shard, owner in crew.owners.items() if owner == ""} == taken
    assert any("run the newer release" in why for (why,) in crew.bench.observer.of("excluded"))


def others() -> list[Actor[Account]]:
    """The bank's other actors."""
    return [actor for actor in bank.actors if actor is not accounts]


def test_a_clock_that_is_put_back_makes_nobody_immortal() -> None:
    """A heartbeat from the future is no better than an old one: else its shards would be stuck for as long."""
    crew = Crew("w1", "w2")
    assert crew.until(lambda: settled(crew), 20)
    crew.kill("w1")
    crew.bench.database.now = lambda: crew.bench.now - 3600 * SECOND
    assert crew.until(lambda: set(crew.owners.values()) == {"w2"}, 10)


def test_a_store_that_is_away_for_a_moment_moves_nothing() -> None:
    """Nobody is taken for dead because nobody could say that it lives."""
    crew = Crew("w1", "w2", tenure=Tenure(liveness=Liveness(live=3.0)))
    assert crew.until(lambda: settled(crew), 20)
    before = epochs(crew)
    crew.bench.moods.always["beat"] = StoreUnavailable("away")
    crew.advance(4.5)
    crew.bench.moods.heal()
    crew.advance(20)
    assert epochs(crew) == before
