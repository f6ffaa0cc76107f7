"""What a person asks is done by the shard's owner, once, in the commit that answers it (R27)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.identity import id_of, mint, to_text
from magnetar.runtime.instant import SECOND
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import CommitRejected, CommitUnknown, StoreUnavailable
from magnetar.runtime.store.requests import Request, What
from magnetar.runtime.worker import executing
from tests.unit.worker.bank import Asked, Do, accounts, hasty
from tests.unit.worker.bench import START, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from magnetar.runtime.store.parking import DeadLetter, ParkedKey
    from magnetar.runtime.store.port import ShardChanges

NEVER = ("never",)


class Office:
    """A person at a tool, beside the worker."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.book = bench.database.requests()
        self.asked = 0

    def ask(self, what: str, key: str = "", shard: str | None = None, **arguments: str) -> bytes:
        """Ask, and let nothing happen yet."""
        self.asked += 1
        request_id = mint(self.bench.now, lambda size: self.asked.to_bytes(size, "big"))
        to = shard or f"accounts/{partition_of(key, 2)}"
        about = json.dumps(arguments)
        self.book.ask([Request(request_id, to, what, key, about, "ann", "because", 0, "asked", "", None, None)])
        return request_id

    def get(self, what: str, key: str = "", shard: str | None = None, **arguments: str) -> tuple[str, str]:
        """Ask, and wait: what became of it, and the answer."""
        request_id = self.ask(what, key, shard, **arguments)
        self.bench.advance(1)
        return self.answer(request_id)[:2]

    def answer(self, request_id: bytes) -> tuple[str, str, int | None]:
        """What became of a request, the answer, and when it was given."""
        [request] = self.bench.views.requests([request_id])
        return request.status, request.answer, request.answered_at


@pytest.fixture
def bench() -> Bench:
    """A worker that owns everything."""
    return Bench()


@pytest.fixture
def office(bench: Bench) -> Office:
    """Somebody who asks it."""
    return Office(bench)


def do(bench: Bench, key: str, *deeds: str, name: str | None = None) -> None:
    """Ask the account, and let it come."""
    bench.send(Do(account=key, deeds=deeds), name)
    bench.run()


def done(bench: Bench, key: str = "a") -> tuple[str, ...]:
    """What the account has done."""
    return bench.state(accounts, key).done


def parked(bench: Bench, key: str = "a") -> ParkedKey | None:
    """Why the key is parked, by the store."""
    return bench.views.parked_key("accounts", key)


def reason(bench: Bench, key: str = "a") -> str:
    """The same, in a word."""
    found = parked(bench, key)
    return "" if found is None else found.reason


def letter(bench: Bench, name: str) -> DeadLetter:
    """The dead letter that was sent under this name."""
    found = bench.views.letter("accounts", id_of(name))
    assert found is not None
    return found


def disposition(bench: Bench, name: str) -> str:
    """What became of a message."""
    entry = bench.entry(accounts, name)
    assert entry is not None
    return entry.disposition


# keys


def test_a_request_is_answered_within_a_second_in_its_own_commit(bench: Bench, office: Office) -> None:
    """And costs nothing but a look each half second while nobody asks."""
    before = bench.moods.calls["asked"]
    bench.advance(10)
    assert bench.moods.calls["asked"] - before <= 21
    request = office.ask(What.PAUSE, "a")
    bench.advance(0.6)
    status, answer, at = office.answer(request)
    assert (status, answer) == ("done", "accounts/a is paused; 0 messages wait for it")
    assert at is not None
    assert START < at <= bench.now


def test_whatever_comes_for_a_paused_key_waits_and_goes_on_in_order(bench: Bench, office: Office) -> None:
    """Messages and timers; its neighbours do not notice; resumed, head and tail go on, and the key is free."""
    do(bench, "a", "timer 2 bell")
    assert office.get(What.PAUSE, "a")[0] == "done"
    do(bench, "a", "one")
    bench.advance(3)
    do(bench, "a", "two")
    do(bench, "b", "free")
    assert (done(bench), done(bench, "b")) == (("timer 2 bell",), ("free",))
    assert reason(bench) == "paused"
    assert office.get(What.RESUME, "a") == ("done", "accounts/a goes on; 3 messages wait for it")
    assert done(bench) == ("timer 2 bell", "one", "rang bell", "two")
    assert parked(bench) is None


