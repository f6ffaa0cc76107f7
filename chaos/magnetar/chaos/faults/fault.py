"""What every fault is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from magnetar.chaos.cluster.ground import Ground


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether something was seen, and what was seen: `evidence` is for a reader of the report."""

    holds: bool
    evidence: str

    def __bool__(self) -> bool:
        """Whether it was seen."""
        return self.holds


class InForce(Protocol):
    """A fault that has been struck. Methods may be called again, and raise what the cluster raises."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Whom it struck, as it was found out at that moment."""
        ...

    def took_effect(self) -> Proof:
        """Look whether it is in force, and whether nobody else is struck."""
        ...

    def heal(self) -> None:
        """Undo it; nothing to do for what is over by itself."""
        ...

    def healed(self) -> Proof:
        """Look whether those it struck are well again."""
        ...


class Fault(Protocol):
    """Plain data: what is to be done, and to whom."""

    @property
    def title(self) -> str:
        """In words: `kill broker-1`."""
        ...

    def inject(self, ground: Ground) -> InForce:
        """Find the targets and strike them. Raises `ForeignTarget`, and what the cluster raises.

        Raises `NoOwner` where it can be called again: nobody has been struck, or being struck twice is as once.
        """
        ...
