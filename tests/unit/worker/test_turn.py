"""A group on its way: known, loaded, handled, committed, acknowledged; and what can go wrong at each step."""

from __future__ import annotations

import pytest

from magnetar.runtime.bus.port import BusUnavailable, Outgoing
from magnetar.runtime.errors import ShardLost, Unhandleable
from magnetar.runtime.identity import id_of
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import (
    CommitRejected,
    CommitUnknown,
    ShardChanges,
    StoreUnavailable,
    Taker,
    VersionConflict,
)
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.membership import ALONE
from magnetar.runtime.worker.ownership import Tenure
from magnetar.runtime.worker.winning import Winner
from magnetar.schemas import Event, Key, topic_codec
from tests.unit.worker.bank import Asked, Do, Told, accounts, branches
from tests.unit.worker.bench import Bench


class Rumour(Event):
    """An event that no actor of the app knows."""

    branch: Key


def key_in(partition: int, number: int = 0, partitions: int = 2) -> str:
    """The `number`-th key that belongs to a partition."""
    found = (f"k-{each}" for each in range(10_000) if partition_of(f"k-{each}", partitions) == partition)
    return [next(found) for _ in range(number + 1)][-1]


@pytest.fixture
def bench() -> Bench:
    """A worker that owns everything."""
    return Bench()


def test_a_message_that_comes_twice_in_one_group_is_applied_once(bench: Bench) -> None:
    """The journal cannot know the first yet: the group itself does."""
    for _ in range(3):
        bench.send(Do(account="a", deeds=("tell b hello",)), "one")
    bench.run()
    assert bench.state(accounts, "a").done == ("tell b hello",)
    assert bench.words(Told) == ["hello"]
    assert sum(count for _, count in bench.observer.of("duplicates")) == 2


@pytest.mark.parametrize("crash", [False, True], ids=["same worker", "next worker"])
def test_a_message_that_comes_again_later_is_ignored(bench: Bench, crash: bool) -> None:  # noqa: FBT001
    """The journal knows it, also after everything in memory is gone; it is acknowledged all the same."""
    bench.send(Do(account="a", deeds=("tell b hello",)), "one")
    bench.run()
    if crash:
        bench.crash()
    bench.send(Do(account="a", deeds=("tell b hello",)), "one")
    bench.run()
    assert bench.state(accounts, "a").done == ("tell b hello",)
    assert bench.words(Told) == ["hello"]
    assert bench.backlog() == 0


def test_nothing_is_acknowledged_before_the_commit(bench: Bench) -> None:
    """R10: when the commit begins the broker still has the message, and right after the group it has not."""
    seen: list[int] = []
    bench.points.acts["store.commit:before"] = lambda: seen.append(bench.backlog())
    bench.points.acts["store.commit:after"] = lambda: seen.append(bench.backlog())
    bench.send(Do(account="a"))
    bench.until("phase:committed")
    assert seen == [1, 1]
    bench.run()
    assert bench.backlog() == 0


@pytest.mark.parametrize("method", ["dispositions", "states", "commit"])
def test_a_store_that_is_away_is_waited_for(bench: Bench, method: str) -> None:
    """Whichever question fails, the shard waits, says so, and everything is applied once and in order."""
    bench.moods.fail(method, StoreUnavailable("away"), times=3)
    for word in ("one", "two", "three"):
        bench.send(Do(account="a", deeds=(word,)))
    bench.run()
    assert bench.state(accounts, "a").done == ("one", "two", "three")
    assert len(bench.observer.of("waiting")) == 3
    assert bench.now > bench.journal(accounts, "a")[0].published_at


def test_a_schema_that_could_not_be_kept_is_kept_before_its_rows(bench: Bench) -> None:
    """A message of a foreign schema is committed only when the store knows that schema."""
    codec = topic_codec("accounts", "bank", (Do,))
    bench.moods.fail("remember", StoreUnavailable("away"), times=2)
    message = Outgoing("a", codec.encode(Do(account="a")), {"message_id": "one"})
    bench.raw("accounts", partition_of("a", 2), message, codec.schema.text)
    bench.run()
    row = bench.entry(accounts, "one")
    assert row is not None
    assert row.schema == codec.schema.fingerprint
    assert codec.schema.fingerprint in bench.views.schemas()


def test_a_version_conflict_costs_its_shard_only(bench: Bench) -> None:
    """R9: the shard is dropped and taken anew; the other shard's part of the group is committed."""
    mine, other = key_in(0), key_in(1)
    bench.moods.fail("commit", VersionConflict("accounts/0", "states k"))
    bench.send(Do(account=mine), "mine")
    bench.send(Do(account=other), "other")
    bench.until("phase:committed")
    assert bench.entry(accounts, "other") is not None
    assert bench.entry(accounts, "mine") is None
    bench.run()
    assert [name for name, _ in bench.observer.of("lost")] == ["accounts/0"]
    assert bench.state(accounts, mine).done == ("nothing",)
    assert bench.row("accounts/0").epoch == 2


