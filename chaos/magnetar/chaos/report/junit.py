"""Runs as JUnit XML, for a CI server: what is wrong is a failure, what shows too little an error; never green."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from magnetar.chaos.report.markup import said, tag
from magnetar.chaos.report.standing import facets, met, proven, standing, told
from magnetar.chaos.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.chaos.record.shape import Check, Record

_LONGEST = 4000


class Case(NamedTuple):
    """One thing that was judged. `words`: what there is to say of it."""

    name: str
    verdict: Verdict
    words: str


def junit(records: Sequence[Record]) -> str:
    """A suite for each run; in it a case for the verdict, and each check, bound, need and fault."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tag("testsuites", *map(_suite, records), name="chaos") + "\n"


def _suite(record: Record) -> str:
    cases = list(_cases(record))
    verdicts = [case.verdict for case in cases]
    return tag(
        "testsuite",
        *(_case(case, record) for case in cases),
        name=f"{record.scenario.id} {record.scenario.title}",
        tests=str(len(cases)),
        failures=str(verdicts.count(Verdict.INVALID)),
        errors=str(verdicts.count(Verdict.UNKNOWN)),
        skipped="0",
        time=f"{max(0.0, record.took):.3f}",
    )


def _case(case: Case, record: Record) -> str:
    kind = {Verdict.VALID: None, Verdict.INVALID: "failure", Verdict.UNKNOWN: "error"}[case.verdict]
    inner = tag(kind, said(case.words, _LONGEST), message=case.words[:300], type=case.verdict.value) if kind else ""
    return tag("testcase", inner, classname=f"chaos.{record.scenario.id}", name=case.name, time="0")


def _cases(record: Record) -> Iterator[Case]:
    yield Case("verdict", record.verdict, "; ".join(record.reasons) or record.verdict.value)
    for facet in facets(record):
        yield Case(facet.name, facet.verdict, facet.why)
    for check in record.checks:
        yield Case(f"check: {check.checker}", check.verdict, _wrong(check))
    for bound in record.bounds:
        yield Case(f"bound: {bound.name}", standing(bound, starved=record.starved), f"{told(bound)}; {bound.why}")
    for need in record.needs:
        words = f"{need.seen:,} of {need.required:,}"
        yield Case(f"need: {need.text}", Verdict.VALID if met(need) else Verdict.UNKNOWN, words)
    for number, blow in enumerate(record.blows, 1):
        words = f"{blow.target}: {blow.evidence}; {blow.healed_evidence}"
        yield Case(f"fault {number} proven: {blow.fault}", Verdict.VALID if proven(blow) else Verdict.UNKNOWN, words)


def _wrong(check: Check) -> str:
    if check.witnesses:
        return "\n".join(
            f"{witness.key}: {witness.text} {' '.join(witness.ids[:8])}" for witness in check.witnesses[:20]
        )
    return "there was nothing to look at" if check.verdict is Verdict.UNKNOWN else "wrong"
