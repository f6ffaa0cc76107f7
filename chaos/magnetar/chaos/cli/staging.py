"""The command that renders scenarios for a staging cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from magnetar.chaos.cli.group import UNABLE, chaos
from magnetar.chaos.cli.playing import checked

if TYPE_CHECKING:
    from magnetar.chaos.staging.rendering import Rendered


@chaos.command()
def render(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCENARIO…", help="Ids, such as S03, or paths of YAML files; all of the suite if none."),
    ] = None,
    *,
    namespace: Annotated[str, typer.Option("--namespace", help="The only one in which anything is struck.")],
    run_id: Annotated[
        str, typer.Option("--run", help="Id of the run, part of names and labels; the time if none.")
    ] = "",
    seat: Annotated[
        list[str] | None,
        typer.Option("--seat", metavar="PART=POD", help="Who has a part, as in broker-of:orders/o-17=pulsar-broker-1."),
    ] = None,
    ground: Annotated[
        Path | None, typer.Option("--ground", metavar="FILE", help="Which pods have which role; else Pulsar's chart.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="Write a file for each; else all to the screen.")
    ] = None,
) -> None:
    """Render scenarios as manifests for Chaos Mesh, to be played in a staging cluster, and strike nothing.

    Each is one Workflow with its faults and a check that ends it when the business comes to harm. A scenario with a
    fault that Chaos Mesh cannot do is not rendered, and every such fault is named with what to do instead; so is one
    whose target only the running cluster knows, until --seat says who it is.

    Exit status 0: all are rendered. 1: one is not, and the others are.

    Examples:  magnetar chaos render S04 --namespace staging
    """
    from magnetar.chaos.scenarios.reading import suite  # noqa: PLC0415 - see the module
    from magnetar.chaos.staging.rendering import write  # noqa: PLC0415

    found = _rendered(checked(names or list(suite())), namespace, run_id, ground, seat or [])
    if folder is None:
        typer.echo("---\n".join(found.manifests.values()), nl=False)
    else:
        typer.echo("\n".join(map(str, write(found, folder))))
    for refused in found.refused:
        typer.echo(f"error: {refused}", err=True)
    if found.refused:
        raise typer.Exit(UNABLE)


def _rendered(names: list[str], namespace: str, run_id: str, file: Path | None, seats: list[str]) -> Rendered:
    """Scenarios as manifests. Raises `BadInput`."""
    from magnetar.chaos.scenarios.reading import chosen  # noqa: PLC0415 - see the module
    from magnetar.chaos.staging.ground import CHARTS, GroundRefused, charts, ground  # noqa: PLC0415
    from magnetar.chaos.staging.rendering import rendered  # noqa: PLC0415
    from magnetar.runtime.cli.exits import BadInput  # noqa: PLC0415

    run = run_id or f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    try:
        return rendered(chosen(names), ground(namespace, run, charts(file or CHARTS), seats))
    except GroundRefused as problem:
        raise BadInput(str(problem)) from problem
