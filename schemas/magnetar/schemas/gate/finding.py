"""What the gate says: which rule, at which place, between which versions, for whom it breaks, what to do instead."""

from __future__ import annotations

from dataclasses import dataclass

from magnetar.schemas.gate.wording import RULES

WORKING = "working"
"""The version that is not released yet: what the types are now."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason to refuse. `versions` are the two compared (or the one looked at), `others` more with the same."""

    rule: str
    contract: str
    file: str
    path: str
    reason: str
    versions: tuple[str, ...]
    breaks: str
    others: tuple[str, ...] = ()

    @property
    def instead(self) -> str:
        """What to do in place of it."""
        return RULES[self.rule]

    def lines(self) -> list[str]:
        """At most four: where, what, for whom, what to do."""
        more = f" (and {', '.join(self.others)})" if self.others else ""
        head = f"{self.file}: {self.rule} at {self.path}, version {' → '.join(self.versions)}{more}"
        return [head, f"  {self.reason}", f"  breaks: {self.breaks}", f"  instead: {self.instead}"]
