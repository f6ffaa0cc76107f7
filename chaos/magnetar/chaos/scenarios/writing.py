"""Writes a scenario as a file that can be read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from magnetar.chaos.scenarios.spec import Scenario

_WIDTH = 120


def written(scenario: Scenario) -> str:
    """The text of its file; what is as usual is left out."""
    said = scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    faults = [{"do": fault["do"], **fault} for fault in said["faults"]]
    text: str = yaml.safe_dump(
        {**said, "faults": faults}, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None
    )
    return text
