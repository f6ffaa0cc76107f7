"""Faults of the network: links cut both ways, one way or in part, and connections reset."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from magnetar.chaos.cluster.profile import CONTROL
from magnetar.chaos.cluster.running import run
from magnetar.chaos.faults.fault import Proof

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.chaos.cluster.ground import Ground
    from magnetar.chaos.cluster.profile import Node
    from magnetar.chaos.cluster.switch import Link
    from magnetar.chaos.faults.fault import InForce
    from magnetar.chaos.faults.targets import Target

_MOST_WORDS = 8


class Ways(Enum):
    """In which direction nothing comes through, seen from the first to the second."""

    BOTH = "↮"
    THERE = "↛"
    BACK = "↚"


def between(ones: Iterable[Node], others: Iterable[Node], ways: Ways) -> frozenset[Link]:
    """The links of two sets of nodes; a node has none to itself."""
    pairs = [(one, other) for one in ones for other in others if one != other]
    there = () if ways is Ways.BACK else pairs
    back = () if ways is Ways.THERE else ((other, one) for one, other in pairs)
    return frozenset([*there, *back])


@dataclass(frozen=True, slots=True)
class Cut:
    """No link between two sets of nodes; what else they have stays, so a part of a role is a partial partition."""

    one: Target
    other: Target
    ways: Ways = Ways.BOTH

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"cut {self.one.title} {self.ways.value} {self.other.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        ones, others = self.one.resolve(ground), self.other.resolve(ground)
        return _cut(ground, (*ones, *others), between(ones, others, self.ways))


@dataclass(frozen=True, slots=True)
class Isolate:
    """No link from or to them; among themselves they talk."""

    target: Target
    ways: Ways = Ways.BOTH

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"isolate {self.target.title} {self.ways.value}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        ones = self.target.resolve(ground)
        others = [node for node in ground.profile.nodes if node not in ones]
        return _cut(ground, ones, between(ones, others, self.ways))


def _cut(ground: Ground, nodes: Sequence[Node], links: frozenset[Link]) -> InForce:
    ground.switch.cut(links)
    return _Cut(ground, nodes, links)


@dataclass(frozen=True, slots=True)
class _Cut:
    ground: Ground
    nodes: Sequence[Node]
    links: frozenset[Link]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(node.name for node in self.nodes))

    def took_effect(self) -> Proof:
        """Datagrams on all links of its nodes: none comes through on these, and all do on those that nobody has cut."""
        return heard_as_wanted(self.ground, self._all(), self.links)

    def heal(self) -> None:
        """Once: another cut of the same link stays."""
        self.ground.switch.heal(self.links)

    def healed(self) -> Proof:
        return heard_as_wanted(self.ground, self._all(), frozenset())

    def _all(self) -> frozenset[Link]:
        return between(self.nodes, (CONTROL, *self.ground.profile.nodes), Ways.BOTH)


def heard_as_wanted(ground: Ground, links: frozenset[Link], silent: frozenset[Link]) -> Proof:
    """Whether of these links exactly those are silent that should be, or that another fault has cut."""
    heard, cut = ground.hearing.heard(links), ground.switch.cuts | silent
    wrongly_heard, wrongly_silent = heard & silent, links - heard - cut
    words = [
        f"{len(silent)} of {len(links)} links silent",
        *(f"heard: {_named(wrongly_heard)}" for _ in [0] if wrongly_heard),
        *(f"not heard: {_named(wrongly_silent)}" for _ in [0] if wrongly_silent),
    ]
    return Proof(not wrongly_heard and not wrongly_silent, "; ".join(words))


def _named(links: frozenset[Link]) -> str:
    names = sorted(f"{sender.name}→{receiver.name}" for sender, receiver in links)
    return ", ".join(names[:_MOST_WORDS]) + (
        f" and {len(names) - _MOST_WORDS} more" if len(names) > _MOST_WORDS else ""
    )


@dataclass(frozen=True, slots=True)
class Reset:
    """Every TCP connection between two sets of nodes is broken at once, at both ends; new ones may be made."""

    one: Target
    other: Target

    @property
    def title(self) -> str:
        """See `Fault`."""
        return f"reset {self.one.title} ↮ {self.other.title}"

    def inject(self, ground: Ground) -> InForce:
        """See `Fault`."""
        ones, others = self.one.resolve(ground), self.other.resolve(ground)
        before = {name for one in ones for name in connections(ground, one, others)}
        for one in ones:
            ground.estate.require(one)
            for other in others:
                run(*ground.switch.prefix(one), *_SOCKETS, "--kill", "dst", other.address)
        return _Reset(ground, ones, others, frozenset(before))


_SOCKETS = ("ss", "--tcp", "--numeric", "--no-header", "state", "established")


@dataclass(frozen=True, slots=True)
class _Reset:
    ground: Ground
    ones: Sequence[Node]
    others: Sequence[Node]
    before: frozenset[str]

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(node.name for node in (*self.ones, *self.others))

    def took_effect(self) -> Proof:
        """None of the connections of that moment is left; where there was none, nothing was done."""
        left = {name for one in self.ones for name in connections(self.ground, one, self.others)} & self.before
        words = f"{len(self.before)} connections, {len(left)} of them left"
        return Proof(bool(self.before) and not left, words)

    def heal(self) -> None:
        """It is over."""

    def healed(self) -> Proof:
        return heard_as_wanted(self.ground, between(self.ones, self.others, Ways.BOTH), frozenset())


def connections(ground: Ground, one: Node, others: Sequence[Node]) -> frozenset[str]:
    """The TCP connections that a node has to others, by both ends."""
    said = run(*ground.switch.prefix(one), *_SOCKETS)
    return frozenset(
        name
        for name in map(ends, said.splitlines())
        if name.split(" ")[1].rpartition(":")[0] in {other.address for other in others}
    )


def ends(line: str) -> str:
    """Both ends of a line of `ss`: its last two words."""
    here, there = line.split()[-2:]
    return f"{here} {there}"
