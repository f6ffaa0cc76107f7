"""`magnetar schema asyncapi`: an app's topics, messages and actors as one document that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from magnetar.runtime.cli import applying, screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.asyncapi import document_of, rendered
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import AsJson, Target  # noqa: TC001 - typer reads annotations when it runs

app = applying.app

COMMENT = "Made by `magnetar schema asyncapi`; change the app, not this file."


@app.command("asyncapi")
def asyncapi(
    target: Target,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", dir_okay=False, help="Where to write it; else it goes to stdout."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; say whether the file is what it would be.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Describe the app as AsyncAPI 3: topics with their Pulsar settings, messages with their Avro, what actors do.

    Needs no broker. The same app gives the same bytes, so commit the file, and let CI look whether it is still true.
    Exit status 1: with --check, the file is missing or is not what the app is now.

        $ magnetar schema asyncapi shop:app --out asyncapi.yaml
        $ magnetar schema asyncapi shop:app --out asyncapi.yaml --check
    """
    if check and out is None:
        raise BadInput("--check compares a file: name it with --out")
    document = document_of(wiring_of(target))
    made = rendered(document, COMMENT)
    if out is None:
        screen.answer(document) if as_json else typer.echo(made, nl=False)
        return
    same = out.is_file() and out.read_bytes() == made.encode()
    if not same and not check:
        out.write_text(made, encoding="utf-8", newline="\n")
    if as_json:
        screen.answer({"file": str(out), "differed": not same})
    screen.tell(_told(target, out, same=same, check=check))
    if check and not same:
        raise typer.Exit(Exit.NO)


def _told(target: str, out: Path, *, same: bool, check: bool) -> str:
    if same:
        return f"{out} is what the app is"
    return f"{out} differs; `magnetar schema asyncapi {target} --out {out}` mends it" if check else f"wrote {out}"
