"""`magnetar schema asyncapi`: where it writes, what it says, with which exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]

from magnetar.runtime.cli import program
from magnetar.runtime.cli.exits import Exit

if TYPE_CHECKING:
    import pytest

TARGET = "tests.unit.cli.shop:app"


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit status of the command on a small app, and what it printed."""
    status = program.run(["schema", "asyncapi", TARGET, *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_it_goes_to_stdout_as_yaml_or_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same document."""
    status, out, err = ran(capsys)
    assert (status, err) == (Exit.OK, "")
    assert json.loads(ran(capsys, "--json")[1]) == yaml.safe_load(out)


def test_a_file_is_written_where_it_differs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """And what is written is what goes to stdout."""
    file = tmp_path / "asyncapi.yaml"
    assert ran(capsys, "--out", str(file)) == (Exit.OK, "", f"wrote {file}\n")
    assert file.read_text(encoding="utf-8") == ran(capsys)[1]
    assert ran(capsys, "--out", str(file)) == (Exit.OK, "", f"{file} is what the app is\n")


def test_a_file_is_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Missing, other, or the same; it is left as it is, and what mends it is told."""
    file = tmp_path / "asyncapi.yaml"
    mend = f"{file} differs; `magnetar schema asyncapi {TARGET} --out {file}` mends it\n"
    assert ran(capsys, "--out", str(file), "--check") == (Exit.NO, "", mend)
    assert not file.exists()
    ran(capsys, "--out", str(file))
    assert ran(capsys, "--out", str(file), "--check")[0] == Exit.OK
    file.write_text(file.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    status, out, err = ran(capsys, "--out", str(file), "--check", "--json")
    assert (status, json.loads(out), err) == (Exit.NO, {"file": str(file), "differed": True}, mend)
    assert file.read_text(encoding="utf-8").endswith("# mine\n")


def test_what_cannot_be_done_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing to compare with, or nowhere to write."""
    assert ran(capsys, "--check")[::2] == (Exit.USAGE, "error: --check compares a file: name it with --out\n")
    status, _, err = ran(capsys, "--out", str(tmp_path / "none" / "asyncapi.yaml"))
    assert status == Exit.UNAVAILABLE
    assert "No such file or directory" in err
