"""`magnetar schema apply`: what was released, on a Pulsar cluster."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from magnetar.runtime.cli import gating, screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.contracts import Out  # noqa: TC001 - typer reads annotations when it runs
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import Admin, AsJson, Target, reaching_broker, settings
from magnetar.runtime.cli.wording import counted
from magnetar.schemas import gate
from magnetar.schemas.gate.registry import TOPICS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence
    from pathlib import Path

    from rich.console import RenderableType

    from magnetar.runtime.bus.pulsar.released import Told
    from magnetar.runtime.compose.schemas import Answer, SchemaRegistry
    from magnetar.runtime.wiring import Wiring

app = gating.app


@app.command("apply")
def apply(
    target: Target,
    out: Out,
    admin: Admin = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Register every released version of the app's topics on a Pulsar cluster, the oldest first; repeat it at will.

    The gate is asked first: with a finding nothing is done. The namespace is made if it is not there, and set so that
    nobody brings a schema of his own and each new one reads all before it (BACKWARD_TRANSITIVE). Topics may be made
    before or after (`magnetar topics apply`). Exit status 1: findings, or a conflict that a person must decide.

        $ magnetar schema apply shop:app --out avro --plan
        $ magnetar schema apply shop:app --out avro --admin http://localhost:8080
    """
    wiring = wiring_of(target)
    registry = gate.load(out)
    if found := gating.findings_of(wiring, registry, out):
        _refused(found, out, as_json=as_json)
        raise typer.Exit(Exit.NO)
    with _registry(wiring, registry, admin) as cluster:
        answer = cluster.plan() if plan else cluster.apply()
    _tell(answer, planned=plan, as_json=as_json)
    if answer.conflict:
        raise typer.Exit(Exit.NO)


def released(wiring: Wiring, registry: gate.Registry) -> dict[str, dict[int, str]]:
    """The released versions of each topic of the app's own, the oldest first: version → Avro JSON."""
    return {
        name: {each.number: each.text for each in registry.versions.get(f"{TOPICS}{name}", [])}
        for name, topic in wiring.topics.items()
        if topic.partitions is not None
    }


def problems(wiring: Wiring, registry: gate.Registry) -> dict[str, str]:
    """By topic, why what was released is not what the app's workers will send under."""
    found: dict[str, str] = {}
    for name, topic in wiring.topics.items():
        newest = registry.newest(f"{TOPICS}{name}")
        if topic.partitions is None or (newest and newest.schema.fingerprint == topic.codec.schema.fingerprint):
            continue
        what = "it was never released" if newest is None else f"it has changed since version {newest.number}"
        found[name] = f"{what}: `magnetar schema release` first, else its workers could not send there"
    return found


def picture(answer: Answer, width: int) -> RenderableType:
    """What is set and what there is to say of each topic; a table where there is room, else blocks. Pure."""
    rows = [(each.action, each.target, f"{each.have} → {each.want}".strip(" →"), False) for each in answer.settings]
    rows += [(each.action, each.topic, _words(each), each.conflict) for each in answer.topics]
    if not rows:
        return Text("nothing to do: the app has no topics")
    return _table(rows) if width >= screen.NARROW else _blocks(rows)


def _words(told: Told) -> str:
    """`versions 1, 2 as the broker's 0, 1: why`, as much of it as there is."""
    versions = f"version{'' if len(told.versions) == 1 else 's'} {_some(told.versions)}" if told.versions else ""
    broker = f"the broker's {_some(told.broker)}" if told.broker else ""
    what = " as ".join(part for part in (versions, broker) if part)
    return ": ".join(part for part in (what, told.reason) if part)


def _some(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _table(rows: Sequence[tuple[str, str, str, bool]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("action", "target", "what"):
        table.add_column(name, overflow="fold")
    for action, target, what, conflict in rows:
        table.add_row(action, target, what, style="bold red" if conflict else None)
    return table


def _blocks(rows: Sequence[tuple[str, str, str, bool]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for action, target, what, conflict in rows:
        grid.add_row(action, Text(target, style="bold red" if conflict else ""))
        if what:
            grid.add_row("", what)
    return grid


def _refused(found: Sequence[gate.Finding], out: Path, *, as_json: bool) -> None:
    if as_json:
        screen.answer({"findings": [gating.as_json_of(each, out) for each in found], "settings": [], "topics": []})
    for each in found if not as_json else ():
        typer.echo(gating.text(each, out))
    screen.tell(f"{counted(len(found), 'finding')}: nothing was registered")


def _tell(answer: Answer, *, planned: bool, as_json: bool) -> None:
    new = sum(len(each.versions) for each in answer.topics if each.action in {"register", "registered"})
    if as_json:
        topics = [msgspec.to_builtins(each) for each in answer.topics]
        screen.answer({"findings": [], "settings": [each._asdict() for each in answer.settings], "topics": topics})
    else:
        screen.show(picture(answer, screen.width()))
    if answer.conflict:
        screen.tell("nothing was registered: the conflicts need a decision first")
    else:
        screen.tell(f"{counted(new, 'version')} {'to register; nothing was changed' if planned else 'registered'}")


@contextmanager
def _registry(wiring: Wiring, registry: gate.Registry, admin: str | None) -> Generator[SchemaRegistry]:
    try:
        from magnetar.runtime.compose.schemas import SchemaRegistry  # noqa: PLC0415 - needs an extra that others do not
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        raise BadInput("the REST API needs httpx2: install magnetar[admin]") from error
    found = settings()
    versions, wrong = released(wiring, registry), problems(wiring, registry)
    with (
        reaching_broker(),
        SchemaRegistry(admin or found.admin, wiring, versions, wrong, found.access()) as cluster,
    ):
        yield cluster
