"""Durable timers: when they fire, what they wait for, and what makes them a no-op (R26)."""

from __future__ import annotations

import pytest

from magnetar.runtime import Actor, App, Policy
from magnetar.runtime.instant import SECOND, Instant
from magnetar.runtime.worker.engine import Settings
from magnetar.runtime.worker.timers import Clockwork
from tests.unit.worker import bank
from tests.unit.worker.bank import Account, Do, accounts
from tests.unit.worker.bench import START, Bench

QUICK: Instant = 50_000


def rung(bench: Bench, key: str = "a") -> list[tuple[str, Instant]]:
    """Which timers were applied to a key, and when, in microseconds since the start."""
    names = [word.removeprefix("rang ") for word in bench.state(accounts, key).done if word.startswith("rang ")]
    times = [row.now - START for row in bench.journal(accounts, key) if row.source == "timer"]
    return list(zip(names, times, strict=True))


@pytest.fixture
def bench() -> Bench:
    """A worker that owns everything."""
    return Bench()


@pytest.mark.parametrize("after", [0, 0.001, 1, 59.9, 60, 61, 3600])
def test_a_timer_fires_on_time(bench: Bench, after: float) -> None:
    """Within 50 ms of its due time, inside the window held in memory and beyond it."""
    bench.send(Do(account="a", deeds=(f"timer {after} t",)))
    bench.run()
    bench.advance(after + 1)
    [(name, at)] = rung(bench)
    assert name == "t"
    assert 0 <= at - after * SECOND <= QUICK


@pytest.mark.parametrize("after", [10, 100])
def test_a_timer_survives_its_worker(bench: Bench, after: int) -> None:
    """It is durable: the next worker fires it, on time, once."""
    bench.send(Do(account="a", deeds=(f"timer {after} t",)))
    bench.run()
    bench.crash()
    bench.advance(after + 1)
    [(name, at)] = rung(bench)
    assert name == "t"
    assert 0 <= at - after * SECOND <= QUICK


def test_a_timer_that_was_due_while_nobody_ran_fires_at_once(bench: Bench) -> None:
    """Late is better than never."""
    bench.send(Do(account="a", deeds=("timer 10 t",)))
    bench.run()
    bench.now += 100 * SECOND
    bench.crash()
    bench.run()
    assert [name for name, _ in rung(bench)] == ["t"]


def test_a_cancelled_timer_never_fires(bench: Bench) -> None:
    """Its row is gone too."""
    bench.send(Do(account="a", deeds=("timer 10 t",)))
    bench.run()
    bench.send(Do(account="a", deeds=("cancel t",)))
    bench.run()
    bench.advance(20)
    assert rung(bench) == []
    assert bench.views.timers_of("accounts", "a") == []


def test_scheduling_again_replaces(bench: Bench) -> None:
    """A key has one timer of a name: the later decision counts, earlier or later due."""
    for seconds in (10, 30, 20):
        bench.send(Do(account="a", deeds=(f"timer {seconds} t",)))
        bench.run()
    bench.advance(60)
    [(_, at)] = rung(bench)
    assert 0 <= at - 20 * SECOND <= QUICK


def test_timers_of_several_names_are_apart(bench: Bench) -> None:
    """Each has its own due time, and they fire in its order."""
    bench.send(Do(account="a", deeds=("timer 30 late", "timer 10 early", "timer 20 middle", "cancel middle")))
    bench.run()
    bench.advance(40)
    assert [name for name, _ in rung(bench)] == ["early", "late"]


def test_what_was_published_in_time_beats_the_timer(bench: Bench) -> None:
    """After an outage the message that was published before the due time is applied first, and cancels."""
    bench.send(Do(account="a", deeds=("timer 10 t",)))
    bench.run()
    bench.bus.disconnect()
    bench.now += 5 * SECOND
    for number in range(700):  # more than one group
        bench.send(Do(account="a" if number == 699 else f"x-{number}", deeds=("cancel t",)))
    bench.now += 60 * SECOND
    bench.crash()
    bench.advance(10)
    assert rung(bench) == []
    assert bench.state(accounts, "a").done[-1] == "cancel t"


def test_what_was_published_too_late_does_not(bench: Bench) -> None:
    """A message published after the due time finds the timer fired, though both waited for the worker."""
    bench.send(Do(account="a", deeds=("timer 10 t",)))
    bench.run()
    bench.bus.disconnect()
    bench.now += 15 * SECOND
    bench.crash()
    bench.run()
    bench.send(Do(account="a", deeds=("cancel t",)))
    bench.run()
    assert [name for name, _ in rung(bench)] == ["t"]


def impatient() -> App:
    """The bank, with accounts whose timers wait two seconds at most."""
    actor = Actor("accounts", Account, publishes=[bank.Told], rows=[bank.Booking], policy=Policy(2, 2.0))
    for handler in accounts.handlers:
        actor.handles(handler)
    return App("bank", actor, bank.branches)


def test_a_timer_waits_no_longer_than_its_policy() -> None:
    """The broker does not say whether something older is left: after `punctuality` it fires all the same."""
    bench = Bench(impatient())
    bench.send(Do(account="a", deeds=("timer 10 t",)))
    bench.run()
    bench.advance(9.5)
    bench.bus.cut()
    bench.advance(2)
    assert rung(bench) == []
    bench.advance(1)
    [(_, at)] = rung(bench)
    assert 12 * SECOND <= at <= 12 * SECOND + QUICK


def test_a_timer_cancelled_on_its_way_to_the_turn_is_a_no_op(bench: Bench) -> None:
    """It fired while a group was in hand that cancels it: this generation is not the armed one any more."""
    bench.send(Do(account="a", deeds=("timer 10 t",)))
    bench.run()
    bench.advance(9.9)
    bench.send(Do(account="a", deeds=("cancel t",)))
    bench.until("phase:loaded")
    bench.now += 60 * SECOND
    bench.until("phase:committed")
    bench.run()
    assert rung(bench) == []
    assert bench.observer.of("stale_timers") == [("accounts", 1)]


def test_only_a_window_of_timers_is_in_memory() -> None:
    """Later ones are in the store, and are looked up in time."""
    bench = Bench(settings=Settings(clockwork=Clockwork(window=10.0)))
    bench.send(Do(account="a", deeds=tuple(f"timer {seconds} t{seconds}" for seconds in (5, 200, 300))))
    bench.run()
    bench.advance(30)
    assert bench.shard(accounts, "a").timetable.armed == {}
    bench.advance(300)
    assert [(name, round(at / SECOND, 1)) for name, at in rung(bench)] == [
        ("t5", 5.0),
        ("t200", 200.0),
        ("t300", 300.0),
    ]
