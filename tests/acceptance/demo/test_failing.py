"""The demo's second stage: a provider that fails, embedded and on a real Pulsar, and invariants that can be broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from magnetar.actors.demo.failing.judging import Stage, judge_stage
from magnetar.actors.demo.failing.plan import make_failing_plan
from magnetar.actors.demo.failing.stage import run_stage
from magnetar.actors.demo.ground import Embedded, OnPulsar
from magnetar.schemas.commerce import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from magnetar.runtime.servers.pulsar import PulsarServer
    from magnetar.runtime.wiring import Wiring

TIMEOUT = 1.5


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """A small embedded one, run once."""
    folder = tmp_path_factory.mktemp("failing")
    plan = make_failing_plan(50, seed=3)
    return run_stage(lambda wiring, below, _: Embedded(wiring, below), plan, folder, TIMEOUT, lambda _: None)


def broken(stage: Stage) -> set[str]:
    """Which invariants are, without what they have in common."""
    return {each.promise.removeprefix("provider failing: ") for each in judge_stage(stage) if not each.holds}


def test_every_invariant_holds_though_the_provider_fails(stage: Stage) -> None:
    """Orders were parked while it was away, money was taken, and what was broken has died."""
    assert broken(stage) == set()
    assert stage.parked
    assert stage.count(OrderStatus.CONFIRMED) > 0
    assert len(stage.dead) == len(stage.broken) > 0


@pytest.fixture
def grounds(pulsar_server: PulsarServer) -> Iterator[Callable[[Wiring, Path, str], OnPulsar]]:
    """Makes grounds on a real broker, and leaves no worker behind."""
    made: list[OnPulsar] = []

    def make(wiring: Wiring, folder: Path, provider: str) -> OnPulsar:
        server = pulsar_server
        made.append(OnPulsar(wiring, folder, server.service_url, server.admin_url, str(TIMEOUT), provider))
        return made[-1]

    yield make
    for ground in made:
        ground.stop()


def test_on_a_real_pulsar_every_invariant_holds_too(
    grounds: Callable[[Wiring, Path, str], OnPulsar], tmp_path: Path
) -> None:
    """The same plan, with the worker as a process of its own."""
    assert broken(run_stage(grounds, make_failing_plan(50, seed=4), tmp_path, TIMEOUT, lambda _: None)) == set()


def _charged_again(stage: Stage) -> Stage:
    """The provider's log has one more charge for an order."""
    charge = next(entry for entry in stage.entries if entry.what == "charged")
    return replace(stage, entries=(*stage.entries, msgspec.structs.replace(charge, key="another")))


def _left_standing(stage: Stage) -> Stage:
    """A cancelled order still waits."""
    key = next(key for key, order in stage.orders.items() if order.status is OrderStatus.CANCELLED)
    waiting = msgspec.structs.replace(stage.orders[key], status=OrderStatus.AWAITING_PAYMENT)
    return replace(stage, orders={**stage.orders, key: waiting})


ENDS = "every order came to an end"
ONCE = "no order was charged twice"
KEEPS = "it keeps what confirmed orders cost, nothing else"
RECOVERED = "every order that was parked recovered"
DEAD = "what is broken is a dead letter once, nothing else is"

WRONGS: dict[str, tuple[set[str], Callable[[Stage], Stage]]] = {
    "charged twice": ({ONCE, KEEPS}, _charged_again),
    "nothing charged": ({ONCE, KEEPS}, lambda stage: replace(stage, entries=())),
    "left standing": ({ENDS}, _left_standing),
    "never seen": ({ENDS, KEEPS}, lambda stage: replace(stage, orders={})),
    "parked for ever": ({RECOVERED}, lambda stage: replace(stage, freed=frozenset())),
    "nothing parked": ({RECOVERED}, lambda stage: replace(stage, parked=frozenset())),
    "one more dead": ({DEAD}, lambda stage: replace(stage, dead=(*stage.dead, "o-1"))),
    "dead twice": ({DEAD}, lambda stage: replace(stage, dead=stage.dead * 2)),
    "not dead": ({DEAD}, lambda stage: replace(stage, dead=())),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_the_oracle_of_the_stage_notices(stage: Stage, wrong: str) -> None:
    """Each kind of wrong breaks the invariants that are about it, and no other."""
    promises, plant = WRONGS[wrong]
    assert broken(plant(stage)) == promises


def test_the_guide_tells_every_promise_of_the_stage(stage: Stage) -> None:
    """The second table in the guide holds the sentences that the demo prints."""
    guide = (Path(__file__).parents[3] / "docs" / "guide" / "the-demo.md").read_text(encoding="utf-8")
    lines = guide.split("| it says |")[2].splitlines()[2:]
    told = [line.split("|")[1].strip() for line in lines if line[:1] == "|"]
    assert told == [verdict.promise for verdict in judge_stage(stage)]


@pytest.mark.parametrize(("orders", "wanted"), [(50, 50), (1_000, 100), (100_000, 120)])
def test_the_stage_stays_short_whatever_the_demo_is(orders: int, wanted: int) -> None:
    """The same seed makes the same plan; its provider is away while orders come."""
    plan = make_failing_plan(orders, 9)
    assert plan == make_failing_plan(orders, 9)
    assert len(plan.orders) == wanted
    assert 0.3 < plan.at < plan.messages[-1].at
