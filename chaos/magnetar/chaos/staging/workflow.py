"""A scenario as one workflow: every fault in its time, and the abort rule beside them from begin to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.playing.agenda import agenda
from magnetar.chaos.staging.abort import check
from magnetar.chaos.staging.lacks import Difference, Lack, Missed, NotStaged
from magnetar.chaos.staging.striking import struck

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from magnetar.chaos.scenarios.spec import Scenario
    from magnetar.chaos.staging.aiming import Tree
    from magnetar.chaos.staging.ground import Ground
    from magnetar.chaos.staging.striking import Blow, Struck

RUN, SCENARIO, MANAGED = "magnetar.io/run", "magnetar.io/scenario", "app.kubernetes.io/managed-by"
"""Labels of everything that is rendered; the kill switch goes by the first."""
OTHERWISE = "magnetar.io/otherwise"
"""An annotation: how the faults differ from those of a cluster of one's own."""
ENTRY, ABORT, FAULTS = "run", "abort", "faults"
_SLACK = 60.0
"""Seconds that Chaos Mesh itself may take, to strike and to heal."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A scenario in staging: its one resource, and how it differs."""

    workflow: Mapping[str, Tree]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class _Turn:
    """A fault of the scenario, once: `name` is its own in the workflow. `at`: seconds from the begin."""

    name: str
    at: float
    struck: Struck

    @property
    def until(self) -> float:
        return self.at + sum(blow.seconds for blow in self.struck.blows)


def staged(scenario: Scenario, ground: Ground) -> Staged:
    """The scenario as a workflow. Raises `NotStaged`, which says of every fault why it cannot be rendered."""
    turns: list[_Turn] = []
    lacks: dict[int, Lack] = {}
    found: dict[Difference, None] = {}
    for deed, turn, at, until in _spans(scenario):
        try:
            blows = struck(scenario.faults[deed], ground, until - at)
        except Missed as missed:
            lacks[deed] = Lack(deed + 1, missed.why, missed.whom)
            continue
        turns.append(_Turn(f"f{deed + 1}-t{turn + 1}", at, blows))
        found.update(dict.fromkeys(Difference(deed + 1, how) for how in blows.otherwise))
    if lacks:
        raise NotStaged(scenario.id, [lacks[deed] for deed in sorted(lacks)])
    return Staged(_workflow(scenario, ground, turns, tuple(found)), tuple(found))


def _spans(scenario: Scenario) -> Iterator[tuple[int, int, float, float]]:
    """Which fault, which turn of it, from when and until when."""
    begins: dict[tuple[int, int], float] = {}
    for step in agenda(scenario.faults):
        key = step.deed, step.turn
        if step.what == "strike":
            begins[key] = step.at
        else:
            yield *key, begins[key], step.at


def _workflow(
    scenario: Scenario, ground: Ground, turns: Sequence[_Turn], differences: Sequence[Difference]
) -> Mapping[str, Tree]:
    return {
        "apiVersion": "chaos-mesh.org/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "name": f"magnetar-{scenario.id.lower()}-{ground.run}",
            "namespace": ground.namespace,
            "labels": {MANAGED: "magnetar", RUN: ground.run, SCENARIO: scenario.id},
            "annotations": {"magnetar.io/title": scenario.title, OTHERWISE: "\n".join(map(str, differences))},
        },
        "spec": {"entry": ENTRY, "templates": [*_templates(scenario, ground, turns)]},
    }


def _templates(scenario: Scenario, ground: Ground, turns: Sequence[_Turn]) -> Iterator[Mapping[str, Tree]]:
    struck_for = max(turn.until for turn in turns) + _SLACK
    watched_for = struck_for + scenario.phases.recover
    yield _group(ENTRY, "Parallel", [ABORT, FAULTS], watched_for + _SLACK)
    yield {
        "name": ABORT,
        "templateType": "StatusCheck",
        "deadline": span(watched_for),
        "abortWithStatusCheck": True,
        "statusCheck": check(ground.charts.prometheus),
    }
    yield _group(FAULTS, "Parallel", [turn.name for turn in turns], struck_for)
    for turn in turns:
        yield from _lane(turn)


def _lane(turn: _Turn) -> Iterator[Mapping[str, Tree]]:
    """Wait until it is time, and strike."""
    blows = [_blow(turn.name, blow) for blow in turn.struck.blows]
    names = [f"{turn.name}-{blow.word}" for blow in turn.struck.blows]
    wait = f"{turn.name}-wait"
    yield _group(turn.name, "Serial", [wait, *names] if turn.at else names, turn.until + _SLACK)
    if turn.at:
        yield {"name": wait, "templateType": "Suspend", "deadline": span(turn.at)}
    yield from blows


def _blow(lane: str, blow: Blow) -> Mapping[str, Tree]:
    """A fault in a workflow lasts until its deadline, and may have no duration beside it."""
    field = {"PodChaos": "podChaos", "NetworkChaos": "networkChaos", "IOChaos": "ioChaos"}[blow.kind]
    name = f"{lane}-{blow.word}"
    return {"name": name, "templateType": blow.kind, "deadline": span(blow.seconds), field: blow.spec}


def _group(name: str, how: str, children: Sequence[str], seconds: float) -> Mapping[str, Tree]:
    return {"name": name, "templateType": how, "deadline": span(seconds), "children": [*children]}


def span(seconds: float) -> str:
    """As Chaos Mesh writes it: `12s`, or `1500ms`; above 0."""
    milliseconds = max(1, round(seconds * 1_000))
    return f"{milliseconds}ms" if milliseconds % 1_000 else f"{milliseconds // 1_000}s"
