"""The page on metrics and the alert rules are about the numbers that a worker really shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from magnetar.runtime.store.parking import Reason
from magnetar.runtime.store.port import Disposition
from magnetar.runtime.telemetry.catalogue import CATALOGUE, Kind
from magnetar.runtime.telemetry.counting import Counting
from magnetar.runtime.telemetry.metrics import Exhibit
from magnetar.runtime.worker.answers import Ending
from magnetar.runtime.worker.breaker import BreakerState
from magnetar.runtime.worker.observer import Loss, Takeover, Wait
from tests.acceptance.pages import ROOT, page, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = "docs/operations/metrics.md"
RULES = "deploy/prometheus/magnetar.rules.yaml"
NAME = re.compile(r"\bmagnetar_[a-z_]+\b")
WORD = re.compile(r"`([^`]+)`")
SELECTED = re.compile(r"(magnetar_[a-z_]+)\{([^}]*)\}")
MATCH = re.compile(r'(\w+)="([^"]*)"')


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One alert."""

    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]
    for_: str | None = msgspec.field(default=None, name="for")


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules that are evaluated together."""

    name: str
    rules: list[Rule]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    groups: list[Group]


def series() -> dict[str, set[str]]:
    """What a registry shows: name of a series → its labels."""
    registry = CollectorRegistry()
    registry.register(Exhibit(Counting({"orders": 1}, "1")))
    registry.collect()
    known: dict[str, set[str]] = {}
    for metric in CATALOGUE:
        names = [metric.name]
        if metric.kind is Kind.HISTOGRAM:
            names = [f"{metric.name}_{part}" for part in ("bucket", "sum", "count")]
        known.update({name: set(metric.labels) for name in names})
    shown = {sample.name for family in registry.collect() for sample in family.samples}
    assert shown <= known.keys()
    return known


def rules() -> list[Rule]:
    """Of every group. YAML is read by a library of the development group."""
    pytest.importorskip("yaml", reason="pyyaml is not installed")
    found = msgspec.yaml.decode(page(RULES), type=Rules)
    return [rule for group in found.groups for rule in group.rules]


def test_the_table_is_the_catalogue() -> None:
    """Every metric with its type, labels and meaning, in order, and something to do about it."""
    rows = [row for row in tables_of(page(PAGE)) if row[0].startswith("`magnetar_")]
    told = [(name.strip("`"), kind, tuple(WORD.findall(labels)), meaning) for name, kind, labels, meaning, _ in rows]
    assert told == [(metric.name, metric.kind.value, metric.labels, metric.meaning) for metric in CATALOGUE]
    assert [row[0] for row in rows if len(row[4]) < len("Nothing: x.")] == []


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("`how`", Takeover),
        ("`reason` of a loss", Loss),
        ("`reason` of a wait", Wait),
        ("`reason` of a parked key", Reason),
        ("`outcome` of a message", Disposition),
        ("`outcome` of a commit", ["happened", "lost"]),
        ("`outcome` of a call", Ending),
        ("`state` of a breaker", BreakerState),
    ],
)
def test_the_words_of_a_label_are_those_of_the_code(label: str, values: Iterable[str]) -> None:
    """All of them, and no other."""
    [row] = [row for row in tables_of(page(PAGE)) if row[0] == label]
    assert sorted(WORD.findall(row[1])) == sorted(str(value) for value in values)


def test_every_name_on_the_page_and_in_the_rules_is_a_metric() -> None:
    """As Prometheus shows it: a histogram by its parts."""
    known = series().keys() | {metric.name for metric in CATALOGUE}
    expressions = "\n".join(line for line in page(RULES).splitlines() if not line.strip().startswith("#"))
    named = set(NAME.findall(page(PAGE))) | set(NAME.findall(expressions))
    assert sorted(named - known) == []
    assert named & known


def test_every_rule_asks_for_series_that_are_shown() -> None:
    """Their names, and labels with values that they may have."""
    shown = series()
    words = {
        "magnetar_waits_total": {"reason": {str(each) for each in Wait}},
        "magnetar_takeovers_total": {"how": {str(each) for each in Takeover}},
        "magnetar_breaker_state": {"state": {str(each) for each in BreakerState}},
        "magnetar_effects_told_total": {"outcome": {str(each) for each in Ending}},
    }
    for rule in rules():
        assert set(NAME.findall(rule.expr)) <= shown.keys(), rule.alert
        for name, selector in SELECTED.findall(rule.expr):
            for label, value in MATCH.findall(selector):
                assert value in words[name][label], rule.alert


def test_every_rule_says_what_happened_and_what_to_do() -> None:
    """A name of its own, a severity, a summary, a description, and a heading of the page that exists."""
    names = [rule.alert for rule in rules()]
    assert len(names) == len(set(names))
    heads = {head.strip().lower().replace(" ", "-") for head in re.findall(r"^### (.+)$", page(PAGE), re.MULTILINE)}
    for rule in rules():
        assert set(rule.annotations) == {"summary", "description", "runbook"}
        assert rule.labels.keys() == {"severity"}
        assert rule.labels["severity"] in {"warning", "critical"}
        path, _, head = rule.annotations["runbook"].partition("#")
        assert (ROOT / path).is_file()
        assert head in heads, rule.alert
    assert {rule.annotations["runbook"].partition("#")[2] for rule in rules()} == heads
