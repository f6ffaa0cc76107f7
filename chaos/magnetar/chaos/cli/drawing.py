"""Commands that draw scenarios from a seed, and play them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from magnetar.chaos.cli.group import OUT, Json, Out, chaos
from magnetar.chaos.cli.playing import play

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.chaos.scenarios.spec import Scenario

STORMS, PAIRS = OUT.with_name("chaos-storm"), OUT.with_name("chaos-pairs")
"""Where records are kept, a folder each."""
PLANS = "plans"
"""The folder there of what is drawn, before it is played."""
MOST_PARTS = 144

ProfileName = Literal["small", "full"]
Drawn = Annotated[int, typer.Option("--seed", min=0, max=999_999_999, help="Of what is done, and of the load.")]
Size = Annotated[ProfileName, typer.Option("--profile", help="How large the cluster is.")]
Plan = Annotated[bool, typer.Option("--plan", help="Say what would be done, as YAML, and do nothing.")]


@chaos.command()
def storm(
    *,
    seed: Drawn = 1,
    minutes: Annotated[float, typer.Option("--minutes", min=0.5, max=60, help="How long it storms.")] = 2.0,
    profile: Size = "small",
    plan: Plan = False,
    out: Out = STORMS,
    as_json: Json = False,
) -> None:
    """Play a storm: many faults one over the other, drawn from a seed, and a minority that stays away to the end.

    Each seed leaves out some kinds of faults and some roles, and some seeds go beyond what the cluster is made to bear.
    In the end a few are struck that are not healed: all must recover and come to rest without them, and when they come
    back nothing may happen any more. A storm of more than 4 minutes is played in several, each on a cluster of its own.

    Records and reports are as those of `magnetar chaos run`; scenario.yaml in a record plays the same once more.

    Exit status as that of `magnetar chaos run`.

    Examples:  magnetar chaos storm --seed 7    magnetar chaos storm --minutes 30    magnetar chaos storm --plan
    """
    from magnetar.chaos.scenarios.storm import storms  # noqa: PLC0415 - see the module

    _play_drawn(storms(seed, profile, minutes), seed, out, plan=plan, as_json=as_json)


@chaos.command()
def pairs(
    *,
    seed: Drawn = 1,
    part: Annotated[str, typer.Option("--part", metavar="K/N", help="Only the K-th of N; all of 16 if not said.")] = "",
    profile: Size = "small",
    plan: Plan = False,
    out: Out = PAIRS,
    as_json: Json = False,
) -> None:
    """Play every ordered pair of faults: kill, pause, cut off and full disk of each role, after each other one.

    The second strikes while the first is in force, or while all recovers from it. They are 289 in a chain, in parts of
    a few minutes; all of them take more than an hour.

    Records and reports are as those of `magnetar chaos run`; scenario.yaml in a record plays the same once more.

    Exit status as that of `magnetar chaos run`.

    Examples:  magnetar chaos pairs --part 1/16    magnetar chaos pairs --seed 3    magnetar chaos pairs --plan
    """
    from magnetar.chaos.scenarios.pairs import PARTS  # noqa: PLC0415 - see the module
    from magnetar.chaos.scenarios.pairs import pairs as pairs_of  # noqa: PLC0415

    number, parts = _part(part) if part else (0, PARTS)
    wanted = [number] if number else range(1, parts + 1)
    _play_drawn([pairs_of(seed, profile, each, parts) for each in wanted], seed, out, plan=plan, as_json=as_json)


def _play_drawn(scenarios: Sequence[Scenario], seed: int, out: Path, *, plan: bool, as_json: bool) -> None:
    """Or only say what they are."""
    from magnetar.chaos.scenarios.writing import written  # noqa: PLC0415 - see the module

    if plan:
        sys.stdout.write("---\n".join(map(written, scenarios)))
        return
    folder = out / PLANS
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{scenario.id}.yaml" for scenario in scenarios]
    for file, scenario in zip(files, scenarios, strict=True):
        file.write_text(written(scenario), encoding="utf-8")
    play([str(file.absolute()) for file in files], seed, out, as_json=as_json)


def _part(said: str) -> tuple[int, int]:
    """`3/16`. Raises `BadInput`."""
    from magnetar.runtime.cli.exits import BadInput  # noqa: PLC0415 - see the module

    number, slash, parts = said.partition("/")
    if slash and number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts) <= MOST_PARTS:
        return int(number), int(parts)
    raise BadInput(f"--part is which of how many, such as 3/16, at most of {MOST_PARTS}: found {said!r}")
