"""How a run stands, in three parts: was anything wrong, did it go on, did it come back in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.report.figures import chosen, counted, seconds
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from magnetar.chaos.record.shape import Blow, Bound, Check, Need, Record


class Facet(NamedTuple):
    """`safety`, `liveness` or `recovery`; how it stands, and why in a few words."""

    name: str
    verdict: Verdict
    why: str


class Harm(NamedTuple):
    """One kind of harm: how many came to it, of how many, and by which checkers; without any it was not looked for."""

    name: str
    verdict: Verdict
    wrong: int
    examined: int
    checkers: tuple[str, ...]


HARMS = (
    ("lost", ("lost", "c1")),
    ("applied twice", ("effects", "exactly once", "c3")),
    ("out of order", ("order", "c4")),
    ("forked", ("fork", "c5")),
    ("money wrong", ("money", "c6")),
    ("stock wrong", ("stock", "c7")),
)
"""What people ask for first, and which checkers look for it, by words in their names."""
_DURING, _AFTER = ("gap", "failover"), ("recovery", "drain")


def facets(record: Record) -> tuple[Facet, Facet, Facet]:
    """Safety, liveness, recovery."""
    return safety(record), liveness(record), recovery(record)


def safety(record: Record) -> Facet:
    """As the checkers say; time has no part in it."""
    wrong = [check.checker for check in record.checks if check.verdict is Verdict.INVALID]
    blind = [check.checker for check in record.checks if check.verdict is Verdict.UNKNOWN]
    if wrong:
        return Facet("safety", Verdict.INVALID, ", ".join(wrong))
    if blind or not record.checks:
        return Facet("safety", Verdict.UNKNOWN, "nothing to look at: " + (", ".join(blind) or "no checker looked"))
    return Facet("safety", Verdict.VALID, f"{counted(len(record.checks), 'checker')} found nothing wrong")


def liveness(record: Record) -> Facet:
    """Did it go on as it must while the fault was there, and did what makes a run worth anything happen?"""
    doubts = [f"{need.text}: {need.seen:,} of {need.required:,}" for need in record.needs if not met(need)]
    doubts += [f"{blow.fault} was not proven" for blow in record.blows if not proven(blow)]
    enough = [f"{counted(len(record.needs), 'need')} met"] * bool(record.needs)
    return _timely("liveness", record, _DURING, doubts, enough)


def recovery(record: Record) -> Facet:
    """Was all as before, and nothing left to do, in time?"""
    rest = record.measures.drain
    return _timely("recovery", record, _AFTER, [], [f"at rest after {seconds(rest)}"] * (rest is not None))


def _timely(name: str, record: Record, names: Iterable[str], doubts: list[str], shown: list[str]) -> Facet:
    """`shown`: what went well and has no bound."""
    bounds = [bound for bound in record.bounds if bound.name in names]
    late = [bound for bound in bounds if standing(bound, starved=record.starved) is Verdict.INVALID]
    if late:
        return Facet(name, Verdict.INVALID, "; ".join(map(told, late)))
    doubts += ["the machine was starved"] * record.starved
    doubts += [told(bound) for bound in bounds if standing(bound, starved=record.starved) is Verdict.UNKNOWN]
    if not bounds and not shown:
        doubts.append("nothing was asked for")
    if doubts:
        return Facet(name, Verdict.UNKNOWN, "; ".join(doubts))
    return Facet(name, Verdict.VALID, "; ".join([*map(told, bounds), *shown]))


def standing(bound: Bound, *, starved: bool) -> Verdict:
    """Times of a machine that had none show nothing."""
    if starved or bound.seen is None:
        return Verdict.UNKNOWN
    return Verdict.VALID if bound.seen <= bound.allowed else Verdict.INVALID


def told(bound: Bound) -> str:
    """In words."""
    name = bound.name.replace("failover", "fail-over")
    if bound.seen is None:
        return f"{name} was not seen, {chosen(bound.allowed)} allowed"
    return f"{name} {seconds(bound.seen)} of {chosen(bound.allowed)}"


def met(need: Need) -> bool:
    """It happened often enough."""
    return need.seen >= need.required


def proven(blow: Blow) -> bool:
    """It was in force, and it is over, both as seen."""
    return blow.effective is not None and blow.healed is not None


def harms(record: Record) -> Iterator[Harm]:
    """In the order in which people ask."""
    for name, words in HARMS:
        looked = [check for check in record.checks if any(word in check.checker.lower() for word in words)]
        yield Harm(
            name,
            worst(check.verdict for check in looked),
            sum(map(_wrong, looked)),
            sum(check.counts.get("examined", 0) for check in looked),
            tuple(check.checker for check in looked),
        )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """One that is wrong makes all wrong; none at all shows nothing."""
    found = set(verdicts)
    if Verdict.INVALID in found:
        return Verdict.INVALID
    return Verdict.VALID if found == {Verdict.VALID} else Verdict.UNKNOWN


def _wrong(check: Check) -> int:
    return max(check.counts.get("wrong", 0), len(check.witnesses))
