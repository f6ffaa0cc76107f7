"""The types of a record. Plain data: all times are seconds since the run began, by the clock of its one machine.

`Record.began` alone is an instant, UTC microseconds; instants of the history less this are times of the record.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from magnetar.chaos.verdict import Verdict
from magnetar.runtime.instant import Instant

PhaseName = Literal["setup", "warm-up", "baseline", "fault", "heal", "recover", "drain", "reading"]
PHASES: tuple[PhaseName, ...] = ("setup", "warm-up", "baseline", "fault", "heal", "recover", "drain", "reading")
"""In their order; each once."""
BoundName = Literal["gap", "failover", "recovery", "drain"]
Outcome = Literal["ok", "unknown", "failed"]


class Versions(msgspec.Struct, frozen=True):
    """What it was played on."""

    pulsar: str
    postgresql: str
    python: str
    magnetar: str


class Scenario(msgspec.Struct, frozen=True):
    """Which one it was: `S03`, its title, and what it is about."""

    id: str
    title: str
    text: str


class Phase(msgspec.Struct, frozen=True):
    """A stretch of the run."""

    name: PhaseName
    begin: float
    end: float


class Blow(msgspec.Struct, frozen=True):
    """One fault, from its strike to its proven end.

    `target`: whom it struck, as it was found out when it struck, and which part they played: `broker-1 (the broker of
    orders/o-17)`. `effective` and `healed` are when it was proven to be in force and to be over; None for never, which
    makes the run unknown. `evidence` and `healed_evidence` say what was seen. `inside_budget`: the cluster is made to
    bear it, together with what else is in force. `required`: something must succeed while it is in force. `stays`: it
    was to be in force until all had come to rest, so that recovery is measured without whoever it took.
    """

    fault: str
    target: str
    inject: float
    effective: float | None
    heal: float | None
    healed: float | None
    evidence: str
    healed_evidence: str
    inside_budget: bool
    required: bool
    stays: bool = False


class Latency(msgspec.Struct, frozen=True):
    """Of operations that were meant to begin in a phase and succeeded: seconds from the intended start."""

    phase: PhaseName
    count: int
    p50: float
    p95: float
    p99: float
    max: float


class Gap(msgspec.Struct, frozen=True):
    """The longest stretch in which a group of keys had something to do and nothing of it was done: `orders/3`."""

    group: str
    seconds: float
    begin: float
    end: float


class Measures(msgspec.Struct, frozen=True):
    """What was measured. `offered`: operations a second; the others are counts.

    `gaps`: longest first. `failover`: from the proof of effect until all groups of keys of whoever was struck succeeded
    in something, while the fault was in force. `recovery`: from the last proof of health until all goes as before.
    `drain`: from there until no more is unacknowledged than before. Seconds; None for what did not happen, or cannot
    be told.
    """

    offered: float
    ok: int
    unknown: int
    failed: int
    latencies: tuple[Latency, ...]
    gaps: tuple[Gap, ...]
    failover: float | None
    recovery: float | None
    drain: float | None


class Bound(msgspec.Struct, frozen=True):
    """How many seconds something may take, how many it took, and how the bound comes about."""

    name: BoundName
    allowed: float
    seen: float | None
    why: str


class Witness(msgspec.Struct, frozen=True):
    """One thing that is wrong: of which key (`orders/o-17`, or empty), in words, and the message ids it names."""

    key: str
    text: str
    ids: tuple[str, ...]


class Check(msgspec.Struct, frozen=True):
    """What a checker found: `counts` has `examined` and `wrong`; unknown if there was nothing to examine."""

    checker: str
    verdict: Verdict
    counts: dict[str, int]
    witnesses: tuple[Witness, ...]


class Need(msgspec.Struct, frozen=True):
    """Something that must have happened often enough for the run to show anything."""

    text: str
    required: int
    seen: int


class Alarm(msgspec.Struct, frozen=True):
    """Something that somebody ought to be woken by; `seen_at` is None when it was not seen."""

    name: str
    expected: bool
    seen_at: float | None


class Pressure(msgspec.Struct, frozen=True):
    """Share of a phase, 0 to 1, in which something waited for a processor."""

    phase: PhaseName
    share: float


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario that was played. `schedule`: its specification as data; `reasons`: why the verdict is what it is.

    `starved`: the machine had so little time that how long anything took shows nothing; what is safe counts all the
    same.
    """

    id: str
    began: Instant
    took: float
    commit: str
    versions: Versions
    profile: str
    seed: int
    scenario: Scenario
    schedule: dict[str, Any]
    phases: tuple[Phase, ...]
    blows: tuple[Blow, ...]
    measures: Measures
    bounds: tuple[Bound, ...]
    checks: tuple[Check, ...]
    needs: tuple[Need, ...]
    alarms: tuple[Alarm, ...]
    pressure: tuple[Pressure, ...]
    starved: bool
    verdict: Verdict
    reasons: tuple[str, ...]


class Point(msgspec.Struct, frozen=True, gc=False):
    """An operation of the load: when it was meant to begin, and when it was done; None while nobody knows.

    `op`: `place`, `append`; `key`: of whom; `group`: the shard that its key is in, `orders/3`.
    """

    at: float
    done: float | None
    op: str
    key: str
    group: str
    outcome: Outcome
    phase: PhaseName


class Sample(msgspec.Struct, frozen=True, gc=False):
    """A number that was looked at: `backlog/orders`, `outbox`, `money/difference`, `stock/sku-1`, `pressure/cpu`."""

    at: float
    name: str
    value: float


class Tenure(msgspec.Struct, frozen=True, gc=False):
    """Who had what: `shard orders/3`, `topic orders-partition-3`, `zookeeper`; `end` is None for who still has it."""

    what: str
    owner: str
    begin: float
    end: float | None
