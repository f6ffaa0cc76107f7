"""What the doctor says: one finding for each thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad it is: in order; nothing promised (`ok`) or slower and less sure (`advice`), or a promise is broken."""

    OK = "ok"
    ADVICE = "advice"
    DANGER = "danger"

    @property
    def rank(self) -> int:
        """0, 1, 2: the higher the worse."""
        return list(Severity).index(self)


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at.

    `check` is the id in the catalogue, `subject` what was looked at. `change` is the exact change to make, step by
    step: a setting, a REST call (method, path, body) or a command; none when all is well. `rule` is the rule of the
    protocol behind `why`.
    """

    check: str
    subject: str
    severity: Severity
    found: str
    wanted: str
    why: str
    rule: str
    change: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the catalogue: what is looked at, what is wanted, why, and what to do in general."""

    id: str
    looks_at: str
    wanted: str
    why: str
    rule: str
    todo: str

    def found(self, severity: Severity, subject: str, found: str, *change: str) -> Finding:
        """A finding of this check; what is well needs no change."""
        told = change if severity is not Severity.OK else ()
        return Finding(self.id, subject, severity, found, self.wanted, self.why, self.rule, told)

    def ok(self, subject: str, found: str) -> Finding:
        """All is well."""
        return self.found(Severity.OK, subject, found)

    def advice(self, subject: str, found: str, *change: str) -> Finding:
        """No promise is broken by it."""
        return self.found(Severity.ADVICE, subject, found, *change)

    def danger(self, subject: str, found: str, *change: str) -> Finding:
        """A promise does not hold while it is so."""
        return self.found(Severity.DANGER, subject, found, *change)
