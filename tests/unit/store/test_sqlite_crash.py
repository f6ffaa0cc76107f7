"""A worker killed at any instant: what was committed is there, and nothing of what was not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.runtime.store.sqlite import SqliteFile
from tests.contract.store.harness import ACTOR, SHARD

if TYPE_CHECKING:
    import random

WRITER = Path(__file__).parent / "crash_writer.py"
ROOT = Path(__file__).parents[3]


def commits_until_killed(path: Path, after: int) -> int:
    """Run the writer, kill it once it has told of so many commits, and return the last one it told of."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = (sys.executable, str(WRITER), str(path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdout is not None
        told = 0
        for line in writer.stdout:
            told = int(line)
            after -= 1
            if after == 0:
                writer.kill()
        assert writer.wait() < 0
    return told


def test_a_killed_writer_leaves_whole_commits(tmp_path: Path, chance: random.Random) -> None:
    """Killed at random, started again, three times: each commit that returned is there, each one there is whole."""
    database = SqliteFile(tmp_path / "magnetar.db")
    for _ in range(3):
        told = commits_until_killed(database.path, chance.randrange(1, 40))
        views = database.views()
        shard = next(row for row in views.shards() if row.shard == SHARD)
        assert shard.commits >= told
        assert shard.lane == shard.commits * 10
        numbers = range(shard.commits * 10)
        assert {row.key for row in views.states_of(ACTOR)} == {f"o-{number}" for number in numbers}
        assert {row.key for row in views.journal_of(ACTOR)} == {f"o-{number}" for number in numbers}
        assert [row.number for row in views.unsent_of(ACTOR)] == [number + 1 for number in numbers]
        views.close()