def test_a_fence_that_refuses_costs_its_shard_only(bench: Bench) -> None:
    """R6: somebody has taken the shard; its part of the group is not written, the other's is."""
    mine, other = key_in(0), key_in(1)
    bench.send(Do(account=mine), "mine")
    bench.send(Do(account=other), "other")
    bench.until("phase:handled")
    bench.database.open().take("accounts/0", 1, Taker("thief"))
    bench.until("phase:committed")
    assert bench.entry(accounts, "mine") is None
    assert bench.entry(accounts, "other") is not None
    bench.run()
    assert bench.state(accounts, mine).done == ("nothing",)
    assert bench.row("accounts/0").epoch == 3


@pytest.mark.parametrize("group", [512, 2])
def test_a_refused_group_is_taken_apart_to_its_message(group: int) -> None:
    """R9: what came before the bad message is committed, that one is dead, and so holds what is after it."""
    bench = Bench(settings=Settings(limits=Limits(group=group)))

    def refuse(changes: list[ShardChanges]) -> None:
        if any(
            (row.message_id, row.disposition) == (id_of("bad"), "applied") for each in changes for row in each.journal
        ):
            raise CommitRejected("no such thing")

    bench.moods.watch("commit", refuse)
    for name in ("first", "second", "bad", "last"):
        bench.send(Do(account="a", deeds=(name,)), name)
    bench.run()
    assert bench.state(accounts, "a").done == ("first", "second")
    assert bench.backlog() == 0
    [letter] = bench.views.dead_letters("accounts", 10)
    assert (letter.message_id, letter.failures) == (id_of("bad"), 1)
    assert "the store refuses it: no such thing" in letter.error_text


def test_what_is_refused_even_as_a_dead_letter_stops_the_worker(bench: Bench) -> None:
    """There is nothing left that could be done with it but to say so; it stays unacknowledged."""

    def refuse(changes: list[ShardChanges]) -> None:
        if any(row.message_id == id_of("bad") for each in changes for row in each.journal):
            raise CommitRejected("no such thing")

    bench.moods.watch("commit", refuse)
    bench.send(Do(account="a"), "bad")
    with pytest.raises(Unhandleable, match="the store refuses its dead letter"):
        bench.run()
    assert bench.backlog() == 1


def test_a_group_refused_once_is_applied(bench: Bench) -> None:
    """When no single message is refused, all are applied, and later groups are whole again."""
    bench.moods.fail("commit", CommitRejected("too much at once"))
    for name in ("one", "two", "three"):
        bench.send(Do(account="a", deeds=(name,)), name)
    bench.run()
    assert bench.state(accounts, "a").done == ("one", "two", "three")
    bench.observer.heard.clear()
    for name in ("four", "five"):
        bench.send(Do(account="a", deeds=(name,)), name)
    bench.run()
    assert max(count for _, count, _ in bench.observer.of("committed")) == 2


@pytest.mark.parametrize("happened", [True, False])
def test_an_unknown_commit_is_read_back(bench: Bench, happened: bool) -> None:  # noqa: FBT001
    """R8: whether or not it happened, it counts once; the shard's epoch shows that it was asked."""
    bench.moods.fail("commit", CommitUnknown("connection lost"), done=happened)
    bench.send(Do(account="a", deeds=("tell b hello", "timer 60 t")), "one")
    bench.run()
    assert bench.observer.of("unknown_commit") == [(happened,)]
    assert bench.state(accounts, "a").done == ("tell b hello", "timer 60 t")
    assert bench.words(Told) == ["hello"]
    assert len(bench.views.timers_of("accounts", "a")) == 1
    name = bench.shard(accounts, "a").name
    assert bench.row(name).epoch == 2
    bench.send(Do(account="a", deeds=("again",)), "two")
    bench.run()
    assert [row.version for row in bench.journal(accounts, "a")] == [1, 2]


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("method", ["reconnect", "take"])
def test_reading_back_is_asked_until_it_is_answered(bench: Bench, method: str, happened: bool) -> None:  # noqa: FBT001
    """A store that stays away leaves the question open, and nothing is guessed."""
    bench.moods.fail("commit", CommitUnknown("connection lost"), done=happened)
    bench.moods.fail(method, StoreUnavailable("still away"), times=3)
    bench.send(Do(account="a"), "one")
    bench.run()
    assert bench.state(accounts, "a").done == ("nothing",)
    assert bench.observer.of("unknown_commit") == [(happened,)]


def test_a_shard_taken_while_a_commit_was_unknown_is_lost(bench: Bench) -> None:
    """The bump is refused: another worker decides, and the asker is told."""
    shard = bench.shard(accounts, "a")
    bench.moods.fail("commit", CommitUnknown("connection lost"))
    answer = shard.entity("a").actor_ref.ask(Do(account="a"), block=False)
    bench.until("phase:unknown")
    bench.database.open().take(shard.name, 1, Taker("thief"))
    bench.step(3)
    with pytest.raises(ShardLost, match="read back"):
        answer.get(timeout=0)
    bench.run()
    assert bench.state(accounts, "a").done == ()


