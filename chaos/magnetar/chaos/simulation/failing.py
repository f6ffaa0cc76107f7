"""The workload on the clerks: messages that fail so many times, for good, or not at all, and what waits behind them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from msgspec import structs

from magnetar.chaos.checkers import WAITING
from magnetar.chaos.checkers.crashing import crashes_are_charged
from magnetar.chaos.history import Violation
from magnetar.chaos.simulation.clerks import ALWAYS, ATTEMPTS, CRASHES, HANDLED, NEVER, OPENED, STUBBORN, Note, clerks
from magnetar.chaos.simulation.letters import Act, Letter
from magnetar.chaos.simulation.operator import DEEDS
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
    from magnetar.runtime.store.parking import DeadLetter
    from magnetar.runtime.store.port import JournalRow
    from magnetar.runtime.wiring import Wiring

NOTES = 6
"""Letters for a desk while there are faults, one more where poison holds its desk; another when all is healed."""

TWICE, ASKED, KILLERS = 0.2, 0.1, 0.5
_FAILS = (0,) * 12 + (1, 1, 2, 2, 3)
_PROMISE = "only poison dies, and of exactly its failures"
_JUDGED = {Disposition.APPLIED.value, Disposition.DEAD.value}


class Failing:
    """See `Workload`."""

    def wiring(self, options: Options) -> Wiring:
        """See `Workload`. Which policy is drawn with the sizes: a seed has one."""
        return clerks(options.partitions, "hold" if _holds(options) else "skip", 1 + options.articles % 2)

    def letters(self, chance: Chance, options: Options) -> list[Letter]:
        """See `Workload`. Each desk draws from a stream of its own; poison is for the first one, once or twice."""
        letters = [
            letter
            for number in range(options.orders)
            for letter in _desk(chance.stream("desk", number), number, options)
        ]
        return _with_killer(chance.stream("killer"), letters, options)

    def acts(self, chance: Chance, options: Options) -> list[Act]:
        """See `Workload`. Somebody does something now and then, in most runs."""
        draw = chance.stream("acts")
        count = draw.choice((2, 4, 8, 16))
        return sorted(Act(draw.uniform(0.0, options.duration), draw.choice(DEEDS), number) for number in range(count))

    @property
    def checkers(self) -> tuple[Checker, ...]:
        """See `Workload`."""
        return (
            *WAITING,
            Checker("attempts", ("R22", "R24"), _attempts),
            Checker("crashes", ("R24", "R25"), partial(crashes_are_charged, CRASHES)),
        )


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
            fails=draw.choice((ALWAYS, NEVER, STUBBORN)) if poison else draw.choice(_FAILS),
            echoes=draw.random() < 0.5,  # noqa: PLR2004 - a coin
            rings=0.3 if late else draw.choice((0.0, 0.0, 0.3, 1.0)),
            hushes=draw.random() < 0.15,  # noqa: PLR2004
        )
        copies = 2 if draw.random() < TWICE or poison else 1
        yield Letter(at, message, f"n-{number}-{turn}", draw.random() < ASKED, copies=copies)


def _with_killer(draw: random.Random, letters: list[Letter], options: Options) -> list[Letter]:
    """In some runs one message of the second desk ends its worker, each time that it is opened or handled."""
    at = draw.randrange(len(letters))
    kills = draw.choice((HANDLED, HANDLED, OPENED))
    letter = letters[at]
    mine = isinstance(letter.message, Note) and letter.message.desk != "d-0" and letter.at < options.duration
    if draw.random() < KILLERS and mine:
        letters[at] = replace(letter, message=structs.replace(letter.message, kills=kills, fails=0))
    return letters


def _attempts(_: History, evidence: Evidence) -> Examination:
    """Each note that is applied or dead has failed as often as it says, but for the last attempts of poison.

    And once more for each time that a person has replayed it in vain.
    """
    codec = evidence.wiring.topics["desks"].codec
    counts = Counter(row.message_id for row in evidence.unapplied.failures)
    letters = {row.message_id: row for row in evidence.unapplied.dead}
    for (actor, _id), row in evidence.journal.items():
        if actor != "desks" or not row.position or row.disposition not in _JUDGED:
            continue
        note = codec.decode(row.body, codec.schema, Kept("desks", to_text(row.message_id)))
        assert isinstance(note, Note), f"desks has a {type(note)}"
        if note.kills or sum(crash.message_id == row.message_id for crash in evidence.unapplied.crashes) >= CRASHES:
            continue  # what became of those is for the other ledger to say
        yield _wrong(row, note.fails, counts[row.message_id], letters.get(row.message_id))


def _wrong(row: JournalRow, fails: int, failed: int, letter: DeadLetter | None) -> Violation | None:
    """Applied at once, or after so many failures; dead after so many, and as many more as it was replayed in vain."""
    dies = fails in {ALWAYS, NEVER, STUBBORN}
    wanted = {ALWAYS: ATTEMPTS, NEVER: 1, STUBBORN: ATTEMPTS}.get(fails, fails)
    replays = 0 if letter is None else letter.replays
    applied = row.disposition == Disposition.APPLIED.value
    if dies and applied:
        right = letter is not None and fails == STUBBORN and (failed, replays) == (STUBBORN, 2)
    else:
        right = (applied != dies) and failed == wanted + replays
    if right:
        return None
    what = f"it is {row.disposition} after {failed} failures and {replays} replays, and says {fails}"
    return Violation(_PROMISE, f"desk {row.key}, message {to_text(row.message_id)}", what)
