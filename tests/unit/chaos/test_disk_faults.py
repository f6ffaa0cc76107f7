"""When a fault of a disk counts as proven, and what can be done to which disk."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from magnetar.chaos.cluster import disks as rooms
from magnetar.chaos.cluster import filesystem
from magnetar.chaos.cluster.disks import Disks
from magnetar.chaos.cluster.errors import BackupMissing, CommandFailed, DiskInMemory, DiskMissing, ForeignTarget
from magnetar.chaos.cluster.estate import Estate
from magnetar.chaos.cluster.janitor import Debts
from magnetar.chaos.cluster.profile import SMALL
from magnetar.chaos.faults.backups import BackUp, GoBack
from magnetar.chaos.faults.disks import FailDisk, FillDisk, FreezeDisk
from magnetar.chaos.faults.power import LosePower
from magnetar.chaos.faults.targets import Named

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from magnetar.chaos.cluster.profile import Node

BOOKIE, STORE, WORKER = (SMALL.node(name) for name in ("bookie-1", "store", "worker-1"))
ONE = Named((BOOKIE.name,))


@dataclass
class Station:
    """A process that can be killed."""

    node: Node
    process: subprocess.Popen[bytes]

    def pids(self) -> Sequence[int]:
        """It alone."""
        return [] if self.process.poll() is not None else [self.process.pid]

    def kill(self) -> None:
        """And wait for it."""
        self.process.kill()
        self.process.wait()

    def lacks(self) -> str:
        """Nothing, while it is there."""
        return "" if self.pids() else "it is down"


@dataclass
class Drive:
    """A disk that does as it is told: what it keeps when the power fails, what it refuses, and whether it hangs."""

    kept: frozenset[str] = frozenset({"forced"})
    backups: int = 1
    older: bool = True
    refused: str = ""
    broken: bool = False
    done: list[str] = field(default_factory=list)
    place_of: Any = None

    def lose_power(self, node: Node) -> None:
        """Perhaps not."""
        self.done.append(f"lost {node.name}")
        if self.broken:
            raise OSError(5, "Input/output error")

    def anew(self, node: Node) -> None:
        """Said."""
        self.done.append(f"anew {node.name}")

    def witnesses(self, node: Node) -> frozenset[str]:  # noqa: ARG002 - one for all
        """As it was told."""
        return self.kept

    def keep(self, node: Node) -> int:  # noqa: ARG002 - one for all
        """Of a megabyte each."""
        return self.backups * 1024 * 1024

    def require_backup(self, node: Node) -> None:
        """As the real one."""
        if not self.backups:
            raise BackupMissing(node.name)

    def put_back(self, node: Node) -> None:
        """Said."""
        self.done.append(f"put back {node.name}")

    def is_older(self, node: Node) -> bool:  # noqa: ARG002 - one for all
        """As it was told."""
        return self.older

    def refusal(self, node: Node) -> str:  # noqa: ARG002 - one for all
        """As it was told."""
        return self.refused

    def fill(self, node: Node) -> None:
        """Said."""

    def fail(self, node: Node) -> None:
        """Said."""

    def freeze(self, node: Node) -> None:
        """Said."""

    def thaw(self, node: Node) -> None:
        """Said."""
        self.done.append(f"thawed {node.name}")

    def place(self, node: Node) -> Path:  # noqa: ARG002 - one for all
        """Where it is."""
        found: Path = self.place_of
        return found


@dataclass
class Place:
    """As much of a ground as a fault of a disk needs."""

    drive: Drive
    process: subprocess.Popen[bytes]
    profile: Any = SMALL

    @property
    def disks(self) -> Drive:
        """One for all."""
        return self.drive

    @property
    def estate(self) -> Place:
        """Nobody is a stranger here."""
        return self

    def require_process(self, pid: int, node: Node) -> int:  # noqa: ARG002 - nobody is asked
        """It is ours."""
        return pid

    def station(self, node: Node) -> Station:
        """Everybody is the same process."""
        return Station(node, self.process)


@pytest.fixture
def process() -> Generator[subprocess.Popen[bytes]]:
    """Somebody who waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        yield started
        started.kill()


@pytest.mark.parametrize(
    ("kept", "proven", "told"),
    [
        ({"forced"}, True, "bookie-1 kept what was forced"),
        ({"forced", "written"}, False, "bookie-1 kept what was forced and written"),
        (set[str](), False, "bookie-1 kept what was nowhere"),
    ],
)
def test_a_power_loss_is_one_if_only_what_was_forced_is_left(
    kept: set[str], told: str, process: subprocess.Popen[bytes], *, proven: bool
) -> None:
    """All of it left was a kill; nothing left was another disk."""
    drive = Drive(frozenset(kept))
    ground: Any = Place(drive, process)
    force = LosePower(ONE).inject(ground)
    proof = force.took_effect()
    assert (proof.holds, proof.evidence.endswith(told)) == (proven, True), proof
    assert "gone" in proof.evidence
    assert drive.done == ["lost bookie-1", "anew bookie-1"]


