"""What a scenario is: checked when it is read, never changed after. All times are seconds.

Names in a file have hyphens where those here have underscores.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from magnetar.actors.providing.emulator.conduct import Manner
from magnetar.chaos.cluster.profile import Role
from magnetar.chaos.record.shape import BoundName
from magnetar.runtime.worker.points import all_points

Seconds = Annotated[float, Field(ge=0, le=600)]
Some = Annotated[float, Field(gt=0, le=600)]
Moment = Annotated[float, Field(ge=0, le=3_600)]
Share = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]
RoleName: TypeAlias = Literal["zookeeper", "bookie", "broker", "store", "worker", "provider", "load"]
KeyName = Annotated[str, Field(pattern=r"^[a-z-]+/[^\s/]+$")]
"""A topic, or an actor, and what it has: `orders/o-17`; of a shard its number, `orders/3`."""
Counted: TypeAlias = Literal[
    "applied",
    "second clicks",
    "cancellations",
    "callbacks",
    "doubts",
    "refunds",
    "charges",
    "takeovers",
    "refused commits",
    "unknown commits",
    "duplicates",
    "relay duplicates",
    "dead letters",
    "crashes",
    "blows",
    "published again",
    "timers",
    "backlog",
    "older",
    "went back",
    "wrong entries",
]
"""What can be counted, for a scenario that shows nothing without it."""


class _Plain(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True
    )


class Who(_Plain):
    """Whom a fault is aimed at, found when it strikes: exactly one of these, but for `count`.

    named: nodes by name. every: all of a role, or the first `count`. broker_of: who has a key's partition. bookies_of:
    the first `count` (1) of those that a key's next message goes to. worker_of: who owns a shard. leader: the ZooKeeper
    that decides.
    """

    named: tuple[str, ...] | None = None
    every: RoleName | None = None
    broker_of: KeyName | None = None
    bookies_of: KeyName | None = None
    worker_of: Annotated[str, Field(pattern=r"^[a-z-]+/\d+$")] | None = None
    leader: Literal["zookeeper"] | None = None
    count: Annotated[int, Field(ge=1, le=9)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Who:
        ways = ("named", "every", "broker_of", "bookies_of", "worker_of", "leader")
        found = [way for way in ways if getattr(self, way) is not None]
        if len(found) != 1:
            told = ", ".join(found).replace("_", "-") or "none"
            raise ValueError(f"name one way to find who is meant, of {', '.join(ways).replace('_', '-')}: found {told}")
        if self.count is not None and found[0] not in {"every", "bookies_of"}:
            raise ValueError("only every and bookies-of have a count")
        return self


class Repeat(_Plain):
    """Struck so many `times`, from the begin of one to that of the next `every` so many seconds at the least."""

    times: Annotated[int, Field(ge=1, le=100)]
    every: Some


class _Deed(_Plain):
    """When. `at`: from the begin of the faults, or of the fault of the same scenario that goes by `during`.

    `for`: how long it is in force once it is proven to be; with `during` no longer than that one. `stays`: it is in
    force until all has come to rest without whoever it took. `required`: whether something must succeed meanwhile; by
    default, if the cluster is made to bear it.
    """

    name: str = ""
    at: Moment = 0.0
    lasts: Seconds = Field(default=0.0, alias="for")
    during: str = ""
    repeat: Repeat | None = None
    stays: bool = False
    required: bool | None = None

    @model_validator(mode="after")
    def _stays_for_good(self) -> _Deed:
        """What is never healed before the end has no end of its own."""
        if self.stays and (self.lasts or self.during or self.repeat):
            raise ValueError("what stays has no for, no during and no repeat")
        return self

    @property
    def holds(self) -> bool:
        """Whether it is in force for a while; else it is over at once."""
        return self.stays or self.lasts > 0


class Kill(_Deed):
    """SIGKILL; down until it is healed."""

    do: Literal["kill"]
    who: Who


class Pause(_Deed):
    """SIGSTOP."""

    do: Literal["pause"]
    who: Who


class Crash(_Deed):
    """A worker ends itself (SIGKILL) when it is at a fault point for the `nth` time; each turn has its own point."""

    do: Literal["crash"]
    who: Who
    points: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]
    nth: Annotated[int, Field(ge=1, le=10_000)] = 1

    @model_validator(mode="after")
    def _points_are_there(self) -> Crash:
        unknown = sorted(set(self.points) - set(all_points()))
        if unknown:
            raise ValueError(f"no fault points: {', '.join(unknown)}; they are in docs/architecture.md")
        return self


class Restart(_Deed):
    """Stopped in order and started, one after the other."""

    do: Literal["restart"]
    who: Who


class Cut(_Deed):
    """No link between `who` and `other`: both ways, `there` or `back`."""

    do: Literal["cut"]
    who: Who
    other: Who
    ways: Literal["both", "there", "back"] = "both"


class Isolate(_Deed):
    """No link to anybody."""

    do: Literal["isolate"]
    who: Who
    ways: Literal["both", "there", "back"] = "both"


class Reset(_Deed):
    """Every TCP connection between them breaks."""

    do: Literal["reset"]
    who: Who
    other: Who


class SecondFleet(_Deed):
    """An old deployment with stale settings works beside, as many workers again, until they are ended by SIGKILL."""

    do: Literal["second-fleet"]


class Unload(_Deed):
    """The broker lets go of the partition of `key`; `{turn}` in a key is the turn of a fault that is repeated."""

    do: Literal["unload"]
    key: KeyName


class Split(_Deed):
    """The bundle that the partition of `key` is in is made into two."""

    do: Literal["split"]
    key: KeyName


class Seek(_Deed):
    """Whoever takes the partition of `key` gets all of it again, from the earliest that is kept."""

    do: Literal["seek"]
    key: KeyName


class LimitRate(_Deed):
    """So many `kilobits` a second come through to each of them, and as many back."""

    do: Literal["limit-rate"]
    who: Who
    kilobits: Annotated[int, Field(ge=64, le=1_000_000)]


class JumpClock(_Deed):
    """Wall clocks of workers or the store are so many `seconds` ahead, or behind, until it is healed."""

    do: Literal["jump-clock"]
    who: Who
    seconds: Annotated[float, Field(ge=-86_400, le=86_400)]


class LimitCpu(_Deed):
    """Each of them gets this `share` of one processor."""

    do: Literal["limit-cpu"]
    who: Who
    share: Annotated[float, Field(ge=0.01, le=1)]


class FillDisk(_Deed):
    """No room on the disk of a bookie, a ZooKeeper or the store."""

    do: Literal["fill-disk"]
    who: Who


class FreezeDisk(_Deed):
    """Writes to their disks hang."""

    do: Literal["freeze-disk"]
    who: Who


class FailDisk(_Deed):
    """Their disks turn read-only; mounted anew and started again when it is healed."""

    do: Literal["fail-disk"]
    who: Who


class LosePower(_Deed):
    """Gone from one instant to the next, with all that was not forced to the disk; down until it is healed."""

    do: Literal["lose-power"]
    who: Who


class BackUp(_Deed):
    """Their disks are copied as they are at this instant, for a `go-back` later."""

    do: Literal["back-up"]
    who: Who


class GoBack(_Deed):
    """Killed, and put back to what they were when they were backed up; down until it is healed."""

    do: Literal["go-back"]
    who: Who


class RotDisk(_Deed):
    """Bookies are restarted, and a bit in each 512 bytes of the entries that they keep is another; for good."""

    do: Literal["rot-disk"]
    who: Who


class Misbehave(_Deed):
    """The payment provider answers so many of its questions otherwise than it should; `slow` is this long."""

    do: Literal["misbehave"]
    rates: dict[Manner, Share]
    slow: Some = 1.5


OfDisk: TypeAlias = FillDisk | FreezeDisk | FailDisk | RotDisk | BackUp | GoBack
SCARS = (GoBack, RotDisk)
"""Faults that leave something behind, so that a cluster is not used for another scenario."""
OfTopic: TypeAlias = Unload | Split | Seek
Simple: TypeAlias = Kill | Pause | Restart | LosePower | OfDisk
"""What says only whom it is aimed at."""
Deed: TypeAlias = Annotated[
    Simple | OfTopic | Crash | Cut | Isolate | Reset | LimitRate | JumpClock | LimitCpu | Misbehave | SecondFleet,
    Field(discriminator="do"),
]


class Burst(_Plain):
    """So many `times` the usual rate, `at` so many seconds from the begin of the faults, `for` so many."""

    times: Annotated[float, Field(gt=1, le=50)]
    at: Moment = 0.0
    lasts: Some = Field(alias="for")


class Load(_Plain):
    """What customers do, whatever becomes of it: operations a second, and shares.

    orders: placed. cancels: of them cancelled soon after, `scarce` want what is sold out (fixed shares). clicks: of all
    that is sent once more under the same id. appends: to per-key lists. poison: lists with a word that fails whenever
    it is tried, killers: one that ends its worker each time. hot: of all appends those to one and the same list.
    timers: set, which fall due seconds later; some are cancelled at about that time. older: of the lists those whose
    customers are a release behind. bursts: when more comes of all.
    """

    orders: Annotated[float, Field(gt=0, le=200)] = 6.0
    clicks: Share = 0.1
    appends: Annotated[float, Field(gt=0, le=500)] = 10.0
    lists: Annotated[int, Field(ge=1, le=1_000)] = 40
    poison: Annotated[int, Field(ge=0, le=20)] = 0
    killers: Annotated[int, Field(ge=0, le=5)] = 0
    hot: Share = 0.0
    timers: Annotated[float, Field(ge=0, le=50)] = 0.0
    older: Share = 0.0
    bursts: tuple[Burst, ...] = ()


class Phases(_Plain):
    """How long phases last: the first two as they say, `recover` and `drain` until there is proof, at the longest.

    A cluster that has just been played on is warm after 2 s.
    """

    warm_up: Some = 6.0
    baseline: Some = 10.0
    recover: Some = 60.0
    drain: Some = 90.0


class Bound(_Plain):
    """How long something may take, and how that comes about."""

    seconds: Some
    why: Words


class Need(_Plain):
    """What must be seen so often for the scenario to show anything."""

    what: Counted
    least: Annotated[int, Field(ge=1)]


class Scenario(_Plain):
    """One scenario."""

    id: Annotated[str, Field(pattern=r"^[A-Z]\d{2}[a-z]?(-\d{1,9}(\.\d{1,3})?)?$")]
    title: Annotated[str, Field(min_length=1, max_length=80)]
    text: Words
    profile: Literal["small", "full"] = "small"
    ci: bool = False
    load: Load = Load()
    phases: Phases = Phases()
    faults: Annotated[tuple[Deed, ...], Field(min_length=1, max_length=200)]
    bounds: dict[BoundName, Bound] = {}
    needs: tuple[Need, ...] = ()
    alarms: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> Scenario:
        """A fault that goes by another's time names one before it that has a time of its own."""
        lasting: dict[str, float] = {}
        for number, deed in enumerate(self.faults, 1):
            if deed.during and deed.during not in lasting:
                raise ValueError(
                    f"fault {number} is during {deed.during!r}: no fault before it has this name and a for"
                )
            if deed.name in lasting:
                raise ValueError(f"fault {number}: the name {deed.name!r} is taken")
            if deed.name and not (deed.during or deed.stays):
                lasting[deed.name] = deed.lasts
        return self


ROLES = {role.word: role for role in Role}
