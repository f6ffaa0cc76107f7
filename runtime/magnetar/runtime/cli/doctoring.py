"""`magnetar doctor`: whether a running system has what the promises need."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from magnetar.runtime.cli import doctor_picture, screen
from magnetar.runtime.cli.apps import wiring_of
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import Admin, AsJson, Bus, Store, Target, settings, shared_bus, shared_store
from magnetar.runtime.operate.doctor.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.operate.doctor.finding import Finding


def doctor(  # noqa: PLR0917 - each is an argument or option of the command
    target: Target,
    bus: Bus = None,
    admin: Admin = None,
    store: Store = None,
    backup_age: Annotated[
        float,
        typer.Option(min=0.0, metavar="HOURS", help="Age of the oldest backup of the store that may be restored."),
    ] = 168.0,
    show_all: Annotated[bool, typer.Option("--all", help="Show what is well, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a running system against what Magnetar's promises need; changes nothing.

    Brokers, quorum, policies, topics, the store, workers and clocks: for each thing that is not as it should be,
    what was found, what is wanted and why, and the exact change to make. A danger is a promise that does not hold;
    advice is for speed and for certainty. A part that cannot be asked is a danger: nothing is guessed.

    Exit status 0: no danger; 1: there is one.

        $ magnetar doctor shop:app
        $ magnetar doctor shop:app --admin http://broker:8080 --bus pulsar://broker:6650 --backup-age 24
        $ magnetar doctor shop:app --json | jq '.findings[] | select(.severity == "danger")'
    """
    found = _examined(target, bus, admin, store, backup_age * 3600)
    if as_json:
        screen.answer(_document(found))
    else:
        screen.show(doctor_picture.picture(found, screen.width(), everything=show_all))
    if any(finding.severity is Severity.DANGER for finding in found):
        raise typer.Exit(Exit.NO)


def _document(found: Sequence[Finding]) -> dict[str, object]:
    numbers = Counter(finding.severity for finding in found)
    counts = {severity.value: numbers[severity] for severity in Severity}
    return {"counts": counts, "findings": msgspec.to_builtins(found)}


def _examined(target: str, bus: str | None, admin: str | None, store: str | None, backup_age: float) -> list[Finding]:
    try:
        from magnetar.runtime.compose.doctor import examination  # noqa: PLC0415 - needs an extra that others do not
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        raise BadInput("the REST API needs httpx2: install magnetar[admin]") from error
    wiring = wiring_of(target)
    places = shared_bus(bus, wiring.app, silent=True), shared_store(store)
    found = settings()
    return examination(target, wiring, admin or found.admin, *places, backup_age=backup_age, access=found.access())
