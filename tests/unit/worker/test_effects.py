"""Effects: committed before they are called, asked under one key until there is an answer, told once (R29)."""

from __future__ import annotations

from typing import Any

import pytest

from magnetar.runtime import BrokenPromise, Failed, NotSent
from magnetar.runtime.identity import derive, id_of, to_text
from magnetar.runtime.instant import micros
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.effects import EffectRow, EffectState
from magnetar.runtime.worker.answers import Ending
from magnetar.runtime.worker.breaker import BreakerState, LeftAlone, read
from magnetar.runtime.worker.effects import Effects
from magnetar.runtime.worker.errands import Errands
from tests.unit.worker.outside import Counter
from tests.unit.worker.shopfront import Charged, ChargeUnknown, Declined, Pay, Sulk, psp

LATE = "unknown 3 True TimeoutError: no answer within 2.0 s"


@pytest.fixture
def counter() -> Counter:
    """A worker whose calls a test answers."""
    return Counter()


def rows(counter: Counter, key: str = "o-1") -> list[EffectRow]:
    """What the store says is asked and not answered."""
    return counter.views.effects_of("payments", key)


def ask(counter: Counter, key: str = "o-1", **more: int) -> None:
    """Charge, as far as the calls."""
    counter.send(Pay(order=key, **more), f"pay-{key}")
    counter.step(24)


def test_an_attempt_is_committed_before_its_call(counter: Counter) -> None:
    """R29: when the outside hears of it, the store knows; the call has the key that the handler was given."""
    seen: list[list[EffectRow]] = []
    counter.outside.heard = lambda: seen.append(rows(counter))
    ask(counter)
    [[row]] = seen
    assert (row.state, row.attempts, row.doubtful) == (EffectState.OPEN, 1, 1)
    [job] = counter.outside.jobs
    assert job.call.idempotency_key == counter.payment().keys[0] == to_text(row.effect_id)
    assert (job.call.attempt, job.call.timeout, job.call.key) == (1, psp.timeout, "o-1")


def test_a_success_is_told_once_and_closes_the_effect(counter: Counter) -> None:
    """Its row goes in the commit that applies the outcome; a second answer of the same call is nobody's."""
    ask(counter)
    [row] = rows(counter)
    counter.answer(Charged(reference="r-1"))
    assert (counter.told(), rows(counter)) == (["charged r-1"], [])
    entry = counter.views.entry("payments", derive(row.effect_id, 0))
    assert entry is not None
    assert (entry.source, entry.causation_id) == ("effect", row.causation_id)
    counter.answer(Charged(reference="r-1"))
    counter.advance(60)
    assert (counter.told(), counter.attempts) == (["charged r-1"], [1])


@pytest.mark.parametrize("final", [True, False])
def test_a_refusal_without_doubt_is_told(counter: Counter, final: bool) -> None:  # noqa: FBT001 - drawn by position
    """It was the only attempt, so it is a failure whether it is final or not."""
    ask(counter)
    counter.answer(Failed(Declined(reason="poor"), final=final))
    assert (counter.told(), rows(counter)) == (["declined poor"], [])


def test_a_refusal_counts_as_unknown_while_an_earlier_attempt_may_have_been_done(counter: Counter) -> None:
    """R29: asked again under the same key; what is final for the key is told at once."""
    ask(counter)
    counter.answer(ConnectionError("gone"))
    counter.advance(1.0)
    counter.answer(Failed(Declined(reason="in progress")))
    assert (counter.told(), rows(counter)[0].doubtful) == ([], 1)
    counter.advance(4.0)
    counter.answer(Failed(Declined(reason="poor"), final=True))
    assert (counter.told(), counter.attempts) == (["declined poor"], [1, 2, 3])
    assert len({job.call.idempotency_key for job in counter.outside.jobs}) == 1


def test_a_refusal_counts_again_when_the_earlier_attempts_were_not_sent(counter: Counter) -> None:
    """What has surely not reached the other side leaves no doubt."""
    ask(counter)
    counter.answer(NotSent("no route"))
    assert [(row.state, row.doubtful) for row in rows(counter)] == [(EffectState.ASKED, 0)]
    counter.advance(1.0)
    counter.answer(Failed(Declined(reason="poor")))
    assert counter.told() == ["declined poor"]


