"""`magnetar schema check` and `release`: the compatibility gate, on an app's own types and code."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from magnetar.runtime.checks import mentioned
from magnetar.runtime.cli import contracts, held_pictures, screen
from magnetar.runtime.cli.apps import app_of
from magnetar.runtime.cli.contracts import Out, contracts_of
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import AsJson, Target, shared_store
from magnetar.runtime.cli.rehearsing import stuck_findings
from magnetar.runtime.cli.wording import counted
from magnetar.runtime.compose.places import without_secret
from magnetar.runtime.operate.holding import MOST_NAMED, survey
from magnetar.schemas import Command, Effect, Event, Timer, contract_name, drift, gate
from magnetar.schemas.gate.working import EFFECTS, TIMERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from magnetar.runtime.app import App
    from magnetar.runtime.operate.holding import Holding
    from magnetar.runtime.wiring import ActorPlan, Wiring
    from magnetar.schemas import Message


app = contracts.app
"""One group of commands: the files of today, and what was released of them."""


class Form(StrEnum):
    """How findings are printed."""

    TEXT = "text"
    GITHUB = "github"


@app.command("check")
def check(
    target: Target,
    out: Out,
    as_json: AsJson = False,
    form: Annotated[
        Form, typer.Option("--format", metavar="text|github", help="github: as annotations of a pull request.")
    ] = Form.TEXT,
    against: Annotated[
        str | None, typer.Option(metavar="URL", help="Also read what this store holds: sqlite:///… or postgresql://…")
    ] = None,
    rows: Annotated[
        int, typer.Option(min=0, metavar="N", help="Name at most so many rows of each kind that cannot be read.")
    ] = MOST_NAMED,
) -> None:
    """Say what in the app's contracts would break what runs, or what is stored; needs no broker and no store.

    The types are compared with every released version, the sample bytes of each are read and written again. Then each
    is put into a store in memory, as state, timer, parked message, dead letter, unsent message or effect of an earlier
    release, and the app's own handlers go on with it. Exit status 1: there are findings.

    With --against every state, timer, parked message, dead letter, unsent message and effect that a store holds is read
    as well, as the app's workers would read it. Nothing is written, and a role that may only read is enough.

        $ magnetar schema check shop:app --out avro
        $ magnetar schema check shop:app --out avro --against postgresql://reader@db/shop
    """
    app = app_of(target)
    registry = gate.load(out)
    found = judged(app, registry, out)
    holding = _holding(app, against, rows)
    if as_json:
        held = {} if holding is None else {"store": {"address": without_secret(against or ""), **_builtins(holding)}}
        screen.answer({"directory": str(out), "findings": [as_json_of(each, out) for each in found], **held})
    for each in found if not as_json else ():
        typer.echo(_annotation(each, out) if form is Form.GITHUB else text(each, out))
    versions = counted(sum(map(len, registry.versions.values())), "version")
    screen.tell(f"{counted(len(found), 'finding')} against {versions} of {counted(len(registry.releases), 'release')}")
    if holding is not None:
        _tell_holding(holding, registry, without_secret(against or ""), form, silent=as_json)
    if found or (holding is not None and not holding.well):
        raise typer.Exit(Exit.NO)


@app.command("release")
def release(
    target: Target,
    out: Out,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why this release: it is kept with its versions.")],
    label: Annotated[str, typer.Option(metavar="TEXT", help="What you call it, such as 0.2.0.")] = "",
    as_json: AsJson = False,
) -> None:
    """Freeze the app's contracts as they are now: each that has changed gets its next version, with sample bytes.

    What `magnetar schema check` refuses is not released. Commit the files; they never change again.

        $ magnetar schema release shop:app --out avro --label 0.2.0 --reason "gift notes"
    """
    if not reason.strip():
        raise BadInput("a release needs a reason that says more than nothing")
    app = app_of(target)
    registry = gate.load(out)
    if found := judged(app, registry, out):
        for each in found:
            screen.tell(text(each, out))
        screen.tell(f"{counted(len(found), 'finding')}: nothing was released")
        raise typer.Exit(Exit.NO)
    made = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    planned = gate.plan(registry, working_of(app.wire()), made, reason, label)
    if planned is not None:
        gate.publish(planned, out)
    _released(planned, out, as_json=as_json)


def _holding(app: App, against: str | None, rows: int) -> Holding | None:
    if against is None:
        return None
    with closing(shared_store(against).held()) as held:
        return survey(held, app.wire(), rows)


def _tell_holding(holding: Holding, registry: gate.Registry, address: str, form: Form, *, silent: bool) -> None:
    names = {pin.fingerprint: f"version {pin.version}" for each in registry.releases for pin in each.contracts.values()}
    blocks = [] if silent else list(held_pictures.problems(holding, names, address))
    for lines in blocks:
        typer.echo(_warning(lines) if form is Form.GITHUB else "\n".join(lines))
    if not silent and form is Form.TEXT:
        screen.show(held_pictures.held_picture(holding, names))
    screen.tell(held_pictures.summary(holding, address))


def _warning(lines: list[str]) -> str:
    """A finding that is of no file."""
    title = lines[0].replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    return f"::error title={title}::" + "%0A".join(line.strip().replace("%", "%25") for line in lines[1:])


def _builtins(holding: Holding) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(holding)
    return found


def judged(app: App, registry: gate.Registry, out: Path) -> list[gate.Finding]:
    """What the gate has to say; where that is nothing, what the app's own code cannot go on with."""
    wiring = app.wire()
    working, settings = working_of(wiring), gate.load_settings(out)
    found = [*_drifted(wiring, out), *gate.check(registry, working, settings)]
    return found or stuck_findings(app, registry, working, settings)


