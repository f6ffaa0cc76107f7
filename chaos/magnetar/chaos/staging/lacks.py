"""What cannot be done in staging, and what is done there in another way: typed, and said for each fault."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Why(Enum):
    """Why a fault cannot be rendered; the value says it, and what to do instead."""

    NO_STOP = "Chaos Mesh cannot stop a process (SIGSTOP) and let it go on: play it with `magnetar chaos run`"
    NO_FLEET = "this is no fault but a deployment: apply the old one of the workers beside, under another name"
    NO_POINTS = "Chaos Mesh cannot end a process between two lines of it: play it with `magnetar chaos run`"
    NO_RESET = "Chaos Mesh cannot break the connections that are there: play it with `magnetar chaos run`"
    NO_ORDER = (
        "Chaos Mesh does not wait until one is ready before it stops the next: use `kubectl rollout restart`, "
        "and watch the abort rule meanwhile"
    )
    NO_ADMIN = "this is no fault but a call of the broker's administration: use `pulsar-admin topics` or `namespaces`"
    NO_POWER = "Chaos Mesh cannot take from a disk what was not forced to it: play it with `magnetar chaos run`"
    NO_BACKUP = "this is no fault but a restored backup: do that by hand, with the workers at work"
    NOT_RENDERED = "Chaos Mesh has something like it, and it is not rendered: play it with `magnetar chaos run`"
    NO_SHARES = (
        "Chaos Mesh cannot answer so many of the questions in another way, nor charge and then deny it: "
        "set the rates of the provider's emulator itself"
    )
    NOT_KNOWN = "only the running cluster knows who that is: look, and name the pod with --seat"
    NO_PLACE = "nothing is said of where this role runs: add it to the file of --ground"
    NO_NUMBERS = "the pods of this role have no numbers to tell them apart: give `pods` of its StatefulSet in --ground"
    NO_VOLUME = "nothing is said of where this role keeps its data: give its `volume` in --ground"
    MIXED = "nodes of several roles in one fault: write a fault for each role"


class Otherwise(Enum):
    """How a fault differs in staging; the value says it."""

    STARTED_AGAIN = "killed by SIGKILL, then kept down by another image: its container may have started once in between"
    SOON_BACK = (
        "killed by SIGKILL, and back as soon as the kubelet starts it: nothing keeps it down for so short a time"
    )
    SEEN_AT_STRIKE = "cut by the addresses that the pods have when it strikes: a pod that starts meanwhile is not cut"
    IN_NAMESPACE = "cut from the pods of its namespace alone: the cluster's DNS and the kubelet still reach it"
    ROOM_IS_TOLD = "writes fail for want of room while the disk still says that it has some"
    SAT_BEFORE = "whoever was named when it was rendered is struck, even if somebody else has its part by then"


@dataclass(frozen=True, slots=True)
class Lack:
    """A fault that cannot be rendered. `fault`: its number in the scenario, from 1. `whom`: of its target, if known."""

    fault: int
    why: Why
    whom: str = ""

    def __str__(self) -> str:
        return f"fault {self.fault}{self.whom and f' ({self.whom})'}: {self.why.value}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A fault that is rendered, and is not the same as on a cluster of one's own. `fault`: its number, from 1."""

    fault: int
    how: Otherwise

    def __str__(self) -> str:
        return f"fault {self.fault}: {self.how.value}"


class Missed(MagnetarError):
    """A fault, or its target, cannot be rendered; whoever knows the number of the fault makes a `Lack` of it."""

    def __init__(self, why: Why, whom: str = "") -> None:
        """`whom`: the target."""
        super().__init__(why.value)
        self.why, self.whom = why, whom


class NotStaged(MagnetarError):
    """A scenario that cannot be rendered: nothing of it is."""

    def __init__(self, scenario: str, lacks: Iterable[Lack]) -> None:
        """`lacks`: at least one, in the order of the faults."""
        self.scenario, self.lacks = scenario, tuple(lacks)
        told = "".join(f"\n  {lack}" for lack in self.lacks)
        super().__init__(f"{scenario} cannot be played in staging:{told}")