def test_a_call_that_takes_too_long_is_unknown_and_asked_again(counter: Counter) -> None:
    """Its thread stays taken; a late answer under the same key still counts, and the effect is told once."""
    ask(counter)
    counter.advance(psp.timeout)
    assert [(row.state, row.attempts) for row in rows(counter)] == [(EffectState.UNKNOWN, 1)]
    counter.advance(1.0)
    assert counter.attempts == [1, 2]
    counter.answer(Charged(reference="late"), 0)
    counter.answer(Charged(reference="again"), 1)
    assert (counter.told(), rows(counter)) == (["charged late"], [])


def test_when_the_attempts_are_over_it_is_told_that_nobody_knows(counter: Counter) -> None:
    """With the last error, and whether anything may have been done."""
    ask(counter)
    for _ in range(psp.attempts):
        counter.answer(ConnectionError("gone"))
        counter.advance(4.0)
    assert counter.told() == ["unknown 3 True ConnectionError: gone"]
    assert (counter.attempts, rows(counter)) == ([1, 2, 3], [])


def test_when_nothing_was_ever_sent_that_is_told(counter: Counter) -> None:
    """Nobody needs to look for the money."""
    ask(counter)
    for _ in range(psp.attempts):
        counter.answer(NotSent("no route"))
        counter.advance(4.0)
    assert counter.told() == ["unknown 3 False magnetar.runtime.errors.NotSent: no route"]


@pytest.mark.parametrize(
    ("late", "told"),
    [
        (Charged(reference="r"), [LATE, "charged r"]),
        (Failed(Declined(reason="d"), final=True), [LATE, "declined d"]),
        (Failed(Declined(reason="d")), [LATE]),
        (ConnectionError("gone"), [LATE]),
    ],
)
def test_an_answer_that_contradicts_what_was_told_is_a_message_of_its_own(
    counter: Counter, late: object, told: list[str]
) -> None:
    """A late capture is never ignored (R29); what says nothing new is."""
    ask(counter)
    counter.advance(psp.timeout)
    counter.advance(1.0)
    counter.answer(ConnectionError("gone"))
    counter.advance(4.0)
    counter.advance(psp.timeout)
    assert counter.told() == told[:1]
    counter.answer(late, 0)
    assert counter.told() == told
    counter.answer(late, 0)
    assert counter.told() == told


def test_an_answer_that_no_contract_holds_is_unknown(counter: Counter) -> None:
    """A function that returns what it does not declare has perhaps done it: nothing is guessed."""
    ask(counter)
    counter.answer("fine")
    counter.advance(1.0)
    counter.answer(Charged(reference=7))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    counter.advance(4.0)
    counter.answer(ChargeUnknown(idempotency_key="k", attempts=1, sent=True, error=""))
    [told] = counter.told()
    assert told.startswith("unknown 3 True magnetar.runtime.errors.MisuseError: its function returned ChargeUnknown")


def test_the_next_owner_asks_again_with_the_same_key_when_the_attempt_has_had_its_time(counter: Counter) -> None:
    """R5, R29: attempts go on from those committed; an open one of a dead worker is in doubt."""
    ask(counter)
    key = counter.outside.jobs[0].call.idempotency_key
    counter.crash()
    assert counter.attempts == []
    counter.advance(psp.timeout)
    assert [(job.call.attempt, job.call.idempotency_key) for job in counter.outside.jobs] == [(2, key)]
    counter.answer(Failed(Declined(reason="who knows")))
    assert counter.told() == []
    counter.advance(4.0)
    counter.answer(Charged(reference="r-1"))
    assert counter.told() == ["charged r-1"]


@pytest.mark.parametrize("point", ["store.commit:before", "store.commit:after", "phase:committed", "phase:effects"])
def test_a_crash_at_any_point_of_an_attempt_leaves_an_effect_that_is_asked(counter: Counter, point: str) -> None:
    """Before or after the attempt is committed, before its call: it is asked by the next owner, and told once."""
    counter.send(Pay(order="o-1"), "pay")
    counter.until("phase:idle")

    def die() -> None:
        counter.points.acts.clear()
        raise SystemExit

    counter.points.acts[point] = die
    with pytest.raises(SystemExit):
        counter.step(24)
    counter.crash_later()
    counter.advance(psp.timeout + 1)
    counter.answer(Charged(reference="r-1"))
    assert counter.told() == ["charged r-1"]