def findings_of(wiring: Wiring, registry: gate.Registry, out: Path) -> list[gate.Finding]:
    """Everything the gate has to say: files that are not what the types are, then what the types break."""
    return [*_drifted(wiring, out), *gate.check(registry, working_of(wiring), gate.load_settings(out))]


def _drifted(wiring: Wiring, out: Path) -> list[gate.Finding]:
    drifted = [line.partition(": ") for line in drift(contracts_of(wiring), out)]
    return [
        gate.Finding(
            "drift", name.removesuffix(".avsc"), name, "$", problem, (gate.WORKING,), "readers of the files: they lie"
        )
        for name, _, problem in drifted
    ]


def working_of(wiring: Wiring) -> gate.Working:
    """An app's contracts as they are now, with what its code sends."""
    return gate.working_of(contracts_of(wiring), sends_of(wiring), wiring.contracts, roles_of(wiring))


def roles_of(wiring: Wiring) -> dict[str, gate.Role]:
    """What each actor has, and what of it that is on no topic its code makes."""
    return {plan.name: _role(plan) for plan in wiring.actors.values()}


def _role(plan: ActorPlan) -> gate.Role:
    apart = {*plan.timers, *plan.outcomes, *plan.effects}
    made = {contract_name(kind) for kind in mentioned(plan.handlers.values()) if issubclass(kind, (Timer, Effect))}
    return gate.Role(contract_name(plan.state), tuple(sorted(apart)), tuple(sorted(apart & made)))


def sends_of(wiring: Wiring) -> dict[str, tuple[str, ...]]:
    """What the code of an app's handlers names to send, by topic; timers under `TIMERS`, effects under `EFFECTS`."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for plan in wiring.actors.values():
        for kind in mentioned(plan.handlers.values()):
            for topic in _destinations(wiring, plan, kind):
                found[topic].add(contract_name(kind))
    return {topic: tuple(sorted(names)) for topic, names in sorted(found.items())}


def _destinations(wiring: Wiring, plan: ActorPlan, kind: type[Message]) -> Iterator[str]:
    """A command of the actor's own is named where it is handled; whether it is sent, too, cannot be told."""
    if issubclass(kind, Timer):
        yield TIMERS
    elif issubclass(kind, Effect):
        yield EFFECTS
    elif issubclass(kind, Event) and plan.events is not None and kind in plan.events.kinds:
        yield plan.events.name
    elif issubclass(kind, Command) and kind not in plan.handlers:
        topic = wiring.commands.get(kind)
        if topic is not None and topic.partitions is not None:  # a remote's releases are not ours to know
            yield topic.name


def text(finding: gate.Finding, out: Path) -> str:
    """A finding in at most four lines."""
    return "\n".join([f"{out}/{finding.lines()[0]}", *finding.lines()[1:]])


def _annotation(finding: gate.Finding, out: Path) -> str:
    """One line, as GitHub's workflow commands want it."""
    text = "%0A".join(line.strip().replace("%", "%25") for line in finding.lines()[1:])
    title = f"{finding.rule} at {finding.path}".replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    return f"::error file={out / finding.file},title={title}::{text}"


def as_json_of(finding: gate.Finding, out: Path) -> dict[str, object]:
    """All that the text of a finding says, each in its own field."""
    found: dict[str, object] = msgspec.to_builtins(finding)
    return found | {"file": str(out / finding.file), "instead": finding.instead}


def _released(planned: gate.Plan | None, out: Path, *, as_json: bool) -> None:
    made = planned.release if planned else None
    if as_json:
        fresh = {name: made.contracts[name].version for name in planned.fresh} if planned and made else {}
        screen.answer({"directory": str(out), "release": made.release if made else None, "versions": fresh})
        return
    if planned is None or made is None:
        screen.tell("nothing has changed since the last release; nothing was released")
        return
    for name in planned.fresh:
        screen.tell(f"{name}: version {made.contracts[name].version}")
    screen.tell(f"release {made.release}: {counted(len(planned.fresh), 'new version')}; commit {out / 'released'}")
