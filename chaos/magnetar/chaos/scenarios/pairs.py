"""Pairs: each kind of harm to each role after each other one, while that is in force or while it recovers. Pure.

All pairs are in one chain, in which each harm is the second of one pair and the first of the next; a scenario is a
stretch of it, and neighbours share the harm at which they meet.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from magnetar.chaos.cluster.profile import PROFILES, Role
from magnetar.chaos.scenarios.bearing import BREATH, REST, can_be, recent
from magnetar.chaos.scenarios.harms import KIND, Harm, deed_of
from magnetar.chaos.scenarios.spec import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.chaos.cluster.profile import Profile

PARTS: Final = 16
"""Scenarios that all pairs are played in: each is some minutes, and has room on the disks of one cluster."""
_ROLES: Final = (Role.BROKER, Role.BOOKIE, Role.ZOOKEEPER, Role.WORKER, Role.STORE)
_HOLDS: Final = 7.0
_BRIEFLY: Final = 3.0
"""Seconds in force; of whoever cannot be spared, so briefly that sessions outlive it."""


class Part(NamedTuple):
    """One half of a pair."""

    do: str
    role: Role


EVERY: Final = tuple(
    Part(do, role) for do in ("kill", "pause", "isolate", "fill-disk") for role in _ROLES if role in KIND[do].roles
)
BOUNDS: Final = {Role.BROKER: 20.0, Role.BOOKIE: 30.0, Role.ZOOKEEPER: 45.0, Role.WORKER: 20.0, Role.STORE: 15.0}
"""Seconds within which all goes as before when one of a role alone was harmed, as scenarios of the suite have it."""


def pairs(seed: int, profile: str, part: int, parts: int = PARTS) -> Scenario:
    """The `part`-th (from 1) of so many scenarios, which have all pairs between them."""
    harms = planned(seed, PROFILES[profile], part, parts)
    longest = max(BOUNDS[harm.node.role] for harm in harms)
    return Scenario.model_validate(
        {
            "id": f"S34-{seed}.{part}",
            "title": f"Pairs of faults, {part} of {parts}: {len(harms) - 1} of {len(EVERY) ** 2}",
            "text": f"Drawn from the seed {seed}: each fault strikes while the one before it is in force, or while all "
            "recovers from it. Between them the parts have every ordered pair of kill, pause, cut off and full disk, "
            "of broker, bookie, ZooKeeper, worker and store.",
            "profile": profile,
            "phases": {"recover": longest * 1.5 + 30, "drain": 120},
            "faults": [deed_of(harm, required=False) for harm in harms],
            "bounds": {
                "recovery": {
                    "seconds": longest * 1.5,
                    "why": f"the longest of its parts alone, {longest:g} s, and half as much again",
                }
            },
            "needs": [{"what": "applied", "least": 200}],
        }
    )


def planned(seed: int, profile: Profile, part: int, parts: int) -> list[Harm]:
    """The harms of one scenario, by time."""
    chain = chained(seed)
    steps = len(chain) - 1
    begin, end = steps * (part - 1) // parts, steps * part // parts
    chance, found = random.Random(f"pairs {seed} {part} of {parts}"), list[Harm]()  # noqa: S311 - a seed
    for each in chain[begin : end + 1]:
        found.append(next(_placed(each, found, profile, chance)))
    return found


def chained(seed: int) -> list[Part]:
    """All parts in such an order that each comes right after each once, itself too: a round of a complete graph."""
    chance = random.Random(f"pairs {seed}")  # noqa: S311 - a seed
    left = {part: chance.sample(EVERY, len(EVERY)) for part in EVERY}
    path, found = [chance.choice(EVERY)], list[Part]()
    while path:
        if left[path[-1]]:
            path.append(left[path[-1]].pop())
        else:
            found.append(path.pop())
    return found[::-1]


def _placed(part: Part, before: Sequence[Harm], profile: Profile, chance: random.Random) -> Iterator[Harm]:
    """Where it can be, best first: during the one before it or right after it, else as soon as it can be proven."""
    nodes = chance.sample(profile.of(part.role), len(profile.of(part.role)))
    holds = _HOLDS if profile.spare[part.role] else _BRIEFLY
    for at in _moments(before, chance):
        for node in nodes:
            harm = Harm(KIND[part.do], node, at, at + holds)
            if can_be([*recent(before, at), harm], profile):
                yield harm


def _moments(before: Sequence[Harm], chance: random.Random) -> list[float]:
    if not before:
        return [0.0]
    last = before[-1]
    during, after = last.begin + (last.end - last.begin) / 2, last.end + BREATH
    first = [during, after] if chance.random() < 2 / 3 else [after, during]
    return [*first, *(last.end + BREATH + step for step in range(1, int(2 * REST)))]


def covered(harms: Sequence[Harm]) -> list[tuple[Part, Part]]:
    """The pairs of a chain."""
    parts = [Part(harm.kind.do, harm.node.role) for harm in harms]
    return list(pairwise(parts))
