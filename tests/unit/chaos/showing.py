"""Makes records of runs that might have been: seeded, for tests of what is drawn of them, and to look at.

`python -m tests.unit.chaos.showing FOLDER` leaves some there.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from magnetar.chaos.history import (
    Answered,
    Committed,
    Died,
    Entered,
    History,
    Intended,
    LaneRow,
    Met,
    Struck,
    Taken,
    Told,
)
from magnetar.chaos.record.keeping import Kept, write
from magnetar.chaos.record.shape import (
    PHASES,
    Alarm,
    Blow,
    Bound,
    Check,
    Gap,
    Latency,
    Measures,
    Need,
    Phase,
    Point,
    Pressure,
    Record,
    Sample,
    Scenario,
    Tenure,
    Versions,
    Witness,
)
from magnetar.chaos.verdict import Verdict
from magnetar.runtime.bus.port import Position
from magnetar.runtime.identity import mint
from magnetar.runtime.identity import to_text as text_of
from magnetar.runtime.instant import SECOND, micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.record.shape import Outcome, PhaseName
    from magnetar.runtime.instant import Instant

BEGAN: Instant = 1_795_000_000 * SECOND
GROUPS = tuple(f"orders/{number}" for number in range(8)) + tuple(f"stock/{number}" for number in range(4))
ENDS = dict(zip(PHASES, (24.0, 34.0, 64.0, 94.0, 96.2, 118.0, 131.0, 140.0), strict=True))
BLOWS = ((64.0, 64.3, 79.0, 82.4), (84.0, 84.2, 94.0, 96.2))
CHECKS = (
    *("nothing acked is lost", "nothing from nowhere", "effects once", "per-key order", "no fork", "acknowledgement"),
    *("outbox", "replay", "schema", "liveness", "money", "stock", "terminal"),
)


@dataclass
class Play:
    """A run in the making. `harm`: an order was lost; `starved`; `vacuous`: the second fault was not proven."""

    seed: int = 1
    offered: float = 90.0
    harm: bool = False
    starved: bool = False
    vacuous: bool = False
    slow: float = 1.0
    scenario: Scenario = field(
        default_factory=lambda: Scenario(
            "S03",
            "The broker of the hottest topic is killed, three times",
            "Under steady load the broker that has the busiest topic is killed with SIGKILL and comes back fifteen "
            "seconds later. Orders must go on after a short stand-still, none may be lost or applied twice.",
        )
    )
    began: Instant = BEGAN

    def kept(self) -> Kept:
        """All that it leaves behind."""
        chance = Random(self.seed)
        points = list(self._points(chance))
        return Kept(
            self._record(points), points, list(self._samples(chance)), list(self._owners()), self._history(chance)
        )

    # the load

    def _points(self, chance: Random) -> Iterator[Point]:
        at = ENDS["setup"]
        while at < ENDS["recover"]:
            at += chance.expovariate(self.offered)
            group = chance.choice(GROUPS)
            yield self._point(at, group, chance)

    def _point(self, at: float, group: str, chance: Random) -> Point:
        key = f"{group.partition('/')[0]}/o-{chance.randrange(4000)}"
        op = "place" if group.startswith("orders") else "reserve"
        took = chance.lognormvariate(-3.9, 0.5)
        outcome: Outcome = "ok"
        for number, (inject, _, _, _) in enumerate(BLOWS):
            stalled = 4.2 * self.slow if GROUPS.index(group) % 3 == number else 0.9 * self.slow
            if inject <= at < inject + stalled:
                took += inject + stalled - at + chance.random() * 0.4
                outcome = chance.choices(("ok", "unknown", "failed"), (90, 8, 2))[0]
            elif inject + stalled <= at < inject + stalled + 4:
                took *= 1 + 6 * chance.random()
        done = None if outcome == "unknown" and chance.random() < 0.6 else at + took
        return Point(at, done, op, key, group, outcome, phase_at(at))

    # what was looked at

    def _samples(self, chance: Random) -> Iterator[Sample]:
        for second in range(int(ENDS["setup"]), int(ENDS["drain"])):
            trouble = max((max(0.0, 1 - abs(second - inject - 5) / 9) for inject, *_ in BLOWS), default=0.0)
            for topic, weight in (
                ("orders", 240),
                ("stock", 130),
                ("payments", 60),
                ("shipments", 25),
                ("orders-RETRY-10s", 4),
            ):
                yield Sample(second, f"backlog/{topic}", round(weight * trouble * self.slow + chance.random() * 5))
            yield Sample(second, "workers", 3)
            yield Sample(second, "shards/unowned", round(3 * trouble))
            yield Sample(second, "timers", 900 + second * 4)
            yield Sample(second, "metric/duplicates", 40 * (second > BLOWS[0][0]))
            yield Sample(second, "outbox", round(90 * trouble + chance.random() * 4))
            yield Sample(second, "lag/orders", 0.05 + 4 * trouble * self.slow + chance.random() * 0.02)
            yield Sample(second, "money/difference", -4900 if self.harm and second > 90 else 0)
            for number in range(3):
                yield Sample(second, f"stock/sku-{number}", 5000 - number * 900 - (second - 24) * (6 + number))
            yield Sample(
                second, "pressure/cpu", min(1.0, (0.75 if self.starved else 0.08) + 0.3 * trouble * chance.random())
            )

    def _owners(self) -> Iterator[Tenure]:
        inject, effective, *_ = BLOWS[0]
        for number in range(8):
            broker = f"broker-{number % 3 + 1}"
            if number % 3 == 0:
                yield Tenure(f"topic orders-partition-{number}", broker, 20.0, effective)
                yield Tenure(f"topic orders-partition-{number}", f"broker-{number % 2 + 2}", effective + 2.1, None)
            else:
                yield Tenure(f"topic orders-partition-{number}", broker, 20.0, None)
            first = f"worker-{number % 3 + 1}"
            yield Tenure(f"shard orders/{number}", first, 22.0, inject + 4 if number % 3 == 0 else None)
            if number % 3 == 0:
                yield Tenure(f"shard orders/{number}", f"worker-{(number + 1) % 3 + 1}", inject + 4.2, None)
        yield Tenure("zookeeper", "zookeeper-2", 2.0, BLOWS[1][1])
        yield Tenure("zookeeper", "zookeeper-3", BLOWS[1][1] + 1.4, None)

    # what is made of it

    def _record(self, points: list[Point]) -> Record:
        gap = 4.21 * self.slow
        oks = sum(point.outcome == "ok" for point in points)
        unknown = sum(point.outcome == "unknown" for point in points)
        return Record(
            id=f"2026-11-18-{self.scenario.id}-{self.seed}",
            began=self.began,
            took=ENDS["reading"],
            commit="4f1c0d2e9b7a6655443322110fedcba987654321",
            versions=Versions("4.0.8", "18.6", "3.12.4", "0.2.0"),
            profile="full",
            seed=self.seed,
            scenario=self.scenario,
            schedule={
                "id": self.scenario.id,
                "load": {"offered": self.offered},
                "faults": [{"kill": "broker of orders/o-17", "for": 15}],
            },
            phases=tuple(phases()),
            blows=tuple(self._blows()),
            measures=Measures(
                self.offered,
                oks,
                unknown,
                len(points) - oks - unknown,
                tuple(latencies(points)),
                self._gaps(gap),
                4.05 * self.slow,
                8.4,
                3.1,
            ),
            bounds=tuple(self._bounds(gap)),
            checks=tuple(self._checks(len(points))),
            needs=tuple(self._needs(oks)),
            alarms=(
                Alarm("BacklogGrows", expected=True, seen_at=71.0),
                Alarm("ShardWithoutOwner", expected=False, seen_at=None),
            ),
            pressure=tuple(
                Pressure(name, 0.71 if self.starved else 0.09 + 0.02 * place) for place, name in enumerate(PHASES)
            ),
            starved=self.starved,
            verdict=self._verdict(gap),
            reasons=tuple(self._reasons(gap)),
        )

    def _gaps(self, gap: float) -> tuple[Gap, ...]:
        long = [
            Gap(group, gap - number * 0.07, 64.05, 64.05 + gap - number * 0.07)
            for number, group in enumerate(GROUPS[::3])
        ]
        return (
            *long,
            Gap("orders/1", 4.0 * self.slow, 84.1, 84.1 + 4.0 * self.slow),
            Gap("stock/3", 0.84, 64.1, 64.94),
        )

    def _blows(self) -> Iterator[Blow]:
        kinds = (("Kill", "broker-1 (the broker of orders/o-17)"), ("Kill", "zookeeper-2 (the leader)"))
        for (fault, target), (inject, effective, heal, healed) in zip(kinds, BLOWS, strict=True):
            seen = None if self.vacuous and target.startswith("zoo") else effective
            evidence = (
                f"{target.split()[0]}: processes 162, 171 are gone" if seen else f"{target.split()[0]} was down before"
            )
            healed_evidence = f"{target.split()[0]} answers on port 8080"
            yield Blow(
                fault,
                target,
                inject,
                seen,
                heal,
                healed,
                evidence,
                healed_evidence,
                inside_budget=True,
                required=True,
            )

    def _bounds(self, gap: float) -> Iterator[Bound]:
        yield Bound("gap", 15.0, gap, "session 8 s + ownership 2 s + client back-off 3 s + slack 2 s")
        yield Bound(
            "failover", 15.0, 4.05 * self.slow, "as the gap: whom it struck must be served again while it lasts"
        )
        yield Bound(
            "recovery", 15.0, 8.4, "broker start 6 s + lookup 1 s + a window of 5 s in which all goes well + slack 3 s"
        )
        yield Bound("drain", 20.0, 3.1, "1.5 x backlog of 480 / (capacity 260/s less arrival 90/s) + 15 s")

    def _checks(self, examined: int) -> Iterator[Check]:
        for name in CHECKS:
            if self.harm and name in {"nothing acked is lost", "money"}:
                yield Check(name, Verdict.INVALID, {"examined": examined, "wrong": 1}, (self._witness(name),))
            else:
                yield Check(name, Verdict.VALID, {"examined": examined // (1 + len(name) % 5), "wrong": 0}, ())

    def _witness(self, name: str) -> Witness:
        if name == "money":
            return Witness("orders/o-17", "captured 4,900 more than the provider's log has", ())
        return Witness("orders/o-17", "confirmed at 12:4:0 on orders-partition-3, and applied nowhere", (self.victim,))

    @property
    def victim(self) -> str:
        """The message that got lost."""
        return text_of(mint(self.began, Random(self.seed).randbytes))

    def _needs(self, oks: int) -> Iterator[Need]:
        yield Need("operations succeed", 500, oks)
        yield Need("operations succeed while the fault is in force", 50, 3 if self.vacuous else 1204)
        yield Need("a broker gives a topic away", 1, 3)

    def _verdict(self, gap: float) -> Verdict:
        if self.harm or (gap > 15 and not self.starved):
            return Verdict.INVALID
        return Verdict.UNKNOWN if self.starved or self.vacuous else Verdict.VALID

    def _reasons(self, gap: float) -> Iterator[str]:
        if self.harm:
            yield "nothing acked is lost: orders/o-17: confirmed at 12:4:0 on orders-partition-3, and applied nowhere"
        if gap > 15:
            yield f"the longest gap was {gap:.1f} s, 15 s allowed"
        if self.vacuous:
            yield "the second fault was not proven: zookeeper-2 was down before"
        if self.starved:
            yield "something waited for a processor in 71 % of the baseline: how long anything took shows nothing"

    def _history(self, chance: Random) -> History:
        history = History(lambda: self.began)
        victim, other = self.victim, mint(self.began, chance.randbytes)
        for event in (
            Entered(self._at(24), "faults"),
            Intended(self._at(63.2), 1, victim, "orders", 3, "o-17"),
            Answered(self._at(63.24), 1, Position(12, 4)),
            Intended(self._at(65.5), 2, text_of(other), "orders", 3, "o-18"),
            Taken(self._at(68.2), "orders/3", 7, "worker-2"),
            Died(
                self._at(69.1),
                "worker-2",
                "orders/3",
                bytes.fromhex(victim.replace("-", "")),
                (),
                owned=True,
                alone=False,
            ),
            Answered(self._at(70.02), 1, None),
            Committed(self._at(70.4), "worker-1", "orders/3", 7, 8, 211, (LaneRow(14, "payments", 1, victim),), (), ()),
            Told(self._at(71), f"{victim} was read again from the beginning"),
            Told(self._at(71.2), f"{victim} was read again from the beginning"),
            Struck(self._at(64.3), "Kill", 2),
            Met(self._at(72), "a zombie's commit was refused", 3),
        ):
            history.append(event)
        return history

    def _at(self, second: float) -> Instant:
        return self.began + micros(second)


def phase_at(at: float) -> PhaseName:
    """The phase in which an operation was meant to begin."""
    for name in PHASES:
        if at < ENDS[name]:
            return name
    return "reading"


def phases() -> Iterator[Phase]:
    """One after the other."""
    begin = 0.0
    for name in PHASES:
        yield Phase(name, begin, ENDS[name])
        begin = ENDS[name]


def latencies(points: list[Point]) -> Iterator[Latency]:
    """By phase, of those that succeeded."""
    for name in PHASES:
        some = sorted(
            point.done - point.at
            for point in points
            if point.phase == name and point.outcome == "ok" and point.done is not None
        )
        if some:
            p50, p95, p99 = (some[int(share * (len(some) - 1))] for share in (0.5, 0.95, 0.99))
            yield Latency(name, len(some), p50, p95, p99, some[-1])


def folder_of_runs() -> Iterator[tuple[str, Kept]]:
    """Seven scenarios, some played more than once."""
    day = 86_400 * SECOND
    titles = {
        "S02": "A frozen worker comes back",
        "S04": "PostgreSQL is killed ten times",
        "S09": "One bookie dies, then a second",
        "S11": "A frozen broker comes back",
        "S12": "The owner's broker is cut off from ZooKeeper",
        "S17": "The ZooKeeper leader is killed",
    }
    for run, slow in enumerate((1.4, 1.2, 1.0)):
        yield f"S03-{run}", Play(seed=run + 1, slow=slow, began=BEGAN + run * day).kept()
    for place, (name, title) in enumerate(titles.items()):
        scenario = Scenario(name, title, "As its title says.")
        for run in range(2):
            odd = run == 1
            yield (
                f"{name}-{run}",
                Play(
                    seed=10 * place + run,
                    offered=30,
                    scenario=scenario,
                    began=BEGAN + run * day,
                    slow=0.2 * (place + 1) if name != "S11" or not odd else 4.3,
                    harm=odd and name == "S12",
                    starved=odd and name == "S09",
                    vacuous=odd and name == "S17",
                ).kept(),
            )


if __name__ == "__main__":
    for name, kept in folder_of_runs():
        write(Path(sys.argv[1]) / name, kept)
