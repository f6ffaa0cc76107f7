"""A real cluster as local processes: it carries messages, and it mends itself; each test leaves it whole."""

from __future__ import annotations

import json
import struct
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.wanted import Wanted
from magnetar.runtime.compose.doctor import examination
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.topics import Cluster
from magnetar.runtime.operate.doctor import Severity
from magnetar.runtime.operate.doctor.facts import ClusterFacts
from magnetar.runtime.operate.doctor.gathering import ask_cluster
from magnetar.runtime.servers import settings
from magnetar.runtime.servers.cluster import ClusterPlan, ClusterServer
from magnetar.runtime.servers.cluster.addresses import Asked
from magnetar.runtime.servers.cluster.answering import standing
from magnetar.runtime.servers.cluster.kept import RunningCluster, bring_down, bring_up, look
from magnetar.runtime.servers.cluster.record import ROLES, ClusterLayout
from magnetar.runtime.servers.errors import DataBusy, ServerNotReady
from magnetar.runtime.servers.process import ServerProcess, until
from tests.contract.bus.harness import Bench
from tests.contract.bus.pulsar_harness import PulsarHarness
from tests.unit.cli.shop import app

if TYPE_CHECKING:
    from collections.abc import Generator

BOOKIES = {"bookie-1", "bookie-2", "bookie-3"}
MEBIBYTE = 1024
MOST_MEMORY = 2048 * MEBIBYTE
LISTENING = "0A"  # as the kernel numbers it
LONG = 60.0


@pytest.fixture(scope="module")
def cluster(cluster_plan: ClusterPlan, tmp_path_factory: pytest.TempPathFactory) -> Generator[ClusterServer]:
    """One for the whole module."""
    with ClusterServer(replace(cluster_plan, data=tmp_path_factory.mktemp("shared"))) as server:
        yield server
        processes = [server.process(name) for name in ROLES]
    assert not any(process.alive() for process in processes)


@pytest.fixture
def bench(cluster: ClusterServer) -> Generator[Bench]:
    """The project's own adapter on it."""
    harness = PulsarHarness(cluster)
    harness.deadline = LONG
    yield Bench(harness)
    harness.close()


def _carries(bench: Bench, *bodies: bytes) -> list[bytes]:
    """A new topic, these messages sent to it, and what came out of it."""
    topic = bench.harness.topic()
    consumer = bench.consumer(topic)
    bench.sent(bench.producer(topic), bodies)
    return [delivery.body for delivery in bench.received(consumer, len(bodies))]


def _answer(server: ClusterServer, path: str) -> Any:
    with urlopen(f"{server.admin_urls[0]}/admin/v2/{path}", timeout=LONG) as answer:
        return json.loads(answer.read())


def _stand(server: ClusterServer, names: set[str]) -> bool:
    found = standing(server.address)
    return found is not None and names <= found


def _memory(process: ServerProcess) -> int:
    """Kibibytes that a process holds in memory, those that it shares with others too."""
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss:"))


