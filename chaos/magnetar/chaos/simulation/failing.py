"""The workload on the clerks: messages that fail so many times, for good, or not at all, and what waits behind them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from magnetar.chaos.checkers import WAITING
from magnetar.chaos.history import Violation
from magnetar.chaos.simulation.clerks import ALWAYS, ATTEMPTS, NEVER, Note, clerks
from magnetar.chaos.simulation.letters import Letter
from magnetar.chaos.verdict import Checker
from magnetar.runtime.identity import to_text
from magnetar.runtime.store.port import Disposition
from magnetar.schemas import Kept

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.options import Options
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.wiring import Wiring

NOTES = 6
"""Letters for a desk while there are faults, one more where poison holds its desk; another when all is healed."""

TWICE, ASKED = 0.2, 0.1
_FAILS = (0,) * 12 + (1, 1, 2, 2, 3)
_PROMISE = "only poison dies, and of exactly its failures"


class Failing:
    """See `Workload`."""

    def wiring(self, options: Options) -> Wiring:
        """See `Workload`. Which policy is drawn with the sizes: a seed has one."""
        return clerks(options.partitions, "hold" if _holds(options) else "skip", 1 + options.articles % 2)

    def letters(self, chance: Chance, options: Options) -> list[Letter]:
        """See `Workload`. Each desk draws from a stream of its own; poison is for the first one, once or twice."""
        return [
            letter
            for number in range(options.orders)
            for letter in _desk(chance.stream("desk", number), number, options)
        ]

    @property
    def checkers(self) -> tuple[Checker, ...]:
        """See `Workload`."""
        return (*WAITING, Checker("attempts", ("R22", "R24"), _attempts))


def _holds(options: Options) -> bool:
    return options.articles == 1


def _desk(draw: random.Random, number: int, options: Options) -> Iterator[Letter]:
    poisoned = {draw.randrange(1, NOTES), draw.randrange(2 * NOTES)}
    notes = NOTES + _holds(options)
    for turn in range(notes + 1):
        late = turn == notes
        at = options.duration + draw.random() if late else draw.uniform(0.0, options.duration * 0.7)
        poison = number == 0 and turn in poisoned
        message = Note(
            desk=f"d-{number}",
            word=f"w-{number}-{turn}",
            fails=draw.choice((ALWAYS, NEVER)) if poison else draw.choice(_FAILS),
            echoes=draw.random() < 0.5,  # noqa: PLR2004 - a coin
            rings=0.3 if late else draw.choice((0.0, 0.0, 0.3, 1.0)),
            hushes=draw.random() < 0.15,  # noqa: PLR2004
        )
        copies = 2 if draw.random() < TWICE or poison else 1
        yield Letter(at, message, f"n-{number}-{turn}", draw.random() < ASKED, copies=copies)


def _attempts(_: History, evidence: Evidence) -> Examination:
    """Each note that is applied or dead has failed as often as it says, but for the last attempts of poison."""
    codec = evidence.wiring.topics["desks"].codec
    counts = Counter(row.message_id for row in evidence.unapplied.failures)
    for (actor, _id), row in evidence.journal.items():
        if actor != "desks" or not row.position or row.disposition == Disposition.PARKED.value:
            continue
        note = codec.decode(row.body, codec.schema, Kept("desks", to_text(row.message_id)))
        assert isinstance(note, Note), f"desks has a {type(note)}"
        yield _wrong(row, note.fails, counts[row.message_id])


def _wrong(row: JournalRow, fails: int, failed: int) -> Violation | None:
    dies = fails in {ALWAYS, NEVER}
    wanted = {ALWAYS: ATTEMPTS, NEVER: 1}.get(fails, fails)
    disposition = Disposition.DEAD.value if dies else Disposition.APPLIED.value
    if (row.disposition, failed) == (disposition, wanted) or row.disposition == Disposition.REHOMED.value:
        return None
    what = f"it is {row.disposition} after {failed} failures, not {disposition} after {wanted}"
    return Violation(_PROMISE, f"desk {row.key}, message {to_text(row.message_id)}", what)
