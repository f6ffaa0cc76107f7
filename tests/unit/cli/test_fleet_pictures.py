"""The pictures of shards and workers say who is missing, and fit their terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from magnetar.runtime.cli.fleet_pictures import runs, shards_picture, workers_picture
from magnetar.runtime.operate.fleet import ShardReport, WorkerReport

if TYPE_CHECKING:
    from rich.console import RenderableType

OWNED = ShardReport(
    shard="orders/0",
    owner="host:1",
    owner_alive=True,
    epoch=4,
    since=datetime(2026, 1, 1, tzinfo=UTC),
    changed=90.0,
    why="host:2 was gone",
    clean=False,
    commits=9,
    lag=12,
    oldest=3.25,
    unsent=5,
    timers=6,
    parked=0,
)
WORKER = WorkerReport(
    worker="host:1",
    alive=True,
    leaving=False,
    seen=0.5,
    heard=0.75,
    up=7200.0,
    shards=["orders/0", "orders/1", "orders/2", "orders/7", "stock/1"],
    actors=["orders", "stock"],
    progress=1234,
    code="1.2",
    contracts=3,
)


def drawn(picture: RenderableType, width: int = 140) -> str:
    """As a terminal of that width shows it."""
    console = Console(file=StringIO(), width=width, highlight=False, markup=False)
    console.print(picture)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_shard_is_told_whole() -> None:
    """Every fact in its row, and the sum below."""
    lines = drawn(shards_picture([OWNED], 140)).splitlines()
    assert lines[1].split("  ")[0] == "orders/0"
    for fact in ("host:1", " 4 ", "90.0 s ago", "host:2 was gone", "12", "3.2 s", "5", "6"):
        assert fact in lines[1]
    assert lines[-1].rstrip() == "1 of 1 shard owned by 1 live worker; 5 unsent; 12 unapplied"


def test_what_is_parked_is_told_where_something_is() -> None:
    """A column for all shards, and the sum; without it nobody is made to look at zeros."""
    assert "parked" not in drawn(shards_picture([OWNED], 140))
    lines = drawn(shards_picture([OWNED, msgspec.structs.replace(OWNED, parked=1234)], 140)).splitlines()
    assert [line.split()[-1] for line in lines[:3]] == ["parked", "0", "1,234"]
    assert lines[-1].rstrip().endswith("; 24 unapplied; 1,234 parked")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"owner_alive": False}, "host:1 (not alive)"),
        ({"owner": "", "owner_alive": False, "clean": True}, "nobody (released)"),
        ({"owner": "", "owner_alive": False}, "nobody (not released in order)"),
        ({"owner": "", "owner_alive": False, "epoch": 0}, "nobody (never owned)"),
    ],
)
def test_a_shard_without_a_live_owner_is_called_so(changes: dict[str, object], said: str) -> None:
    """And counted."""
    shown = drawn(shards_picture([OWNED, msgspec.structs.replace(OWNED, **changes)], 140))
    assert said in shown
    assert "1 of 2 shards owned by 1 live worker" in shown


def test_why_it_was_taken_is_told_of_an_owner_only() -> None:
    """Of a released shard it is an old story."""
    assert OWNED.why not in drawn(shards_picture([msgspec.structs.replace(OWNED, owner="", owner_alive=False)], 140))


def test_what_was_not_asked_is_not_zero() -> None:
    """A shard whose lag nobody knows."""
    shown = drawn(shards_picture([msgspec.structs.replace(OWNED, lag=None, oldest=None)], 140))
    assert "0 unapplied" not in shown
    assert "what is unapplied was not asked" in shown


def test_a_worker_is_told_whole() -> None:
    """State, ages, and its shards in few words."""
    lines = drawn(workers_picture([WORKER], 140)).splitlines()
    for fact in ("host:1", "alive", "500 ms ago", "750 ms ago", "2 h", " 5 ", "1,234", "1.2, contracts 3"):
        assert fact in lines[1]
    assert "orders/0-2,7 stock/1" in lines[1]
    assert lines[-1].rstrip() == "1 of 1 worker alive"


def test_a_worker_that_is_gone_or_leaves_is_called_so() -> None:
    """And nobody at all, too."""
    gone, leaving = (
        msgspec.structs.replace(WORKER, alive=False),
        msgspec.structs.replace(WORKER, leaving=True),
    )
    shown = drawn(workers_picture([gone, leaving], 140))
    assert "gone" in shown
    assert "leaving" in shown
    assert "1 of 2 workers alive" in shown
    assert "no worker was seen" in drawn(workers_picture([], 140))


@pytest.mark.parametrize("width", [140, 80, 50])
def test_they_fit_their_terminal(width: int) -> None:
    """However narrow, the names and the numbers that matter most are there."""
    for picture in (shards_picture([OWNED], width), workers_picture([WORKER], width)):
        shown = drawn(picture, width)
        assert max(len(line.rstrip()) for line in shown.splitlines()) <= width
        assert "host:1" in shown


@given(st.sets(st.integers(0, 60)))
def test_runs_hold_every_number_once(numbers: set[int]) -> None:
    """And none else; no two runs touch."""
    told = [tuple(map(int, run.split("-"))) for run in runs(sorted(numbers))]
    found = [number for run in told for number in range(run[0], run[-1] + 1)]
    assert found == sorted(numbers)
    assert all(one[-1] + 1 < other[0] for one, other in pairwise(told))
