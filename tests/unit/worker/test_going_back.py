"""A store that went back (R11): it is noticed, what it lacks is handled again, and all ends as it was."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.bus.port import EARLIEST, BusUnavailable, Position
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.worker.proving import is_next, is_none_after
from magnetar.runtime.worker.relay import producer_name
from tests.unit.worker.bank import Do, accounts, branches
from tests.unit.worker.bench import Bench

if TYPE_CHECKING:
    from magnetar.runtime.store.port import ShardRow

ACCOUNTS, BRANCHES, WORDS = "abcd", "xyz", 40


def deed(chance: random.Random, word: int) -> str:
    """Something that leaves a trace elsewhere."""
    return chance.choice(
        [
            f"tell {chance.choice(BRANCHES)} w{word}",
            f"ask {chance.choice(ACCOUNTS)} w{word}",
            f"book w{word}",
            f"note w{word}",
        ]
    )


def work(bench: Bench, chance: random.Random, count: int) -> None:
    """So many messages, each with a deed or two, applied and answered for."""
    for number in range(count):
        deeds = tuple(deed(chance, number * 10 + each) for each in range(chance.randint(1, 2)))
        bench.send(Do(account=chance.choice(ACCOUNTS), deeds=deeds))
    bench.run()


def states(bench: Bench) -> dict[str, tuple[str, ...]]:
    """All that was done and heard."""
    done = {f"account {key}": bench.state(accounts, key).done for key in ACCOUNTS}
    heard = {f"branch {key}": bench.state(branches, key).heard for key in BRANCHES}
    return done | heard


def restore(bench: Bench, image: bytes) -> None:
    """The worker is killed, an older copy is put in place of its store, and another one starts."""
    bench.bus.disconnect()
    bench.engine.close()
    bench.database.restore(image)
    bench.bus, bench.engine = bench.worker("after")


def generations(bench: Bench) -> dict[str, int]:
    """Of each shard."""
    return {row.shard: row.generation for row in bench.views.shards()}


@pytest.mark.parametrize("seed", range(6))
def test_an_older_store_catches_up(seed: int) -> None:
    """Whatever it lacks: states, journal and rows are as they were, and no effect is there twice."""
    chance = random.Random(seed)
    bench = Bench()
    work(bench, chance, 15)
    image = bench.database.image()
    work(bench, chance, WORDS)
    before, rows = states(bench), Counter(bench.views.rows_of("bookings"))
    restore(bench, image)
    bench.run()
    assert states(bench) == before
    assert Counter(row[2:] for row in bench.views.rows_of("bookings")) == Counter(row[2:] for row in rows.elements())
    noticed = {shard for shard, _ in bench.observer.of("went_back")}
    assert noticed
    assert {shard for shard, generation in generations(bench).items() if generation} == noticed
    work(bench, chance, 10)
    assert len(noticed) == len({shard for shard, _ in bench.observer.of("went_back")}), "only once"


def test_a_store_that_knows_nothing_begins_at_the_beginning() -> None:
    """An empty store on a used broker has lost everything: all that is kept is handled again."""
    chance = random.Random(7)
    bench = Bench(start=False)
    image = bench.database.image()
    bench.run()
    work(bench, chance, WORDS)
    before = states(bench)
    restore(bench, image)
    bench.run()
    assert states(bench) == before


def test_a_store_that_is_whole_is_left_alone() -> None:
    """Crashes, lost acknowledgements and a moved partition are no signs of an older copy."""
    chance = random.Random(8)
    bench = Bench()
    work(bench, chance, WORDS)
    bench.faults.unload("accounts", 0, forget_acks=5)
    bench.crash()
    work(bench, chance, WORDS)
    bench.crash()
    assert bench.observer.of("went_back") == []
    assert set(generations(bench).values()) == {0}


def shard_of(bench: Bench, key: str) -> ShardRow:
    """The row of an account's shard."""
    return bench.row(f"accounts/{partition_of(key, 2)}")


def test_a_worker_that_dies_while_it_goes_back_is_followed_by_one_that_does() -> None:
    """Before the subscription is put back, or after: the next one notices, or begins where it was put."""
    chance = random.Random(9)
    for point in ("consumer.seek:before", "consumer.seek:after", "store.take:after"):
        bench = Bench()
        work(bench, chance, 10)
        image = bench.database.image()
        work(bench, chance, 20)
        before = states(bench)
        restore(bench, image)
        bench.until(point)
        bench.crash()
        bench.run()
        assert states(bench) == before, point


def test_a_seek_that_fails_is_tried_again() -> None:
    """Nothing is owned before the subscription stands where the store does."""
    chance = random.Random(10)
    bench = Bench()
    work(bench, chance, 10)
    image = bench.database.image()
    work(bench, chance, 20)
    before = states(bench)
    restore(bench, image)
    failures = iter([BusUnavailable("no answer")])

    def fail() -> None:
        for failure in failures:
            raise failure

    bench.points.acts["consumer.seek:before"] = fail
    bench.run()
    assert states(bench) == before


def test_what_was_sent_under_numbers_that_are_used_again_gets_another_name() -> None:
    """R18: the producer's name has the store's generation in it, so no number is dropped as seen."""
    chance = random.Random(11)
    bench = Bench()
    work(bench, chance, 10)
    image = bench.database.image()
    work(bench, chance, WORDS)
    restore(bench, image)
    bench.run()
    work(bench, chance, WORDS)
    names = {
        name
        for topic in bench.broker.topics()
        for partition in bench.broker.topic(topic).partitions
        for name in partition.names
    }
    row = shard_of(bench, "a")
    assert row.generation == 1
    assert any(name.startswith(f"bank:{row.shard}:") and name.endswith(":1") for name in names)
    assert producer_name("bank", row.shard, ("t", 0), 1).endswith(":1")


