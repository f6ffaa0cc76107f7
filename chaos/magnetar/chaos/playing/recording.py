"""Makes the record of what was played."""

from __future__ import annotations

import platform
import subprocess
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.chaos.checkers.fork import JUMPS
from magnetar.chaos.cluster.profile import Role
from magnetar.chaos.history import AnyEvent, Charged, Entered, History, Restored, Struck, Told
from magnetar.chaos.measuring import figures
from magnetar.chaos.measuring.alarms import alarms
from magnetar.chaos.measuring.bounds import bounds, failover, needs
from magnetar.chaos.measuring.findings import checks, counted
from magnetar.chaos.measuring.judging import Shown, verdict
from magnetar.chaos.measuring.points import fates, points
from magnetar.chaos.measuring.tenures import tenures
from magnetar.chaos.measuring.timers import due, in_faults
from magnetar.chaos.paying.reading import standing_of
from magnetar.chaos.playing.recovering import operations
from magnetar.chaos.playing.striking import told
from magnetar.chaos.record import shape
from magnetar.chaos.record.keeping import Kept
from magnetar.chaos.scenarios import spec
from magnetar.chaos.takeover.reading import events_of
from magnetar.runtime.instant import SECOND
from magnetar.runtime.servers.distribution import pinned_pulsar
from magnetar.runtime.servers.postgres_making import packaged_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from magnetar.actors.providing.emulator.book import Entry
    from magnetar.chaos.playing.run import Played
    from magnetar.chaos.playing.stage import Stage
    from magnetar.chaos.record.shape import Blow, Check, Measures, Phase, Point, Record, Sample, Tenure

_SECONDS = 10.0


def recorded(stage: Stage, played: Played) -> Kept:
    """All that is made of it. `stage.history` and `stage.told` go on from here: the next scenario finds them so."""
    events = [*events_of(played.sending.published, len(stage.history.sendings)), *_done_to_the_store(stage, played)]
    for event in events:
        stage.history.append(event)
    entries = stage.crowd.provider.entries()
    seen = _Seen(stage, played, entries)
    kept = Kept(
        seen.record(),
        seen.points,
        seen.samples,
        seen.owners,
        _history(stage, played, entries[stage.told :], events),
    )
    stage.told, stage.counted = len(entries), seen.totals
    return kept


@dataclass(frozen=True)
class _Seen:
    """Everything that a record is made of, each made once."""

    stage: Stage
    played: Played
    entries: Sequence[Entry]

    @cached_property
    def points(self) -> list[Point]:
        """What became of all that was meant."""
        wrong = any(isinstance(deed, spec.JumpClock) for deed in self.played.scenario.faults)
        looks = self.played.store.looks if wrong else ()
        fate = {} if self.played.evidence is None else fates(self.played.evidence, looks)
        return points(operations(self.stage, self.played), fate, self.played.phases, self.stage.began)

    @cached_property
    def owners(self) -> list[Tenure]:
        """Of shards, topics and ZooKeeper."""
        return tenures([*self.played.store.seen, *self.played.bus.seen])

    @cached_property
    def samples(self) -> list[Sample]:
        """By time."""
        return sorted([*self.played.store.samples, *self.played.bus.samples], key=lambda sample: sample.at)

    @cached_property
    def blows(self) -> tuple[Blow, ...]:
        """As they were struck."""
        return tuple(told(each, self.stage) for each in self.played.striking.dealt)

    @cached_property
    def phases(self) -> dict[str, Phase]:
        """By name."""
        return {phase.name: phase for phase in self.played.phases}

    def record(self) -> Record:
        """With the verdict."""
        scenario, measures = self.played.scenario, self.measures
        shown = self.shown
        found, reasons = verdict(shown)
        return shape.Record(
            id=_id(self.stage, self.played),
            began=self.stage.began,
            took=self.stage.now,
            commit=_commit(),
            versions=_versions(),
            profile=self.stage.ground.profile.name,
            seed=self.played.seed,
            scenario=shape.Scenario(scenario.id, scenario.title, scenario.text),
            schedule=scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            phases=tuple(self.played.phases),
            blows=self.blows,
            measures=measures,
            bounds=tuple(shown.bounds),
            checks=tuple(shown.checks),
            needs=tuple(shown.needs),
            alarms=tuple(shown.alarms),
            pressure=tuple(figures.pressures(self.samples, self.played.phases)),
            starved=self.played.starved,
            verdict=found,
            reasons=reasons,
        )

    @cached_property
    def shown(self) -> Shown:
        """For the judge."""
        return Shown(
            phases=self.played.phases,
            blows=self.blows,
            points=self.points,
            bounds=bounds(self.played.scenario.bounds, self.measures),
            checks=self._checks,
            needs=needs(self.played.scenario.needs, self._counts),
            alarms=alarms(self.samples, self.played.scenario.alarms),
            starved=self.played.starved,
            noticed=tuple(self.played.store.noticed.values()),
            broken=tuple(self.played.broken),
        )

    @cached_property
    def measures(self) -> Measures:
        """What was measured."""
        outcomes = Counter(point.outcome for point in self.points)
        begin, end = self._from_first_blow
        healed = figures.over(self.blows)
        recovered = None if healed is None else figures.recovery(self.points, healed, end)
        drained = None if healed is None else figures.drain(self.samples, self.phases["baseline"], healed)
        return shape.Measures(
            offered=figures.offered(self.points, self.phases) if "baseline" in self.phases else 0.0,
            ok=outcomes["ok"],
            unknown=outcomes["unknown"],
            failed=outcomes["failed"],
            latencies=tuple(figures.latencies(self.points)),
            gaps=tuple(figures.gaps(self.points, begin, end)),
            failover=failover(self.points, self.blows, self.owners),
            recovery=recovered,
            drain=drained,
        )

    @property
    def _from_first_blow(self) -> tuple[float, float]:
        """To the end of the load."""
        begin = min((blow.inject for blow in self.blows), default=0.0)
        return begin, self.phases["recover"].end if "recover" in self.phases else self.stage.now

    @cached_property
    def _checks(self) -> list[Check]:
        evidence = self.played.evidence
        if evidence is None:
            return []
        return checks(self.stage.history, evidence, self.entries, self.played.scenario.load)

    @cached_property
    def totals(self) -> Counter[str]:
        """What is left of all that was played on this cluster, counted."""
        evidence = self.played.evidence
        if evidence is None:
            return self.stage.counted
        return Counter(counted(evidence, standing_of(evidence, self.stage.history, self.entries, (0, 0))))

    @property
    def _counts(self) -> dict[str, int]:
        """Of this scenario alone."""
        published = self.played.sending.published
        own = {name: count - self.stage.counted[name] for name, count in self.totals.items()}
        return {
            **self.played.counted,
            **own,
            "blows": sum(each.blow is not None and each.blow.proven for each in self.played.striking.dealt),
            "published again": sum(each.tries > 1 for each in published),
            "second clicks": len(published) - len({each.message_id for each in published}),
            "timers": in_faults(self._due, self.blows),
            "backlog": round(max((each.value for each in self.samples if each.name == "backlog/all"), default=0.0)),
        }

    @property
    def _due(self) -> list[float]:
        """When timers of this scenario that rang were due."""
        evidence, own = self.played.evidence, {letter.key for letter in self.played.sending.letters}
        rang = {} if evidence is None else due(evidence)
        return [self.stage.seconds(at) for key, times in rang.items() if key in own for at, _ in times]