def test_a_last_attempt_that_died_with_its_worker_is_told_as_unknown(counter: Counter) -> None:
    """The attempts are counted in the store, so they are over for the next owner, too."""
    ask(counter)
    for pause in psp.tiers:
        counter.answer(ConnectionError("gone"))
        counter.advance(pause)
    assert counter.attempts == [1, 2, 3]
    counter.crash()
    counter.advance(psp.timeout)
    assert (counter.told(), counter.attempts) == (["unknown 3 True ConnectionError: gone"], [])


def test_an_outcome_joins_the_tail_of_a_parked_key(counter: Counter) -> None:
    """R22: it is handled in its turn; nobody asks again meanwhile, not even the next owner."""
    ask(counter)
    counter.send(Sulk(order="o-1"), "sulk")
    counter.step(16)
    counter.answer(Charged(reference="r-1"))
    assert (counter.told(), rows(counter)) == ([], [])
    assert [row.source for row in counter.views.parked_of("payments", "o-1")] == ["payments/1", "effect"]
    counter.crash()
    counter.advance(10.0)
    assert (counter.told(), counter.attempts) == (["sulked", "charged r-1"], [])


def test_what_a_failed_attempt_of_a_message_asked_is_taken_back(counter: Counter) -> None:
    """Nothing is asked of the outside by a message that was not applied; later it asks once, under the same key."""
    counter.send(Pay(order="o-1", fails=1), "pay")
    counter.step(24)
    assert (counter.attempts, rows(counter)) == ([], [])
    counter.advance(4.0)
    assert counter.attempts == [1]


def test_no_more_calls_at_a_time_than_threads(counter: Counter) -> None:
    """A call that hangs keeps its thread, though it counts as unknown; who waits goes when one has ended."""
    for number in range(4):
        ask(counter, f"o-{number}")
    assert len(counter.outside.jobs) == psp.threads
    counter.advance(psp.timeout + 0.5)
    assert len(counter.outside.jobs) == psp.threads
    counter.answer(Charged(reference="r"), 0)
    assert len(counter.outside.jobs) == psp.threads + 1


def test_no_more_calls_than_the_budget_allows(counter: Counter) -> None:
    """A burst at once, then one each hundredth of a second; no attempt begins for which there is no token."""
    for number in range(psp.burst):
        ask(counter, f"o-{number}")
        counter.answer(Charged(reference="r"))
    assert len(counter.outside.jobs) == psp.burst
    ask(counter, "late")
    assert len(counter.outside.jobs) == psp.burst
    assert [row.attempts for row in rows(counter, "late")] == [0]
    counter.advance(0.02)
    assert len(counter.outside.jobs) == psp.burst + 1


def test_a_full_queue_parks_who_asks_and_spends_no_attempt(counter: Counter) -> None:
    """R29: its key waits, in order, and goes on as soon as there is room; other messages flow."""
    own = [key for key in map("k-{}".format, range(40)) if partition_of(key, 2) == 0]
    *first, late, behind = own[: psp.queue + 2]
    for key in (*first, late):
        ask(counter, key)
    counter.send(Sulk(order=behind), "sulk")
    counter.send(Pay(order=late), "again")
    counter.step(24)
    parked = counter.views.parked_key("payments", late)
    assert parked is not None
    assert (parked.reason, parked.failures, parked.last - parked.first) == ("crowded", 0, 1)
    assert parked.held_by == "psp"
    assert counter.views.failures_of("payments", id_of("pay-" + late)) == []
    while len(counter.outside.jobs) < psp.queue + 2:
        for number in range(len(counter.outside.jobs)):
            counter.outside.answer(Charged(reference="r"), number)
        counter.advance(0.5)
    counter.answer(Charged(reference="r"), -2)
    counter.answer(Charged(reference="r"), -1)
    assert counter.views.parked_key("payments", late) is None
    assert counter.told(late) == ["charged r"] * 2