@pytest.mark.parametrize("seed", range(12))
def test_a_subscription_that_was_put_back_is_never_without_a_new_generation(seed: int) -> None:
    """Nothing tells the next try that it was: so the generation comes first, else numbers are used again (R18)."""
    chance = random.Random(seed)
    bench = Bench()
    work(bench, chance, 5)
    image = bench.database.image()
    work(bench, chance, 30)
    before = states(bench)
    restore(bench, image)
    begun: list[str] = []

    def fail_after() -> None:
        if begun:
            begun.clear()
            raise StoreUnavailable("no answer")

    bench.points.acts |= {"consumer.seek:after": lambda: begun.append("a seek"), "store.take:before": fail_after}
    bench.run()
    assert states(bench) == before
    noticed = {shard for shard, _ in bench.observer.of("went_back")}
    assert {shard for shard, generation in generations(bench).items() if generation} == noticed


class Done(NamedTuple):
    """How much was seen of the workers."""

    handled: int
    sent: int


def seen(bench: Bench) -> Done:
    """By its observer."""
    handled = sum(count for _, count, _ in bench.observer.of("committed"))
    return Done(handled, sum(count for _, count, _ in bench.observer.of("relayed")))


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_done_before_it_is_known_whether_the_store_went_back(seed: int) -> None:
    """However long nobody tells: a commit would put the position past what is missing, and an ack, too."""
    chance = random.Random(seed)
    bench = Bench()
    work(bench, chance, 10)
    image = bench.database.image()
    work(bench, chance, 30)
    before = states(bench)
    restore(bench, image)
    bench.send(Do(account="a", deeds=("note one more",)))
    bench.faults.hold_cursors()
    known = seen(bench)
    bench.advance(20)
    assert seen(bench) == known
    assert any("is acknowledged is not known" in why for _, why in bench.observer.of("waiting"))
    bench.faults.release_cursors()
    bench.run()
    assert bench.observer.of("went_back")
    assert states(bench) == before | {"account a": (*before["account a"], "note one more")}


def test_who_waits_for_the_broker_s_word_is_not_held_up_where_the_first_delivery_tells() -> None:
    """What follows the stored position is delivered first: so nothing behind it is acknowledged."""
    chance = random.Random(5)
    bench = Bench()
    work(bench, chance, 20)
    bench.faults.hold_cursors()
    bench.crash_later()
    bench.send(Do(account="a", deeds=("note one more",)))
    bench.advance(2)
    assert bench.state(accounts, "a").done[-1] == "note one more"
    assert bench.observer.of("went_back") == []


@st.composite
def logs(draw: st.DrawFn) -> list[Position]:
    """A partition's messages: entries of ledgers without a gap, some of which hold a batch."""
    found: list[Position] = []
    for ledger in range(draw(st.integers(1, 2))):
        for entry in range(draw(st.integers(0, 4))):
            batch = draw(st.sampled_from([0, 0, 0, 2]))
            found += [Position(ledger, entry, at) for at in range(batch)] or [Position(ledger, entry)]
    return found


@given(log=logs(), mark=st.integers(0, 6), known=st.integers(0, 6))
def test_a_first_delivery_never_hides_that_more_is_acknowledged(log: list[Position], mark: int, known: int) -> None:
    """However far it is acknowledged, and however far the store knows it."""
    acknowledged, rest = log[:mark], log[mark:]
    applied = [EARLIEST, *log][min(known, len(log))]
    if rest and is_next(rest[0], applied):
        assert not [each for each in acknowledged if each > applied]


@given(log=logs(), mark=st.integers(0, 6), known=st.integers(0, 6), blind=st.booleans())
def test_a_last_message_never_hides_that_more_is_acknowledged(
    log: list[Position], mark: int, known: int, *, blind: bool
) -> None:
    """However far it is acknowledged, and however far the store knows it; `blind`: the broker looks into no batch."""
    newest = log[-1] if log else EARLIEST
    if blind:
        newest = Position(newest.ledger, newest.entry)
    applied = [EARLIEST, *log][min(known, len(log))]
    if is_none_after(applied, newest):
        assert not [each for each in log[:mark] if each > applied]


@pytest.mark.parametrize(
    ("applied", "newest", "proof"),
    [
        (EARLIEST, EARLIEST, True),
        (Position(7, 3), EARLIEST, True),
        (Position(7, 3), Position(7, 3), True),
        (Position(7, 3), Position(6, 9), True),
        (Position(7, 3), Position(7, 4), False),
        (Position(7, 3), Position(8, 0), False),
        (EARLIEST, Position(7, 0), False),
        (Position(7, 3, 1), Position(7, 3), False),
        (Position(7, 3, 1), Position(7, 3, 1), True),
        (Position(7, 3), Position(7, 3, 1), False),
    ],
)
def test_a_last_message_shows_it_where_it_can(applied: Position, newest: Position, proof: bool) -> None:  # noqa: FBT001
    """It is applied, or before what is."""
    assert is_none_after(applied, newest) is proof


@pytest.mark.parametrize(
    ("first", "applied", "proof"),
    [
        (Position(7, 4), Position(7, 3), True),
        (Position(7, 2), Position(7, 3), True),
        (Position(7, 5), Position(7, 3), False),
        (Position(8, 0), Position(7, 3), False),
        (Position(0, 0), EARLIEST, False),
        (Position(7, 4), Position(7, 3, 0), False),
        (Position(7, 4, 0), Position(7, 3), False),
    ],
)
def test_a_first_delivery_shows_it_where_it_can(first: Position, applied: Position, proof: bool) -> None:  # noqa: FBT001
    """The next entry of a ledger, or one that is known: nothing is missing in between."""
    assert is_next(first, applied) is proof