@pytest.mark.parametrize("older", [True, False])
def test_a_disk_went_back_if_it_lacks_what_was_written_since(process: subprocess.Popen[bytes], *, older: bool) -> None:
    """Else somebody was killed, and nothing more."""
    drive = Drive(older=older)
    ground: Any = Place(drive, process)
    kept = BackUp(ONE).inject(ground)
    assert (bool(kept.took_effect()), kept.took_effect().evidence) == (True, "bookie-1: 1 MiB are kept")
    assert kept.healed()
    proof = GoBack(ONE).inject(ground).took_effect()
    assert (bool(proof), proof.evidence.partition("; ")[2]) == (
        older,
        f"bookie-1 is {'older' if older else 'as it was'}",
    )
    assert drive.done == ["put back bookie-1"]


def test_a_bit_in_each_sector_is_another(tmp_path: Path) -> None:
    """But for what comes before the first entry; a file without entries has none to lose."""
    whole, log = bytes(range(256)) * 10, tmp_path / "1.log"
    log.write_bytes(whole)
    assert filesystem.rot(log, 1024) == 3
    wrong = [place for place, (was, now) in enumerate(zip(whole, log.read_bytes(), strict=True)) if was != now]
    assert wrong == [1024 + 256, 1024 + 512 + 256, 1024 + 2 * 512 + 256]
    log.write_bytes(bytes(1024))
    assert filesystem.rot(log, 1024) == 0


def test_nobody_is_killed_for_a_backup_that_there_is_not(process: subprocess.Popen[bytes]) -> None:
    """The run goes on without that fault."""
    drive = Drive(backups=0)
    ground: Any = Place(drive, process)
    assert not BackUp(ONE).inject(ground).took_effect()
    with pytest.raises(BackupMissing, match="no backup of the disk of bookie-1"):
        GoBack(ONE).inject(ground)
    assert process.poll() is None


def test_who_was_down_before_shows_nothing(process: subprocess.Popen[bytes]) -> None:
    """Its disk lost nothing that anybody relied on."""
    process.kill()
    process.wait()
    ground: Any = Place(Drive(), process)
    proof = LosePower(ONE).inject(ground).took_effect()
    assert (proof.holds, proof.evidence) == (False, "bookie-1: was down before; bookie-1 kept what was forced")


def test_nobody_stays_frozen_when_the_power_cannot_be_lost(process: subprocess.Popen[bytes]) -> None:
    """The run goes on, and whoever was to be struck does, too."""
    ground: Any = Place(Drive(broken=True), process)
    with pytest.raises(OSError, match="Input/output error"):
        LosePower(ONE).inject(ground)
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("fault", "refused", "proven"),
    [
        (FillDisk(ONE), "No space left on device", True),
        (FillDisk(ONE), "", False),
        (FailDisk(ONE), "Read-only file system", True),
        (FailDisk(ONE), "No space left on device", False),
    ],
)
def test_a_disk_is_full_or_read_only_if_it_says_so(
    fault: FillDisk | FailDisk, refused: str, process: subprocess.Popen[bytes], *, proven: bool
) -> None:
    """By what it refuses a write with, and not healed while it refuses any."""
    ground: Any = Place(Drive(refused=refused), process)
    force = fault.inject(ground)
    assert force.took_effect().holds == proven
    assert force.healed().holds == (not refused)


def test_a_disk_is_frozen_while_a_write_hangs(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """One that takes it is not, whatever was done to it."""
    ground: Any = Place(Drive(place_of=tmp_path), process)
    force = FreezeDisk(ONE).inject(ground)
    assert force.took_effect().evidence == "bookie-1: a write is taken"
    assert not force.took_effect()
    assert force.healed()
    hung: Any = force
    hung.writers[BOOKIE] = process
    assert force.took_effect().evidence == "bookie-1: a write hangs"
    assert force.healed().evidence == "a write still hangs: bookie-1"


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disks:
    """Where no file system can be made; nothing is mounted."""

    def run(*command: str, **_options: object) -> str:
        if command[0] == "mkfs.ext4":
            raise CommandFailed(command, "not found")
        return ""

    monkeypatch.setattr(rooms, "run", run)
    monkeypatch.setattr(filesystem, "run", run)
    made = Disks(Estate("unit", tmp_path), Debts(tmp_path), {BOOKIE.name: tmp_path / "b", STORE.name: tmp_path / "s"})
    made.mount(BOOKIE)
    return made


def test_a_disk_in_memory_can_be_filled_and_no_more(plain: Disks) -> None:
    """It is told why, and what to do."""
    for deed in (plain.fail, plain.freeze, plain.lose_power, plain.anew, plain.keep, plain.put_back):
        with pytest.raises(DiskInMemory, match=r"bookie-1 is plain memory .*mkfs.ext4.*: not found.*be root"):
            deed(BOOKIE)
    plain.thaw(BOOKIE)
    assert plain.refusal(BOOKIE) == ""
    assert plain.room(BOOKIE) > 0


def test_who_has_no_disk_is_told_with_those_who_have(plain: Disks, tmp_path: Path) -> None:
    """And what is not below the run's folder is nobody's."""
    with pytest.raises(DiskMissing, match="worker-1 has no disk of its own: bookie-1, store have one"):
        plain.place(WORKER)
    stray = Disks(Estate("unit", tmp_path / "disks"), Debts(tmp_path), {BOOKIE.name: tmp_path})
    with pytest.raises(ForeignTarget, match="is not below"):
        stray.place(BOOKIE)
