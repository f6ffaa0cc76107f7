"""`magnetar demo`, embedded and on a real Pulsar, and an oracle that must notice each kind of wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from magnetar.actors.demo.facts import Facts
from magnetar.actors.demo.ground import Embedded, OnPulsar
from magnetar.actors.demo.oracle import judge
from magnetar.actors.demo.page import page
from magnetar.actors.demo.plan import Story, make_plan
from magnetar.actors.demo.run import Result, demo_shop, run_demo
from magnetar.schemas.commerce import OrderStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.servers.pulsar import PulsarServer

TIMEOUT = 1.5


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A small embedded demo, run once."""
    folder = tmp_path_factory.mktemp("demo")
    wiring = demo_shop(TIMEOUT).app.wire()
    plan = make_plan(120, seed=3, payment_timeout=TIMEOUT, spread=1.0)
    return run_demo(Embedded(wiring, folder), wiring, plan, folder, lambda _: None)


def test_the_embedded_demo_keeps_every_invariant_through_its_crash(result: Result) -> None:
    """All promises hold, none against nothing, and the crash and the duplicates really happened."""
    assert [verdict for verdict in result.verdicts if not verdict.holds] == []
    assert result.began_at < result.crashed_at < result.back_at
    assert result.measured.duplicates > 0
    metered = sum(count for _, count in result.measured.commits)
    assert metered < len(result.facts.journal), "the crash fell after a commit that nobody was told of"


def test_the_demo_on_a_real_pulsar_keeps_every_invariant(pulsar_server: PulsarServer, tmp_path: Path) -> None:
    """The same plan, a worker process, SIGKILL."""
    wiring = demo_shop(TIMEOUT).app.wire()
    plan = make_plan(80, seed=4, payment_timeout=TIMEOUT, spread=1.5)
    ground = OnPulsar(wiring, tmp_path, pulsar_server.service_url, pulsar_server.admin_url, str(TIMEOUT))
    try:
        result = run_demo(ground, wiring, plan, tmp_path, lambda _: None)
    finally:
        ground.stop()
    assert [verdict for verdict in result.verdicts if not verdict.holds] == []


def _journal(facts: Facts, wanted: Callable[[str], bool]) -> Facts:
    return replace(facts, journal=[row for row in facts.journal if wanted(row.type)])


def _forget_an_order(facts: Facts) -> Facts:
    """One order's state says that it still waits for its payment."""
    key = next(key for key, order in facts.orders.items() if order.status is OrderStatus.CONFIRMED)
    waiting = msgspec.structs.replace(facts.orders[key], status=OrderStatus.AWAITING_PAYMENT)
    return replace(facts, orders={**facts.orders, key: waiting})


def _lose_units(facts: Facts) -> Facts:
    """One unit of one SKU is gone."""
    sku = next(iter(facts.stock))
    shelf = facts.stock[sku]
    return replace(facts, stock={**facts.stock, sku: msgspec.structs.replace(shelf, on_hand=shelf.on_hand - 1)})


