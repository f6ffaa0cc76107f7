"""Every fault on a real cluster: proven to be in force, proven to be healed, and told where it is neither."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster.striking import FAULTS

ROOT = Path(__file__).parents[3]
SECONDS = 400.0
pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def told(enclosures: None, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the run printed, a cluster's life long."""
    folder = tmp_path_factory.mktemp("struck")
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.cluster.striking", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "janitor.log").read_text(encoding="utf-8").endswith("left: 0 processes\n")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_fault_is_proven_twice(told: list[dict[str, Any]]) -> None:
    """That it took effect, and that it was healed."""
    played = told[1 : 1 + len(FAULTS)]
    assert [each["title"] for each in played] == [fault.title for fault in FAULTS]
    assert [each for each in played if not (each["effective"] and each["well"])] == []
    assert all(each["effect"] and each["targets"] for each in played)


def test_targets_are_found_when_it_strikes(told: list[dict[str, Any]]) -> None:
    """By the part that somebody plays at that moment."""
    found = {each["title"]: each["targets"] for each in told[1 : 1 + len(FAULTS)]}
    assert found["cut the worker of orders/3 ↮ every broker"][0].startswith("worker-")
    assert found["pause the broker of orders/o-17"][0].startswith("broker-")
    assert found["fill the disk of 1 of the bookies of orders/o-17"][0].startswith("bookie-")
    assert found["isolate the ZooKeeper leader ↚"] == ["zookeeper-1"]


def test_a_one_way_cut_is_silence_in_one_direction_only(told: list[dict[str, Any]]) -> None:
    """Three links of a broker to its bookies, of all that any of the four has."""
    evidence = next(each["effect"] for each in told if each.get("title") == "cut broker-1 ↛ every bookie")
    assert evidence == "3 of 76 links silent"


def test_a_bookie_without_room_says_so_and_is_left_alone(told: list[dict[str, Any]]) -> None:
    """It takes no writes and serves reads: nobody takes it for hung and starts it again, unless it has ended itself."""
    (noticed,) = [
        each["noticed"] for each in told if each.get("title", "").startswith("fill the disk of 1 of the bookies")
    ]
    assert noticed == ["it takes no writes: its disk is full", 0, False] or noticed[2]


def test_a_fault_that_did_nothing_is_not_proven(told: list[dict[str, Any]]) -> None:
    """Who was dead before it was killed, and a cut that somebody has undone."""
    dead, undone = told[-2:]
    assert (dead["title"], dead["effective"], dead["well"]) == ("kill bookie-3", False, True)
    assert dead["effect"] == "bookie-3: was down before"
    assert undone["effective"] is False
    assert undone["effect"].endswith("heard: broker-1→broker-2, broker-2→broker-1")


def test_only_what_was_forced_survives_a_power_loss(told: list[dict[str, Any]]) -> None:
    """On the disk of the store and of a bookie; a bookie that was made a while ago starts again."""
    lost = {each["title"]: each["effect"] for each in told if each.get("title", "").startswith("power loss")}
    assert len(lost) == 2
    assert all(effect.endswith(" kept what was forced") for effect in lost.values()), lost
