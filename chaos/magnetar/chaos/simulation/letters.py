"""What a workload gives the simulation: an app, letters to send, and checkers of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.options import Options
    from magnetar.chaos.verdict import Checker
    from magnetar.runtime.wiring import Wiring
    from magnetar.schemas import Message


@dataclass(frozen=True, slots=True)
class Letter:
    """A command to send `at` so many seconds into the run.

    `message_id` is None for a foreign producer's message, which has no properties. `astray`: published to a partition
    that is not its key's. `copies`: how often the same message is published, with the same id.
    """

    at: float
    message: Message
    message_id: str | None
    asks: bool = False
    astray: bool = False
    copies: int = 1


class Act(NamedTuple):
    """What a person does, `at` so many seconds into the run; details are drawn then, from what there is."""

    at: float
    what: str
    number: int


class Workload(Protocol):
    """A workload; its methods are pure."""

    @property
    def checkers(self) -> tuple[Checker, ...]:
        """The app's own invariants, at rest."""
        ...

    def acts(self, chance: Chance, options: Options) -> list[Act]:
        """What a person at the operator's tools does meanwhile."""
        ...

    def wiring(self, options: Options) -> Wiring:
        """The app under test, checked."""
        ...

    def letters(self, chance: Chance, options: Options) -> list[Letter]:
        """What is sent from outside: some of it after everything is healed, at `options.duration`."""
        ...
