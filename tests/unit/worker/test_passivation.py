"""Idle entities leave memory, and come back when there is mail for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.worker import passivation
from magnetar.runtime.worker.batch import Limits
from magnetar.runtime.worker.engine import Settings
from tests.unit.worker.bank import Do, accounts
from tests.unit.worker.bench import Bench

if TYPE_CHECKING:
    import pytest


def live(bench: Bench) -> set[str]:
    """The keys in memory."""
    return {key for shard in bench.engine.holdings.shards() for key in shard.entities}


def bench_of(idle: float = 60.0, most: int = 1000) -> Bench:
    """A bench with these bounds."""
    return Bench(settings=Settings(limits=Limits(idle=idle, live=most)))


def test_an_idle_entity_is_dropped_soon_after_its_time() -> None:
    """It stays as long as `idle` says, and goes within one part in sixteen more."""
    bench = bench_of(idle=600.0)
    bench.send(Do(account="a"))
    bench.run()
    bench.advance(599)
    assert live(bench) == {"a"}
    bench.advance(40)
    assert live(bench) == set()


def test_an_entity_in_use_stays() -> None:
    """What counts is the last message, not the first."""
    bench = bench_of(idle=60.0)
    for _ in range(5):
        bench.send(Do(account="a"))
        bench.run()
        bench.advance(50)
        assert live(bench) == {"a"}
    bench.advance(60)
    assert live(bench) == set()


def test_a_dropped_entity_is_loaded_again() -> None:
    """Mail for it goes on from the committed state, as if it had never left."""
    bench = bench_of(idle=60.0)
    bench.send(Do(account="a", deeds=("one",)))
    bench.run()
    bench.advance(120)
    bench.send(Do(account="a", deeds=("two",)))
    bench.run()
    assert bench.state(accounts, "a").done == ("one", "two")
    assert [row.version for row in bench.journal(accounts, "a")] == [1, 2]
    assert live(bench) == {"a"}


def test_a_loaded_entity_is_dropped_too() -> None:
    """One that came from the store is no different from one that was made here."""
    bench = bench_of(idle=60.0)
    bench.send(Do(account="a"))
    bench.run()
    bench.crash()
    bench.send(Do(account="a"))
    bench.run()
    assert live(bench) == {"a"}
    bench.advance(120)
    assert live(bench) == set()


def test_a_timer_wakes_a_dropped_entity() -> None:
    """Its timers are the shard's, and stay."""
    bench = bench_of(idle=60.0)
    bench.send(Do(account="a", deeds=("timer 300 late",)))
    bench.run()
    bench.advance(299)
    assert live(bench) == set()
    bench.advance(2)
    assert bench.state(accounts, "a").done[-1] == "rang late"


def test_above_the_bound_the_longest_idle_go_first() -> None:
    """`live` bounds the whole worker, not a shard; who was used last stays."""
    bench = bench_of(idle=600.0, most=10)
    for number in range(30):
        bench.send(Do(account=f"a-{number}"))
        bench.run()
        bench.advance(40)
    assert live(bench) == {f"a-{number}" for number in range(20, 30)}


def test_no_step_looks_at_more_than_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many that are due at once are dropped in several steps, with the loop's other work between them."""
    monkeypatch.setattr(passivation, "LOOKS", 7)
    bench = bench_of(idle=60.0)
    for number in range(50):
        bench.send(Do(account=f"a-{number}"))
    bench.run()
    bench.now += 120 * 1_000_000
    counts: list[int] = []
    while live(bench):
        before = len(live(bench))
        bench.step()
        counts.append(before - len(live(bench)))
    assert 1 <= max(counts) <= 14  # two shards hold them, each within the bound
    assert len(counts) >= 4


def test_nothing_leaves_while_a_group_is_in_hand() -> None:
    """What a group has loaded stays until it is committed, however idle it was."""
    bench = bench_of(idle=60.0)
    bench.send(Do(account="a"))
    bench.run()
    bench.now += 59 * 1_000_000
    bench.send(Do(account="a"))
    bench.until("phase:loaded")
    bench.now += 120 * 1_000_000
    bench.until("phase:handled")
    assert live(bench) == {"a"}
    bench.run()
    assert [row.version for row in bench.journal(accounts, "a")] == [1, 2]


def test_a_reference_stays_good() -> None:
    """An `ActorRef` taken before the entity left reaches it afterwards."""
    bench = bench_of(idle=60.0)
    bench.send(Do(account="a", deeds=("one",)))
    bench.run()
    ref = bench.shard(accounts, "a").entity("a").actor_ref
    bench.advance(120)
    assert live(bench) == set()
    answer = ref.ask(Do(account="a", deeds=("two",)), block=False)
    bench.run()
    assert answer.get(timeout=0).done == ("one", "two")
