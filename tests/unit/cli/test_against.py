"""`magnetar schema check --against`: what it prints of a store, in which form, with which exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from magnetar.runtime import World
from magnetar.runtime.cli import program
from magnetar.runtime.cli.exits import Exit
from tests.unit.operate.test_holding import SHOP, Place, away
from tests.unit.operate.test_holding import Charge as Asked

SAME, LATER = (f"tests.unit.operate.test_holding:{name}" for name in ("SHOP", "LATER"))


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A file with two orders in it, their timers and what they ask."""
    path = tmp_path / "shop.db"
    with World(SHOP, effects={Asked: away}) as world:
        world.send(Place(order="o-1"), id="place-1")
        world.send(Place(order="o-2"), id="place-2")
        path.write_bytes(world.database.image())
    return f"sqlite:///{path}"


def check(
    capsys: pytest.CaptureFixture[str], folder: Path, target: str, *arguments: str
) -> tuple[int, list[str], list[str]]:
    """The exit status, and the lines printed."""
    out = str(folder / target.rpartition(":")[2])
    assert program.run(["schema", "generate", target, "--out", out]) == Exit.OK
    capsys.readouterr()
    status = program.run(["schema", "check", target, "--out", out, *arguments])
    printed = capsys.readouterr()
    return status, printed.out.splitlines(), printed.err.splitlines()


def test_a_store_that_can_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path, store: str) -> None:
    """Exit status 0, and a line for each kind, with how many there are."""
    status, out, err = check(capsys, tmp_path, SAME, "--against", store)
    assert (status, err[-1]) == (Exit.OK, f"{store} holds 6 rows; none of them could not be read")
    assert [line.split()[0] for line in out] == ["held", "effects", "states", "timers"]
    assert out[2].split()[1:3] == ["orders", "tests.Order"]
    assert out[2].split()[-1] == "2"


def test_rows_that_cannot_be_read_are_named(capsys: pytest.CaptureFixture[str], tmp_path: Path, store: str) -> None:
    """Four lines: how many of what, why, which, and what to do. Exit status 1."""
    status, out, err = check(capsys, tmp_path, LATER, "--against", store, "--rows", "1")
    assert status == Exit.NO
    assert out[0].startswith(f"{store}: 2 timers of orders cannot be read: tests.Overdue, unreleased (")
    assert out[1] == "  actor 'orders' has no handler for timer tests.Overdue"
    assert out[2].startswith("  rows: o-")
    assert out[2].endswith(", 1 more")
    assert out[3] == "  instead: keep the handler, in one release more, until these have fired"
    assert err[-1] == f"{store} holds 6 rows; 2 of them could not be read"


def test_the_same_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path, store: str) -> None:
    """Beside the findings of the gate, each in its own field."""
    status, out, _ = check(capsys, tmp_path, LATER, "--against", store, "--json")
    [told] = map(json.loads, out)
    assert (status, told["findings"]) == (Exit.NO, [])
    assert told["store"]["address"] == store
    [lost] = told["store"]["unreadable"]
    assert (lost["what"], lost["actor"], lost["type"], lost["rows"]) == ("timers", "orders", "tests.Overdue", 2)
    assert {row["key"] for row in lost["named"]} == {"o-1", "o-2"}
    assert sum(each["rows"] for each in told["store"]["held"]) == 6


def test_the_same_as_annotations(capsys: pytest.CaptureFixture[str], tmp_path: Path, store: str) -> None:
    """One workflow command, of no file."""
    status, out, _ = check(capsys, tmp_path, LATER, "--against", store, "--format", "github")
    assert status == Exit.NO
    [line] = out
    assert line.startswith("::error title=sqlite%3A///")
    assert "::actor 'orders' has no handler for timer tests.Overdue%0Arows: o-" in line


def test_no_store_is_judged_to_be_well(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Where there is none, nothing was judged."""
    status, _, err = check(capsys, tmp_path, SAME, "--against", f"sqlite:///{tmp_path}/nowhere.db")
    assert status not in {Exit.OK, Exit.NO}
    assert "nowhere.db" in err[-1]
