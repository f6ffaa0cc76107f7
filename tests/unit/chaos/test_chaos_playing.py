"""The commands around a play: what there is, what was played, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest
from typer.testing import CliRunner

from magnetar.chaos import cli
from magnetar.chaos.cluster import enclosure
from magnetar.chaos.cluster.reporting import OutputBusy
from magnetar.chaos.history import History
from magnetar.chaos.playing.leading import lead
from magnetar.chaos.playing.showing import status
from magnetar.chaos.record.keeping import Kept, write
from magnetar.chaos.record.shape import Blow, Bound, Check, Gap, Measures, Record, Scenario, Versions, Witness
from magnetar.chaos.verdict import Verdict
from magnetar.runtime.cli.exits import BadInput
from magnetar.runtime.servers.locks import locked

if TYPE_CHECKING:
    from pathlib import Path

RECORD = Record(
    id="S03-20260101T000000-1",
    began=1,
    took=90.0,
    commit="abc",
    versions=Versions("4.0.8", "18", "3.11", "0.2"),
    profile="small",
    seed=1,
    scenario=Scenario("S03", "The broker of a topic is killed", "…"),
    schedule={},
    phases=(),
    blows=(
        Blow("kill x", "broker-1", 1.0, 2.0, 3.0, 4.0, "process 7 gone", "ready", inside_budget=True, required=True),
    ),
    measures=Measures(16.0, 900, 1, 0, (), (Gap("orders/3", 6.6, 1.0, 7.6),), 7.1, 0.5, None),
    bounds=(Bound("gap", 15.0, 6.6, "session"),),
    checks=(Check("lists", Verdict.INVALID, {"examined": 4, "wrong": 1}, (Witness("l-1", "it lacks 7", ()),)),),
    needs=(),
    alarms=(),
    pressure=(),
    starved=False,
    verdict=Verdict.INVALID,
    reasons=("lists: 1 of 4 are wrong",),
)
RUN = CliRunner()


def with_verdict(found: Verdict, began: int = 1) -> Record:
    """Another record."""
    return msgspec.structs.replace(RECORD, verdict=found, began=began, id=f"S03-{began}-1")


def keep(folder: Path, *records: Record) -> None:
    """As a run leaves them."""
    for record in records:
        write(folder / record.id, Kept(record, [], [], [], History(lambda: 0)))


def test_the_status_is_that_of_the_worst() -> None:
    """Invalid before unknown before valid; nothing at all shows nothing."""
    valid, unknown, invalid = map(with_verdict, (Verdict.VALID, Verdict.UNKNOWN, Verdict.INVALID))
    assert status([valid, valid]) == 0
    assert status([valid, unknown, invalid]) == 1
    assert status([valid, unknown]) == status([]) == 3


def test_list_tells_every_scenario() -> None:
    """As a table, and as data that can be read again."""
    told = RUN.invoke(cli.app, ["chaos", "list"])
    assert told.exit_code == 0
    assert "The broker of a topic is killed" in told.stdout
    found = {
        (each := json.loads(line))["id"]: each
        for line in RUN.invoke(cli.app, ["chaos", "list", "--json"]).stdout.splitlines()
    }
    assert {"S02", "S03"} <= found.keys()
    assert found["S03"]["faults"][0] == {"do": "kill", "who": {"broker-of": "orders/o-17"}, "for": 13.0}


def test_show_tells_the_newest_and_ends_as_its_verdict(tmp_path: Path) -> None:
    """Faults with their proof, bounds, and what was wrong."""
    keep(tmp_path, RECORD, with_verdict(Verdict.VALID, 2), with_verdict(Verdict.UNKNOWN, 3))
    told = RUN.invoke(cli.app, ["chaos", "show", RECORD.id, "--out", str(tmp_path)])
    assert told.exit_code == 1
    for part in ("invalid", "process 7 gone", "6.6 s", "it lacks 7", "lists: 1 of 4 are wrong"):
        assert part in told.stdout, part
    newest = RUN.invoke(cli.app, ["chaos", "show", "S03", "--json", "--out", str(tmp_path)])
    assert (newest.exit_code, json.loads(newest.stdout)["began"]) == (3, 3)


def test_show_says_what_it_does_not_find(tmp_path: Path) -> None:
    """Where it looked, and what to do."""
    with pytest.raises(BadInput, match="S77 is no record of a run: nothing that begins so was played"):
        RUN.invoke(cli.app, ["chaos", "show", "S77", "--out", str(tmp_path)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("names", "told"),
    [([], "name scenarios, or say --ci or --all"), (["S99"], "there is no scenario S99"), (["x.yaml"], "x.yaml")],
)
def test_run_refuses_what_cannot_be_played(names: list[str], told: str, tmp_path: Path) -> None:
    """Before anything is started."""
    with pytest.raises(BadInput, match=told):
        RUN.invoke(cli.app, ["chaos", "run", *names, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert not (tmp_path / "out").exists()


def test_only_one_plays_into_a_folder(tmp_path: Path, enclosures: None) -> None:
    """The other one is told so, and starts nothing."""
    with locked(tmp_path / "lock", 0.0, AssertionError()), pytest.raises(OutputBusy, match="choose another folder"):
        next(lead(["S03"], 1, tmp_path))


@pytest.fixture
def enclosures() -> None:
    """Skip, with the reason, where the machine allows none."""
    if why := enclosure.why_not():
        pytest.skip(f"no namespaces can be made here: {why}")