def test_a_missing_schema_makes_its_shard_wait_and_no_other(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """R30: the other shard goes on meanwhile; when the registry answers, everything is applied in order."""
    mine, other = key_in(0), key_in(1)
    codec = bench.wiring.topics["accounts"].codec
    asked = bench.bus.schema

    def away(topic: str, version: int) -> str | None:
        raise BusUnavailable(f"no answer about {topic} {version}")

    monkeypatch.setattr(bench.bus, "schema", away)
    bench.raw("accounts", 0, Outgoing(mine, codec.encode(Do(account=mine)), {"message_id": "m"}), codec.schema.text)
    bench.send(Do(account=mine, deeds=("later",)))
    bench.send(Do(account=other))
    bench.advance(3)
    assert bench.state(accounts, other).done == ("nothing",)
    assert bench.state(accounts, mine).done == ()
    assert {name for name, _ in bench.observer.of("waiting")} == {"accounts/0"}
    monkeypatch.setattr(bench.bus, "schema", asked)
    bench.run()
    assert bench.state(accounts, mine).done == ("nothing", "later")


def test_an_event_of_an_unknown_type_is_passed_over(bench: Bench) -> None:
    """A feed carries what its publisher likes; what this actor does not know is not for it."""
    codec = topic_codec("accounts-events", "bank", (Told, Rumour))
    message = Outgoing("b", codec.encode(Rumour(branch="b")), {"message_id": "one"})
    bench.raw("accounts-events", partition_of("b", 2), message, codec.schema.text)
    bench.run()
    assert bench.observer.of("skipped") == [("branches", 1)]
    assert bench.backlog() == 0


@pytest.mark.parametrize("body", [b"", b"\xff\xff\xff\xff\xff", b"\x00"], ids=["empty", "no branch", "cut short"])
def test_bytes_that_contradict_their_schema_are_never_a_value(bench: Bench, body: bytes) -> None:
    """They are a dead letter as they came; the error says where the message stands."""
    schema = bench.wiring.topics["accounts"].codec.schema
    bench.raw("accounts", 0, Outgoing("a", body, {"schema": schema.fingerprint}), schema.text)
    bench.run()
    [letter] = bench.views.dead_letters("accounts", 10)
    assert (letter.body, letter.source) == (body, "accounts/0")
    assert "accounts/0" in letter.error_text
    assert bench.state(accounts, "a").done == ()
    assert bench.backlog() == 0


@pytest.mark.parametrize("key", ["", "x" * 600, "line\nbreak"])
def test_a_message_whose_key_cannot_be_one_is_a_dead_letter(bench: Bench, key: str) -> None:
    """Keys are checked where they come in: what is under none of them is nobody's, and holds nobody up."""
    bench.send(Do(account=key))
    bench.send(Do(account="a", deeds=("fine",)))
    bench.run()
    [letter] = bench.views.dead_letters("accounts", 10)
    assert "a key is 1 to 512 printable characters" in letter.error_text
    assert letter.key == ""
    assert bench.state(accounts, "a").done == ("fine",)


def test_a_full_lane_stops_its_shard(bench: Bench) -> None:
    """R20: with its sends on their way the shard takes nothing more; the broker holds the rest."""
    bench = Bench(settings=Settings(limits=Limits(group=5), tenure=Tenure(liveness=ALONE, winner=Winner(lane=10))))
    for partition in (0, 1):
        bench.faults.hold_sends("accounts-events", partition)
    for number in range(100):
        bench.send(Do(account="a", deeds=(f"tell b {number}",)))
    bench.advance(1)
    shard = bench.shard(accounts, "a")
    assert shard.lane.full
    assert 10 <= shard.lane.unsettled < 15
    assert bench.backlog() >= 85
    for partition in (0, 1):
        bench.faults.release_sends("accounts-events", partition)
    bench.run()
    assert bench.words(Told) == [str(number) for number in range(100)]


def test_a_busy_shard_does_not_starve_another() -> None:
    """R21: shards take turns; one message beside a thousand waits for one group, not for all."""
    bench = Bench(settings=Settings(limits=Limits(group=10)))
    busy, calm = key_in(0), key_in(1)
    for _ in range(300):
        bench.send(Do(account=busy))
    bench.send(Do(account=calm), "calm")
    for _ in range(3):
        bench.until("phase:committed")
    assert bench.entry(accounts, "calm") is not None
    assert bench.backlog() > 200


def test_an_event_is_applied_by_each_who_takes_it_once(bench: Bench) -> None:
    """The scope of de-duplication is the actor (R2)."""
    bench.send(Do(account="a", deeds=("tell b one", "ask c two")))
    bench.run()
    assert bench.state(branches, "b").heard == ("one",)
    assert bench.state(accounts, "c").done == ("two",)
    assert bench.words(Asked) == ["two"]
