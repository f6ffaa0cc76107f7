"""What is pure in faults: which links a cut takes, what an answer says, and what a blow tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.chaos.cluster.errors import NoOwner
from magnetar.chaos.cluster.parts import Ledger
from magnetar.chaos.cluster.profile import FULL, SMALL, Role
from magnetar.chaos.faults.backups import BackUp, GoBack
from magnetar.chaos.faults.clocks import JumpClock
from magnetar.chaos.faults.disks import FailDisk, FillDisk, FreezeDisk
from magnetar.chaos.faults.fault import Proof
from magnetar.chaos.faults.limits import LimitCpu
from magnetar.chaos.faults.links import Cut, Isolate, Ways, between, ends
from magnetar.chaos.faults.power import LosePower
from magnetar.chaos.faults.processes import Kill, Pause, Restart
from magnetar.chaos.faults.rates import LimitRate
from magnetar.chaos.faults.rot import RotDisk
from magnetar.chaos.faults.striking import struck
from magnetar.chaos.faults.targets import BookiesOf, BrokerOf, Every, Leader, Named, WorkerOf
from magnetar.chaos.faults.topics import Seek, Split, Unload, is_part

if TYPE_CHECKING:
    from magnetar.chaos.cluster.ground import Ground

SETS = st.sets(st.sampled_from(FULL.nodes), min_size=1, max_size=5)
NOBODY: Any = None


@given(SETS, SETS)
def test_a_cut_is_one_way_there_and_the_other_way_back(ones: set[Any], others: set[Any]) -> None:
    """Both ways are the two one-way cuts together; nobody is cut from himself."""
    there, back = (between(ones, others, ways) for ways in (Ways.THERE, Ways.BACK))
    assert there == {(one, other) for one in ones for other in others if one != other}
    assert back == {(receiver, sender) for sender, receiver in there} == between(others, ones, Ways.THERE)
    assert between(ones, others, Ways.BOTH) == there | back


def test_titles_say_what_is_done_and_to_whom() -> None:
    """As a report prints them."""
    titles = [
        Kill(BrokerOf("orders", "o-17")).title,
        Pause(Named(("broker-1", "bookie-2"))).title,
        Restart(Every(Role.BROKER)).title,
        Cut(WorkerOf("orders/3"), Every(Role.BROKER, 1), Ways.THERE).title,
        Isolate(Leader()).title,
        Kill(BookiesOf("orders", "o-17", 2)).title,
        Unload("orders", "o-17").title,
        FillDisk(Every(Role.STORE)).title,
        FreezeDisk(Every(Role.STORE)).title,
        FailDisk(Every(Role.STORE)).title,
        LosePower(Every(Role.BOOKIE)).title,
        RotDisk(Every(Role.BOOKIE)).title,
        BackUp(Every(Role.STORE)).title,
        GoBack(Every(Role.STORE)).title,
        LimitRate(Every(Role.BOOKIE), 500).title,
        JumpClock(Every(Role.STORE), -600.0).title,
        LimitCpu(Every(Role.WORKER), 0.1).title,
        Split("orders", "o-17").title,
        Seek("orders", "o-17").title,
    ]
    assert titles == [
        "kill the broker of orders/o-17",
        "pause broker-1, bookie-2",
        "restart every broker",
        "cut the worker of orders/3 ↛ 1 broker",
        "isolate the ZooKeeper leader ↮",
        "kill 2 of the bookies of orders/o-17",
        "unload orders/o-17",
        "fill the disk of every store",
        "freeze the disk of every store",
        "read-only disk of every store",
        "power loss of every bookie",
        "rot of the disk of every bookie",
        "back up every store",
        "put every store back to its backup",
        "limit every bookie to 500 kbit/s",
        "clock of every store jumps by -600 s",
        "limit every worker to 10% of a processor",
        "split the bundle of orders/o-17",
        "seek orders/o-17 to the earliest",
    ]


def test_the_newest_entries_of_a_ledger_are_on_its_last_ensemble() -> None:
    """An ensemble changes when a bookie goes; what was written before stays where it was."""
    metadata = (
        "LedgerMetadata{formatVersion=3, ensembleSize=2, writeQuorumSize=2, ackQuorumSize=2, state=OPEN, "
        "ensembles={0=[10.213.0.20:3181, 10.213.0.21:3181], 41=[10.213.0.22:3181, 10.213.0.21:3181]}, ctime=1}"
    )
    assert Ledger(7, metadata).hosts == ("10.213.0.22", "10.213.0.21")
    assert Ledger(7).hosts == ()


@given(st.lists(st.integers(0, 2**32), min_size=4, max_size=4))
def test_a_bundle_that_was_split_is_a_part_of_what_it_was(ends: list[int]) -> None:
    """Either half; not the whole, and not another one."""
    low, middle, high, beyond = (each + number for number, each in enumerate(sorted(ends)))
    whole = named(low, high)
    assert is_part(named(low, middle), whole)
    assert is_part(named(middle, high), whole)
    for other in (whole, named(low, beyond), named(middle, beyond), named(high, beyond)):
        assert not is_part(other, whole)


def named(low: int, high: int) -> str:
    """As brokers call them."""
    return f"0x{low:08x}_0x{high:08x}"


@pytest.mark.parametrize(
    "line",
    [
        "0      0      10.213.0.50:44312  10.213.0.40:5432",
        "ESTAB 0      0      10.213.0.50:44312  10.213.0.40:5432 ",
    ],
)
def test_a_connection_is_known_by_its_ends(line: str) -> None:
    """Whatever stands before them: `ss` prints the state only when it is asked for several."""
    assert ends(line) == "10.213.0.50:44312 10.213.0.40:5432"


def test_named_targets_are_found_by_name() -> None:
    """Those of a role in order, all or the first."""

    @dataclass
    class Place:
        profile: Any = SMALL

    ground: Any = Place()
    assert [node.name for node in Named(("store", "broker-2")).resolve(ground)] == ["store", "broker-2"]
    assert [node.name for node in Every(Role.BOOKIE).resolve(ground)] == ["bookie-1", "bookie-2", "bookie-3"]
    assert [node.name for node in Every(Role.BOOKIE, 2).resolve(ground)] == ["bookie-1", "bookie-2"]


@dataclass
class Scripted:
    """A fault whose proofs come when they are said to come; both fault and in force."""

    effects: list[bool]
    health: list[bool]
    done: list[str] = field(default_factory=list)
    title: str = "scripted"
    targets: tuple[str, ...] = ("somebody",)
    ownerless: int = 0

    def inject(self, ground: Ground) -> Scripted:  # noqa: ARG002 - there is none
        """Nobody is harmed, or found so many times."""
        if self.ownerless:
            self.ownerless -= 1
            raise NoOwner("the broker of orders", "412")
        self.done.append("inject")
        return self

    def took_effect(self) -> Proof:
        """As the script says; its last word stays."""
        return Proof(self.effects.pop(0) if len(self.effects) > 1 else self.effects[0], "effect")

    def heal(self) -> None:
        """Said."""
        self.done.append("heal")

    def healed(self) -> Proof:
        """As the script says."""
        return Proof(self.health.pop(0) if len(self.health) > 1 else self.health[0], "health")


def test_a_blow_is_proven_when_both_proofs_came() -> None:
    """Also if not at once."""
    fault = Scripted([False, True], [False, True])
    with struck(fault, NOBODY) as blow:
        assert blow.effective is not None
        assert fault.done == ["inject"]
        early = blow.proven
    assert fault.done == ["inject", "heal"]
    assert (early, blow.proven) == (False, True)
    assert blow.healing is not None
    assert blow.well is not None
    assert blow.struck <= blow.effective <= blow.healing <= blow.well


@pytest.mark.parametrize(("effects", "health"), [([False], [True]), ([True], [False])])
def test_a_proof_that_never_comes_is_told(effects: list[bool], health: list[bool]) -> None:
    """The fault is healed all the same."""
    fault = Scripted(effects, health)
    with struck(fault, NOBODY, effect_within=0.0, healed_within=0.0) as blow:
        pass
    assert fault.done == ["inject", "heal"]
    assert not blow.proven
    assert (blow.effective is None, blow.well is None) == (not effects[0], not health[0])


def test_whatever_happens_under_a_fault_it_is_healed() -> None:
    """Ctrl-C too."""
    fault = Scripted([True], [True])
    with pytest.raises(KeyboardInterrupt), struck(fault, NOBODY):
        raise KeyboardInterrupt
    assert fault.done == ["inject", "heal"]


def test_a_topic_between_two_brokers_is_aimed_at_again() -> None:
    """Whoever is nobody for a moment is found in the next."""
    fault = Scripted([True], [True], ownerless=2)
    with struck(fault, NOBODY) as blow:
        pass
    assert fault.done == ["inject", "heal"]
    assert blow.proven


def test_what_nobody_is_found_for_in_time_is_not_struck() -> None:
    """And so there is nothing to heal."""
    fault = Scripted([True], [True], ownerless=1)
    with pytest.raises(NoOwner, match="412"), struck(fault, NOBODY, aim_within=0.0):
        pass
    assert fault.done == []
