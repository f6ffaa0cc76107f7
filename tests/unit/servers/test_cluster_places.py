"""Where a cluster's members listen, and what their settings say of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.servers import settings
from magnetar.runtime.servers.cluster.addresses import Asked, addresses, chosen
from magnetar.runtime.servers.cluster.answering import ephemerals, node
from magnetar.runtime.servers.cluster.programs import identity, settings_of
from magnetar.runtime.servers.cluster.record import ROLES, ClusterAddress, ClusterLayout, Member, Role
from magnetar.runtime.servers.errors import HostFixed, PortTaken, StateUnreadable, UnknownMember

ROOT = Path(__file__).parents[3]
PORTS = st.integers(1, 65535)
DUMP = """SessionTracker dump:
Session Sets (2)/(1):
0 expire at Thu Jan 01 00:00:05 UTC 1970:
1 expire at Thu Jan 01 00:00:06 UTC 1970:
\t0x10000c425b30000
ephemeral nodes dump:
Sessions with Ephemerals (2):
0x10000c425b30000:
\t/ledgers/available/127.0.0.1:25281
0x10000c425b30001:
\t/loadbalance/brokers/127.0.0.1:25080
\t/loadbalance/leader
Connections dump:
Connections Sets (1)/(1):
0 expire at Thu Jan 01 00:00:10 UTC 1970:
\tip: /127.0.0.1:58204 sessionId: 0x10000c425b30000
"""


def _free(port: int) -> bool:
    return port > 0


def _all_ports(address: ClusterAddress) -> list[int]:
    return [port for member in address.members for port in (member.port, member.web_port) if port is not None]


@given(st.none() | PORTS, st.none() | PORTS, st.booleans(), st.sets(PORTS, max_size=5))
def test_no_two_members_share_a_port(broker: int | None, web: int | None, usual: bool, taken: set[int]) -> None:  # noqa: FBT001
    """Whatever is asked for and whatever is taken: eight ports, or an error that names one that was asked for."""
    asked = Asked("127.0.0.1", broker, web, usual)
    firm = {port + place for port in (broker, web) if port is not None for place in (0, 1)}
    if firm & (taken | {65536}) or len(firm) < 2 * sum(port is not None for port in (broker, web)):
        with pytest.raises(PortTaken) as told:
            chosen(asked, "1", lambda port: port not in taken)
        assert told.value.port in firm
        return
    address = chosen(asked, "1", lambda port: port not in taken)
    found = _all_ports(address)
    assert len(found) == len(set(found)) == 8
    assert not taken & {
        port for port in found if not 20_000 <= port < 32_000
    }  # those are drawn where the machine says they are free
    assert asked.fits(address)
    assert [member.name for member in address.members] == list(ROLES)
    if broker is not None:
        assert [member.port for member in address.brokers] == [broker, broker + 1]


def test_the_usual_ports_come_before_any_other() -> None:
    """Whoever brings up a cluster finds it where others expect a Pulsar, unless somebody else is there."""
    first, second = chosen(Asked(usual=True), "1", lambda port: port != 8081).brokers
    assert (first.port, first.web_port, second.port) == (6650, 8080, 6651)
    assert second.web_port != 8081


def test_urls_name_both_brokers() -> None:
    """A client that knows only one of them would miss the cluster when it is away."""
    address = chosen(Asked("127.0.0.9", 7000, 9000), "1", _free)
    assert address.service_url == "pulsar://127.0.0.9:7000,127.0.0.9:7001"
    assert address.admin_urls == ("http://127.0.0.9:9000", "http://127.0.0.9:9001")
    assert address.admin_url == "http://127.0.0.9:9000,127.0.0.9:9001"
    assert address.metadata_url == f"zk:127.0.0.9:{address.member('zookeeper').port}"


def test_a_cluster_stays_where_it_is(tmp_path: Path) -> None:
    """Ports are those of its first start; another address would make its bookies strangers, so it is an error."""
    layout = ClusterLayout(tmp_path)
    first = addresses(layout, Asked(), "1")
    layout.write_address(first)
    assert addresses(layout, Asked(broker_port=7000), "2").members == first.members
    with pytest.raises(HostFixed, match=r"127\.0\.0\.1 for life"):
        addresses(layout, Asked(host="127.0.0.9"), "1")
    layout.address.write_text("{}", encoding="utf-8")
    with pytest.raises(StateUnreadable, match=r"cluster\.json"):
        addresses(layout, Asked(), "1")


def test_a_name_that_nobody_has_is_told() -> None:
    """With the names that there are."""
    with pytest.raises(UnknownMember, match=r"no member 'bookie-4': it has zookeeper, bookie-1"):
        chosen(Asked(), "1", _free).member("bookie-4")


@pytest.mark.parametrize("name", list(ROLES))
def test_settings_name_the_cluster_s_address_only(name: str, tmp_path: Path) -> None:
    """Everything listens at the address that was asked for and is advertised there; changes of one's own win."""
    home = tmp_path / "home"
    (home / "conf").mkdir(parents=True)
    for file in ("bookkeeper.conf", "broker.conf"):
        (home / "conf" / file).write_text("# shipped\nadvertisedAddress=\nkept=1\nzkTimeout=30000\n", encoding="utf-8")
    address = chosen(Asked("127.0.0.9"), "1", _free)
    layout, member = ClusterLayout(tmp_path / "data").member(name), address.member(name)
    changes = {member.role.value: {"mine": "1", "other": "1"}}
    changes[name] = {**changes.get(name, {}), "mine": "2"}  # ZooKeeper is the only one of its role, and named for it
    text = settings_of(member, address, layout, home, changes)
    found = dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    place = {Role.ZOOKEEPER: "clientPortAddress", Role.BOOKIE: "advertisedAddress", Role.BROKER: "bindAddress"}
    assert found[place[member.role]] == "127.0.0.9"
    assert (found["mine"], found["other"]) == ("2", "1")
    assert str(member.port) in found.values()
    assert (found.get("kept"), member.role is Role.ZOOKEEPER) in {("1", False), (None, True)}
    if member.role is Role.BOOKIE:
        assert found["zkTimeout"] == "5000"


