"""What the engine tells its observers: each event once, and as one of few reasons; and several observers as one."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from magnetar.runtime.bus.port import BusUnavailable, Busy
from magnetar.runtime.store.port import CommitRejected, CommitUnknown, StoreUnavailable, Taker
from magnetar.runtime.worker.observer import Loss, Observer, Observers, Takeover, Wait
from tests.unit.worker.bank import Do
from tests.unit.worker.bench import Bench

HOOKS = sorted(name for name, member in vars(Observer).items() if inspect.isfunction(member))


def heard(bench: Bench, hook: str) -> set[tuple[Any, ...]]:
    """What this hook was told since the last clearing."""
    return set(bench.observer.of(hook))


@pytest.mark.parametrize("hook", HOOKS)
def test_several_observers_hear_the_same(hook: str) -> None:
    """Every hook is passed on as it came, to each in turn."""
    told: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def ear(name: str) -> Observer:
        def hear(*said: object, **named: object) -> None:
            told.append((name, said, named))

        made = Observer()
        setattr(made, hook, hear)
        return made

    parameters = list(inspect.signature(getattr(Observer, hook)).parameters.values())[1:]
    said = [object() for each in parameters if each.kind is not each.KEYWORD_ONLY]
    named = {each.name: object() for each in parameters if each.kind is each.KEYWORD_ONLY}
    getattr(Observers(ear("first"), ear("second")), hook)(*said, **named)
    assert told == [("first", tuple(said), named), ("second", tuple(said), named)]


def test_no_observer_is_fine_too() -> None:
    """Nobody hears it."""
    Observers().lost("accounts/0", "taken", Loss.TAKEN)


def test_a_takeover_says_how_the_shard_was_left() -> None:
    """Never owned, released, or left by somebody who died."""
    bench = Bench()
    assert {how for _, how in heard(bench, "taken_over")} == {Takeover.FIRST}
    bench.observer.heard.clear()
    bench.crash()
    assert {how for _, how in heard(bench, "taken_over")} == {Takeover.UNCLEAN}
    bench.engine.ownership.leave()
    bench.advance(1)
    bench.observer.heard.clear()
    bench.crash()
    assert {how for _, how in heard(bench, "taken_over")} == {Takeover.RELEASED}


def test_the_assignment_names_every_shard() -> None:
    """One worker is given all of them."""
    bench = Bench()
    [assigned] = bench.observer.of("assigned")
    assert set(assigned) == {shard.name for shard in bench.engine.holdings.shards()}


def test_a_zombie_is_told_of_its_refused_commit() -> None:
    """Per shard, and the shard is lost for that reason."""
    bench = Bench()
    bench.send(Do(account="a"))
    bench.until("phase:handled")
    [name] = {batch.shard.name for batch in bench.engine.turn.batches}
    bench.database.open().take(name, 1, Taker("thief"))
    bench.step(4)
    assert bench.observer.of("refused") == [(name,)]
    assert bench.observer.of("loss") == [(name, Loss.FENCED)]


def test_each_loss_has_its_reason() -> None:
    """Taken, cut off from the store, cut off from the broker, released."""
    bench = Bench()
    bench.database.open().take("accounts/0", 1, Taker("thief"))
    bench.advance(1.1)
    assert heard(bench, "loss") == {("accounts/0", Loss.TAKEN)}
    for trouble, loss in (("store", Loss.STORE), ("broker", Loss.BROKER), ("leave", Loss.RELEASED)):
        bench.run()
        bench.observer.heard.clear()
        if trouble == "store":
            bench.moods.always["beat"] = StoreUnavailable("away")
        elif trouble == "broker":
            bench.bus.cut()
        else:
            bench.engine.ownership.leave()
        bench.advance(8)
        assert {reason for _, reason in heard(bench, "loss")} == {loss}
        bench.moods.heal()
        bench.bus.heal()


def test_the_store_and_the_broker_are_reached_each_second() -> None:
    """While they answer; one that does not is waited for instead."""
    bench = Bench()
    bench.observer.heard.clear()
    bench.advance(1.1)
    assert heard(bench, "reached") == {(Wait.STORE,), (Wait.BROKER,)}
    bench.observer.heard.clear()
    bench.bus.cut()
    bench.advance(1.1)
    assert heard(bench, "reached") == {(Wait.STORE,)}
    assert {on for _, on in heard(bench, "wait")} == {Wait.BROKER}


def test_a_transaction_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the loop's own clock, and only one that ended well."""
    bench = Bench()
    bench.observer.heard.clear()
    ticks = iter(range(100))
    monkeypatch.setattr(bench.engine.turn, "_clock", lambda: next(ticks))
    bench.moods.fail("commit", StoreUnavailable("away"))
    bench.send(Do(account="a"))
    bench.run()
    assert {took for (took,) in bench.observer.of("stored")} == {1}
    assert len(bench.observer.of("stored")) == len(bench.observer.of("committed"))


@pytest.mark.parametrize(
    ("error", "on"),
    [
        (Busy("held"), Wait.HOLDER),
        (BusUnavailable("silence"), Wait.BROKER),
        (StoreUnavailable("away"), Wait.STORE),
        (CommitUnknown("cut"), Wait.STORE),
    ],
)
def test_each_error_of_a_port_says_what_is_waited_for(
    error: Busy | BusUnavailable | StoreUnavailable | CommitUnknown, on: Wait
) -> None:
    """Busy is no failure of the broker: it has answered."""
    assert Wait.of(error) is on


def test_a_refused_group_is_no_outage() -> None:
    """The store answers: it is the content that it refuses."""
    bench = Bench()
    bench.moods.fail("commit", CommitRejected("too long"))
    for number in range(3):
        bench.send(Do(account=f"a-{number}"))
    bench.run()
    assert {on for _, on in heard(bench, "wait")} == {Wait.REFUSAL}
