"""Alive and ready are different questions, and a worker that lags or owns nothing answers both with yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from magnetar.runtime.store.port import StoreUnavailable
from magnetar.runtime.telemetry.health import Readiness, ailments
from magnetar.runtime.threads.loop import Pulse
from magnetar.runtime.worker.observer import Loss, Observer, Observers, Wait
from tests.unit.worker.bank import Do
from tests.unit.worker.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE = 10.0


def test_a_loop_that_steps_sleeps_or_is_between_lives() -> None:
    """Nothing to complain of."""
    pulse = Pulse()
    assert ailments(pulse, DEADLINE, 100.0) == []
    pulse.stepping_since = 95.0
    assert ailments(pulse, DEADLINE, 100.0) == []


def test_a_loop_that_hangs_has_failed_or_has_ended_does_not_live() -> None:
    """With the reason, but without the text of an error, which may hold anything."""
    hanging, failed, ended = Pulse(stepping_since=85.0), Pulse(failure=ValueError("secret")), Pulse()
    ended.ended.set()
    assert ailments(hanging, DEADLINE, 100.0) == ["the loop has been in one step for 15.0 s"]
    assert ailments(failed, DEADLINE, 100.0) == ["the loop has stopped: ValueError"]
    assert ailments(ended, DEADLINE, 100.0) == ["the loop has ended"]


class Ready(Bench):
    """A bench whose readiness is heard, in the bench's time."""

    def __init__(self, *, start: bool = True) -> None:
        self.readiness = Readiness(clock=lambda: self.now / 1_000_000)
        super().__init__(start=start)

    def audience(self) -> Observer:
        """The readiness hears it too."""
        return Observers(self.observer, self.readiness)

    def reasons(self) -> str:
        """All of them."""
        return "; ".join(self.readiness.reasons())


def test_a_worker_is_ready_when_it_has_reached_both() -> None:
    """Not before it owns something or was told that another worker has it."""
    bench = Ready(start=False)
    assert "the store has not been reached yet; the broker has not been reached yet" in bench.reasons()
    bench.run()
    assert bench.reasons() == ""


def test_a_worker_that_owns_nothing_is_ready() -> None:
    """Everything is another worker's: broker and store answer all the same."""
    bench = Ready(start=False)
    bus, other = bench.worker("other")
    for _ in range(40):
        other.step(bench.now)
    assert other.quiet
    bench.advance(30)
    assert not bench.engine.holdings.shards()
    assert bench.reasons() == ""
    bus.disconnect()


def test_a_worker_without_a_message_stays_ready() -> None:
    """For as long as its checks are answered."""
    bench = Ready()
    bench.advance(100)
    assert bench.reasons() == ""


def test_a_worker_that_lags_is_ready() -> None:
    """A schema that cannot be fetched, a destination that is blocked, a long queue: none of these is its own."""
    bench = Ready()
    for number in range(50):
        bench.send(Do(account=f"a-{number}"))
    bench.readiness.waiting("accounts/0", "no such schema", Wait.SCHEMA)
    bench.readiness.blocked("accounts/0", "accounts-events/1", "quota")
    bench.readiness.waiting("accounts/0", "too long", Wait.REFUSAL)
    assert bench.reasons() == ""


@pytest.mark.parametrize("trouble", ["store", "broker"])
def test_a_worker_that_does_not_reach_one_of_them_says_so(trouble: str) -> None:
    """After two seconds, not at the first hiccup, for as long as it lasts, also when its shards are gone."""
    bench = Ready()
    if trouble == "store":
        for method in ("epochs", "take", "now"):
            bench.moods.always[method] = StoreUnavailable("password=hunter2")
    else:
        bench.bus.cut()
    bench.advance(1.5)
    assert bench.reasons() == ""
    bench.advance(2.5)
    assert bench.reasons().startswith(f"the {trouble} has not answered for")
    bench.advance(60)
    assert f"the {trouble} has not answered for" in bench.reasons()
    assert "hunter2" not in bench.reasons()
    bench.moods.heal()
    bench.bus.heal()
    bench.advance(2)
    assert bench.reasons() == ""


def test_a_worker_that_the_assignment_passes_over_is_not_ready() -> None:
    """Until it is named again, with no shard at all."""
    bench = Ready()
    bench.readiness.excluded("an older release than the store's")
    assert bench.reasons() == "the assignment passes this worker over: an older release than the store's"
    bench.readiness.assigned([])
    assert bench.reasons() == ""


class Contacts(RuleBasedStateMachine):
    """Against what it should say, from the whole story."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.readiness = Readiness(clock=lambda: self.now)
        self.readiness.assigned([])
        self.story: dict[str, list[tuple[float, bool]]] = {"store": [], "broker": []}

    @rule(passed=st.floats(0, 20))
    def wait(self, passed: float) -> None:
        """Time passes."""
        self.now += passed

    @rule(
        event=st.sampled_from(["reached", "owned", "committed", "relayed", "holder", "waits", "lost"]), on=st.booleans()
    )
    def hear(self, event: str, *, on: bool) -> None:
        """Something is told."""
        wait, loss = (Wait.STORE, Loss.STORE) if on else (Wait.BROKER, Loss.BROKER)
        hooks: dict[str, Callable[[], None]] = {
            "reached": lambda: self.readiness.reached(wait),
            "owned": lambda: self.readiness.owned("a/0", 1),
            "committed": lambda: self.readiness.committed([], 0),
            "relayed": lambda: self.readiness.relayed("a/0", 1, 0),
            "holder": lambda: self.readiness.waiting("a/0", "held", Wait.HOLDER),
            "waits": lambda: self.readiness.waiting("a/0", "away", wait),
            "lost": lambda: self.readiness.lost("a/0", "away", loss),
        }
        hooks[event]()
        good = event not in {"waits", "lost"}
        both = {"owned": ("store", "broker"), "holder": ("store", "broker"), "committed": ("store",)}
        for name in both.get(event, ("broker",) if event == "relayed" else (wait.value,)):
            self.story[name].append((self.now, good))

    @invariant()
    def says_what_is_so(self) -> None:
        """Never reached, failing for two seconds, or silent for fifteen: not ready; else ready."""
        expected = [name for name, story in self.story.items() if self._is_bad(story)]
        assert [
            next(word for word in ("store", "broker") if word in told) for told in self.readiness.reasons()
        ] == expected

    def _is_bad(self, story: list[tuple[float, bool]]) -> bool:
        good = [at for at, well in story if well]
        if not good:
            return True
        since = len(story) - 1 - [well for _, well in story][::-1].index(True)
        failing = [at for at, _ in story[since + 1 :]]
        return bool(failing and self.now - failing[0] >= 2) or self.now - good[-1] >= 15


TestContacts = Contacts.TestCase
