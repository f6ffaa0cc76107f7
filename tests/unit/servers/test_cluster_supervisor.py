"""Who keeps members running: real processes, a ZooKeeper that is a set of names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from magnetar.runtime.servers import ports
from magnetar.runtime.servers.cluster.addresses import Asked, chosen
from magnetar.runtime.servers.cluster.kept import bring_down, look
from magnetar.runtime.servers.cluster.member import Launch, MemberProcess, settle
from magnetar.runtime.servers.cluster.record import ROLES, ClusterAddress, ClusterLayout
from magnetar.runtime.servers.cluster.restarting import HUNG_SECONDS, LONGEST_SECONDS
from magnetar.runtime.servers.cluster.supervisor import Supervisor
from magnetar.runtime.servers.errors import DataBusy, StateUnreadable
from magnetar.runtime.servers.locks import locked, try_lock
from magnetar.runtime.servers.process import ServerProcess, recorded, until

FOR_EVER = Launch("a=1\n", ("sleep", "1000"))


class Stage:
    """Members that sleep, a clock that is set by hand, and what ZooKeeper would say."""

    def __init__(self, layout: ClusterLayout) -> None:
        self.layout = layout
        self.now = 1000.0
        self.prepared = True
        self.places: frozenset[str] | None = frozenset()
        self.launch = dict.fromkeys(ROLES, FOR_EVER)
        self.members = {name: self._made(name) for name in ROLES}
        self.supervisor = Supervisor(self.members, lambda: self.prepared, lambda: self.places, lambda: self.now)

    def _made(self, name: str) -> MemberProcess:
        return MemberProcess(self.layout.member(name), lambda: self.launch[name], tied=False)

    def another(self) -> Supervisor:
        """As a process that comes later would make it."""
        members = {name: self._made(name) for name in ROLES}
        return Supervisor(members, lambda: True, lambda: self.places, lambda: self.now)

    def alive(self) -> set[str]:
        """Whose process lives."""
        return {name for name, member in self.members.items() if member.alive}

    def kill_from_outside(self, name: str) -> None:
        """Not through the supervisor."""
        self.process(name).kill()

    def process(self, name: str) -> ServerProcess:
        """By its record."""
        found = recorded(self.layout.member(name).pid_file)
        assert found is not None
        return found

    def after(self, seconds: float) -> None:
        """Time goes by, in steps as a real supervisor takes them."""
        for _ in range(round(seconds / 0.1)):
            self.now += 0.1
            self.supervisor.step()


@pytest.fixture
def stage(tmp_path: Path) -> Generator[Stage]:
    """Nothing runs yet; whatever is left at the end is killed."""
    made = Stage(ClusterLayout(tmp_path))
    yield made
    for name in ROLES:
        if (left := recorded(made.layout.member(name).pid_file)) is not None:
            left.kill()


def test_who_is_wanted_runs(stage: Stage) -> None:
    """All of them, and nobody else; no start of theirs is a restart."""
    stage.supervisor.want("zookeeper", "bookie-1")
    assert stage.alive() == {"zookeeper", "bookie-1"}
    stage.supervisor.want(*ROLES)
    assert stage.alive() == set(ROLES)
    assert {stage.supervisor.life(name).restarts for name in ROLES} == {0}


def test_nobody_is_started_before_zookeeper_answers_and_is_prepared(stage: Stage) -> None:
    """A bookie would only start to fail."""
    stage.places, stage.prepared = None, False
    stage.supervisor.want(*ROLES)
    assert stage.alive() == {"zookeeper"}
    stage.places = frozenset()
    stage.after(0.2)
    assert stage.alive() == {"zookeeper"}
    stage.prepared = True
    stage.after(0.2)
    assert stage.alive() == set(ROLES)


def test_nobody_is_started_while_zookeeper_holds_its_last_session(stage: Stage) -> None:
    """A bookie would be refused its place, close its port, and never end."""
    stage.places = frozenset({"bookie-2"})
    stage.supervisor.want(*ROLES)
    assert stage.alive() == set(ROLES) - {"bookie-2"}
    stage.places = frozenset()
    stage.after(0.2)
    assert stage.alive() == set(ROLES)


def test_who_is_killed_by_somebody_else_comes_back(stage: Stage) -> None:
    """With its log kept, and counted."""
    stage.supervisor.want(*ROLES)
    before = stage.process("bookie-2")
    stage.layout.member("bookie-2").log.write_text("its last words\n", encoding="utf-8")
    stage.kill_from_outside("bookie-2")
    stage.after(0.5)
    assert stage.process("bookie-2") != before
    assert stage.supervisor.life("bookie-2").restarts == 1
    assert stage.layout.member("bookie-2").log.read_text(encoding="utf-8") == "its last words\n"


def test_who_is_ended_on_purpose_stays_down(stage: Stage) -> None:
    """Until it is wanted again; its log is a new one then."""
    stage.supervisor.want(*ROLES)
    stage.layout.member("broker-1").log.write_text("its last words\n", encoding="utf-8")
    with stage.supervisor.ending("broker-1") as member:
        member.kill()
    stage.after(2 * LONGEST_SECONDS)
    assert stage.alive() == set(ROLES) - {"broker-1"}
    stage.supervisor.want("broker-1")
    assert stage.alive() == set(ROLES)
    assert stage.supervisor.life("broker-1").restarts == 0
    log = stage.layout.member("broker-1").log
    assert (log.read_text(encoding="utf-8"), log.with_suffix(".1.log").exists()) == ("", True)


def test_who_ends_at_once_is_started_later_and_later(stage: Stage) -> None:
    """0.2, 0.4, 0.8, 1.6, 3.2 s and then 5 s: about eleven starts in half a minute, not three hundred."""
    stage.launch["bookie-1"] = Launch("", ("true",))
    stage.supervisor.want("bookie-1")
    for _ in range(300):
        life = stage.supervisor.life("bookie-1")
        assert life.since is None or until(lambda: not stage.members["bookie-1"].alive, 10)
        stage.after(0.1)
    assert 8 <= stage.supervisor.life("bookie-1").restarts <= 11


def test_who_cannot_be_started_is_told_and_tried_again(stage: Stage) -> None:
    """A disk that is full for a moment is no reason to give up."""
    directory = stage.layout.member("bookie-1").directory
    directory.write_text("in the way", encoding="utf-8")
    stage.supervisor.want(*ROLES)
    assert stage.alive() == set(ROLES) - {"bookie-1"}
    assert "File exists" in stage.supervisor.problem("bookie-1") or "Not a directory" in stage.supervisor.problem(
        "bookie-1"
    )
    directory.unlink()
    stage.after(1)
    assert stage.alive() == set(ROLES)
    assert stage.supervisor.problem("bookie-1") == ""


def test_nobody_is_started_where_there_is_no_room(stage: Stage) -> None:
    """It is told, and tried again: when there is room, it runs."""
    stage.launch["bookie-1"] = replace(FOR_EVER, room=2**62)
    stage.supervisor.want(*ROLES)
    assert stage.alive() == set(ROLES) - {"bookie-1"}
    assert "needs 4398046511104 MiB" in (stage.supervisor.problem("bookie-1") or "")
    stage.launch["bookie-1"] = FOR_EVER
    stage.after(LONGEST_SECONDS)
    assert stage.alive() == set(ROLES)


def test_what_is_to_be_forgotten_is_gone_at_each_start(stage: Stage) -> None:
    """And nothing else is; it need not be there."""
    kept = stage.layout.member("bookie-1").data / "ledgers"
    kept.mkdir(parents=True)
    for name in ("lastMark", "VERSION"):
        (kept / name).touch()
    stage.launch["bookie-1"] = replace(FOR_EVER, forgotten=("ledgers/lastMark", "ledgers/never-there"))
    stage.supervisor.want("zookeeper", "bookie-1")
    assert {path.name for path in kept.iterdir()} == {"VERSION"}


def test_a_bookie_that_has_lost_its_place_is_started_anew(stage: Stage) -> None:
    """It runs, its port may even be open, and nobody writes to it any more; one that keeps its place goes on."""
    stage.supervisor.want(*ROLES)
    first, other, broker = (stage.process(name) for name in ("bookie-1", "bookie-2", "broker-1"))
    stage.places = frozenset({"bookie-1", "bookie-2", "bookie-3"})
    stage.after(1.5)
    stage.places = frozenset({"bookie-2", "bookie-3"})
    stage.after(HUNG_SECONDS + 2.5)
    assert stage.process("bookie-1") != first
    assert (stage.process("bookie-2"), stage.process("broker-1")) == (other, broker)


def test_without_zookeeper_nobody_is_judged(stage: Stage) -> None:
    """Its silence says nothing of bookies."""
    stage.supervisor.want(*ROLES)
    before = stage.process("bookie-1")
    stage.places = frozenset({"bookie-1"})
    stage.after(1.5)
    stage.places = None
    stage.after(10 * HUNG_SECONDS)
    assert stage.process("bookie-1") == before


def test_a_frozen_bookie_is_left_as_it_is(stage: Stage) -> None:
    """Whoever froze it will thaw it; it has its time from then on."""
    stage.supervisor.want(*ROLES)
    frozen = stage.process("bookie-1")
    stage.places = frozenset({"bookie-1", "bookie-2", "bookie-3"})
    stage.after(1.5)
    frozen.signal(signal.SIGSTOP)
    stage.places = frozenset({"bookie-2", "bookie-3"})
    assert until(lambda: stage.members["bookie-1"].frozen, 10)
    stage.after(5 * HUNG_SECONDS)
    assert stage.process("bookie-1") == frozen
    frozen.signal(signal.SIGCONT)
    assert until(lambda: not stage.members["bookie-1"].frozen, 10)
    stage.after(HUNG_SECONDS - 1)
    assert stage.process("bookie-1") == frozen


def test_a_second_supervisor_takes_over_who_lives(stage: Stage) -> None:
    """The first one is gone; nobody is started twice, and who is missing is started."""
    stage.supervisor.want(*ROLES)
    before = {name: stage.process(name) for name in ROLES}
    stage.kill_from_outside("bookie-3")
    other = stage.another()
    other.want(*ROLES)
    after = {name: stage.process(name) for name in ROLES}
    assert {name for name in ROLES if before[name] != after[name]} == {"bookie-3"}


def test_members_end_in_the_order_of_need(stage: Stage) -> None:
    """Nothing is left, and ZooKeeper was there to the last."""
    stage.supervisor.want(*ROLES)
    stage.supervisor.end_all(10)
    assert stage.alive() == set()
    stage.after(2 * LONGEST_SECONDS)
    assert stage.alive() == set()


def test_down_finds_members_that_nobody_supervises(stage: Stage) -> None:
    """By their own records: the supervisor was killed."""
    stage.supervisor.want(*ROLES)
    with pytest.raises(StateUnreadable, match=r"cluster\.json"):
        look(stage.layout.data)  # it lives, and nobody knows where
    stage.layout.write_address(_anywhere())
    found = bring_down(stage.layout.data)
    assert found is not None
    assert {one.member.name for one in found.members if one.process is not None} == set(ROLES)
    assert stage.alive() == set()
    assert bring_down(stage.layout.data) is None


def test_down_waits_for_who_is_just_about_to_start(tmp_path: Path) -> None:
    """A supervisor died between taking the lock and the record: its launcher still writes one, and is found."""
    layout = ClusterLayout(tmp_path).member("bookie-1")
    layout.directory.mkdir()
    lock = try_lock(layout.lock)
    assert lock is not None
    late = "import sys, time; sys.stdin.read(); sys.exit(0)"
    with subprocess.Popen([sys.executable, "-c", late], stdin=subprocess.PIPE, pass_fds=[lock]) as launcher:
        os.close(lock)
        assert try_lock(layout.lock) is None
        assert launcher.stdin is not None
        launcher.stdin.close()
        settle(layout, 10)
        free = try_lock(layout.lock)
        assert free is not None
        os.close(free)


def test_down_leaves_a_cluster_alone_that_a_program_supervises(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would start what is stopped."""
    monkeypatch.setattr("magnetar.runtime.servers.cluster.kept._OWNER_SECONDS", 0.1)
    stage.supervisor.want(*ROLES)
    stage.layout.write_address(_anywhere())
    with locked(stage.layout.lock, 0, DataBusy(stage.layout.data)), pytest.raises(DataBusy):
        bring_down(stage.layout.data)
    assert stage.alive() == set(ROLES)


def _anywhere() -> ClusterAddress:
    return chosen(Asked(), "1", ports.is_free)
