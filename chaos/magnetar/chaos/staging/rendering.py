"""Writes scenarios down as manifests, and says of each that it cannot why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]

from magnetar.chaos.staging.lacks import NotStaged
from magnetar.chaos.staging.workflow import staged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from magnetar.chaos.scenarios.spec import Scenario
    from magnetar.chaos.staging.ground import Ground
    from magnetar.chaos.staging.workflow import Staged

_WIDTH = 10_000
"""Characters of a line: URLs and sentences stay whole."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What came of scenarios: the text of each manifest by the scenario's id, and who has none."""

    manifests: dict[str, str]
    refused: list[NotStaged]


def rendered(scenarios: Iterable[Scenario], ground: Ground) -> Rendered:
    """Each as a manifest, or why not."""
    found = Rendered({}, [])
    for scenario in scenarios:
        try:
            found.manifests[scenario.id] = text(staged(scenario, ground))
        except NotStaged as refused:
            found.refused.append(refused)
    return found


def text(found: Staged) -> str:
    """As YAML, with a head that says how it differs."""
    head = [
        "Made by `magnetar chaos render`; do not edit.",
        *(f"Not the same here: {each}" for each in found.differences),
    ]
    body: str = yaml.safe_dump(found.workflow, sort_keys=False, width=_WIDTH, allow_unicode=True)
    return "".join(f"# {line}\n" for line in head) + body


def write(found: Rendered, folder: Path) -> list[Path]:
    """A file for each manifest: who they are. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    for name, manifest in found.manifests.items():
        path = folder / f"{name}.yaml"
        path.write_text(manifest, encoding="utf-8")
        paths.append(path)
    return paths
