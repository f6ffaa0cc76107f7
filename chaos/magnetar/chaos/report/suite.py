"""The runs of a folder by scenario: the last one of each, beside those before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.report.facts import measured
from magnetar.chaos.report.figures import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from magnetar.chaos.record.shape import Record

LEAST, PART = 0.2, 0.1
"""A gap changed when it did by so many seconds and by so large a part."""


class Played(NamedTuple):
    """A run, and where its page is, as seen from the page of all."""

    address: str
    record: Record


class Trend(NamedTuple):
    """What changed since the run before: `worse`, `better` or `same`, in words."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One scenario: its runs, the last one last."""

    runs: Sequence[Played]

    @property
    def last(self) -> Played:
        """What stands."""
        return self.runs[-1]

    @property
    def gaps(self) -> list[float | None]:
        """The longest gap of each run."""
        return [measured(run.record, "gap") for run in self.runs]

    @property
    def trend(self) -> Trend:
        """The last run beside the one before it."""
        if len(self.runs) == 1:
            return Trend("same", "first run")
        before, now = (run.record.verdict for run in self.runs[-2:])
        if before is not now:
            return Trend("better" if now.value == "valid" else "worse", f"{before.value} → {now.value}")
        return moved(*self.gaps[-2:])


def moved(before: float | None, now: float | None) -> Trend:
    """How the longest gap changed."""
    if before is None or now is None:
        return Trend("same", "nothing to compare")
    by = now - before
    if abs(by) < max(LEAST, PART * before):
        return Trend("same", "as before")
    return Trend("worse", f"▲ {seconds(by)} longer") if by > 0 else Trend("better", f"▼ {seconds(-by)} shorter")


def lines(runs: Iterable[Played]) -> list[Line]:
    """A line for each scenario, the worst unavailability first; where none was measured, last."""
    by_scenario: dict[str, list[Played]] = {}
    for run in sorted(runs, key=lambda run: (run.record.began, run.record.id)):
        by_scenario.setdefault(run.record.scenario.id, []).append(run)
    return sorted(map(Line, by_scenario.values()), key=_worst)


def _worst(line: Line) -> tuple[bool, float, str]:
    gap = line.gaps[-1]
    return (gap is None, -(gap or 0.0), line.last.record.scenario.id)