def test_it_is_small_and_whole(cluster: ClusterServer) -> None:
    """Six processes within 2 GiB together, three writable bookies, two brokers."""
    held = {name: _memory(cluster.process(name)) for name in ROLES}
    print({name: f"{kibibytes // MEBIBYTE} MiB" for name, kibibytes in held.items()}, sum(held.values()) // MEBIBYTE)  # noqa: T201
    assert sum(held.values()) < MOST_MEMORY
    assert _stand(cluster, set(ROLES) - {"zookeeper"})
    assert len(_answer(cluster, "brokers")) == 2


def test_our_settings_are_in_force(cluster: ClusterServer) -> None:
    """The broker itself says so: no mistyped key, no value that it would not take."""
    said = _answer(cluster, "brokers/configuration/runtime")
    ours = settings.ours("cluster/broker.conf")
    assert {key: said.get(key) for key in ours} == ours


def test_it_listens_on_its_own_address_only(cluster: ClusterServer) -> None:
    """Nobody else on the network can reach any of its members."""
    assert [_listening(cluster.process(name).pid) for name in ROLES] == [{"0100007F"}] * len(ROLES)


def test_the_doctor_finds_nothing_wrong(cluster: ClusterServer, tmp_path: Path) -> None:
    """Each broker is asked at its own address; that nobody works there yet is all there is to say."""
    wiring = replace(app.wire(), app="examined")
    with Cluster(cluster.admin_url, wiring) as topics:
        topics.apply()
    store = store_place(f"sqlite:///{tmp_path / 'shop.db'}")
    with closing(store.open()) as opened:
        opened.prepare(wiring.partitions(), [])
    bus = bus_place(cluster.service_url, wiring.app)
    found = examination("shop:app", wiring, cluster.admin_url, bus, store, backup_age=86_400)
    assert [finding.check for finding in found if finding.severity is not Severity.OK] == ["workers"]
    brokers = {f"broker {urlsplit(url).netloc}" for url in cluster.admin_urls}
    for check in ("broker-version", "broker-session", "quorum", "clocks"):
        assert {finding.subject for finding in found if finding.check == check} >= brokers


def test_a_message_goes_through(bench: Bench) -> None:
    """Provisioned, published and consumed by the adapter that a worker uses."""
    assert _carries(bench, b"one", b"two") == [b"one", b"two"]


def test_its_data_is_not_shared(cluster: ClusterServer, cluster_plan: ClusterPlan) -> None:
    """A second cluster on the same data is refused before it touches anything, and so is `down`."""
    with pytest.raises(DataBusy):
        ClusterServer(replace(cluster_plan, data=cluster.data)).start()
    assert all(cluster.running(name) for name in ROLES)


def test_a_killed_bookie_comes_back(cluster: ClusterServer, bench: Bench) -> None:
    """Killed by somebody else: writing goes on meanwhile, and then there are three again."""
    before = cluster.restarts("bookie-2")
    cluster.process("bookie-2").kill()
    assert _carries(bench, b"meanwhile") == [b"meanwhile"]
    assert until(lambda: cluster.restarts("bookie-2") == before + 1, LONG)
    assert until(lambda: _stand(cluster, BOOKIES), LONG)


def test_who_is_killed_on_purpose_stays_down(cluster: ClusterServer, bench: Bench) -> None:
    """Until it is started again, which is no restart of its own."""
    before = cluster.restarts("bookie-1")
    cluster.kill("bookie-1")
    assert until(lambda: not _stand(cluster, {"bookie-1"}), LONG)
    assert _carries(bench, b"meanwhile") == [b"meanwhile"]
    assert not cluster.running("bookie-1")
    cluster.restart("bookie-1")
    assert _stand(cluster, {"bookie-1"})
    assert cluster.restarts("bookie-1") == before


def test_a_bookie_reads_all_of_its_journal(cluster: ClusterServer, bench: Bench) -> None:
    """Its mark is ahead of what is in its ledgers, as after a full disk: nothing is lost that was acknowledged."""
    topic = bench.harness.topic()
    bench.sent(bench.producer(topic), (b"kept",))
    for name in BOOKIES:
        _mark_all_of_its_journal(ClusterLayout(cluster.data).member(name).data)
    lost = set(ROLES) - {"zookeeper"}  # brokers, too: they remember what was sent lately
    before = {name: cluster.restarts(name) for name in lost}
    for name in lost:
        cluster.process(name).kill()
    assert until(lambda: all(cluster.restarts(name) > before[name] for name in lost), LONG)
    cluster.wait_until_ready()
    assert [delivery.body for delivery in bench.received(bench.consumer(topic), 1)] == [b"kept"]


def _mark_all_of_its_journal(data: Path) -> None:
    last = max((data / "journal" / "current").glob("*.txn"), key=lambda path: int(path.stem, 16))
    (data / "ledgers" / "current" / "lastMark").write_bytes(struct.pack(">qq", int(last.stem, 16), last.stat().st_size))


def test_it_survives_eight_seconds_without_zookeeper(cluster: ClusterServer, bench: Bench) -> None:
    """Bookies lose their sessions, and some of them neither end nor register again: all are there afterwards."""
    cluster.kill("zookeeper")
    assert not until(lambda: cluster.running("zookeeper"), 8)
    cluster.restart("zookeeper")
    until(
        lambda: not _stand(cluster, BOOKIES), 12
    )  # it drops the sessions of before; had none been lost, all were well
    assert until(lambda: _stand(cluster, BOOKIES), LONG)
    cluster.wait_until_ready()
    assert _carries(bench, b"after", b"wards") == [b"after", b"wards"]


def test_a_frozen_broker_is_left_alone(cluster: ClusterServer, bench: Bench) -> None:
    """It runs and does not answer, which the doctor tells; thawed, it is the same process and goes on."""
    process = cluster.process("broker-2")
    cluster.pause("broker-2")
    with pytest.raises(ServerNotReady, match="broker-2"):
        cluster.wait_until_ready("broker-2", within=0.5)
    assert cluster.running("broker-2")
    with Admin(cluster.admin_url) as admin:
        found = ask_cluster(admin, Wanted(application="none"), partial(Admin, timeout=1.0))
    assert isinstance(found, ClusterFacts)
    unanswered, *others = reversed(cluster.admin_urls)
    assert list(found.unanswered) == [urlsplit(unanswered).netloc]
    assert [broker.name for broker in found.brokers] == [urlsplit(url).netloc for url in others]
    cluster.resume("broker-2")
    cluster.wait_until_ready("broker-2")
    assert cluster.process("broker-2") == process
    assert _carries(bench, b"again") == [b"again"]


def test_up_is_one_cluster_that_mends_itself_and_down_leaves_nothing(cluster_plan: ClusterPlan, tmp_path: Path) -> None:
    """Kept between commands: found again, its members started again by a process of its own, and all of it ended."""
    plan = replace(cluster_plan, data=tmp_path / "kept", tied=False)
    found, started = bring_up(plan.data, Asked(), lambda: plan)
    try:
        assert (started, found.problem, found.supervisor is not None) == (True, "", True)
        assert bring_up(plan.data, Asked(), _no_plan) == (found, False)
        with pytest.raises(DataBusy):
            ClusterServer(plan).start()
        _process(found, "broker-2").kill()
        assert until(lambda: _restarts(plan.data, "broker-2") == 1, LONG)
        last = look(plan.data)
    finally:
        bring_down(plan.data)
    assert last is not None
    ours = [last.supervisor, *(one.process for one in last.members)]
    assert not any(process.alive() for process in ours if process is not None)
    assert look(plan.data) is None


def _no_plan() -> ClusterPlan:
    raise AssertionError


def _process(found: RunningCluster, name: str) -> ServerProcess:
    process = next(one.process for one in found.members if one.member.name == name)
    assert process is not None
    return process


def _restarts(data: Path, name: str) -> int:
    found = look(data)
    return -1 if found is None else next(one.restarts for one in found.members if one.member.name == name)


def _listening(pid: int) -> set[str]:
    """The local addresses, in the kernel's hexadecimal, on which a process listens."""
    held = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]
    ]
    return {row[1].split(":")[0] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in held}
