"""What a cluster is started from and with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.servers.cluster.addresses import Asked
from magnetar.runtime.servers.cluster.record import ClusterLayout, Member
from magnetar.runtime.servers.errors import StateUnreadable
from magnetar.runtime.servers.java import Java
from magnetar.runtime.servers.record import read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Mapping


def _anywhere(_name: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """What a cluster is started from and with.

    `home` is the unpacked distribution, `version` its release. `data` is the cluster's own directory, kept between
    a stop and the next start; so are its addresses. `classes` is a class archive (`classes.py`), with which it starts
    in half the time. `changes` go over our settings: for a role (`broker`) or for one member (`broker-2`), which wins.
    `tied`: no member outlives this process; otherwise they live on until they are stopped. `ready_within`: seconds.

    `members` are others than the usual ones, each at an address of its own in a network of its own; `inside` is, for
    each of them by name, a block in which what this thread starts begins in that network. Such a cluster is tied.
    """

    home: Path
    java: Java
    data: Path
    version: str
    classes: Path | None = None
    asked: Asked = field(default_factory=Asked)
    changes: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    tied: bool = True
    ready_within: float = 120.0
    members: tuple[Member, ...] = ()
    inside: Callable[[str], AbstractContextManager[None]] = _anywhere


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as a file: what a supervisor in a process of its own cannot read from the cluster's address."""

    home: str
    java_home: str
    java_major: int
    version: str
    classes: str | None
    changes: dict[str, dict[str, str]]


def keep(plan: ClusterPlan) -> None:
    """Write the plan of a cluster that lives on into its directory."""
    kept = _Kept(
        home=str(plan.home),
        java_home=str(plan.java.home),
        java_major=plan.java.major,
        version=plan.version,
        classes=None if plan.classes is None else str(plan.classes),
        changes={name: dict(changes) for name, changes in plan.changes.items()},
    )
    write_state(ClusterLayout(plan.data).plan, kept)


def kept(data: Path) -> ClusterPlan:
    """The plan that was written there. Raises `StateUnreadable`."""
    path = ClusterLayout(data).plan
    found = read_state(path, _Kept)
    if found is None:
        raise StateUnreadable(path, "it is missing")
    return ClusterPlan(
        home=Path(found.home),
        java=Java(Path(found.java_home), found.java_major),
        data=data,
        version=found.version,
        classes=None if found.classes is None else Path(found.classes),
        changes=found.changes,
        tied=False,
    )