def test_a_paused_key_with_nothing_behind_it_is_free_when_resumed(bench: Bench, office: Office) -> None:
    """And can be paused again."""
    assert office.get(What.PAUSE, "a")[0] == "done"
    assert office.get(What.PAUSE, "a")[1].startswith("accounts/a was paused already")
    assert office.get(What.RESUME, "a")[0] == "done"
    assert parked(bench) is None
    assert office.get(What.RESUME, "a")[0] == "refused"


def test_a_failing_key_is_paused_and_goes_on_where_it_was(bench: Bench, office: Office) -> None:
    """No attempt while it is paused, none lost and none added; resumed, its head is tried at once, without a bell."""
    do(bench, "a", "fail 3", name="bad")
    do(bench, "a", "two")
    assert office.get(What.PAUSE, "a")[0] == "done"
    bench.advance(100)
    assert [row.number for row in bench.views.failures_of("accounts", id_of("bad"))] == [1, 2]
    office.ask(What.RESUME, "a")
    bench.advance(0.6)
    assert [row.number for row in bench.views.failures_of("accounts", id_of("bad"))] == [1, 2, 3]
    bench.advance(61)
    assert done(bench) == ("fail 3", "two")


def test_a_head_is_tried_now(bench: Bench, office: Office) -> None:
    """Not in a minute; the bell of the time it had waited for is one of an earlier time."""
    do(bench, "a", "fail 2")
    do(bench, "a", "two")
    assert done(bench) == ()
    assert office.get(What.RETRY, "a")[0] == "done"
    assert done(bench) == ("fail 2", "two")
    bench.advance(100)
    assert done(bench) == ("fail 2", "two")


def test_a_head_is_skipped_for_good(bench: Bench, office: Office) -> None:
    """Its tail goes on; it has a disposition, so it is not applied if it comes again."""
    do(bench, "a", "raise", name="bad")
    do(bench, "a", "two")
    status, answer = office.get(What.SKIP, "a")
    assert status == "done"
    assert "is skipped for good; 1 more wait behind it" in answer
    assert done(bench) == ("two",)
    assert disposition(bench, "bad") == "skipped"
    do(bench, "a", "raise", name="bad")
    assert parked(bench) is None


def test_a_skipped_timer_is_not_armed_any_more(bench: Bench, office: Office) -> None:
    """It would fire again with the next owner."""
    do(bench, "a", "timer 1 bell")
    office.get(What.PAUSE, "a")
    bench.advance(3)
    assert office.get(What.SKIP, "a")[0] == "done"
    assert bench.views.timers_of("accounts", "a") == []
    assert reason(bench) == "paused"
    bench.crash()
    bench.advance(10)
    office.get(What.RESUME, "a")
    assert done(bench) == ("timer 1 bell",)


def test_a_held_key_goes_on_without_its_dead_letter(bench: Bench, office: Office) -> None:
    """Resumed, it leaves the letter a dead one; skipped, the letter is discarded."""
    for key, what in (("a", What.RESUME), ("b", What.SKIP)):
        do(bench, key, *NEVER, name=f"dead-{key}")
        do(bench, key, "two")
        assert reason(bench, key) == "held"
        assert office.get(what, key)[0] == "done"
        assert done(bench, key) == ("two",)
    assert (letter(bench, "dead-a").status, disposition(bench, "dead-a")) == ("dead", "dead")
    assert (letter(bench, "dead-b").status, disposition(bench, "dead-b")) == ("discarded", "skipped")


def test_what_makes_no_sense_is_refused_and_changes_nothing(bench: Bench, office: Office) -> None:
    """Each with what to do instead."""
    do(bench, "a", *NEVER)
    do(bench, "b", "raise")
    before = [bench.views.parked_key("accounts", key) for key in "ab"]
    wrong = [
        (What.PAUSE, "a", "waits for a person already"),
        (What.RESUME, "b", "retry it"),
        (What.RESUME, "c", "is not parked"),
        (What.RETRY, "c", "is not parked"),
        (What.SKIP, "c", "is not parked"),
        ("burn", "a", "update the workers"),
    ]
    for what, key, why in wrong:
        status, answer = office.get(what, key)
        assert status == "refused", what
        assert why in answer
    assert [bench.views.parked_key("accounts", key) for key in "ab"] == before


