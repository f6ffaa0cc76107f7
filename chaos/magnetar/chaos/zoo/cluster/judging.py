"""Whether a bug was caught: by the record of its play, and by what ran of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from magnetar.chaos.record.shape import Record
    from magnetar.chaos.zoo.cluster.bug import ClusterBug


@dataclass(frozen=True, slots=True)
class Catch:
    """How the play of a bug ended.

    `ran`: which of its changes did. `gone`: why there is no record. `seconds`: of all, the cluster included.
    """

    bug: ClusterBug
    record: Record | None
    seconds: float
    ran: frozenset[str] = field(default_factory=frozenset[str])
    gone: str = ""

    @property
    def catchers(self) -> tuple[str, ...]:
        """Who complained."""
        return () if self.record is None else catchers(self.record)

    @property
    def problem(self) -> str:
        """Why this is not good enough; empty when it is."""
        if self.record is None:
            return self.gone or "nothing was played"
        silent = [target for target in self.bug.targets if target not in self.ran]
        if silent:
            return f"what it puts in place of {', '.join(silent)} never ran"
        if self.bug.caught_by not in self.catchers:
            seen = ", ".join(self.catchers) or next(iter(self.record.reasons), "nothing")
            return f"{self.record.verdict.value}: {self.bug.caught_by} did not complain, but {seen}"
        return ""


def catchers(record: Record) -> tuple[str, ...]:
    """The checkers that found something wrong, then the bounds that were exceeded on a machine that had time."""
    checkers = [check.checker for check in record.checks if check.verdict is Verdict.INVALID]
    bounds = [each.name for each in record.bounds if _exceeded(each.name, record)]
    return (*checkers, *bounds)


def _exceeded(bound: str, record: Record) -> bool:
    """A reason that begins so decides; where the machine had no time, it begins with that."""
    return record.verdict is Verdict.INVALID and any(reason.startswith(f"{bound}: ") for reason in record.reasons)


def unsound(record: Record) -> str:
    """What is wrong with a play of the product as it is; empty if it is valid."""
    if record.verdict is Verdict.VALID:
        return ""
    why = record.reasons[0] if record.reasons else "no reason"
    return f"{record.scenario.id} is {record.verdict.value} with the product as it is: {why}"
