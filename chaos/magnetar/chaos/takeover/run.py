"""One run of the report, from an empty folder to its rows."""

from __future__ import annotations

import random
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from magnetar.chaos.cluster.crew import Crew, command
from magnetar.chaos.takeover import capacity, delays, events, starving
from magnetar.chaos.takeover.delays import starved
from magnetar.chaos.takeover.events import Stage
from magnetar.chaos.takeover.feeding import Feeder
from magnetar.chaos.takeover.gaps import Gap, Passed, gaps
from magnetar.chaos.takeover.ground import TARGET, Ground
from magnetar.chaos.takeover.promises import complaints
from magnetar.chaos.takeover.reading import gather, handled, history_of, passed
from magnetar.chaos.takeover.rows import (
    PROMISES,
    Colour,
    Event,
    Gaps,
    Machine,
    Row,
    Wrongs,
    judged,
    not_run,
    shared_out,
)
from magnetar.chaos.takeover.tenures import tenures, turns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from magnetar.chaos.takeover.delays import Sample
    from magnetar.chaos.takeover.load import Published
    from magnetar.chaos.takeover.netting import Network
    from magnetar.chaos.takeover.tenures import Tenure
    from magnetar.runtime.instant import Instant
    from magnetar.runtime.store.port import ShardName

WORKERS = (1, 2, 3, 4)
LATE = 5
"""Exit status when shards stood still for longer than promised, and nothing is wrong with any order."""
_REST_SECONDS = 60.0


class Report(msgspec.Struct, frozen=True):
    """What a run showed. `capacity` and `rate`: orders a second. `wrong`: what is wrong with no row's orders."""

    seed: int
    capacity: float
    rate: float
    partitions: int
    orders: int
    messages: int
    again: int
    took: float
    rows: tuple[Row, ...]
    wrong: tuple[str, ...]

    @property
    def status(self) -> int:
        """0: every row is kept. 1: something is wrong. 5: only bounds are exceeded. 3: not that; one is unknown."""
        colours = {row.colour for row in self.rows}
        if self.wrong or any(row.wrong for row in self.rows):
            return 1
        if Colour.BROKEN in colours:
            return LATE
        return 0 if colours == {Colour.KEPT} else 3


@dataclass(frozen=True, slots=True)
class Showing:
    """The report, and what its picture is made of."""

    report: Report
    passed: list[Passed]
    gaps: Mapping[str, Sequence[Gap]]


def run(network: Network, folder: Path, seed: int, wanted: Collection[str], tell: Callable[[str], None]) -> Showing:
    """Play the rows that are wanted. Raises what servers, bus and store raise, `CrewFailed` and `LoadFailed`."""
    began = time.monotonic()
    with ExitStack() as open_now:
        tell("starting ZooKeeper, 3 bookies, 2 brokers and PostgreSQL")
        ground = open_now.enter_context(Ground(network, folder))
        open_now.enter_context(starving.watched(folder))
        crew = Crew(network, command(sys.executable, TARGET, ground), folder)
        open_now.callback(crew.dismiss)
        tell("starting 4 workers")
        crew.start(*WORKERS)
        feeder = Feeder(ground.bus_url, folder, seed, ground.partitions)
        open_now.callback(feeder.dismiss)
        tell("measuring the capacity")
        able = capacity.measured(crew, feeder)
        stage = Stage(network, ground, crew, feeder, random.Random(seed), capacity.rate_of(able))  # noqa: S311
        open_now.callback(stage.close)
        stage.balanced()
        played = _played(stage, wanted, tell)
        tell("coming to rest")
        published = feeder.stop()
        capacity.quiet_since(crew, _REST_SECONDS)
        crew.stop(*crew.workers)
        return _judged(_Trial(ground, folder, seed, able, began, crew.logs), played, published, tell)


def _played(stage: Stage, wanted: Collection[str], tell: Callable[[str], None]) -> list[Event]:
    found: list[Event] = []
    for promise in PROMISES:
        if promise.name in wanted and not (promise.cuts and stage.network.why_uncut):
            tell(f"{promise.title}, under {stage.rate:.0f} orders/s")
            found.append(events.play(stage, promise.name))
    return found


@dataclass(frozen=True)
class _Trial:
    """What is known of a run before it is judged. `able`: orders a second; `began`: monotonic seconds.

    `logs`: every worker's, by its process.
    """

    ground: Ground
    folder: Path
    seed: int
    able: float
    began: float
    logs: Mapping[int, Path]

    def owed(self, gap: Gap, since: Instant | None) -> Instant:
        """For how much of what counts of a gap no processor took the worker that the shard depended on."""
        return starved(self._delays, self._tenures.get(gap.shard, ()), max(gap.begin, since or 0), gap.end)

    @cached_property
    def _delays(self) -> Mapping[int, Sequence[Sample]]:
        return delays.read((self.folder / "delays.txt").read_text(encoding="ascii"))

    @cached_property
    def _tenures(self) -> Mapping[ShardName, Sequence[Tenure]]:
        return tenures(
            turn
            for process, log in self.logs.items()
            for turn in turns(log.read_text(encoding="utf-8", errors="replace").splitlines(), process)
        )

    def report(self, published: Sequence[Published], rows: Sequence[Row], messages: int, wrong: Wrongs) -> Report:
        """With what it came to."""
        return Report(
            seed=self.seed,
            capacity=self.able,
            rate=capacity.rate_of(self.able),
            partitions=self.ground.partitions,
            orders=sum(each.topic == "orders" for each in published),
            messages=messages,
            again=sum(each.tries > 1 for each in published),
            took=time.monotonic() - self.began,
            rows=tuple(rows),
            wrong=tuple(wrong.words),
        )


def _judged(
    trial: _Trial, played: Sequence[Event], published: Sequence[Published], tell: Callable[[str], None]
) -> Showing:
    tell("reading topics and store")
    evidence = gather(trial.ground)
    tell("looking for what is lost, reordered, applied twice or forked")
    through = passed(evidence)
    found = Gaps(gaps(through), gaps(handled(evidence)))
    wrongs = shared_out(complaints(history_of(published), evidence))
    looks = starving.read(trial.folder / "starving.txt")
    events_by_name = {event.name: event for event in played}
    rows: list[Row] = []
    for promise in PROMISES:
        event = events_by_name.get(promise.name)
        if event is not None:
            machine = Machine(starving.hunger(looks, event.begin, event.end), trial.owed, capacity.share_of(trial.able))
            rows.append(judged(promise, event, found, wrongs.get(promise.name, Wrongs()), machine))
    messages = sum(map(len, evidence.timelines.values()))
    return Showing(trial.report(published, rows, messages, wrongs.get(None, Wrongs())), through, found.seen)


def completed(report: Report, why_uncut: str, wanted: Collection[str]) -> Report:
    """With a line for each row that was not played, and why."""
    rows = {row.name: row for row in report.rows}
    every = tuple(
        rows.get(promise.name)
        or not_run(promise, f"nothing can be cut here: {why_uncut}" if promise.name in wanted else "not asked for")
        for promise in PROMISES
    )
    return msgspec.structs.replace(report, rows=every)
