"""The workload on the cashiers: bills charged by a provider that is slow, loses requests and answers, and says no."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from magnetar.chaos.history import Violation
from magnetar.chaos.simulation.cashiers import Bill, Fuss, Settle, cashiers
from magnetar.chaos.simulation.letters import Act, Letter
from magnetar.chaos.simulation.provider import FATAL
from magnetar.chaos.verdict import Checker
from magnetar.runtime.identity import derive, id_of
from magnetar.runtime.store.port import Disposition
from magnetar.schemas import Kept

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import Heard, History
    from magnetar.chaos.simulation.chance import Chance
    from magnetar.chaos.simulation.options import Options
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.wiring import Wiring

BILLS = 4
"""So many more bills than a run has orders: a run has to do with some of them when it is healed."""

TWICE, FUSSED, LATE, FATALS = 0.3, 0.4, 0.5, 0.5
_ONE, _TOLD, _TRUE = "each bill is charged once", "each effect has one outcome", "what is told is the truth"
_MOODS = (*("ok", "ok", "ok", "twice", "no", "slow", "overdue", "mute", "lost", "broken", "torn", "busy", "away"),)


class Charging:
    """See `Workload`."""

    def wiring(self, options: Options) -> Wiring:
        """See `Workload`."""
        return cashiers(options.partitions)

    def letters(self, chance: Chance, options: Options) -> list[Letter]:
        """See `Workload`. Each bill draws from a stream of its own. In some runs one of them ends workers."""
        letters = [
            letter
            for number in range(options.orders + BILLS)
            for letter in _bill(chance.stream("bill", number), number, options)
        ]
        return _with_fatal(chance.stream("fatal"), letters)

    def acts(self, chance: Chance, options: Options) -> list[Act]:  # noqa: ARG002
        """See `Workload`. Nobody does anything."""
        return []

    @property
    def checkers(self) -> tuple[Checker, ...]:
        """See `Workload`."""
        return (Checker("charges", ("R5", "R29"), _charges), Checker("outcomes", ("R22", "R29"), _outcomes))


def _bill(draw: random.Random, number: int, options: Options) -> Iterator[Letter]:
    """Asked once, perhaps by two copies of one message; and a message that fails while the provider thinks."""
    key = f"b-{number}"
    late = draw.random() < LATE if number else True
    at = options.duration + draw.random() if late else draw.uniform(0.0, options.duration * 0.7)
    moods = tuple(draw.choice(_MOODS) for _ in range(draw.choice((1, 2, 3, 3))))
    copies = 2 if draw.random() < TWICE else 1
    yield Letter(at, Settle(bill=key, moods=moods), f"{key}-settle", copies=copies)
    if draw.random() < FUSSED:
        yield Letter(at + draw.uniform(0.0, 0.4), Fuss(bill=key, fails=draw.choice((1, 1, 2))), f"{key}-fuss")


def _with_fatal(draw: random.Random, letters: list[Letter]) -> list[Letter]:
    at, moods = draw.randrange(len(letters)), draw.choice(((FATAL,), (FATAL, "ok"), ("lost", FATAL, "ok")))
    letter = letters[at]
    if draw.random() < FATALS and isinstance(letter.message, Settle):
        letters[at] = replace(letter, message=structs.replace(letter.message, moods=moods))
    return letters


def _bills(evidence: Evidence) -> Iterator[tuple[str, Bill]]:
    codec = evidence.wiring.actors["bills"].codec
    for (actor, key), row in evidence.states.items():
        if actor != "bills":
            continue
        bill = codec.decode(row.body, codec.schema, Kept(actor, key))
        assert isinstance(bill, Bill), f"{actor} has the state {type(bill)}"
        yield key, bill


def _charges(history: History, evidence: Evidence) -> Examination:
    """By the provider's own log: at most one charge a bill, under the key that its message was given."""
    keys = {key: set(bill.keys) for key, bill in _bills(evidence)}
    charged: dict[str, list[str]] = {}
    for charge in history.charges:
        charged.setdefault(charge.subject, []).append(charge.key)
    for bill, under in charged.items():
        if len(under) > 1:
            yield Violation(_ONE, f"bill {bill}", f"it was charged {len(under)} times, under {', '.join(under)}")
        elif under[0] not in keys.get(bill, ()) and not history.restored:
            yield Violation(_ONE, f"bill {bill}", f"it was charged under {under[0]}, which it never asked")
        else:
            yield None


def _outcomes(history: History, evidence: Evidence) -> Examination:
    """Each effect has its outcome, once; it agrees with the provider's log; a late capture was told, too."""
    charged = {charge.subject for charge in history.charges}
    for key, bill in _bills(evidence):
        for asked in bill.keys:
            row = evidence.journal.get(("bills", derive(id_of(asked), 0)))
            if row is None or row.disposition != Disposition.APPLIED.value:
                yield Violation(_TOLD, f"bill {key}", f"{asked} has no outcome: {row and row.disposition}")
            else:
                yield _untrue(key, bill, key in charged)
    for heard in history.heard:
        yield _ignored(heard, evidence, restored=history.restored)


def _untrue(key: str, bill: Bill, charged: bool) -> Violation | None:  # noqa: FBT001 - a fact
    """Who was charged is told so, or that nobody knows; who was not is never told so."""
    first, told = bill.told[0], set(bill.told)
    fine = {"charged", "unknown"} if charged else {"declined", "refused", "unknown", "unsent"}
    if first not in fine or ("charged" in told) > charged or len(bill.told) != len(told):
        return Violation(_TRUE, f"bill {key}", f"charged: {charged}; it was told {bill.told}")
    return None


def _ignored(heard: Heard, evidence: Evidence, *, restored: bool) -> Violation | None:
    """A success that reached the worker that has had the shard ever since is told."""
    shard = evidence.shards[heard.shard]
    bill = dict(_bills(evidence)).get(heard.subject, Bill())
    if heard.says == "charged" and not restored and shard.epoch == heard.epoch and "charged" not in bill.told:
        return Violation(_TRUE, f"bill {heard.subject}", f"it was charged, and is told {bill.told}")
    return None
