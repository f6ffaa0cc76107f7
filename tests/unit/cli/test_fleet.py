"""What `magnetar shards` and `magnetar workers` say of a store, and with which exit status."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from magnetar.runtime.cli import program
from magnetar.runtime.store.port import Taker
from magnetar.runtime.store.roster import Beat
from magnetar.runtime.store.sqlite import SqliteFile

STORE = ("--store", "sqlite:///shop.db")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run, in a wide terminal; no store is there yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return tmp_path


def worker(folder: Path) -> None:
    """A worker that has two of the three shards of orders said that it lives."""
    with closing(SqliteFile(folder / "shop.db").open()) as store:
        store.prepare({"orders": 3, "stock": 1}, [])
        store.beat(Beat("w1", "1.2", 3, "orders,stock", 0, 7, leaving=False))
        for shard in ("orders/0", "orders/1"):
            assert store.take(shard, 0, Taker("w1", 3, "was never owned")) is not None


def test_a_shard_without_a_live_owner_is_an_exit_status_of_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the picture says who has the others."""
    worker(folder)
    assert program.run(["shards", *STORE]) == 1
    shown = capsys.readouterr().out
    assert (shown.count("w1"), shown.count("nobody (never owned)")) == (2, 2)
    assert program.run(["shards", *STORE, "--actor", "stock", "--json"]) == 1
    assert capsys.readouterr().out.count('"shard":') == 1


def test_a_worker_that_is_there_is_an_exit_status_of_zero(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless it serves another actor."""
    worker(folder)
    assert program.run(["workers", *STORE]) == 0
    assert "1 of 1 worker alive" in capsys.readouterr().out
    assert program.run(["workers", *STORE, "--actor", "nope", "--json"]) == 1
    assert capsys.readouterr().out == '{"workers":[]}\n'


def test_what_is_not_there_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No store is unavailable, no such actor a question that cannot be understood."""
    assert (program.run(["shards", *STORE]), program.run(["workers", *STORE])) == (3, 3)
    worker(folder)
    assert program.run(["shards", *STORE, "--actor", "nope"]) == 2
    assert "no shard of an actor 'nope'" in capsys.readouterr().err