# a type, or all


def test_a_paused_type_stops_the_keys_that_it_comes_for(bench: Bench, office: Office) -> None:
    """Others go on; resumed, each key goes on in order. The pause is known to the next owner."""
    shard = bench.shard(accounts, "a").name
    assert office.get(What.PAUSE_ALL, shard=shard, type="Do") == ("done", f"tests.Do of {shard} is paused")
    bench.send(Do(account="a", deeds=("one",)))
    bench.send(Asked(account="a", word="two"))
    neighbour = next(f"n-{number}" for number in range(99) if f"accounts/{partition_of(f'n-{number}', 2)}" == shard)
    bench.send(Asked(account=neighbour, word="free"))
    bench.run()
    bench.crash()
    bench.send(Do(account="a", deeds=("three",)))
    bench.run()
    assert (done(bench), done(bench, neighbour)) == ((), ("free",))
    assert reason(bench) == "stopped"
    assert office.get(What.RESUME, "a")[0] == office.get(What.RETRY, "a")[0] == "refused"
    assert office.get(What.RESUME_ALL, shard=shard, type="tests.Do")[0] == "done"
    assert done(bench) == ("one", "two", "three")
    assert bench.views.pauses() == []
    assert office.get(What.RESUME_ALL, shard=shard, type="Do")[0] == "refused"
    assert "it takes" in office.get(What.PAUSE_ALL, shard=shard, type="Paid")[1]


