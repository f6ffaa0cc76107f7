"""Nothing but what a run has made is ever harmed by it."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from magnetar.chaos.cluster import enclosure, switch
from magnetar.chaos.cluster.errors import ForeignTarget, NotEnclosed
from magnetar.chaos.cluster.estate import Estate
from magnetar.chaos.cluster.profile import CONTROL, FULL, SMALL
from magnetar.chaos.cluster.stations import tell
from magnetar.chaos.cluster.switch import Switch
from magnetar.chaos.faults.processes import require_all


@pytest.fixture
def estate(tmp_path: Path) -> Estate:
    """Of a run that has made the small profile: the network of each is one that nobody is in."""
    made = Estate("unit", tmp_path)
    made._networks = {node.name: number for number, node in enumerate(SMALL.nodes)}
    return made


def test_the_test_s_own_process_is_a_stranger(estate: Estate) -> None:
    """It is not in the network of any node; nor is the machine's first."""
    for pid in (os.getpid(), 1):
        with pytest.raises(ForeignTarget, match=rf"process {pid} is not this run's and is left alone"):
            estate.require_process(pid, SMALL.nodes[0])


def test_who_has_ended_is_nobody_and_holds_nothing_up(estate: Estate) -> None:
    """A server of one client ends with it, also between a look at who is there and a look at whose they are."""

    class Left:
        node = SMALL.node("store")

        def pids(self) -> list[int]:
            """One that has ended since."""
            return [2**22 + 1]

    station: Any = Left()
    with pytest.raises(ProcessLookupError, match="has ended"):
        estate.require_process(2**22 + 1, station.node)
    require_all([station], estate)
    assert tell(station, estate, signal.SIGCONT) == [2**22 + 1]


def test_a_process_in_a_node_s_network_is_ours(estate: Estate) -> None:
    """By the network's identity, and only for that node."""
    estate._networks["broker-1"] = Path("/proc/self/ns/net").stat().st_ino
    assert estate.require_process(os.getpid(), SMALL.node("broker-1")) == os.getpid()
    assert os.getpid() in estate.processes(SMALL.node("broker-1"))
    with pytest.raises(ForeignTarget):
        estate.require_process(os.getpid(), SMALL.node("broker-2"))


def test_whoever_plays_the_run_is_no_target(estate: Estate) -> None:
    """Nor is a node that this run has not made."""
    with pytest.raises(ForeignTarget, match="whoever plays the run is never a target"):
        estate.require(CONTROL)
    with pytest.raises(ForeignTarget, match="broker-3 is not this run's"):
        estate.require(FULL.node("broker-3"))
    assert estate.require(SMALL.node("broker-2")).name == "broker-2"


def test_only_the_run_s_own_folder_is_filled(estate: Estate, tmp_path: Path) -> None:
    """However the path is written."""
    inside = tmp_path / "pulsar" / "bookie-1"
    assert estate.require_path(inside) == inside
    (tmp_path / "out").symlink_to("/usr")
    for path in (Path("/usr"), tmp_path / ".." / "elsewhere", tmp_path / "out" / "bin"):
        with pytest.raises(ForeignTarget, match="is not below"):
            estate.require_path(path)


def test_nothing_is_laid_out_on_the_machine_s_own_network(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not entered an enclosure is refused, and so is whoever only says so."""

    def refuse(*command: str, **_options: object) -> None:  # should the guard be broken, the machine is not
        pytest.fail(f"this was about to be done to the machine: {command}")

    for tool in ("run", "batch"):
        monkeypatch.setattr(switch, tool, refuse)
    with pytest.raises(NotEnclosed, match="nobody has entered one"):
        Switch(estate, SMALL.nodes)
    monkeypatch.setenv("MAGNETAR_ENCLOSED_FROM", " ".join(enclosure._identities()))
    with pytest.raises(NotEnclosed, match="it shares net, mnt, pid"):
        Switch(estate, SMALL.nodes)
