"""Which harms can be done one beside another so that each can be proven, and its end as well. Pure.

That is not the fault budget: it is about what can be *seen*. Nobody can be killed who is down, or whose process ends by
itself at about that time since what it needs is away; and who was killed does not come up before that is back.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from magnetar.chaos.scenarios.harms import NEEDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.chaos.cluster.profile import Profile, Role
    from magnetar.chaos.scenarios.harms import Harm

REST: Final = 12.0
"""Seconds until whoever ended by itself, since what it needs was away, is back."""
BREATH: Final = 1.0
"""Seconds from the end of a harm to the next one at the same node: that end is proven, so it is well."""


def can_be(harms: Sequence[Harm], profile: Profile) -> bool:
    """Whether each of them can be proven beside the others."""
    return all(_is_alone(harm, harms) and _is_borne(harm, harms, profile) for harm in harms)


def recent(harms: Iterable[Harm], at: float) -> list[Harm]:
    """Those that what begins then, or later, can be in the way of, or they in its."""
    return [harm for harm in harms if harm.end + REST > at]


def exceeds(harm: Harm, others: Iterable[Harm], profile: Profile) -> bool:
    """Whether it takes, at some moment, more away than the cluster is made to bear."""
    found = [harm, *others]
    moments = [each.begin for each in found if harm.begin <= each.begin < harm.end]
    return harm.kind.away and any(harm.node.role in _lacking(_in_force(found, at), profile) for at in moments)


def _is_alone(harm: Harm, harms: Iterable[Harm]) -> bool:
    """One at a time at a node; who was cut off may have ended, and comes again."""
    for other in harms:
        if other is harm or other.node != harm.node or other.begin > harm.begin:
            continue
        rest = REST if harm.kind.lives and not other.kind.lives else BREATH
        if harm.begin < other.end + rest:
            return False
    return True


def _is_borne(harm: Harm, harms: Sequence[Harm], profile: Profile) -> bool:
    """Whoever it needs is there when it strikes, was there long enough before, and is there again when it is healed."""
    others, begin = [other for other in harms if other is not harm], harm.begin
    if any(other.begin <= begin < other.end + REST and other.node.role in harm.kind.beside for other in others):
        return False
    if not harm.kind.lives:
        return True
    needs = set(NEEDS[harm.node.role])
    moments = [begin - REST, *(other.begin for other in others if begin - REST < other.begin <= begin)]
    if any(_lacking(_in_force(others, at), profile) & needs for at in moments):
        return False
    last = [other for other in others if other.begin < harm.end <= other.end]
    return harm.stays or not _lacking(last, profile) & needs


def _in_force(harms: Iterable[Harm], at: float) -> list[Harm]:
    return [harm for harm in harms if harm.begin <= at < harm.end]


def _lacking(harms: Iterable[Harm], profile: Profile) -> set[Role]:
    """Roles of which more are away than can be spared."""
    counts = Counter(node.role for node in {harm.node for harm in harms if harm.kind.away})
    return {role for role, count in counts.items() if count > profile.spare.get(role, count)}