ENSEMBLE = ClusterAddress(
    version="1",
    host="10.0.0.30",
    members=(
        *(Member(name=f"zookeeper-{n}", role=Role.ZOOKEEPER, port=2181, host=f"10.0.0.1{n}") for n in (1, 2, 3)),
        Member(name="bookie-1", role=Role.BOOKIE, port=3181, host="10.0.0.20"),
        Member(name="broker-1", role=Role.BROKER, port=6650, web_port=8080, host="10.0.0.30"),
        Member(name="broker-2", role=Role.BROKER, port=6650, web_port=8080, host="10.0.0.31"),
    ),
)


def _settings(address: ClusterAddress, name: str, tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    (home / "conf").mkdir(parents=True, exist_ok=True)
    for file in ("bookkeeper.conf", "broker.conf"):
        (home / "conf" / file).write_text("", encoding="utf-8")
    text = settings_of(address.member(name), address, ClusterLayout(tmp_path).member(name), home, {})
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def test_each_zookeeper_of_an_ensemble_knows_the_others_and_its_own_number(tmp_path: Path) -> None:
    """All have the same list; only the number in its data says which of them one is."""
    names = [member.name for member in ENSEMBLE.zookeepers]
    lists = [
        {key: value for key, value in _settings(ENSEMBLE, name, tmp_path).items() if key.startswith("server.")}
        for name in names
    ]
    assert lists == [{f"server.{n}": f"10.0.0.1{n}:2888:3888" for n in (1, 2, 3)}] * 3
    assert [identity(ENSEMBLE.member(name), ENSEMBLE) for name in names] == [{"myid": f"{n}\n"} for n in (1, 2, 3)]
    assert identity(ENSEMBLE.member("bookie-1"), ENSEMBLE) == {}


def test_a_single_zookeeper_is_no_ensemble(tmp_path: Path) -> None:
    """It needs no number, and no ports for others."""
    address = chosen(Asked(), "1", _free)
    assert not [key for key in _settings(address, "zookeeper", tmp_path) if key.startswith("server.")]
    assert identity(address.member("zookeeper"), address) == {}


def test_members_at_addresses_of_their_own_are_found_there(tmp_path: Path) -> None:
    """By clients, by each other, and in what ZooKeeper says of them."""
    assert ENSEMBLE.service_url == "pulsar://10.0.0.30:6650,10.0.0.31:6650"
    assert ENSEMBLE.admin_urls == ("http://10.0.0.30:8080", "http://10.0.0.31:8080")
    assert ENSEMBLE.metadata_url == "zk:10.0.0.11:2181,10.0.0.12:2181,10.0.0.13:2181"
    broker, bookie = _settings(ENSEMBLE, "broker-2", tmp_path), _settings(ENSEMBLE, "bookie-1", tmp_path)
    assert (broker["bindAddress"], broker["advertisedAddress"]) == ("10.0.0.31", "10.0.0.31")
    assert bookie["advertisedAddress"] == "10.0.0.20"
    assert broker["metadataStoreUrl"] == bookie["metadataServiceUri"].removeprefix("metadata-store:")


def test_a_cluster_s_brokers_are_set_as_the_standalone_is() -> None:
    """What the engine's promises need is the same on both, and the quorum is two of three."""
    alone, cluster = settings.ours(), settings.ours("cluster/broker.conf")
    only_alone = {"allowEphemeralPorts", "journalSyncData", "journalPreAllocSizeMB", "brokerShutdownTimeoutMs"}
    shared = {key for key in alone if key not in only_alone and not key.startswith("dbStorage")}
    assert {key: cluster.get(key) for key in shared} == {key: alone[key] for key in shared}
    assert {cluster[f"managedLedgerDefault{name}"] for name in ("EnsembleSize", "WriteQuorum", "AckQuorum")} == {"2"}
    assert settings.ours("cluster/bookkeeper.conf")["journalSyncData"] == "true"


@pytest.mark.parametrize("name", ["zookeeper.conf", "bookkeeper.conf", "broker.conf"])
def test_the_settings_can_be_read_where_servers_are_deployed_from(name: str) -> None:
    """One file, two ways to it."""
    shipped = ROOT / "runtime" / "magnetar" / "runtime" / "servers" / "cluster" / name
    assert (ROOT / "deploy" / "pulsar" / name).resolve() == shipped


def test_ephemeral_nodes_are_found_in_a_dump() -> None:
    """Nodes only, not the addresses of connections; an answer that is none is not an empty one."""
    found = ephemerals(DUMP) or frozenset()
    assert sorted(found) == [
        "/ledgers/available/127.0.0.1:25281",
        "/loadbalance/brokers/127.0.0.1:25080",
        "/loadbalance/leader",
    ]
    assert ephemerals("This ZooKeeper instance is not currently serving requests\n") is None
    assert ephemerals("") is None


def test_members_stand_in_zookeeper_under_their_address() -> None:
    """A bookie under its port, a broker under its REST API's, ZooKeeper nowhere."""
    address = chosen(Asked(broker_port=7000, web_port=9000), "1", _free)
    assert node(address.host, address.member("broker-2")) == "/loadbalance/brokers/127.0.0.1:9001"
    bookie = address.member("bookie-1")
    assert node(address.host, bookie) == f"/ledgers/available/127.0.0.1:{bookie.port}"
    assert node(address.host, address.member("zookeeper")) is None
