"""Every way a command can end has its exit status and one readable line; stdout holds answers only."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from magnetar.runtime.bus.port import BusUnavailable, Refused
from magnetar.runtime.cli import program, screen
from magnetar.runtime.cli.exits import Exit, last_word, status_of
from magnetar.runtime.compose.errors import WorkerFailed
from magnetar.runtime.servers.errors import ServerError
from magnetar.runtime.store.port import StoreMismatch, StoreUnavailable
from magnetar.schemas import SchemaInvalid, SchemaUnavailable

SHOP = "tests.unit.cli.shop:app"


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit status of a command, and what it printed."""
    status = program.run(arguments)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("too large"), Exit.NO),
        (StoreMismatch("other partitions"), Exit.NO),
        (WorkerFailed("a handler raised"), Exit.NO),
        (BusUnavailable("silence"), Exit.UNAVAILABLE),
        (StoreUnavailable("locked"), Exit.UNAVAILABLE),
        (SchemaUnavailable("orders", 1, "no answer"), Exit.UNAVAILABLE),
        (ServerError("no Java"), Exit.UNAVAILABLE),
        (FileNotFoundError("gone"), Exit.UNAVAILABLE),
        (SchemaInvalid("$", "no JSON"), Exit.USAGE),
        (KeyError("x"), Exit.DEFECT),
    ],
)
def test_each_error_has_its_exit_status(error: Exception, status: Exit) -> None:
    """So that a script knows whether to try again, to give up, or to wake somebody."""
    assert status_of(error) == status


def test_an_unforeseen_error_says_that_it_is_a_defect() -> None:
    """And how to see more of it."""
    assert last_word(KeyError("x")).startswith("KeyError: 'x'; this is a defect")
    assert "--debug" in last_word(KeyError("x"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], "error: No such command 'nope'; see `magnetar --help`\n"),
        (["key", "show"], "error: Missing argument 'ACTOR/KEY'; see `magnetar key show --help`\n"),
        (["key", "show", "x/y", "--stor", "z"], "--store); see `magnetar key show --help`\n"),
        (["key", "show", "x", "--store", "sqlite:///x.db"], "error: opening"),
        (["key", "show", "x/y", "--store", "oracle"], "error: 'oracle' names no store"),
        (["key", "show", "x/y", "--store", "memory:"], "error: a store in memory is no other process's"),
        (
            ["send", SHOP, "Pay", '{"order_id": "o"}', "--bus", "memory:"],
            "error: a bus in memory is no other process's",
        ),
        (["send", SHOP, "Captured", '{"order_id": "o"}', "--ask"], "error: Captured cannot be asked"),
        (["send", SHOP, "Mail", '{"address": "a"}', "--ask"], "error: Mail cannot be asked"),
        (["send", SHOP, "Pay", '{"order_id": ""}', "--bus", "memory:"], "error: "),
        (["shards", "--store", "memory:"], "error: a store in memory is no other process's"),
        (["workers", "--store", "sqlite:///x.db"], "error: opening"),
        (["doctor", "no_such_module:app"], "error: there is no module 'no_such_module'"),
        (["doctor", SHOP, "--bus", "memory:"], "error: a bus in memory is no other process's"),
        (["worker", "no_such_module:app"], "error: there is no module 'no_such_module'"),
        (["worker", SHOP, "--listen", "9464"], "error: '9464' is no address to listen on; write HOST:PORT"),
        (["dev", "tests.unit.cli.shop:nothing"], "error: 'nothing' in tests.unit.cli.shop is NoneType"),
    ],
)
def test_what_cannot_be_understood_is_one_line_on_stderr(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    """Nothing on stdout, no traceback, and what to do."""
    monkeypatch.setattr(sys, "path", [str(Path.cwd()), *sys.path])
    monkeypatch.chdir(tmp_path)
    status, out, err = ran(capsys, *arguments)
    assert said in err
    assert err.count("error: ") == 1
    assert "Traceback" not in err
    assert out == ""
    assert status in {Exit.USAGE, Exit.UNAVAILABLE}


def test_debug_prints_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """And the readable line after it, with the same exit status."""
    status, _, err = ran(capsys, "--debug", "key", "show", "x/y", "--store", "oracle")
    assert "Traceback" in err
    assert err.rstrip().splitlines()[-1].startswith("error: 'oracle' names no store")
    assert status == Exit.USAGE


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Alone, so that a script can read it."""
    status, out, _ = ran(capsys, "--version")
    assert (status, out.count("\n")) == (0, 1)
    assert out[0].isdigit()


def test_without_a_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is called an error."""
    status, out, err = ran(capsys)
    assert status == Exit.USAGE
    assert "magnetar dev shop:app" in out
    assert "error:" not in err


@pytest.mark.parametrize("width", ["140", "70"])
def test_every_help_fits_its_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    """And shows an example."""
    monkeypatch.setenv("COLUMNS", width)
    for command in (
        "dev",
        "worker",
        "send",
        "key show",
        "key timeline",
        "topics plan",
        "topics apply",
        "schema generate",
        "schema apply",
    ):
        status, out, _ = ran(capsys, *command.split(), "--help")
        assert status == 0
        assert max(map(len, out.splitlines())) <= int(width)
        assert f"magnetar {command} " in out


def test_schema_files_are_generated_and_their_drift_is_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Written, found right, changed by hand, found wrong: with exit status 1 and the file's name."""
    out = str(tmp_path / "avro")
    status, printed, _ = ran(capsys, "schema", "generate", SHOP, "--out", out, "--json")
    written = json.loads(printed)
    assert status == 0
    assert "topics/orders.avsc" in written["written"]
    assert written["schemas"] == len(written["written"])
    assert ran(capsys, "schema", "drift", SHOP, "--out", out)[:2] == (0, "")
    (tmp_path / "avro" / "topics" / "orders.avsc").write_text("{}", encoding="utf-8")
    status, printed, _ = ran(capsys, "schema", "drift", SHOP, "--out", out, "--json")
    assert status == Exit.NO
    [drift] = json.loads(printed)["drift"]
    assert drift["file"] == "topics/orders.avsc"


def test_an_imported_schema_is_python_and_is_never_written_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """To stdout, or to a file that is not there yet."""
    source = tmp_path / "r.avsc"
    source.write_text(
        '{"type": "record", "name": "pay.Refund", "fields": [{"name": "payment", "type": "string"}]}', encoding="utf-8"
    )
    status, out, _ = ran(capsys, "schema", "import", str(source), "--as", "Command")
    assert status == 0
    assert "class Refund(Command):" in out
    target = tmp_path / "refund.py"
    assert ran(capsys, "schema", "import", str(source), "--out", str(target))[0] == 0
    before = target.read_text(encoding="utf-8")
    status, _, err = ran(capsys, "schema", "import", str(source), "--out", str(target), "--as", "Command")
    assert (status, target.read_text(encoding="utf-8")) == (Exit.USAGE, before)
    assert "is there already" in err


def test_a_wrong_variable_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that cannot be read stop a command before it does anything."""
    monkeypatch.setenv("MAGNETAR_DRAIN", "soon")
    status, _, err = ran(capsys, "worker", SHOP)
    assert status == Exit.USAGE
    assert "drain" in err


def test_without_a_terminal_pictures_are_80_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a file or a pipe gets blocks, not a table."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert screen.width() == Console().width < screen.NARROW
