"""The gate and a real broker on the same changes: every difference is known, has its reason, stands in the docs."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from magnetar.runtime.bus.port import SchemaRefused
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.registering import Registering
from magnetar.runtime.bus.pulsar.sameness import normal
from magnetar.runtime.bus.pulsar.wanted import Wanted
from magnetar.schemas import gate
from tests.acceptance.pages import ROOT
from tests.unit.schemas.gate.test_changes import CHANGES, NAMES, Change

if TYPE_CHECKING:
    from pathlib import Path

    from magnetar.runtime.servers.pulsar import PulsarPlan, PulsarServer

PAGE: Final = "docs/reference/broker-compatibility.md"
UPDATE: Final = "UPDATE_BROKER_PAGE"
"""Set in the environment, this makes the page anew."""

LOGICAL = "it compares the types below, never what they stand for"
NAMES_OF = "of records and enums it compares the fields and the symbols, not the names"
SYMBOLS = "a symbol that a reader lacks is to it an error of the value, met when one is read"
UNIONS = "of a union it looks for a branch that reads, wherever that stands"
NUMBERS = "a promotion that Avro has, whether or not it keeps every value"
ALONE = "each schema is valid Avro, and it asks for no more"
OUTSIDE = "it is not in any schema: the gate knows it from the code"
REASONS: Final = {
    "accept-then-send": OUTSIDE,
    "actor-removed": OUTSIDE,
    "alias": ALONE,
    "decimal-precision": LOGICAL,
    "decimal-scale": LOGICAL,
    "default-changed": "it looks whether there is a default, not which",
    "doc-missing": ALONE,
    "enum-default": "it does not compare the defaults of enums; to it the two schemas may even be one",
    "enum-no-default": ALONE,
    "enum-order": SYMBOLS,
    "enum-symbol-added": SYMBOLS,
    "enum-symbol-removed": SYMBOLS,
    "field-renamed": "to it one field with a default has gone and another one has come",
    "handler-removed": OUTSIDE,
    "logical-type": LOGICAL,
    "money-double": ALONE,
    "name-changed": NAMES_OF,
    "namespace-changed": NAMES_OF,
    "number-inexact": NUMBERS,
    "schema-invalid": LOGICAL,
    "state-field-removed": "a field with a default may go; that something is stored in it, it does not know",
    "state-generation": OUTSIDE,
    "still-produced": OUTSIDE,
    "text-bytes": NUMBERS,
    "time-unit": LOGICAL,
    "upcast": "to it fields with defaults have gone and others have come; what becomes of them, it does not know",
    "upcast-removed": "it does not compare how many upcasts lead to a schema",
    "union-branch-removed": f"{NAMES_OF}: it takes one message for another that has such fields, too",
    "union-order": UNIONS,
}
"""Why the broker lets pass what breaks a rule of the gate; of the rules that nothing of the kind is seen of, none."""

HEAD: Final = """# The gate and the broker

A Pulsar broker compares schemas, too, when one is registered. This page lists every change on which the gate
([evolving contracts](../guide/evolving-contracts.md)) and Pulsar {version} do not agree, and why. It is made by a test,
which runs all changes of the gate's table through both:

`{update}=1 .venv/bin/python -m pytest tests/integration/pulsar/test_broker_agrees.py`

Each is asked about under the strategy that is the gate's mode for it, as if its contract had a topic of its own. On a
real cluster the broker sees topics only, under `BACKWARD_TRANSITIVE`: no states, no timers, and nothing that only old
readers stumble over.

| | the gate allows it | the gate refuses it |
|---|---|---|
| **the broker takes it** | {both} | {gate} |
| **the broker refuses it** | {broker} | {none} |

So what the gate allows can be registered; what the broker takes may still break.

| change that the broker takes | strategy | the gate's rules | why the broker takes it |
|---|---|---|---|
"""
STRATEGIES: Final = {
    gate.Mode.FULL: "FULL_TRANSITIVE",
    gate.Mode.BACKWARD: "BACKWARD_TRANSITIVE",
    gate.Mode.FORWARD: "FORWARD_TRANSITIVE",
    gate.Mode.NONE: "ALWAYS_COMPATIBLE",
}


@dataclass(frozen=True)
class Opinion:
    """What both say of one change."""

    name: str
    mode: gate.Mode
    findings: tuple[str, ...]
    broker: bool

    @property
    def gate(self) -> bool:
        """Whether the gate allows it."""
        return not self.findings

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that it breaks."""
        return tuple(sorted({each.partition(" at ")[0] for each in self.findings}))


