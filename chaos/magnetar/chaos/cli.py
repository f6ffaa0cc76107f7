"""What chaos adds to the command line; what a command needs is imported when it runs, so that others start fast."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from magnetar.chaos.record.shape import Record
    from magnetar.chaos.staging.rendering import Rendered

UNABLE = 1
"""Exit status when no cluster can be made on this machine."""

OUT, ZOO, RECOVERY = Path("build/chaos"), Path("build/chaos-zoo"), Path("build/chaos-recovery")
"""Where records are kept, a folder each: of scenarios, of bugs, and of scenarios that are played both ways."""

Out = Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where records are kept, a folder each.")]
Json = Annotated[bool, typer.Option("--json", help="A line of JSON for each.")]

WIDTH = 140
"""Characters of a line where nobody's terminal says how many there are."""

app = typer.Typer()
chaos = typer.Typer(no_args_is_help=True, help="Harm a real cluster on purpose, and see what it does.")
app.add_typer(chaos, name="chaos")


@chaos.callback()
def group() -> None:
    """Harm a real cluster on purpose, and see what it does."""


@chaos.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False) -> None:
    """Try every primitive of chaos on this machine, and say what can run here, and why not.

    Each is tried for real, in namespaces of its own for network, mounts and processes: a link is cut, a process
    frozen, a disk filled, the power of a file system lost. Nothing outside is touched, and nothing is left behind.

    Exit status 0: a cluster for chaos can be made here, though perhaps not every fault. 1: none can.

    Examples:  magnetar chaos doctor    magnetar chaos doctor --json
    """
    from rich.console import Console  # noqa: PLC0415 - see the module

    from magnetar.chaos.doctor.asking import examine  # noqa: PLC0415
    from magnetar.chaos.doctor.findings import can_run  # noqa: PLC0415
    from magnetar.chaos.doctor.telling import summary, table  # noqa: PLC0415

    found = examine()
    if as_json:
        said = {"can_run": can_run(found), "primitives": found}
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    else:
        console = Console()
        console.print(table(found))
        console.print(summary(found), highlight=False, markup=False)
    if not can_run(found):
        raise typer.Exit(UNABLE)


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
        _print(listed(found))