def test_a_type_is_resumed_a_few_keys_at_a_time(bench: Bench, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many it has stopped; a worker that dies half-way leaves the rest to the next one."""
    monkeypatch.setattr(executing, "AT_A_TIME", 2)
    for number in (0, 1):
        office.get(What.PAUSE_ALL, shard=f"accounts/{number}", type="Do")
    keys = [f"k-{number}" for number in range(12)]
    for key in keys:
        do(bench, key, "done")
    requests = [office.ask(What.RESUME_ALL, shard=f"accounts/{number}", type="Do") for number in (0, 1)]
    bench.now += SECOND
    for _ in range(100):
        bench.step()
        if not bench.views.pauses():
            break
    bench.crash_later()
    left = [key for key in keys if reason(bench, key) == "stopped"]
    assert 0 < len(left) < len(keys)
    bench.advance(3)
    assert [office.answer(request)[0] for request in requests] == ["done", "done"]
    assert [done(bench, key) for key in keys] == [("done",)] * 12


def test_a_paused_shard_takes_nothing_but_requests(bench: Bench, office: Office) -> None:
    """The broker keeps what comes; due timers wait for what was published before them, as after an outage."""
    do(bench, "a", "timer 20 late")
    shard = bench.shard(accounts, "a").name
    assert office.get(What.PAUSE_ALL, shard=shard) == ("done", f"everything of {shard} is paused")
    bench.send(Do(account="a", deeds=("in time",)))
    bench.advance(60)
    assert done(bench) == ("timer 20 late",)
    assert bench.backlog() == 1
    assert parked(bench) is None
    assert office.get(What.RESUME_ALL, shard=shard)[0] == "done"
    bench.advance(6)
    assert done(bench) == ("timer 20 late", "in time", "rang late")


def test_in_a_paused_shard_nothing_is_replayed(bench: Bench, office: Office) -> None:
    """Not even by the retry of a key that holds for it: who has stopped all has stopped that."""
    do(bench, "a", "raise", name="bad")
    bench.advance(200)
    dead = letter(bench, "bad")
    office.get(What.PAUSE_ALL, shard=dead.shard)
    for status, answer in (
        office.get(What.REPLAY, letter=to_text(id_of("bad")), shard=dead.shard),
        office.get(What.RETRY, "a"),
    ):
        assert (status, answer) == ("refused", f"everything of {dead.shard} is paused: resume that first")


# dead letters


def test_a_replayed_letter_is_applied_in_the_commit_that_says_so(bench: Bench, office: Office) -> None:
    """With as many failures as it had; then its key goes on with its tail."""
    do(bench, "a", "later 1", "fail 6", name="bad")
    do(bench, "a", "two")
    bench.advance(200)
    assert letter(bench, "bad").failures == 5
    about = to_text(id_of("bad"))
    status, answer = office.get(What.REPLAY, letter=about, shard=letter(bench, "bad").shard)
    assert status == "failed"
    assert "has failed again, 6 times in all: tests.unit.worker.bank.HandlerError: attempt 5 of 6" in answer
    again = letter(bench, "bad")
    assert (again.status, again.failures, again.replays) == ("dead", 6, 1)
    assert (reason(bench), disposition(bench, "bad")) == ("held", "dead")
    assert office.get(What.REPLAY, letter=about, shard=again.shard)[0] == "done"
    assert done(bench) == ("later 1", "fail 6", "two")
    assert (letter(bench, "bad").status, letter(bench, "bad").replays) == ("replayed", 2)
    assert disposition(bench, "bad") == "applied"
    assert office.get(What.REPLAY, letter=about, shard=again.shard)[0] == "refused"
    assert len(bench.broker.log("accounts-magnetar-accounts-DLQ", partition_of("a", 2))) == 1


def test_a_held_key_that_is_retried_replays_its_letter(bench: Bench, office: Office) -> None:
    """What blocks it is the dead letter."""
    do(bench, "a", "fail 5", name="bad")
    bench.advance(200)
    assert reason(bench) == "held"
    assert office.get(What.RETRY, "a")[0] == "done"
    assert (done(bench), reason(bench)) == (("fail 5",), "")


def test_a_letter_that_keeps_failing_goes_back_no_more(bench: Bench, office: Office) -> None:
    """Unless somebody says how often it may."""
    do(bench, "a", *NEVER, name="bad")
    where, about = letter(bench, "bad").shard, to_text(id_of("bad"))
    for _ in range(2):
        assert office.get(What.REPLAY, letter=about, shard=where, most="2")[0] == "failed"
    assert "replayed 2 times already" in office.get(What.REPLAY, letter=about, shard=where, most="2")[1]
    assert office.get(What.REPLAY, letter=about, shard=where, most="3")[0] == "failed"


def test_a_replayed_letter_never_overtakes_what_waits_for_its_key() -> None:
    """Of an account that went on without it: it is parked for another message now, or paused."""
    bench = Bench(hasty)
    office = Office(bench)
    do(bench, "a", *NEVER, name="bad")
    do(bench, "a", "raise")
    where, about = letter(bench, "bad").shard, to_text(id_of("bad"))
    status, answer = office.get(What.REPLAY, letter=about, shard=where)
    assert status == "refused"
    assert "what waits for it comes first" in answer
    assert letter(bench, "bad").replays == 0


def test_a_discarded_letter_lets_its_key_go_on(bench: Bench, office: Office) -> None:
    """And is told of as discarded."""
    do(bench, "a", *NEVER, name="bad")
    do(bench, "a", "two")
    about = {"letter": to_text(id_of("bad")), "shard": letter(bench, "bad").shard}
    assert office.get(What.DISCARD, **about)[0] == "done"
    assert (done(bench), disposition(bench, "bad"), letter(bench, "bad").status) == (("two",), "discarded", "discarded")
    assert office.get(What.DISCARD, **about)[0] == "refused"


def test_a_timer_that_died_is_replayed(bench: Bench, office: Office) -> None:
    """It is armed no more."""
    do(bench, "a", "timer 1 bell")
    name = to_text(bench.views.timers_of("accounts", "a")[0].generation)
    bench.moods.watch("commit", _refuses_once(id_of(name)))
    bench.advance(8)
    bench.moods.heal()
    dead = bench.views.letter("accounts", id_of(name))
    assert dead is not None
    assert office.get(What.REPLAY, letter=name, shard=dead.shard)[0] == "done"
    assert done(bench) == ("timer 1 bell", "rang bell")


def _refuses_once(message_id: bytes) -> Callable[..., None]:
    def look(group: Sequence[ShardChanges]) -> None:
        if any(row.message_id == message_id and row.disposition == "applied" for each in group for row in each.journal):
            raise CommitRejected("too large")

    return look


# what may go wrong


def test_a_request_survives_a_takeover_and_is_executed_once(bench: Bench, office: Office) -> None:
    """At whatever point its owner dies."""
    points = [f"phase:{name}" for name in ("reception", "taken", "known", "loaded", "handled", "committed", "idle")]
    for number, point in enumerate(points):
        key = f"k-{number}"
        do(bench, key, "raise", name=key)
        do(bench, key, "two")
        request = office.ask(What.SKIP, key)
        bench.now += SECOND
        bench.until("store.asked:after")
        bench.until(point)
        bench.crash()
        bench.advance(2)
        assert office.answer(request)[0] == "done", point
        assert (done(bench, key), disposition(bench, key)) == (("two",), "skipped"), point


@pytest.mark.parametrize("happened", [True, False])
def test_an_unknown_commit_of_a_request_is_read_back(bench: Bench, office: Office, *, happened: bool) -> None:
    """It is executed once, whether or not it had been committed."""
    do(bench, "a", *NEVER, name="bad")
    office.bench.moods.fail("commit", CommitUnknown("lost"), done=happened)
    assert office.get(What.SKIP, "a")[0] == "done"
    assert disposition(bench, "bad") == "skipped"
    assert parked(bench) is None


def test_a_request_that_the_store_refuses_is_refused(bench: Bench, office: Office) -> None:
    """With what the store said; nothing is done."""
    do(bench, "a", "fail 5", name="bad")
    bench.advance(200)

    def look(group: Sequence[ShardChanges]) -> None:
        if any(each.states for each in group):
            raise CommitRejected("too large")

    bench.moods.watch("commit", look)
    status, answer = office.get(What.RETRY, "a")
    assert (status, answer) == ("refused", "the store refuses it: too large")
    assert reason(bench) == "held"


def test_a_store_that_is_away_is_waited_for(bench: Bench, office: Office) -> None:
    """Nothing is lost, whichever question it does not answer."""
    do(bench, "a", "raise", name="bad")
    for method in ("asked", "parked", "commit"):
        office.bench.moods.fail(method, StoreUnavailable("away"), times=3)
    request = office.ask(What.SKIP, "a")
    bench.advance(5)
    assert office.answer(request)[0] == "done"


def test_requests_and_messages_take_turns(bench: Bench, office: Office) -> None:
    """Many requests keep no message waiting, and many messages no request; requests in their order."""
    keys = [f"k-{number}" for number in range(40)]
    requests = [office.ask(What.PAUSE, key) for key in keys]
    bench.advance(0.4)
    for number in range(5):
        bench.send(Do(account="a", deeds=(str(number),)))
    groups: list[int] = []

    def count(group: Sequence[ShardChanges]) -> None:
        groups.append(sum(len(each.journal) for each in group))

    bench.moods.watch("commit", count)
    bench.advance(2)
    assert done(bench) == ("0", "1", "2", "3", "4")
    assert sum(groups[:3]) == 5
    at = [office.answer(request) for request in requests]
    assert {status for status, _, _ in at} == {"done"}
    for shard in (0, 1):
        mine = [number for number, key in enumerate(keys) if partition_of(key, 2) == shard]
        times = [at[number][2] or 0 for number in mine]
        assert times == sorted(times)


def test_a_shard_that_is_never_idle_is_looked_at_when_a_group_is_done(bench: Bench, office: Office) -> None:
    """A look that falls into a group is made up for right after it, not half a second later."""
    bench.send(Do(account="a", deeds=("one",)))
    bench.until("phase:taken")
    request = office.ask(What.PAUSE, "a")
    bench.now += SECOND
    before = bench.moods.calls["asked"]
    bench.until("phase:idle")
    assert bench.moods.calls["asked"] == before + 1, "the other shard was free"
    bench.step(8)
    assert office.answer(request)[0] == "done"


def test_nobody_elses_requests_are_looked_at(bench: Bench, office: Office) -> None:
    """One for a shard that nobody has stays as it was asked."""
    request = office.ask(What.PAUSE, "a", shard="accounts/9")
    bench.advance(3)
    assert office.answer(request) == ("asked", "", None)
    assert bench.now - START >= 3 * SECOND
