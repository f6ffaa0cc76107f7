"""What is cut when faults overlap, and what a sender is told of it."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.cluster.profile import CONTROL, SMALL
from magnetar.chaos.cluster.switch import NOWHERE, Cuts, Link, cable, known, seat, told

NODES = SMALL.nodes
LINKS = [(one, other) for one in NODES[:3] for other in NODES[:3] if one != other]
FAULTS = st.lists(st.sets(st.sampled_from(LINKS), min_size=1), max_size=5)


@given(FAULTS, st.randoms(use_true_random=False))
def test_a_link_is_cut_as_long_as_one_fault_cuts_it(faults: list[set[Link]], chance: Random) -> None:
    """Whatever the order in which they are healed; and each change is told once."""
    cuts, kernel = Cuts(), set[Link]()
    model: Counter[Link] = Counter()
    for links in faults:
        kernel |= cuts.add(links)
        model.update(links)
        assert cuts.now == kernel == set(+model)
    chance.shuffle(faults)
    for links in faults:
        whole = cuts.remove(links)
        assert whole <= kernel
        kernel -= whole
        model.subtract(links)
        assert cuts.now == kernel == set(+model)
    assert not cuts.now


def test_what_was_never_cut_is_not_healed() -> None:
    """A heal too many takes nothing from a later cut."""
    cuts = Cuts()
    assert cuts.remove(LINKS[:1]) == set()
    assert cuts.add(LINKS[:1]) == set(LINKS[:1])
    assert cuts.now == set(LINKS[:1])


def test_only_the_sender_is_told_and_only_of_its_receiver() -> None:
    """One direction: the other stays."""
    one, other, third = NODES[:3]
    assert told([(one, other), (one, third)], cut=True) == {
        one: [known(other, NOWHERE), known(third, NOWHERE)],
    }
    assert told([(other, one)], cut=False) == {other: [known(one, one.mac)]}


def test_everybody_knows_everybody_else_for_good() -> None:
    """Nobody ever asks for a hardware address, so no answer can undo a cut."""
    lines = seat(NODES[0], (CONTROL, *NODES))
    entries = [line for line in lines if line.startswith("neighbour")]
    assert len(entries) == len(NODES)
    assert all("nud permanent" in line for line in entries)
    assert not any(NODES[0].mac in line for line in entries)
    assert f"address add {NODES[0].address}/24 broadcast 10.213.0.255 dev eth0" in lines


def test_names_of_ports_are_short_enough_for_the_kernel() -> None:
    """15 characters are the most."""
    ports = [cable(node, "switch", "x")[0].split()[2] for node in (CONTROL, *NODES)]
    assert all(len(port) <= 15 for port in ports)
    assert len(set(ports)) == len(ports)
