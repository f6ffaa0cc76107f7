"""Operations of the load: when each was meant to begin, and when it was done, by what the store and the topics hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.measuring.looks import reached
from magnetar.chaos.record.shape import Point
from magnetar.chaos.takeover.reading import effects_seen
from magnetar.runtime.identity import id_of
from magnetar.runtime.instant import SECOND
from magnetar.runtime.routing import partition_of
from magnetar.runtime.store.port import Disposition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.measuring.looks import Look
    from magnetar.chaos.record.shape import Outcome, Phase, PhaseName
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import JournalRow


class Meant(NamedTuple):
    """An operation as its customer meant it: seconds from the begin of the run."""

    at: float
    message_id: str
    op: str
    key: str
    actor: str
    partitions: int


class Fate(NamedTuple):
    """What became of a message: whether it was applied, and when its effect could be seen."""

    applied: bool
    seen: Instant


def fates(evidence: Evidence, looks: Iterable[Look] = ()) -> dict[tuple[str, bytes], Fate]:
    """Of each message of each actor that has a disposition.

    It is seen when the first of what it decided is published, which is after its commit; of one that decided nothing,
    when it was handled. Both are told by clocks of the cluster; `looks`, where these are wrong: when somebody saw it.
    """
    effects, seen = effects_seen(evidence), reached(evidence, looks)
    return {
        who: fate._replace(seen=seen.get(who, max(fate.seen, effects.get(who, fate.seen))))
        for who, fate in fates_by_journal(evidence.journal.values()).items()
    }


def fates_by_journal(journal: Iterable[JournalRow]) -> dict[tuple[str, bytes], Fate]:
    """The same while topics cannot be read: it is seen when it was handled, which is a bit sooner."""
    return {(row.actor, row.message_id): Fate(row.disposition == Disposition.APPLIED.value, row.now) for row in journal}


def points(
    meant: Iterable[Meant], fate_of: Mapping[tuple[str, bytes], Fate], phases: Sequence[Phase], began: Instant
) -> list[Point]:
    """Each operation, by time. `began`: the instant that seconds are counted from."""
    found = [_point(each, fate_of.get((each.actor, id_of(each.message_id))), phases, began) for each in meant]
    return sorted(found, key=lambda point: point.at)


def _point(each: Meant, fate: Fate | None, phases: Sequence[Phase], began: Instant) -> Point:
    outcome: Outcome = "unknown" if fate is None else "ok" if fate.applied else "failed"
    return Point(
        at=each.at,
        done=None if fate is None else (fate.seen - began) / SECOND,
        op=each.op,
        key=f"{each.actor}/{each.key}",
        group=f"{each.actor}/{partition_of(each.key, each.partitions)}",
        outcome=outcome,
        phase=phase_at(each.at, phases),
    )


def phase_at(at: float, phases: Sequence[Phase]) -> PhaseName:
    """The phase of a time; of one before them all the first, after them all the last."""
    inside = [phase for phase in phases if phase.begin <= at]
    return (inside[-1] if inside else phases[0]).name
