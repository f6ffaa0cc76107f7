"""Storms: harms of many kinds, one over the other, drawn from a seed, and a few that stay to the end. Pure.

Each seed leaves out kinds and roles altogether: all of them in each storm would hide what only few together do.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from magnetar.chaos.cluster.profile import PROFILES, Role
from magnetar.chaos.scenarios.bearing import can_be, exceeds, recent
from magnetar.chaos.scenarios.harms import KIND, KINDS, Harm, deed_of
from magnetar.chaos.scenarios.spec import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.chaos.cluster.profile import Node, Profile
    from magnetar.chaos.scenarios.harms import Kind

T = TypeVar("T")

MOST_MINUTES: Final = 4.0
"""Of one scenario, before proofs take their time: what it writes must have room on the disks of one cluster."""
_ENABLED: Final = 0.5
_LEAST_KINDS, _LEAST_ROLES = 3, 2
_LEAST: Final = 1 / 20
"""Harms a second: fewer are no storm."""
_TRIES: Final = 30
_MANNERS: Final = ("slow", "silent", "cuts", "fails", "lies", "busy", "twice", "garbles")
PROOFS: Final = {"kill": 6.0, "restart": 10.0}
_PROOF: Final = 1.5
"""Seconds that striking, proving and healing take beside the time in force: whoever was ended has to start."""
_FOR_GOOD: Final = ("kill", "pause", "isolate")
RECOVERY: Final = 120.0


def storms(seed: int, profile: str, minutes: float) -> list[Scenario]:
    """As many scenarios as it takes; each is a function of the seed, the profile, its number and its length."""
    count = max(1, math.ceil(minutes / MOST_MINUTES))
    return [storm(seed, profile, minutes / count, part if count > 1 else 0) for part in range(1, count + 1)]


def storm(seed: int, profile: str, minutes: float, part: int = 0) -> Scenario:
    """One of at most `MOST_MINUTES`; `part`: of a longer one, from 1."""
    name = f"S35-{seed}" + (f".{part}" if part else "")
    harms = planned(random.Random(f"storm {name} {profile}"), PROFILES[profile], minutes * 60)  # noqa: S311 - a seed
    kinds = sorted({harm.kind.do for harm in harms})
    dead = ", ".join(harm.node.name for harm in harms if harm.stays)
    return Scenario.model_validate(
        {
            "id": name,
            "title": f"A storm of {len(harms)} faults, and a minority that stays away",
            "text": f"Drawn from the seed {seed}: {', '.join(kinds)}, one over the other. Away to the end: {dead}; all "
            "must recover and come to rest without that, and nothing may happen when it comes back.",
            "profile": profile,
            "load": {"poison": 2},
            "phases": {"recover": RECOVERY + 30, "drain": 180},
            "faults": [deed_of(harm, required=None if harm.stays else False) for harm in harms],
            "bounds": {"recovery": {"seconds": RECOVERY, "why": _WHY}},
            "needs": [
                {"what": "applied", "least": 200},
                {"what": "dead letters", "least": 2},
            ],
        }
    )


_WHY: Final = (
    "several parts come back at once and one after the other, each with its own back-off, while a minority stays away "
    "and the backlog of the storm is done"
)


@dataclass(frozen=True, slots=True)
class Weather:
    """What one storm is made of.

    at_once: so many harms at most. pause: seconds from one to the next, on average; longest: for how long one is in
    force at most. bold: how often one may take more away than the cluster is made to bear.
    """

    kinds: tuple[Kind, ...]
    roles: tuple[Role, ...]
    at_once: int
    pause: float
    longest: float
    bold: float

    @classmethod
    def of(cls, chance: random.Random) -> Weather:
        """Each kind and each role is in it or not."""
        kinds = _some(chance, KINDS, _LEAST_KINDS)
        there = list(dict.fromkeys(role for kind in kinds for role in kind.roles))
        return cls(
            kinds=kinds,
            roles=_some(chance, there, _LEAST_ROLES),
            at_once=chance.choice((1, 2, 2, 3, 4)),
            pause=chance.uniform(3.0, 9.0),
            longest=chance.uniform(6.0, 18.0),
            bold=chance.choice((0.0, 0.1, 0.3)),
        )


def _some(chance: random.Random, things: Sequence[T], least: int) -> tuple[T, ...]:
    """Each or not, but no fewer than so many; in their order."""
    sure = chance.sample(range(len(things)), least)
    return tuple(thing for place, thing in enumerate(things) if place in sure or chance.random() < _ENABLED)


def planned(chance: random.Random, profile: Profile, seconds: float) -> list[Harm]:
    """By time, the minority that stays away last; `seconds` with the time that proofs are likely to take.

    A weather that brings too little, as one of kinds that come to none of its roles, is no storm.
    """
    while True:
        harms, end = _weathered(chance, Weather.of(chance), profile, seconds)
        if len(harms) >= seconds * _LEAST:
            return [*harms, *_last(list(_minority(chance, profile)), harms, profile, end)]


def _weathered(chance: random.Random, weather: Weather, profile: Profile, seconds: float) -> tuple[list[Harm], float]:
    """What it brings, and when it is over."""
    harms, at, proofs = list[Harm](), chance.uniform(0.0, 3.0), 0.0
    while at + proofs < seconds:
        near = recent(harms, at)
        for harm in _drawn(chance, weather, profile, at):
            if _fits(harm, near, weather, chance, profile):
                harms.append(harm)
                proofs += PROOFS.get(harm.kind.do, _PROOF)
                break
        at += max(0.5, chance.expovariate(1 / weather.pause))
    return harms, at


def _minority(chance: random.Random, profile: Profile) -> Iterator[Harm]:
    """Of one role or several so many as can be spared, at the least one; soon after each other."""
    spared = [role for role, count in profile.spare.items() if count]
    roles = chance.sample(spared, chance.randint(1, len(spared)))
    for number, role in enumerate(roles):
        for node in chance.sample(profile.of(role), chance.randint(1, profile.spare[role])):
            yield Harm(KIND[chance.choice(_FOR_GOOD)], node, float(number), math.inf)


def _last(dead: Sequence[Harm], harms: Sequence[Harm], profile: Profile, begin: float) -> list[Harm]:
    """The minority, as soon as all of it can be proven: others may still be in force."""
    while True:
        found = [replace(harm, begin=harm.begin + begin) for harm in dead]
        if can_be([*recent(harms, begin), *found], profile):
            return found
        begin += 1.0


def _drawn(chance: random.Random, weather: Weather, profile: Profile, at: float) -> Iterator[Harm]:
    """Some that might be next."""
    for _ in range(_TRIES):
        kind = chance.choice(weather.kinds)
        roles = [role for role in kind.roles if role in weather.roles]
        if roles:
            node = chance.choice(profile.of(chance.choice(roles)))
            lasts = chance.uniform(3.0, weather.longest) if kind.lasts else 0.0
            yield _made(chance, kind, node, at, at + lasts)


def _made(chance: random.Random, kind: Kind, node: Node, begin: float, end: float) -> Harm:
    other = chance.choice(kind.others[node.role]) if kind.others else None
    ways = chance.choice(("both", "both", "there", "back")) if not kind.lives else "both"
    key = f"orders/o-{chance.randrange(100)}" if kind.do == "unload" else ""
    manners = chance.sample(_MANNERS, chance.randint(1, 3)) if kind.do == "misbehave" else []
    return Harm(kind, node, begin, end, other, ways, key, tuple((manner, 0.1) for manner in manners))


def _fits(harm: Harm, harms: Sequence[Harm], weather: Weather, chance: random.Random, profile: Profile) -> bool:
    """It can be proven, there are not too many at once, and more is away than can be borne only now and then."""
    at_once = sum(each.begin <= harm.begin < each.end for each in harms)
    if at_once >= weather.at_once or not can_be([*harms, harm], profile):
        return False
    return not exceeds(harm, harms, profile) or chance.random() < weather.bold
