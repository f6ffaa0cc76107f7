"""What our settings are worth: what is left out is there, and both ways stand side by side."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from magnetar.chaos import cli
from magnetar.chaos.cluster.plans import changes
from magnetar.chaos.cluster.profile import PROFILES, SMALL
from magnetar.chaos.record.shape import Record, Scenario
from magnetar.chaos.scenarios.reading import suite
from magnetar.chaos.tuning import table
from magnetar.chaos.tuning.inside import MODULE
from magnetar.chaos.tuning.untuned import BUG, SHIPPED, as_shipped
from magnetar.chaos.zoo.bug import broken
from magnetar.runtime.bus.pulsar.hosts import answering
from magnetar.runtime.bus.pulsar.probing import Probes
from tests.unit.chaos.test_chaos_playing import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pytest


def of(name: str) -> Record:
    """A record of a scenario."""
    return msgspec.structs.replace(RECORD, scenario=Scenario(name, f"title of {name}", "…"))


def test_what_is_left_out_is_there_and_a_worker_can_be_started_without_it() -> None:
    """And no host is left out then."""
    BUG.require_targets()
    assert import_module(BUG.module).BUG is BUG
    client: Any = object()
    probes = Probes({"a": client}, 1.0, {"a"})
    assert answering(("a", "b"), probes.silent()) == ("b",)
    with broken(BUG.changes):
        assert answering(("a", "b"), probes.silent()) == ("a", "b")


def test_brokers_as_shipped_keep_what_the_profile_needs() -> None:
    """Our own settings of every run stay; those that are looked at are as shipped."""
    ours, theirs = changes(SMALL), changes(as_shipped(SMALL))
    assert ours.keys() == {"bookie", "broker"}
    assert theirs["broker"] == {**ours["broker"], **SHIPPED["broker"]}
    assert (theirs["bookie"], theirs["zookeeper"]) == (ours["bookie"], SHIPPED["zookeeper"])
    assert all(not profile.settings for profile in PROFILES.values())


def test_the_scenarios_are_of_the_suite() -> None:
    """Those of the ordinary one."""
    assert set(table.SCENARIOS) <= suite().keys()


@given(st.lists(st.sampled_from(["S11", "S15", "S02"])), st.lists(st.sampled_from(["S11", "S15", "S02"])))
def test_each_scenario_is_a_row(before: list[str], after: list[str]) -> None:
    """Whichever was played both ways, or only one."""
    found = table.pairs(map(of, before), map(of, after))
    assert {pair.id for pair in found} == {*before, *after}
    assert all((pair.before is not None) == (pair.id in before) for pair in found)
    assert all((pair.after is not None) == (pair.id in after) for pair in found)


def test_the_command_plays_both_ways_and_prints_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without first; what was not played both ways is an error."""
    asked: list[tuple[list[str], str]] = []

    def lead(names: Sequence[str], seed: int, out: Path, module: str = "") -> Iterator[Record]:
        asked.append((list(names), module))
        yield from map(of, names if module else names[:1])

    monkeypatch.setattr(table, "lead", lead)
    done = CliRunner().invoke(cli.app, ["chaos", "recovery", "S11", "--out", str(tmp_path)])
    assert done.exit_code == 0
    assert asked == [(["S11"], MODULE), (["S11"], "")]
    assert done.stdout.count("6.6 s") == 2
    assert CliRunner().invoke(cli.app, ["chaos", "recovery", "S11", "S15", "--out", str(tmp_path)]).exit_code == 1
