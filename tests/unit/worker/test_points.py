"""Fault points stand on either side of every port call and at every phase boundary, and no port is called without."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import wraps
from inspect import getmembers, isclass, isfunction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import get_protocol_members, is_protocol

from magnetar.chaos.matrix.playing import Cell, play
from magnetar.chaos.simulation import Schedule, process, simulate
from magnetar.runtime import worker
from magnetar.runtime.bus import port as bus_port
from magnetar.runtime.store import port as store_port
from magnetar.runtime.worker.engine import Engine
from magnetar.runtime.worker.points import PHASES, all_points

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.runtime.wiring import Wiring
    from magnetar.runtime.worker.engine import Settings, Surroundings
    from magnetar.runtime.worker.points import Points

SEEDS = range(60)
SOURCES = [ast.parse(path.read_text(encoding="utf-8")) for path in Path(worker.__path__[0]).glob("*.py")]


def port_calls() -> set[str]:
    """`port.method` for every method of every protocol in the two modules of ports."""
    return {
        f"{kind.__name__.lower()}.{name}"
        for module in (bus_port, store_port)
        for _, kind in getmembers(module, isclass)
        if is_protocol(kind) and kind.__module__ == module.__name__
        for name in get_protocol_members(kind)
        if isfunction(vars(kind)[name])
    }


@dataclass(slots=True)
class Trace:
    """What one engine did, in order: fault points, and the calls that arrived at the real ports."""

    points: Points
    steps: list[str] = field(default_factory=list)

    def reach(self, point: str) -> None:
        """As `Points`: noted, then told to whoever waits for it."""
        self.steps.append(point)
        self.points.reach(point)


class Bare:
    """A real port under the engine's fault points, which notes each call when it arrives and when it returns."""

    def __init__(self, port: str, inner: Any, trace: Trace, opens: str = "") -> None:
        self._port, self._inner, self._trace, self._opens = port, inner, trace, opens

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._noted(name, found) if callable(found) else found

    def _noted(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def noted(*arguments: Any) -> Any:
            self._trace.steps.append(f"call {self._port}.{name}")
            result = method(*arguments)
            self._trace.steps.append(f"done {self._port}.{name}")
            return self._dressed(name, result)

        return noted

    def _dressed(self, name: str, result: Any) -> Any:
        opens = {"subscribe": "consumer", "produce": "producer", "ping": "", "seek": "consumer"}.get(name)
        if opens is not None:
            return Bare("opening", result, self._trace, opens)
        return Bare(self._opens, result, self._trace) if self._opens and result is not None else result


@pytest.fixture(scope="module")
def traces() -> Iterator[list[Trace]]:
    """What the engines of many simulated runs did: every kind of fault, takeovers, restarts, replays, a backup."""
    found: list[Trace] = []

    def traced(wiring: Wiring, around: Surroundings, settings: Settings) -> Engine:
        assert around.points is not None
        trace = Trace(around.points)
        found.append(trace)
        bus: Any = Bare("bus", around.bus, trace)
        store: Any = Bare("store", around.store, trace)
        return Engine(wiring, replace(around, bus=bus, store=store, points=trace), settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "Engine", traced)
        for seed in SEEDS:
            simulate(Schedule.of(seed))
        play(Cell("going-back", ()))
        yield found


def test_every_port_method_has_a_point_on_either_side() -> None:
    """A method added to a port is a fault point by itself; there are no others but the phases."""
    wanted = {f"{call}:{side}" for call in port_calls() for side in ("before", "after")}
    assert "store.commit:before" in wanted
    assert "opening.poll:after" in wanted
    assert set(all_points()) == wanted | {f"phase:{name}" for name in PHASES}


def test_every_port_call_of_an_engine_passes_its_points(traces: list[Trace]) -> None:
    """Right before a call arrives at a port, its point was passed; right after it returns, the other one."""
    for trace in traces:
        for before, step, after in zip(["", *trace.steps], trace.steps, [*trace.steps[1:], ""], strict=False):
            kind, _, call = step.partition(" ")
            if kind == "call":
                assert before == f"{call}:before", f"{call} was called after {before!r}"
            elif kind == "done":
                assert after == f"{call}:after", f"{call} had returned before {after!r}"


def test_every_call_and_phase_is_met_in_simulation(traces: list[Trace]) -> None:
    """Nothing of the ports and no phase is beyond the reach of the faults that are tried at fault points."""
    met = {step for trace in traces for step in trace.steps}
    assert {call for call in port_calls() if f"done {call}" not in met} == set()
    assert {name for name in PHASES if f"phase:{name}" not in met} == set()


def reached_names() -> Iterator[str]:
    """The names of all phases that the engine's source reaches: by a literal, or by going to a phase of a turn."""
    for node in (node for tree in SOURCES for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            literals = [
                each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)
            ]
            if node.func.attr == "reach":
                yield from (text.removeprefix("phase:") for text in literals)
            elif node.func.attr == "_go":
                yield from literals


def test_every_phase_in_the_source_is_listed() -> None:
    """The list of phases is that of the source: none forgotten, none left over."""
    assert set(reached_names()) == set(PHASES)


def phase_changes() -> Iterator[ast.FunctionDef]:
    """The functions that set the phase in which the next step begins."""
    for node in (node for tree in SOURCES for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef) and node.name != "__init__":
            written = (
                each for each in ast.walk(node) if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
            )
            if any(each.attr == "_phase" for each in written):
                yield node


def test_no_phase_changes_without_a_point() -> None:
    """Wherever the next step will begin with another phase, there is a fault point in between."""
    found = list(phase_changes())
    assert found
    for function in found:
        calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
        assert any(isinstance(call, ast.Attribute) and call.attr == "reach" for call in calls), function.name


def test_every_machine_begins_its_step_at_a_point() -> None:
    """A crash can fall between the steps of any two machines: each but the turn, which has phases, tells its name."""
    steps = [
        node for tree in SOURCES for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name[0] != "_"
    ]
    for kind in steps:
        for step in (each for each in kind.body if isinstance(each, ast.FunctionDef) and each.name == "step"):
            if kind.name not in {"Machine", "Engine", "Turn"}:
                assert f"phase:{kind.name.lower()}" in ast.dump(step.body[1]), f"{kind.name}.step"
