"""Who is in a cluster for chaos, and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.cluster.errors import NodeMissing, ProfileRefused
from magnetar.chaos.cluster.plans import changes, members
from magnetar.chaos.cluster.profile import CONTROL, FULL, PROFILES, SMALL, Profile, Role
from magnetar.chaos.cluster.switch import NOWHERE

COUNTS = st.integers(1, 9)


@given(COUNTS.filter(lambda count: count % 2 == 1), COUNTS, COUNTS, COUNTS)
def test_no_two_nodes_are_at_the_same_place(zookeepers: int, bookies: int, brokers: int, workers: int) -> None:
    """However many there are: names, addresses and hardware addresses tell everybody apart, whoever plays included."""
    profile = Profile(
        name="any", zookeepers=zookeepers, bookies=bookies, brokers=brokers, workers=workers, quorum=(1, 1, 1)
    )
    everyone = [CONTROL, *profile.nodes]
    for told in (
        [node.name for node in everyone],
        [node.address for node in everyone],
        [NOWHERE, *(node.mac for node in everyone)],
    ):
        assert len(told) == len(set(told))
    assert [profile.node(node.name) for node in profile.nodes] == list(profile.nodes)
    assert [profile.at(node.address) for node in profile.nodes] == list(profile.nodes)


def test_the_full_one_is_the_one_of_the_design() -> None:
    """Three ZooKeepers, four bookies, three brokers, three workers, 3/3/2: one bookie can be spared, and no store."""
    assert [len(FULL.of(role)) for role in (Role.ZOOKEEPER, Role.BOOKIE, Role.BROKER, Role.WORKER)] == [3, 4, 3, 3]
    assert FULL.quorum == (3, 3, 2)
    assert FULL.spare == {Role.ZOOKEEPER: 1, Role.BOOKIE: 1, Role.BROKER: 2, Role.STORE: 0, Role.WORKER: 2}
    assert set(PROFILES) == {"full", "small"}


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ((2, 3, 2, 2, (2, 2, 2)), "2 ZooKeepers: an odd number has a majority"),
        ((3, 3, 2, 2, (4, 3, 2)), r"quorum \(4, 3, 2\) on 3 bookies"),
        ((3, 3, 2, 2, (3, 2, 3)), r"quorum \(3, 2, 3\)"),
        ((3, 0, 2, 2, (1, 1, 1)), "0 of bookie: 1 to 9 can be had"),
        ((3, 3, 2, 10, (3, 3, 2)), "10 of worker"),
    ],
)
def test_what_cannot_run_is_refused(counts: tuple[int, int, int, int, tuple[int, int, int]], reason: str) -> None:
    """Before anything is started."""
    zookeepers, bookies, brokers, workers, quorum = counts
    with pytest.raises(ProfileRefused, match=reason):
        Profile(name="odd", zookeepers=zookeepers, bookies=bookies, brokers=brokers, workers=workers, quorum=quorum)


def test_whom_there_is_not_is_told_with_those_who_are() -> None:
    """By name and by address."""
    with pytest.raises(NodeMissing, match="there is no broker-3 in this cluster: it has zookeeper-1, bookie-1"):
        SMALL.node("broker-3")
    with pytest.raises(NodeMissing, match=r"10\.213\.0\.1 "):
        SMALL.at(CONTROL.address)


def test_members_are_at_their_nodes_and_know_the_quorum() -> None:
    """Each at its own address, at the usual ports."""
    found = {member.name: (member.host, member.port, member.web_port) for member in members(FULL)}
    assert found["broker-3"] == ("10.213.0.32", 6650, 8080)
    assert found["bookie-4"] == ("10.213.0.23", 3181, None)
    assert set(found) == {node.name for node in FULL.nodes if node.role.value < Role.STORE.value} - {CONTROL.name}
    assert list(changes(FULL)["broker"].values()) == ["3", "3", "2"]
