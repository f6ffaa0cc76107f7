"""What a cluster is made to bear: how many of each role may be away while everything must go on. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.chaos.scenarios import spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.chaos.cluster.profile import Profile
    from magnetar.chaos.scenarios.spec import Deed

_DISKS = (spec.FillDisk, spec.FreezeDisk, spec.FailDisk, spec.GoBack)
_AWAY = (spec.Kill, spec.Crash, spec.Pause, spec.Isolate, spec.LosePower, *_DISKS)


def away(deed: Deed, targets: Sequence[str], ones: int) -> tuple[str, ...]:
    """The nodes that a fault takes from the others; `targets` as it found them, the first `ones` of a cut as its side.

    A cut takes its side away, for all that it is cut from; what is over at once takes nobody.
    """
    if isinstance(deed, _AWAY):
        return tuple(targets)
    return tuple(targets[:ones]) if isinstance(deed, spec.Cut) else ()


def is_within(profile: Profile, gone: Iterable[str]) -> bool:
    """Whether all goes on without these nodes. Roles without a budget, as the provider, may be away altogether."""
    counts = Counter(profile.node(name).role for name in set(gone))
    return all(count <= profile.spare.get(role, count) for role, count in counts.items())