def test_an_open_breaker_pauses_the_calls_and_not_the_topic(counter: Counter) -> None:
    """No attempt is spent meanwhile; a probe tries it, and what waited goes when it succeeds."""
    for number in range(4):
        ask(counter, f"o-{number}")
        counter.answer(ConnectionError("gone"))
    assert ("psp", BreakerState.OPEN) in counter.observer.of("breaker")
    counter.send(Sulk(order="free"), "sulk")
    counter.advance(20.0)
    assert len(counter.outside.jobs) == 4
    assert counter.told("free") == ["sulked"]
    assert all(row.attempts == 1 for number in range(4) for row in rows(counter, f"o-{number}"))
    counter.advance(10.5)
    assert len(counter.outside.jobs) == 5, "one probe"
    counter.answer(Charged(reference="r"))
    assert ("psp", BreakerState.CLOSED) in counter.observer.of("breaker")
    assert len(counter.outside.jobs) == 7
    assert [ending for _, ending, _ in counter.observer.of("called")] == [*[Ending.UNKNOWN] * 4, Ending.SUCCESS]


def test_others_are_told_of_a_breaker_until_it_closes(counter: Counter) -> None:
    """With the heartbeat, by the store's clock: since when it is not closed, and until when nobody is called."""
    for number in range(4):
        ask(counter, f"o-{number}")
        counter.answer(ConnectionError("gone"))
    opened = counter.now
    counter.advance(1.0)
    [member] = counter.views.members()
    until = opened + micros(psp.breaking.opens)
    assert read(member.left_alone) == {"psp": LeftAlone(opened, until)}
    counter.advance(30.0)
    counter.answer(ConnectionError("still gone"))
    counter.advance(1.0)
    [member] = counter.views.members()
    assert read(member.left_alone)["psp"].since == opened
    assert read(member.left_alone)["psp"].until > until
    counter.advance(30.0)
    counter.answer(Charged(reference="r"))
    counter.advance(1.0)
    assert [member.left_alone for member in counter.views.members()] == [""]


def test_what_is_asked_is_due_although_the_stores_clock_was_put_back(counter: Counter) -> None:
    """R5: its shard's time stands still, at what that clock had shown; nobody waits until it shows that again."""
    first, second = [key for key in map("k-{}".format, range(9)) if partition_of(key, 2) == 0][:2]
    began = counter.now
    counter.engine.holdings.learn_clock(micros(600), micros(600))
    ask(counter, first)
    counter.answer(Charged(reference="ahead"))
    counter.advance(1.0)  # a heartbeat later it is known to be right
    assert counter.engine.holdings.clock_offset == 0
    ask(counter, second)
    [row] = rows(counter, second)
    assert (row.asked_at, counter.now) == (began + micros(600), began + micros(1))
    counter.answer(Charged(reference="at once"))
    assert (counter.told(first), counter.told(second)) == (["charged ahead"], ["charged at once"])


def test_a_zombie_hears_its_answer_and_tells_nobody(counter: Counter) -> None:
    """The shard is another's now: that one asks, under the same key."""
    ask(counter)
    zombie, old = counter.engine, counter.outside
    counter.crash_later()
    counter.run()
    old.answer(Charged(reference="zombie"))
    for _ in range(24):
        zombie.step(counter.now)
    assert counter.told() == []
    counter.advance(psp.timeout)
    counter.answer(Charged(reference="heir"))
    assert counter.told() == ["charged heir"]


def test_an_attempt_that_is_not_committed_is_never_called(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run-time assertion: a bug that calls first stops the worker."""

    def too_early(effects: Any, line: Any, shard: Any, row: EffectRow, *times: int) -> None:
        begin(effects, line, shard, row, *times)
        move = shard.errands.moves.pop()
        shard.errands.to_call.append(move.row)
        shard.errands.rows[row.effect_id] = row

    def always(*_: object) -> bool:
        return True

    begin: Any = Effects._begin
    monkeypatch.setattr(Effects, "_begin", too_early)
    monkeypatch.setattr(Errands, "waits", always)
    counter.send(Pay(order="o-1"), "pay")
    with pytest.raises(BrokenPromise, match="about to make attempt 1"):
        counter.step(24)


def test_backoff_is_kept_by_the_next_owner(counter: Counter) -> None:
    """When it is asked next is in the store."""
    ask(counter)
    counter.answer(ConnectionError("gone"))
    [row] = rows(counter)
    assert row.due == counter.now + micros(psp.tiers[0])
    assert (row.error, row.error_text) == ("ConnectionError", "gone")
    counter.crash()
    counter.advance(0.5)
    assert counter.attempts == []
    counter.advance(0.6)
    assert counter.attempts == [2]
