"""How long the compatibility gate takes: 60 contracts with 20 released versions each, offline.

Six actors, each with a state, eight commands and the topic that carries them: 54 bodies and 6 unions. A body has a key,
text, numbers, an amount, an instant, a decimal, an enum and lines of a record of their own; every version adds a field
to each, so every union has changed with it. `magnetar schema check` is run on the app as a process of its own, from
the files, and costs what it has cost the processor: user and system time, whatever else the machine does. Its bytecode
is there, as after any installation: a first run, which is not counted, writes it.

Usage: python -m benchmarks.gate [VERSIONS] [RUNS]; exit status 1 above the ceiling.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

from magnetar.runtime.cli.contracts import contracts_of
from magnetar.runtime.cli.gating import working_of
from magnetar.schemas import gate, generate

ACTORS = 6
COMMANDS = 8
CONTRACTS = ACTORS * (COMMANDS + 2)
CEILING = 5.0
"""Seconds of processor time."""

HEAD = """
from __future__ import annotations
import enum
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from magnetar.runtime import Actor, App, Command, Context, Digits, Key, State
from magnetar.schemas import Doc, Money, Record

class Kind(enum.Enum):
    PLAIN = "plain"
    GIFT = "gift"

class Line(Record):
    sku: Annotated[str, Doc("stock keeping unit")]
    quantity: Annotated[int, Doc("units")]
    price: Annotated[Money, Doc("of one unit")]
"""

MESSAGE = """
class {name}(Command):
    key: Annotated[Key, Doc("which one")]
    number: Annotated[int, Doc("counted from one")]
    amount: Annotated[Money, Doc("what it comes to")]
    at: Annotated[datetime, Doc("when it was asked")]
    rate: Annotated[Decimal, Digits(precision=12, scale=4), Doc("of exchange")]
    kind: Annotated[Kind, Doc("what it is")]
    lines: Annotated[tuple[Line, ...], Doc("what it is about")]
"""

STATE = """
class {name}(State):
    number: Annotated[int, Doc("counted from one")] = 0
    kind: Annotated[Kind, Doc("what it is")] = Kind.PLAIN
    lines: Annotated[tuple[Line, ...], Doc("what it is about")] = ()
    due: Annotated[Money | None, Doc("what is to be paid")] = None
"""

FIELDS = (
    'text: Annotated[str, Doc("since version {v}")] = ""',
    'count: Annotated[int, Doc("since version {v}")] = 0',
    'seen: Annotated[datetime | None, Doc("since version {v}")] = None',
    'paid: Annotated[Money | None, Doc("since version {v}")] = None',
    'more: Annotated[tuple[Line, ...], Doc("since version {v}")] = ()',
)

ACTOR = """
{actor} = Actor("{actor}", {state})
"""

HANDLER = """
@{actor}.handles
def handle_{name}(state: {state}, message: {name}, context: Context) -> {state}:
    return state
"""


def source(version: int) -> str:
    """The module of an app as it was at a version."""
    added = "".join(
        f"    {FIELDS[v % len(FIELDS)].format(v=v).replace(':', f'_{v}:', 1)}\n" for v in range(2, version + 1)
    )
    parts = [HEAD]
    for number in range(ACTORS):
        actor, state = f"actor{number}", f"State{number}"
        parts += [STATE.format(name=state) + added, ACTOR.format(actor=actor, state=state)]
        for at in range(COMMANDS):
            name = f"Command{number}x{at}"
            parts += [MESSAGE.format(name=name) + added, HANDLER.format(actor=actor, name=name, state=state)]
    actors = ", ".join(f"actor{number}" for number in range(ACTORS))
    return "".join(parts) + f'\napp = App("many", {actors}, contracts={version})\n'


def release(version: int, out: Path) -> None:
    """Freeze the contracts of a version; the gate is not asked, as each adds what may be added."""
    module = types.ModuleType("many")
    sys.modules["many"] = module
    exec(compile(source(version), "many.py", "exec"), vars(module))  # noqa: S102 - our own text
    app: Any = vars(module)["app"]
    wiring = app.wire()
    generate(contracts_of(wiring), out)
    planned = gate.plan(gate.load(out), working_of(wiring), f"2026-01-{version:02d}T00:00:00Z", "a field more")
    assert planned is not None, "each version differs from the one before"
    gate.publish(planned, out)


def checked(folder: Path) -> tuple[float, float]:
    """Run the command once; returns seconds of processor time, and of the clock."""
    command = [sys.executable, "-m", "magnetar.runtime.cli", "schema", "check", "many:app", "--out", "avro"]
    settings = os.environ | {"PYTHONPATH": str(folder), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    settings.pop("PYTHONDONTWRITEBYTECODE", None)
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, cwd=folder, env=settings, check=True)  # noqa: S603 - our own
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return used, time.perf_counter() - began


def main(versions: int = 20, runs: int = 3) -> int:
    """Print seconds of each run and their median; 1 above the ceiling."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for version in range(1, versions + 1):
            release(version, folder / "avro")
        (folder / "many.py").write_text(source(versions), encoding="utf-8")
        checked(folder)
        found = [checked(folder) for _ in range(runs)]
    for used, passed in found:
        print(
            f"{CONTRACTS} contracts, {versions} versions: {used:.2f} s of processor time, {passed:.2f} s by the clock"
        )
    median = statistics.median(used for used, _ in found)
    print(f"median {median:.2f} s of processor time (ceiling {CEILING})")
    return int(median > CEILING)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
