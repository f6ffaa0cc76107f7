"""When faults of links, topics and processors count as proven: by what was seen, whatever was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.chaos.cluster import groups, levers, parts, throttle
from magnetar.chaos.cluster.errors import CommandFailed, NoOwner
from magnetar.chaos.cluster.levers import Taking
from magnetar.chaos.cluster.profile import SMALL
from magnetar.chaos.faults.limits import LimitCpu
from magnetar.chaos.faults.rates import LimitRate
from magnetar.chaos.faults.targets import Named
from magnetar.chaos.faults.topics import Seek, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.cluster.profile import Node

NAMES = ("broker-1", "worker-1")
PID = 7


@dataclass
class Station:
    """A process that is there, and well."""

    node: Node

    def pids(self) -> Sequence[int]:
        """Always the same."""
        return [PID]

    def lacks(self) -> str:
        """Nothing."""
        return ""


@dataclass
class Topic:
    """Who takes it."""

    subscriptions: tuple[str, ...] = ("orders",)


@dataclass
class Wired:
    """One topic."""

    topics: dict[str, Topic] = field(default_factory=lambda: {"orders": Topic()})


@dataclass
class Place:
    """As much of a ground as these need."""

    wiring: Wired = field(default_factory=Wired)
    profile: Any = SMALL
    estate: Any = None
    debts: Any = None
    switch: Any = None

    def station(self, node: Node) -> Station:
        """Everybody is there."""
        return Station(node)


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Topics have names and owners."""

    def topic_of(_ground: object, topic: str, _key: str) -> str:
        return topic

    def owner(_ground: object, _topic: str) -> Node:
        return SMALL.node("broker-2")

    monkeypatch.setattr(parts, "topic_of", topic_of)

    def ledger(_ground: object, _topic: str) -> object:
        return object()

    monkeypatch.setattr(parts, "owner", owner)
    monkeypatch.setattr(parts, "ledger", ledger)
    return Place()


@pytest.mark.parametrize(
    ("flow", "narrow", "wide"),
    [
        ((948.0, 950.0), True, False),
        ((948.0, 900_000.0), False, False),
        ((900_000.0, 948.0), False, False),
        ((0.0, 948.0), False, False),
        ((3_000.0, 3_000.0), False, False),
        ((200_000.0, 300_000.0), False, True),
    ],
)
def test_a_port_is_narrow_if_little_comes_through_both_ways(
    ground: Any,
    monkeypatch: pytest.MonkeyPatch,
    flow: tuple[float, float],
    *,
    narrow: bool,
    wide: bool,
) -> None:
    """And wide again when much does; nothing at all is a cut."""
    done: list[str] = []

    def narrowed(_estate: object, node: Node, _kilobits: int) -> None:
        done.append(node.name)

    def widened(_estate: object, node: Node) -> None:
        done.remove(node.name)

    def flowing(*_told: object) -> tuple[float, float]:
        return flow

    monkeypatch.setattr(throttle, "narrow", narrowed)
    monkeypatch.setattr(throttle, "widen", widened)
    monkeypatch.setattr(throttle, "flow", flowing)
    force = LimitRate(Named(NAMES), 1_000).inject(ground)
    assert done == list(NAMES)
    assert (force.took_effect().holds, force.healed().holds) == (narrow, wide)
    force.heal()
    assert done == []


