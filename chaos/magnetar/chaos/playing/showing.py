"""What there is to play, and what was played, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from magnetar.chaos.record.keeping import RECORD, RecordDamaged, read_record
from magnetar.chaos.scenarios.making import fault_of
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from magnetar.chaos.record.shape import Record
    from magnetar.chaos.scenarios.spec import Scenario

_COLOURS = {Verdict.VALID: "green", Verdict.INVALID: "bold red", Verdict.UNKNOWN: "yellow"}
_MOST_FAULTS = 3


def listed(scenarios: Iterable[Scenario]) -> Table:
    """A row each."""
    made = _table("id", "what", "profile", "CI", "faults", "bounds")
    for each in scenarios:
        faults = list(dict.fromkeys(fault_of(deed).title for deed in each.faults))
        more = f" and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        bounds = ", ".join(f"{name} {bound.seconds:g} s" for name, bound in each.bounds.items())
        made.add_row(
            *(each.id, each.title, each.profile, "yes" if each.ci else ""),
            *("; ".join(faults[:_MOST_FAULTS]) + more, bounds),
        )
    return made


def played(records: Sequence[Record]) -> Table:
    """A row each."""
    made = _table("id", "what", "verdict", *_FIGURES, "why")
    for record in records:
        measures = record.measures
        gap = measures.gaps[0].seconds if measures.gaps else None
        made.add_row(
            *(record.scenario.id, record.scenario.title, _coloured(record.verdict)),
            *map(_seconds, (gap, measures.failover, measures.recovery, measures.drain)),
            *(str(measures.ok), record.reasons[0] if record.reasons else ""),
        )
    return made


_FIGURES = ("gap", "fail-over", "recovery", "drain", "ok")


def told(record: Record) -> Sequence[RenderableType]:
    """All that a reader of the record wants first."""
    head = f"{record.scenario.id} {record.scenario.title}: {_coloured(record.verdict)}  [dim]{record.id}[/]"
    faults = _table("fault", "who", "in force", "healed", "proof")
    for blow in record.blows:
        faults.add_row(
            *(blow.fault, blow.target, _seconds(blow.effective), _seconds(blow.healed), blow.evidence),
        )
    bounds = _table("bound", "allowed", "seen", "why")
    for bound in record.bounds:
        bounds.add_row(bound.name, _seconds(bound.allowed), _seconds(bound.seen), bound.why)
    checks = _table("checker", "verdict", "looked at", "wrong", "first")
    for check in record.checks:
        first = check.witnesses[0].text if check.witnesses else ""
        counts = (str(check.counts.get(name, 0)) for name in ("examined", "wrong"))
        checks.add_row(check.checker, _coloured(check.verdict), *counts, first)
    reasons = [f"  {reason}" for reason in record.reasons]
    return [head, *reasons, played([record]), faults, bounds, checks]


def newest(out: Path, begin: str) -> Record:
    """The newest whose id begins so. Raises `RecordDamaged`, also if there is none."""
    found = [path.parent for path in out.glob(f"*/{RECORD}") if path.parent.name.startswith(begin)]
    if not found:
        raise RecordDamaged(out / begin, "nothing that begins so was played")
    return max(map(read_record, found), key=lambda record: record.began)


def status(records: Sequence[Record]) -> int:
    """0: every one is valid. 1: one is invalid. 3: none is, but one is unknown, or nothing was played."""
    verdicts = {record.verdict for record in records}
    if Verdict.INVALID in verdicts:
        return 1
    return 0 if verdicts == {Verdict.VALID} else 3


def _table(*headings: str) -> Table:
    made = Table(box=None, pad_edge=False)
    for heading in headings:
        made.add_column(heading, justify="right" if heading in _FIGURES else "left")
    return made


def _coloured(verdict: Verdict) -> str:
    return f"[{_COLOURS[verdict]}]{verdict.value}[/]"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"
