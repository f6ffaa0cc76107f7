"""Commands that say what a machine can do, what a suite can catch, and what our settings are worth."""

from __future__ import annotations

from typing import Annotated

import typer

from magnetar.chaos.cli.group import OUT, UNABLE, Json, Out, chaos, line, printed
from magnetar.chaos.cli.playing import checked

ZOO, RECOVERY = OUT.with_name("chaos-zoo"), OUT.with_name("chaos-recovery")
"""Where records are kept, a folder each: of bugs, and of scenarios that are played both ways."""


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
        line(said)
    else:
        console = Console()
        console.print(table(found))
        console.print(summary(found), highlight=False, markup=False)
    if not can_run(found):
        raise typer.Exit(UNABLE)


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
    problems, shown = (playing.sound if sound else playing.caught)(bugs, seed, out, line if as_json else None)
    if not as_json:
        printed(shown)
    for words in problems:
        typer.echo(f"✗ {words}", err=True)
    raise typer.Exit(UNABLE if problems else 0)


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

    pairs = played(checked([*(names or SCENARIOS)]), seed, out)
    printed(table(pairs))
    raise typer.Exit(0 if all(pair.before and pair.after for pair in pairs) else UNABLE)