def test_what_was_narrowed_before_it_failed_is_wide_again(
    ground: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run goes on, and this fault was not struck."""
    done: list[str] = []

    def narrowed(_estate: object, node: Node, _kilobits: int) -> None:
        if done:
            raise CommandFailed(("tc",), "File exists")
        done.append(node.name)

    def widened(_estate: object, node: Node) -> None:
        done.remove(node.name)

    monkeypatch.setattr(throttle, "narrow", narrowed)
    monkeypatch.setattr(throttle, "widen", widened)
    with pytest.raises(CommandFailed, match="File exists"):
        LimitRate(Named(NAMES), 1_000).inject(ground)
    assert done == []


@pytest.mark.parametrize(
    ("then", "now", "proven", "told"),
    [
        ((100, Taking(100, 0)), (110, Taking(210, 90)), True, "orders got 100 again"),
        ((100, Taking(90, 10)), (110, Taking(110, 0)), False, "orders got 0 again"),
        ((100, Taking(100, 0)), (3, Taking(2, 1)), False, "orders got -1 again"),
        ((100, Taking(100, 0)), None, False, "nobody is the broker"),
    ],
)
def test_a_seek_is_one_if_more_is_handed_out_than_has_come(
    ground: Any,
    monkeypatch: pytest.MonkeyPatch,
    then: tuple[int, Taking],
    now: tuple[int, Taking] | None,
    told: str,
    *,
    proven: bool,
) -> None:
    """What waited before and what is new was to be handed out anyway; it is over when hardly anything waits."""
    answers: list[tuple[int, Taking] | None] = [then, now, now]
    rewound: list[tuple[str, str]] = []

    def taking(*_told: object) -> tuple[int, Taking]:
        answer = answers.pop(0)
        if answer is None:
            raise NoOwner("the broker", "503")
        return answer

    def rewind(_ground: object, topic: str, subscription: str) -> None:
        rewound.append((topic, subscription))

    monkeypatch.setattr(levers, "taking", taking)
    monkeypatch.setattr(levers, "rewind", rewind)
    force = Seek("orders", "o-17").inject(ground)
    proof = force.took_effect()
    assert rewound == [("orders", "orders")]
    assert (proof.holds, proof.evidence.startswith(told)) == (proven, True), proof
    assert force.healed().holds == (now is not None and now[1].waiting <= 20)


@pytest.mark.parametrize(
    ("now", "proven"),
    [("0x00000000_0x20000000", True), ("0x00000000_0x40000000", False), ("0x40000000_0x60000000", False), ("", False)],
)
def test_a_split_is_one_if_the_topic_is_in_a_part(
    ground: Any,
    monkeypatch: pytest.MonkeyPatch,
    now: str,
    *,
    proven: bool,
) -> None:
    """Not if it moved to another bundle, or nobody says where it is."""
    answers = ["0x00000000_0x40000000", now]

    def bundle(*_told: object) -> str:
        if not answers[0]:
            raise NoOwner("the broker", "503")
        return answers.pop(0)

    def split(*_told: object) -> None:
        """Said."""

    monkeypatch.setattr(levers, "bundle", bundle)
    monkeypatch.setattr(levers, "split", split)
    force = Split("orders", "o-17").inject(ground)
    assert force.took_effect().holds == proven
    assert force.healed().evidence == "broker-2 has it"


@dataclass
class Group:
    """Who is in it, and how often somebody had to wait."""

    place: Path
    inside: frozenset[int] = frozenset({PID})
    waits: int = 3

    def pids(self) -> frozenset[int]:
        """As it was told."""
        return self.inside

    def held_back(self) -> int:
        """As it was told."""
        return self.waits

    def leave(self) -> None:
        """It is gone."""
        self.place.rmdir()


@pytest.mark.parametrize(
    ("inside", "waits", "proven"),
    [({PID, 8}, 3, True), ({PID}, 0, False), ({8}, 3, False), (set[int](), 3, False)],
)
def test_who_is_limited_is_in_there_and_had_to_wait(
    ground: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    inside: set[int],
    waits: int,
    *,
    proven: bool,
) -> None:
    """One who was started anew meanwhile is not; when it is healed, the group is gone."""

    def limited(_estate: object, _debts: object, node: Node, *_told: object) -> Group:
        (tmp_path / node.name).mkdir()
        return Group(tmp_path / node.name, frozenset(inside), waits)

    monkeypatch.setattr(groups, "limited", limited)
    force = LimitCpu(Named(NAMES), 0.1).inject(ground)
    assert force.took_effect().holds == proven
    assert not force.healed()
    force.heal()
    assert force.healed().evidence == "broker-1: ready; worker-1: ready"
