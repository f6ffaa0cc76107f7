"""`magnetar schema apply`: which versions of which topics it hands on, and how it shows what there is to say."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from magnetar.actors.charging.shop import SHOP
from magnetar.runtime.bus.pulsar.released import Told
from magnetar.runtime.cli.applying import picture, problems, released
from magnetar.runtime.cli.contracts import contracts_of
from magnetar.runtime.cli.gating import working_of
from magnetar.runtime.compose.schemas import Answer, Set
from magnetar.schemas import commerce, gate, generate
from tests.unit.cli.shop import app

AVRO = Path(commerce.__file__).parent / "avro"
FULL = "persistent://public/shop/orders"
ANSWER = Answer(
    [Set("set policy", "public/shop isAllowAutoUpdateSchema", "true", "false")],
    [
        Told(FULL, "found", (1, 2), (0, 0)),
        Told(FULL, "strangers", broker=(1,), reason="no release has these"),
        Told(FULL, "CONFLICT", (3,), reason="the broker refuses it", conflict=True),
    ],
)


def drawn(width: int) -> str:
    """The picture in a terminal of that width."""
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    console.print(picture(ANSWER, width))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_each_topic_has_its_lines() -> None:
    """As a table."""
    assert drawn(120).splitlines() == [
        "action      target                               what",
        "set policy  public/shop isAllowAutoUpdateSchema  true → false",
        f"found       {FULL}      versions 1, 2 as the broker's 0, 0",
        f"strangers   {FULL}      the broker's 1: no release has these",
        f"CONFLICT    {FULL}      version 3: the broker refuses it",
    ]


def test_a_narrow_terminal_gets_blocks() -> None:
    """Nothing is cut off."""
    assert drawn(60).splitlines()[:4] == [
        "set policy  public/shop isAllowAutoUpdateSchema",
        "            true → false",
        f"found       {FULL}",
        "            versions 1, 2 as the broker's 0, 0",
    ]


def test_an_app_without_topics_has_nothing_to_do() -> None:
    """And is told so."""
    assert "nothing to do" in str(picture(Answer([], []), 80))


def test_the_versions_of_the_shop(tmp_path: Path) -> None:
    """All of each topic, the oldest first; one that has changed since, or was never released, is a problem."""
    wiring = SHOP.wire()
    registry = gate.load(AVRO)
    assert released(wiring, registry)["orders"] == {1: registry.versions["topics/orders"][0].text}
    generate(contracts_of(wiring), tmp_path)
    empty = problems(wiring, gate.load(tmp_path))
    assert empty.keys() == {name for name, topic in wiring.topics.items() if topic.partitions is not None}
    assert "never released" in empty["orders"]
    planned = gate.plan(gate.load(tmp_path), working_of(wiring), "2026-01-01T00:00:00Z", "all of it")
    assert planned is not None
    gate.publish(planned, tmp_path)
    assert problems(wiring, gate.load(tmp_path)) == {}
    changed = gate.load(tmp_path)
    changed.versions["topics/orders"] = changed.versions["topics/stock"]
    assert "has changed since version 1" in problems(wiring, changed)["orders"]


def test_a_remotes_topics_are_not_ours() -> None:
    """Neither registered nor missed."""
    wiring = app.wire()
    remotes = {name for name, topic in wiring.topics.items() if topic.partitions is None}
    assert remotes
    assert not remotes & (released(wiring, gate.Registry()).keys() | problems(wiring, gate.Registry()).keys())
