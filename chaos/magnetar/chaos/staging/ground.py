"""Where a scenario is played in Kubernetes: one namespace, and which pods of it have which role."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from magnetar.chaos.scenarios.spec import RoleName
from magnetar.runtime.errors import MagnetarError

CHARTS = Path(__file__).with_name("charts.yaml")
"""Pulsar's Helm chart, and Magnetar's own roles by the same labels."""
_MOST_BYTES = 100_000
_PART = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"

Dns = Annotated[str, Field(pattern=rf"^{_PART}$", max_length=63)]
"""A name as namespaces have it."""
RunId = Annotated[str, Field(pattern=rf"^{_PART}$", max_length=40)]
"""Of a run: part of names and labels."""
Pod = Annotated[str, Field(pattern=rf"^{_PART}(\.{_PART})*$", max_length=253)]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=63)]
LabelKey = Annotated[str, Field(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$", max_length=253)]
Seat = Annotated[str, Field(pattern=r"^(broker-of|bookies-of|worker-of|leader):\S+$")]
"""A part that somebody has, as a scenario asks for it: `broker-of:orders/o-17`, `leader:zookeeper`."""


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(_Plain):
    """Where the nodes of a role run. `pods`: the name of their StatefulSet. `volume`: where their data is mounted."""

    labels: Annotated[dict[LabelKey, Label], Field(min_length=1)]
    container: Dns
    pods: Dns | None = None
    volume: Annotated[str, Field(pattern=r"^/")] | None = None


class Charts(_Plain):
    """What is the same for every run in a cluster. `prometheus`: its URL, as Chaos Mesh's controller reaches it."""

    prometheus: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    roles: dict[RoleName, Place]


class Ground(_Plain):
    """Where, who, and which run. `seats`: pods that have a part which only the running cluster gives."""

    namespace: Dns
    run: RunId
    charts: Charts
    seats: dict[Seat, Annotated[tuple[Pod, ...], Field(min_length=1)]] = {}


class GroundRefused(MagnetarError):
    """What was said of where to play cannot be used: where it stands, and why."""

    def __init__(self, where: str, faults: str) -> None:
        """`where`: a file, or the command line."""
        super().__init__(f"{where} does not say where to play: {faults}")


def charts(path: Path = CHARTS) -> Charts:
    """The charts of a file. Raises `GroundRefused`."""
    try:
        text = path.read_text(encoding="utf-8")
        if len(text) > _MOST_BYTES:
            raise GroundRefused(str(path), f"it has {len(text)} characters, more than {_MOST_BYTES}")
        return Charts.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise GroundRefused(str(path), " ".join(str(problem).split())) from problem
    except ValidationError as problem:
        raise GroundRefused(str(path), _told(problem)) from problem


def ground(namespace: str, run: str, found: Charts, seats: list[str]) -> Ground:
    """As the command line says it; `seats`: `broker-of:orders/o-17=pulsar-broker-1`. Raises `GroundRefused`."""
    parted = [seat.partition("=") for seat in seats]
    named = {part: tuple(pods.split(",")) for part, _, pods in parted}
    if len(named) < len(parted):
        raise GroundRefused("the command line", "a part has two --seat: name several pods with commas")
    try:
        return Ground(namespace=namespace, run=run, charts=found, seats=named)
    except ValidationError as problem:
        raise GroundRefused("the command line", _told(problem)) from problem


def _told(problem: ValidationError) -> str:
    """`roles, broker, labels: Field required; …`."""
    errors = problem.errors(include_url=False)
    return "; ".join(f"{', '.join(map(str, error['loc'])) or 'the whole'}: {error['msg']}" for error in errors)