WRONGS: dict[str, tuple[str, Callable[[Facts], Facts]]] = {
    "a message applied twice": (
        "every message sent was applied exactly once",
        lambda facts: replace(facts, journal=[*facts.journal, *facts.journal[:400]]),
    ),
    "a message never applied": (
        "every message sent was applied exactly once",
        lambda facts: _journal(facts, lambda kind: not kind.endswith(".Place")),
    ),
    "a message from nowhere": (
        "nothing was applied that stands on no topic",
        lambda facts: replace(facts, published=dict(list(facts.published.items())[50:])),
    ),
    "a decided message not published": (
        "every decided message was published exactly once",
        lambda facts: replace(facts, decided=facts.decided + Counter(["0198aaaa-0000-7000-8000-000000000000"])),
    ),
    "a message published twice": (
        "every decided message was published exactly once",
        lambda facts: replace(facts, published={name: seen * 2 for name, seen in facts.published.items()}),
    ),
    "a version left out": (
        "per key, versions run without a gap",
        lambda facts: replace(facts, journal=[row for row in facts.journal if row.version != 2]),
    ),
    "an order left standing": ("every order came to an end", _forget_an_order),
    "stock lost": ("stock is neither oversold nor lost", _lose_units),
    "money kept for nothing": (
        "every capture was kept for a confirmed order, or asked back once",
        lambda facts: replace(facts, refunds=Counter[str]()),
    ),
    "money sent back twice": (
        "every capture was kept for a confirmed order, or asked back once",
        lambda facts: replace(facts, refunds=facts.refunds + facts.refunds),
    ),
    "a confirmed order without its payment": (
        "every confirmed order was paid once, no other kept money",
        lambda facts: replace(
            facts,
            payments={key: msgspec.structs.replace(payment, captures=()) for key, payment in facts.payments.items()},
        ),
    ),
    "a row left in the outbox": ("no decided message is left unsent", lambda facts: replace(facts, unsent=1)),
    "no copies at all": (
        "copies of messages were really there to be absorbed",
        lambda facts: replace(facts, published={name: seen[:1] for name, seen in facts.published.items()}),
    ),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_the_oracle_notices(result: Result, wrong: str) -> None:
    """Each kind of wrong, planted into good facts, breaks the invariant that is about it, and names a witness."""
    promise, plant = WRONGS[wrong]
    verdict = next(verdict for verdict in judge(plant(result.facts)) if verdict.promise == promise)
    assert not verdict.holds
    assert verdict.broken


def test_an_invariant_held_against_nothing_does_not_hold(result: Result) -> None:
    """Empty facts prove nothing: every verdict says so, or says what is missing."""
    nothing = Facts({}, {}, [], {}, {}, {}, Counter(), 0)
    assert [verdict.promise for verdict in judge(nothing) if verdict.holds] == ["no decided message is left unsent"]
    assert all(verdict.holds for verdict in result.verdicts)


def test_the_page_stands_alone_and_tells_a_broken_promise(result: Result) -> None:
    """One file, no request to anywhere; a broken invariant and its witness are on it."""
    broken = replace(result, verdicts=judge(_lose_units(result.facts)))
    text = page(broken, bus="a <bus>", crash="none", seed=3)
    assert "an invariant is broken" in text
    assert "stock is neither oversold nor lost" in text
    assert "http" not in text
    assert "a &lt;bus&gt;" in text


def test_the_guide_tells_every_promise_in_its_order(result: Result) -> None:
    """The table in the guide holds the sentences that the demo prints."""
    guide = (Path(__file__).parents[3] / "docs" / "guide" / "the-demo.md").read_text(encoding="utf-8")
    told = [line.split("|")[1].strip() for line in guide.split("| it says |")[1].splitlines()[2:] if line[:1] == "|"]
    assert told == [verdict.promise for verdict in result.verdicts]


def test_the_same_seed_makes_the_same_plan_with_every_story() -> None:
    """A plan depends on its arguments only, and holds every kind of customer."""
    first, again = (make_plan(300, seed=9, payment_timeout=3.0, spread=5.0) for _ in range(2))
    assert first == again
    assert set(first.stories.values()) == set(Story)
    assert make_plan(300, seed=10, payment_timeout=3.0, spread=5.0) != first


def test_the_command_prints_json_and_the_page_exists(tmp_path: Path) -> None:
    """`magnetar demo --json` prints one document; exit status 0; the page is where it says."""
    magnetar = Path(sys.executable).parent / "magnetar"
    command = [str(magnetar), "demo", "--json", "--orders", "60", "--payment-timeout", "1"]
    ran = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, timeout=90, check=False)
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["ok"]
    assert all(each["holds"] for each in document["invariants"])
    assert Path(document["report"]).read_text(encoding="utf-8").startswith("<!doctype html>")
