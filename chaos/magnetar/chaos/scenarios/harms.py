"""The kinds of harm that can be drawn, whom each can come to, and what each asks of the others. Pure data.

A kind that is added to the faults is added here: where it can strike, and what must be well for its proofs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from magnetar.chaos.cluster.profile import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.chaos.cluster.profile import Node

_PULSAR: Final = (Role.ZOOKEEPER, Role.BOOKIE, Role.BROKER)
NEEDS: Final[Mapping[Role, tuple[Role, ...]]] = {
    Role.ZOOKEEPER: (),
    Role.BOOKIE: (Role.ZOOKEEPER,),
    Role.BROKER: (Role.ZOOKEEPER, Role.BOOKIE),
    Role.STORE: (),
    Role.PROVIDER: (),
    Role.WORKER: (*_PULSAR, Role.STORE),
}
"""Without whom nobody of a role can be, or come up; more than can be spared of these, and its processes may end."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is done, as a scenario names it, and to which roles.

    away: it takes whoever it strikes from the others. lives: whoever it strikes must live, or it cannot be proven, and
    is well afterwards only while those are that it needs. beside: roles of which nobody may be harmed, for its proof.
    """

    do: str
    roles: tuple[Role, ...]
    away: bool = True
    lasts: bool = True
    lives: bool = True
    beside: tuple[Role, ...] = ()
    others: Mapping[Role, tuple[Role, ...]] | None = None


KINDS: Final = (
    Kind("kill", (*_PULSAR, Role.STORE, Role.WORKER, Role.PROVIDER)),
    Kind("pause", (*_PULSAR, Role.STORE, Role.WORKER, Role.PROVIDER)),
    Kind("isolate", (*_PULSAR, Role.STORE, Role.WORKER, Role.PROVIDER), lives=False),
    Kind(
        "cut",
        (Role.BOOKIE, Role.BROKER, Role.WORKER),
        lives=False,
        others={
            Role.BOOKIE: (Role.ZOOKEEPER, Role.BROKER),
            Role.BROKER: (Role.ZOOKEEPER, Role.BOOKIE),
            Role.WORKER: (Role.BROKER, Role.STORE, Role.PROVIDER),
        },
    ),
    Kind("fill-disk", (Role.ZOOKEEPER, Role.BOOKIE)),
    Kind("restart", (Role.BOOKIE, Role.BROKER), away=False, lasts=False),
    Kind("restart", (Role.WORKER,), away=False, lasts=False, beside=(*_PULSAR, Role.STORE)),
    Kind(
        "reset",
        (Role.WORKER,),
        away=False,
        lasts=False,
        beside=(*_PULSAR, Role.STORE),
        others={Role.WORKER: (Role.BROKER, Role.STORE)},
    ),
    Kind("unload", (Role.BROKER,), away=False, lasts=False, beside=_PULSAR),
    Kind("misbehave", (Role.PROVIDER,), away=False, beside=(*_PULSAR, Role.STORE, Role.WORKER)),
)
"""A worker leaves in order only where all is well: else it gives up after 10 s, and nothing is proven."""
KIND: Final = {kind.do: kind for kind in reversed(KINDS)}


@dataclass(frozen=True, slots=True)
class Harm:
    """One that is planned: seconds from the begin of the faults; `end` is infinite for what stays.

    `other`: the role that it is cut from. `ways`, `key` and `rates`: see the fault.
    """

    kind: Kind
    node: Node
    begin: float
    end: float
    other: Role | None = None
    ways: str = "both"
    key: str = ""
    rates: tuple[tuple[str, float], ...] = ()

    @property
    def stays(self) -> bool:
        """Never healed while anything is to be done."""
        return math.isinf(self.end)


def deed_of(harm: Harm, *, required: bool | None = None) -> dict[str, object]:
    """As a scenario has it, to be checked there."""
    said: dict[str, object] = {"do": harm.kind.do, "at": round(harm.begin, 1), "required": required}
    if harm.stays:
        said["stays"] = True
    elif harm.kind.lasts:
        said["for"] = round(harm.end - harm.begin, 1)
    if harm.key:
        return said | {"key": harm.key}
    if harm.rates:
        return said | {"rates": dict(harm.rates)}
    said["who"] = {"named": [harm.node.name]}
    if harm.other is not None:
        said["other"] = {"every": harm.other.word}
    if harm.ways != "both":
        said["ways"] = harm.ways
    return said
