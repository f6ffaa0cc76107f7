"""`magnetar workers --watch` as a process that looks until it is interrupted."""

from __future__ import annotations

import json
import signal
from contextlib import closing
from pathlib import Path

from magnetar.runtime.store.port import Taker
from magnetar.runtime.store.roster import Beat
from magnetar.runtime.store.sqlite import SqliteFile
from tests.acceptance.cli.program import Program

STORE = ("--store", "sqlite:///shop.db")


def beat(folder: Path, worker: str, *, leaving: bool = False) -> None:
    """A worker that has two of the three shards of orders says that it lives."""
    with closing(SqliteFile(folder / "shop.db").open()) as store:
        store.prepare({"orders": 3, "stock": 1}, [])
        store.beat(Beat(worker, "1.2", 3, "orders,stock", 0, 7, leaving))
        for shard, standing in store.standings(["orders/0", "orders/1"]).items():
            if standing.owner != worker:
                assert store.take(shard, standing.epoch, Taker(worker, 3, "was never owned")) is not None


def test_a_watch_looks_again_until_it_is_interrupted(tmp_path: Path) -> None:
    """One document for each look; what changed between two shows; exit status 130."""
    beat(tmp_path, "w1")
    with Program(tmp_path, "workers", *STORE, "--watch", "--json") as watch:
        assert [worker["leaving"] for worker in json.loads(watch.line(lambda _: True))["workers"]] == [False]
        beat(tmp_path, "w1", leaving=True)
        watch.line(lambda line: json.loads(line)["workers"][0]["leaving"])
        watch.signal(signal.SIGINT)
        assert watch.status() == 130