@chaos.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="SCENARIO…", help="Ids, such as S03, or paths of YAML files.")
    ] = None,
    *,
    ci: Annotated[bool, typer.Option("--ci", help="Those that are marked for CI, on one small cluster.")] = False,
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

    Examples:  magnetar chaos run S03    magnetar chaos run S02 my-own.yaml --seed 7    magnetar chaos run --ci
    """
    from magnetar.chaos.playing.leading import lead  # noqa: PLC0415 - see the module
    from magnetar.chaos.playing.showing import played, status  # noqa: PLC0415
    from magnetar.chaos.scenarios.reading import suite  # noqa: PLC0415

    wanted = _checked([*(names or ()), *(each.id for each in suite().values() if ci and each.ci)])
    records: list[Record] = []
    for record in lead(wanted, seed, out):
        records.append(record)
        if as_json:
            sys.stdout.write(msgspec.json.encode(record).decode() + "\n")
    if not as_json:
        _print(played(records))
    if records:
        typer.echo("\n".join(_drawn(out)), err=True)
    raise typer.Exit(status(records))


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
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        _print(*told(found))
    raise typer.Exit(status([found]))


@chaos.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The folder of a run, or a folder of such folders.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Draw what a run left behind: a page to look at, and the same as JSON and as JUnit XML.

    In the folder of a run: report.html, summary.json and junit.xml. In a folder of runs: these for each, and
    index.html with the last run of every scenario beside the one before it, the longest stand-still first.

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
        sys.stdout.write(msgspec.json.encode(said).decode() + "\n")
    else:
        typer.echo("\n".join(map(str, left.written)))
        for each in left.damaged:
            typer.echo(f"error: {each}", err=True)
    if left.damaged:
        raise typer.Exit(UNABLE)


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

    found = _rendered(_checked(names or list(suite())), namespace, run_id, ground, seat or [])
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


@chaos.command()
def zoo(
    names: Annotated[list[str] | None, typer.Argument(metavar="BUG…", help="Which bugs; all if none is named.")] = None,
    *,
    sound: Annotated[
        bool, typer.Option("--sound", help="Play the same scenarios with the product as it is instead.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the load.")] = 1,
    out: Out = ZOO,
    as_json: Json = False,
) -> None:
    """Break the product on purpose on a real cluster, one known bug at a time, and see that it is caught.

    Each bug is played in a scenario of its own, on a cluster of its own, whose workers have it. A checker, or a bound,
    that is named beforehand must complain; what the bug changes must be there, and must have run. With --sound the
    same scenarios are played with the product as it is, and each must be valid. The product itself has no way to
    switch a bug on: only the workers of such a cluster are started with one.

    Exit status 0: every bug was caught, or every play is valid. 1: one was not.

    Examples:  magnetar chaos zoo    magnetar chaos zoo keeps_its_client    magnetar chaos zoo --sound
    """
    from magnetar.chaos.zoo.cluster import playing  # noqa: PLC0415 - see the module
    from magnetar.runtime.cli.exits import BadInput  # noqa: PLC0415

    try:
        bugs = playing.chosen(names or ())
    except playing.NoSuchBug as problem:
        raise BadInput(str(problem)) from problem
    problems, shown = (playing.sound if sound else playing.caught)(bugs, seed, out, _line if as_json else None)
    if not as_json:
        _print(shown)
    for words in problems:
        typer.echo(f"✗ {words}", err=True)
    raise typer.Exit(UNABLE if problems else 0)


def _drawn(folder: Path) -> list[str]:
    """Where the report of all runs of a folder is, and which of them cannot be read."""
    from magnetar.chaos.report.leaving import report  # noqa: PLC0415 - see the module

    left = report(folder)
    return [*(str(path) for path in left.written if path.parent == folder), *left.damaged]


def _checked(wanted: list[str]) -> list[str]:
    """Names of scenarios that can be read, at least one. Raises `BadInput`."""
    from magnetar.chaos.scenarios.reading import ScenarioMissing, ScenarioRefused, chosen  # noqa: PLC0415
    from magnetar.runtime.cli.exits import BadInput  # noqa: PLC0415

    if not wanted:
        raise BadInput("name scenarios, or say --ci; `magnetar chaos list` says which there are")
    try:
        chosen(wanted)
    except (ScenarioMissing, ScenarioRefused) as problem:
        raise BadInput(str(problem)) from problem
    return wanted


@chaos.command()
def recovery(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="SCENARIO…", help="Which; S11, S11b and S15 if none is named.")
    ] = None,
    *,
    seed: Annotated[int, typer.Option("--seed", help="Of the load.")] = 1,
    out: Out = RECOVERY,
) -> None:
    """Play scenarios without our settings of watchdog, client and brokers, then with them, and print both.

    Without: nobody looks whether a broker is silent but the client itself, silent hosts are asked where topics are,
    and brokers have their sessions, probes and delays as they are shipped. Each half has a cluster of its own.

    Exit status 0: each was played both ways. 1: one was not; what was played is printed.

    Examples:  magnetar chaos recovery    magnetar chaos recovery S11
    """
    from magnetar.chaos.tuning.table import SCENARIOS, played, table  # noqa: PLC0415 - see the module

    pairs = played(_checked([*(names or SCENARIOS)]), seed, out)
    _print(table(pairs))
    raise typer.Exit(0 if all(pair.before and pair.after for pair in pairs) else UNABLE)


def _line(said: object) -> None:
    sys.stdout.write(msgspec.json.encode(said).decode() + "\n")


def _print(*parts: RenderableType) -> None:
    from rich.console import Console  # noqa: PLC0415 - see the module

    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    for part in parts:
        console.print(part, highlight=False)
