"""A run in figures, for programs: what a dashboard or the next run compares with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.report.facts import measured
from magnetar.chaos.report.standing import facets, harms, proven
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from magnetar.chaos.record.shape import Record


class Part(msgspec.Struct, frozen=True):
    """How safety, liveness or recovery stands, and why."""

    verdict: Verdict
    why: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Times in seconds, None for what was not seen; `harm` is how many orders came to each kind of it.

    `harm` has None for what no checker looked for. `proven` of `blows` faults were seen in force and seen over.
    """

    id: str
    scenario: str
    title: str
    began: int
    took: float
    commit: str
    profile: str
    seed: int
    verdict: Verdict
    reasons: tuple[str, ...]
    safety: Part
    liveness: Part
    recovery: Part
    longest_gap: float | None
    failover: float | None
    recovered_after: float | None
    drained_after: float | None
    allowed: dict[str, float]
    harm: dict[str, int | None]
    blows: int
    proven: int
    ok: int
    unknown: int
    failed: int
    starved: bool


def summary(record: Record) -> Summary:
    """The figures of a run."""
    safe, live, recovered = (Part(facet.verdict, facet.why) for facet in facets(record))
    measures = record.measures
    return Summary(
        id=record.id,
        scenario=record.scenario.id,
        title=record.scenario.title,
        began=record.began,
        took=record.took,
        commit=record.commit,
        profile=record.profile,
        seed=record.seed,
        verdict=record.verdict,
        reasons=record.reasons,
        safety=safe,
        liveness=live,
        recovery=recovered,
        longest_gap=measured(record, "gap"),
        failover=measures.failover,
        recovered_after=measures.recovery,
        drained_after=measures.drain,
        allowed={bound.name: bound.allowed for bound in record.bounds},
        harm={harm.name: harm.wrong if harm.checkers else None for harm in harms(record)},
        blows=len(record.blows),
        proven=sum(map(proven, record.blows)),
        ok=measures.ok,
        unknown=measures.unknown,
        failed=measures.failed,
        starved=record.starved,
    )


def as_json(of: Summary | list[Summary]) -> bytes:
    """Indented, with a line end."""
    return msgspec.json.format(msgspec.json.encode(of)) + b"\n"
