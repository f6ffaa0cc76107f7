"""What the checkers make of a run: valid, invalid, or unknown where it showed too little to be called either."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from magnetar.chaos.history import Committed, Entered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History, Violation

    Examination: TypeAlias = Iterator[Violation | None]
    """What a checker says of each thing that it looks at: a violation, or nothing to complain of."""

WITNESSES = 5
"""So many violations of one checker are kept; the others are counted."""

APPLIED, EFFECTIVE = 20, 3
"""A run in which fewer messages were applied, or fewer faults took effect, shows too little."""


class Verdict(Enum):
    """What a run showed."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Checker:
    """A pure function from what a run saw and left to whether one promise was kept; `rules` are those it guards."""

    name: str
    rules: tuple[str, ...]
    examine: Callable[[History, Evidence], Examination]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one checker found: how many things it looked at, how many were wrong, and the first of these."""

    checker: str
    examined: int
    wrong: int
    witnesses: tuple[Violation, ...]

    @classmethod
    def of(cls, checker: Checker, history: History, evidence: Evidence) -> Finding:
        """Let a checker look."""
        said = list(checker.examine(history, evidence))
        wrong = [each for each in said if each is not None]
        return cls(checker.name, len(said), len(wrong), tuple(islice(wrong, WITNESSES)))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a run, with what each checker found.

    `seen` are the violations that were noticed while it lasted; `doubts` say what it was too little of.
    """

    findings: tuple[Finding, ...]
    seen: tuple[Violation, ...]
    doubts: tuple[str, ...]

    @property
    def violations(self) -> list[Violation]:
        """What was noticed at once, then the witnesses of every checker."""
        return [*self.seen, *(witness for finding in self.findings for witness in finding.witnesses)]

    @property
    def verdict(self) -> Verdict:
        """A violation is a violation, however little was shown."""
        if self.violations:
            return Verdict.INVALID
        return Verdict.UNKNOWN if self.doubts else Verdict.VALID

    @property
    def catchers(self) -> list[str]:
        """Who complained: checkers by name, and `the run itself` for what was noticed while it lasted."""
        found = [finding.checker for finding in self.findings if finding.wrong]
        return [ITSELF, *found] if self.seen else found


ITSELF = "the run itself"
"""The name under which assertions of the engine, and of those who look on, are counted as a checker."""


def judge(history: History, evidence: Evidence, checkers: Iterable[Checker]) -> Judgement:
    """Let every checker look."""
    findings = tuple(Finding.of(checker, history, evidence) for checker in checkers)
    return Judgement(findings, tuple(history.violations), tuple(_doubts(history, evidence, findings)))


def _doubts(history: History, evidence: Evidence, findings: Sequence[Finding]) -> Iterator[str]:
    """Non-vacuity: what was not tried was not shown."""
    applied = sum(map(len, evidence.timelines.values()))
    if applied < APPLIED:
        yield f"{applied} messages were applied, fewer than {APPLIED}"
    effective = sum(history.effective.values())
    if effective < EFFECTIVE:
        yield f"{effective} faults took effect, fewer than {EFFECTIVE}"
    for finding in findings:
        if not finding.examined:
            yield f"{finding.checker}: there was nothing to look at"
    for phase, commits in _commits_by_phase(history).items():
        if not commits:
            yield f"nothing was committed in the phase {phase!r}"


def _commits_by_phase(history: History) -> dict[str, int]:
    """How much succeeded in each stretch of the run."""
    counts: dict[str, int] = {}
    phase = ""
    for event in history.events:
        if isinstance(event, Entered):
            phase = event.phase
            counts.setdefault(phase, 0)
        elif isinstance(event, Committed) and phase:
            counts[phase] += 1
    return counts