@pytest.fixture(scope="module")
def admin(pulsar_server: PulsarServer) -> Generator[Admin]:
    """The REST API of the run's server."""
    with Admin(pulsar_server.admin_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def opinions(admin: Admin, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Opinion]:
    """Of every change that leaves a schema: what was before is registered, what comes after is asked about."""
    namespaces = {mode: _namespace(admin, strategy) for mode, strategy in STRATEGIES.items()}
    changes = {name: Change.read(name) for name in NAMES}
    return {
        name: _opinion(admin, namespaces, name, change, tmp_path_factory.mktemp(name))
        for name, change in changes.items()
        if change.after is not None
    }


def _namespace(admin: Admin, strategy: str) -> str:
    """One whose topics are judged by this strategy."""
    wanted = Wanted(application=f"changes-{uuid4().hex[:8]}")
    Registering(admin, wanted, []).apply()
    admin.set_policy(wanted.namespace, "PUT", "schemaCompatibilityStrategy", strategy)
    return wanted.namespace


def _opinion(admin: Admin, namespaces: Mapping[gate.Mode, str], name: str, change: Change, directory: Path) -> Opinion:
    found = tuple(f"{each.rule} at {each.path}" for each in change.findings(directory))
    mode = gate.load_settings(change.folder).mode_of(change.verdict.contract, change.verdict.kind)
    topic = f"persistent://{namespaces[mode]}/{name}"
    free = f"persistent://{namespaces[gate.Mode.NONE]}/{name}-all"
    assert change.after is not None
    stored = [admin.add_schema(topic, text) for text in change.before]
    again = [admin.add_schema(free, text) for text in change.before]
    verdict = admin.verdict(topic, change.after)
    assert verdict.strategy in {None, STRATEGIES[mode]}
    same = normal(change.after) in {normal(text) for text in change.before}
    assert len(set(stored)) == len({normal(text) for text in change.before})
    try:
        assert (admin.add_schema(free, change.after) in again) == same, f"{name}: whether it is one to the broker"
    except SchemaRefused:
        assert verdict.reason is not None, f"{name}: it must be refused by both calls, or by none"
    return Opinion(name, mode, found, verdict.reason is None)


def test_what_the_gate_allows_the_broker_takes(opinions: dict[str, Opinion]) -> None:
    """Or `magnetar schema apply` would stumble over a release that CI let pass."""
    assert [each.name for each in opinions.values() if each.gate and not each.broker] == []
    assert len(opinions) >= 40


def test_every_difference_has_its_reason(opinions: dict[str, Opinion]) -> None:
    """And there is no reason for a difference that is not one."""
    differing = {rule for each in opinions.values() if each.broker for rule in each.rules}
    assert differing == set(REASONS)


def test_the_page_lists_every_difference(opinions: dict[str, Opinion], pulsar_plan: PulsarPlan) -> None:
    """As the broker of this run has it."""
    made = page(opinions, pulsar_plan.version)
    path = ROOT / PAGE
    if os.environ.get(UPDATE):
        path.write_text(made, encoding="utf-8", newline="\n")
    assert path.read_text(encoding="utf-8") == made


def page(opinions: dict[str, Opinion], version: str) -> str:
    """The whole page."""
    counted = Counter((each.gate, each.broker) for each in opinions.values())
    head = HEAD.format(
        version=version,
        update=UPDATE,
        both=counted[True, True],
        gate=counted[False, True],
        broker=counted[True, False],
        none=counted[False, False],
    )
    return head + "".join(row(each) for each in opinions.values() if each.gate != each.broker)


def row(each: Opinion) -> str:
    """One difference; where several rules are broken, each reason stands once."""
    case = f"[{each.name}](../../{CHANGES.relative_to(ROOT)}/{each.name}/verdict.toml)"
    rules = ", ".join(f"`{rule}`" for rule in each.rules)
    why = "; ".join(dict.fromkeys(REASONS[rule] for rule in each.rules))
    return f"| {case} | `{STRATEGIES[each.mode]}` | {rules} | {why} |\n"
