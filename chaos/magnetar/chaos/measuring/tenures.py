"""Who had what, from when to when, by looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.record.shape import Tenure

if TYPE_CHECKING:
    from collections.abc import Iterable


class Seen(NamedTuple):
    """Somebody looked: who had what at that time; nobody if `owner` is empty."""

    at: float
    what: str
    owner: str


def tenures(looks: Iterable[Seen]) -> list[Tenure]:
    """From the first look at which it was his to the first at which it was not; by what it was, and time."""
    found: list[Tenure] = []
    since: dict[str, Seen] = {}
    for look in sorted(looks):
        before = since.get(look.what)
        if before is not None and before.owner == look.owner:
            continue
        if before is not None and before.owner:
            found.append(Tenure(look.what, before.owner, before.at, look.at))
        since[look.what] = look
    found += [Tenure(what, seen.owner, seen.at, None) for what, seen in since.items() if seen.owner]
    return sorted(found, key=lambda tenure: (tenure.what, tenure.begin))


def owned(some: Iterable[Tenure], owner: str, at: float) -> list[str]:
    """What somebody had at a time."""
    return [
        each.what for each in some if each.owner == owner and each.begin <= at and (each.end is None or at < each.end)
    ]
