"""Commands that play scenarios of the suite or of files, and show what they came to."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from magnetar.chaos.cli.group import OUT, UNABLE, Json, Out, chaos, line, printed

if TYPE_CHECKING:
    from magnetar.chaos.record.shape import Record


@chaos.command(name="list")
def list_scenarios(*, as_json: Json = False) -> None:
    """Say which scenarios there are, what each does, and what it asks for.

    Examples:  magnetar chaos list    magnetar chaos list --json
    """
    from magnetar.chaos.playing.showing import listed  # noqa: PLC0415 - see the module
    from magnetar.chaos.scenarios.reading import suite  # noqa: PLC0415

    found = list(suite().values())
    if as_json:
        for scenario in found:
            sys.stdout.write(scenario.model_dump_json(by_alias=True, exclude_defaults=True) + "\n")
    else:
        printed(listed(found))


@chaos.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="SCENARIO…", help="Ids, such as S03, or paths of YAML files.")
    ] = None,
    *,
    ci: Annotated[bool, typer.Option("--ci", help="Those that are marked for CI, on one small cluster.")] = False,
    every: Annotated[bool, typer.Option("--all", help="The whole suite: more than an hour.")] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the load.")] = 1,
    out: Out = OUT,
    as_json: Json = False,
) -> None:
    """Play scenarios on a real cluster of this machine, one after the other, and leave a record of each.

    Each goes through its phases: warm-up, baseline, faults, healing, recovery under load, and drain. Faults are struck,
    proven and healed by proof; in the end topics and store are read anew, and checkers say whether anything was lost,
    out of order, done twice, forked or paid wrongly. Ctrl-C heals what is in force, and ends everything.

    The folder has the report of each in the end, and of all in index.html: see `magnetar chaos report`.

    A verdict is unknown where too little was shown: a fault that was not proven, a workload that stalled, a checker
    that had nothing to look at, a bound that was exceeded while the machine had no time.

    Exit status 0: every one is valid. 1: one is invalid. 3: none is, but one is unknown, or there was no cluster.

    Examples:  magnetar chaos run S03    magnetar chaos run S02 my-own.yaml --seed 7    magnetar chaos run --all
    """
    from magnetar.chaos.scenarios.reading import suite  # noqa: PLC0415 - see the module

    play(
        checked([*(names or ()), *(each.id for each in suite().values() if every or (ci and each.ci))]),
        seed,
        out,
        as_json=as_json,
    )


@chaos.command()
def show(
    record: Annotated[
        str, typer.Argument(metavar="RECORD", help="Its id, or the begin of it; the newest that begins so.")
    ] = "",
    *,
    out: Out = OUT,
    as_json: Json = False,
) -> None:
    """Tell what a scenario that was played came to: verdict and reasons, faults and proofs, bounds, and checkers.

    Exit status as that of `magnetar chaos run`.

    Examples:  magnetar chaos show    magnetar chaos show S03    magnetar chaos show S03 --json
    """
    from magnetar.chaos.playing.showing import newest, status, told  # noqa: PLC0415 - see the module
    from magnetar.chaos.record.keeping import RecordDamaged  # noqa: PLC0415
    from magnetar.runtime.cli.exits import BadInput  # noqa: PLC0415

    try:
        found = newest(out, record)
    except RecordDamaged as problem:
        raise BadInput(str(problem)) from problem
    if as_json:
        line(found)
    else:
        printed(*told(found))
    raise typer.Exit(status([found]))


@chaos.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The folder of a run, or a folder of such folders.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Draw what a run left behind: a page to look at, and the same as JSON and as JUnit XML.

    In the folder of a run: report.html, summary.json and junit.xml. In a folder of runs: these for each, and
    index.html with the last run of every scenario beside the one before it, the longest stand-still first; and
    summary.md, the same as a table of Markdown.

    Exit status 0: written. 1: no run is there, or one of them cannot be read; the others are written all the same.

    Examples:  magnetar chaos report build/chaos/S03-1    magnetar chaos report build/chaos
    """
    from magnetar.chaos.record.keeping import RecordDamaged  # noqa: PLC0415 - see the module
    from magnetar.chaos.report.leaving import Left, NoRun  # noqa: PLC0415
    from magnetar.chaos.report.leaving import report as leave  # noqa: PLC0415

    try:
        left = leave(folder)
    except (NoRun, RecordDamaged, OSError) as problem:
        left = Left([], [str(problem)])
    if as_json:
        said = {"written": [*map(str, left.written)], "damaged": left.damaged}
        line(said)
    else:
        typer.echo("\n".join(map(str, left.written)))
        for each in left.damaged:
            typer.echo(f"error: {each}", err=True)
    if left.damaged:
        raise typer.Exit(UNABLE)


def play(wanted: list[str], seed: int, out: Path, *, as_json: bool) -> None:
    """Each, with a record and the report; always raises `typer.Exit`."""
    from magnetar.chaos.playing.leading import lead  # noqa: PLC0415 - see the module
    from magnetar.chaos.playing.showing import played, status  # noqa: PLC0415

    records: list[Record] = []
    for record in lead(wanted, seed, out):
        records.append(record)
        if as_json:
            line(record)
    if not as_json:
        printed(played(records))
    if records:
        typer.echo("\n".join(reported(out)), err=True)
    raise typer.Exit(status(records))


def checked(wanted: list[str]) -> list[str]:
    """Names of scenarios that can be read, at least one. Raises `BadInput`."""
    from magnetar.chaos.scenarios.reading import ScenarioMissing, ScenarioRefused, chosen  # noqa: PLC0415
    from magnetar.runtime.cli.exits import BadInput  # noqa: PLC0415

    if not wanted:
        raise BadInput("name scenarios, or say --ci or --all; `magnetar chaos list` says which there are")
    try:
        chosen(wanted)
    except (ScenarioMissing, ScenarioRefused) as problem:
        raise BadInput(str(problem)) from problem
    return wanted


def reported(folder: Path) -> list[str]:
    """Where the report of all runs of a folder is, and which of them cannot be read."""
    from magnetar.chaos.report.leaving import report  # noqa: PLC0415 - see the module

    left = report(folder)
    return [*(str(path) for path in left.written if path.parent == folder), *left.damaged]