def _id(stage: Stage, played: Played) -> str:
    began = datetime.fromtimestamp(stage.began / SECOND, UTC)
    return f"{played.scenario.id}-{began:%Y%m%dT%H%M%S}-{played.seed}"


def _history(stage: Stage, played: Played, entries: Sequence[Entry], known: Sequence[AnyEvent]) -> History:
    """Of this scenario alone, by time; `known` are those that the stage's history has."""
    events: list[AnyEvent] = [*known]
    events += [Entered(stage.began + round(phase.begin * SECOND), phase.name) for phase in played.phases]
    for dealt in played.striking.dealt:
        if dealt.blow is not None:
            events.append(Told(dealt.blow.struck, f"{dealt.title}: {dealt.blow.effect.evidence}", harm=True))
        if dealt.blow is not None and dealt.blow.effective is not None:
            events.append(Struck(dealt.blow.effective, dealt.title, 1))
    for entry in entries:
        if entry.what == "charged":
            at = round(datetime.fromisoformat(entry.at).timestamp() * SECOND)
            events.append(Charged(at, f"payments/{entry.order_id}", entry.key))
    history = History(lambda: stage.began)
    for event in sorted(events, key=lambda event: event.at):
        history.append(event)
    return history


def _done_to_the_store(stage: Stage, played: Played) -> Iterator[Restored | Struck]:
    """What checkers must know: backups that were put in place, and clocks that were put back.

    A backup forgets no commit by number: nobody has recorded those of these workers one by one.
    """
    stores = {node.name for node in stage.ground.profile.of(Role.STORE)}
    for dealt in played.striking.dealt:
        if dealt.blow is None:
            continue
        if isinstance(dealt.deed, spec.GoBack):
            yield Restored(dealt.blow.struck, 0)
        elif isinstance(dealt.deed, spec.JumpClock) and stores & {*dealt.targets}:
            yield Struck(dealt.blow.struck, JUMPS, 1)


def _commit() -> str:
    """Of the code that was played, with `-dirty` if it is not quite that; empty where it is no checkout."""
    here = Path(__file__).parent
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(  # noqa: S603
            ["git", "-C", str(here), "describe", "--always", "--dirty"],  # noqa: S607 - whichever git there is
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
        return said.stdout.strip()
    return ""


def _versions() -> shape.Versions:
    return shape.Versions(
        pulsar=pinned_pulsar().version,
        postgresql=packaged_postgres()[1],
        python=platform.python_version(),
        magnetar=metadata.version("magnetar"),
    )
