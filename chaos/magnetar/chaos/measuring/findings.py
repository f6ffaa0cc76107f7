"""What the checkers make of a run, as a record has it, and what can be counted for one that needs it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from magnetar.actors.providing.emulator.audit import charged_once, paid_or_refunded
from magnetar.chaos.checkers import CHECKERS, WAITING
from magnetar.chaos.history import Violation
from magnetar.chaos.measuring.lists import lists_are_whole
from magnetar.chaos.measuring.timers import timers_ring_once
from magnetar.chaos.paying import judging as paying
from magnetar.chaos.paying.reading import standing_of
from magnetar.chaos.record.shape import Check, Witness
from magnetar.chaos.simulation.failing import Failing
from magnetar.chaos.simulation.shopping import Shopping
from magnetar.chaos.takeover.promises import EFFECTS_IN_ORDER
from magnetar.chaos.verdict import Checker, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.paying.judging import Seen
    from magnetar.chaos.scenarios.spec import Load
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.store.port import JournalRow

_KEY = re.compile(r"(?:key|order|desk|article|capture) (\S+?)[,:]?(?:\s|$)")
_ID = re.compile(r"(?:message|capture) (\S+?)[,:]?(?:\s|$)")
ILL = (".poison-", ".killer-")
"""What a key that may die has in its name."""


_DECIDED_OTHERWISE = frozenset({"effects once", "outbox", "money", "stock"})
"""What a backup that was put in place may break (`docs/operations/restoring-a-backup.md`, *what cannot be promised*).

What is handled again meets messages of other topics in another order than the first time, and may decide otherwise.
"""


def checks(history: History, evidence: Evidence, entries: Sequence[Entry], load: Load) -> list[Check]:
    """Every checker's, but for those of what is not promised after a backup. `entries`: the provider's log."""
    seen = standing_of(evidence, history, entries, (0, 0))
    return [check_of(Finding.of(checker, history, evidence)) for checker in promised(checkers(seen, load), history)]


def promised(some: Iterable[Checker], history: History) -> list[Checker]:
    """Those that hold of this history: after a backup was put in place not all do."""
    return [each for each in some if not (history.restored and each.name in _DECIDED_OTHERWISE)]


def checkers(seen: Seen, load: Load) -> tuple[Checker, ...]:
    """Those that hold of every run, of the shop, of its money by the provider's own log, and of the lists.

    And of timers, and of what fails, where the load has them.
    """
    ill = load.poison or load.killers
    attempts = (*WAITING, *(each for each in Failing().checkers if each.name == "attempts")) if ill else ()
    charged, paid = charged_once(seen.entries), paid_or_refunded(seen.entries, paying.confirmed(seen.orders))
    said = [*paying.contradictions(seen), *(None for _ in seen.payments)]
    return (
        *CHECKERS,
        EFFECTS_IN_ORDER,
        *Shopping().checkers,
        _of_words("charged once", "nobody pays twice", list(charged)),
        _of_words("paid or refunded", "every coin is kept or given back", list(paid)),
        _of_words("as the provider says", "payments are as the provider's log says", said),
        Checker("lists", ("R2", "R21"), lists_are_whole),
        Checker("only the ill die", ("R24",), only_the_ill_die),
        DURABLE,
        *attempts,
        *([Checker("timers ring", ("R26",), timers_ring_once)] if load.timers else ()),
    )


def _of_words(name: str, promise: str, found: Sequence[str | None]) -> Checker:
    """Of what the provider's log proves: it has been looked at already."""

    def examine(_: History, __: Evidence) -> Examination:
        for words in found:
            yield None if words is None else Violation(promise, f"order {words.split(' ')[0].rstrip(':')}", words)

    return Checker(name, ("R29",), examine)


def check_of(finding: Finding) -> Check:
    """As a record has it: who was not fed says nothing."""
    found = Verdict.INVALID if finding.wrong else Verdict.VALID if finding.examined else Verdict.UNKNOWN
    counts = {"examined": finding.examined, "wrong": finding.wrong}
    return Check(finding.checker, found, counts, tuple(map(witness_of, finding.witnesses)))


def witness_of(violation: Violation) -> Witness:
    """With the key and the ids that its words name."""
    text = str(violation)
    key = _KEY.search(violation.subject)
    return Witness(key[1] if key else "", text, tuple(dict.fromkeys(_ID.findall(text))))


def only_the_ill_die(_: History, evidence: Evidence) -> Examination:
    """Whatever is done to servers and workers, a message that can be handled is no dead letter."""
    for row in evidence.journal.values():
        if any(ill in row.key for ill in ILL):
            continue
        fine = row.disposition not in {"dead", "skipped"}
        what = f"{row.type} is {row.disposition}"
        yield None if fine else Violation("only what is ill dies", f"actor {row.actor}, key {row.key}", what)


def the_store_was_never_behind(history: History, evidence: Evidence) -> Examination:
    """R10: where no backup was restored, no shard found that brokers knew more than its store, and began anew (R11).

    A worker heals that, so that nothing is lost here. All the same something was acknowledged, or sent, before it was
    durable: who loses the broker's memory, too, has lost it for good.
    """
    for row in evidence.shards.values():
        fine = row.generation == 0 or history.restored
        what = f"it began anew {row.generation} times, for a broker knew more than its store"
        yield None if fine else Violation("what is acknowledged is durable", f"shard {row.shard}", what)


DURABLE: Final = Checker("durable before acknowledged", ("R10", "R11"), the_store_was_never_behind)


def counted(evidence: Evidence, seen: Seen) -> dict[str, int]:
    """What can be counted of what is left; see `Counted` of a scenario."""
    return {
        "applied": sum(map(len, evidence.timelines.values())),
        "doubts": seen.doubts,
        "callbacks": seen.callbacks,
        "charges": sum(entry.what == "charged" for entry in seen.entries),
        "refunds": sum(entry.what == "refunded" for entry in seen.entries),
        "dead letters": len(evidence.unapplied.dead),
        "older": sum(map(_is_older(evidence), evidence.journal.values())),
        "cancellations": sum(row.type.endswith(".Cancel") for row in evidence.journal.values()),
    }


def _is_older(evidence: Evidence) -> Callable[[JournalRow], bool]:
    """Whether a message of the desks was written under another schema than today's."""
    now = evidence.wiring.topics["desks"].codec.schema.fingerprint
    return lambda row: row.actor == "desks" and row.source.startswith("desks/") and row.schema != now
