"""Reads scenarios from files, and says what is wrong with one so that it can be mended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]
from pydantic import ValidationError

from magnetar.chaos.scenarios.spec import Scenario
from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

SUITE = Path(__file__).with_name("suite")
_MOST_BYTES = 100_000


class ScenarioRefused(MagnetarError):
    """A file that is no scenario: which file, where in it, why, and what to do."""

    def __init__(self, path: Path, faults: Iterable[str]) -> None:
        """`faults`: what is wrong, each with its place."""
        self.path, self.faults = path, tuple(faults)
        listed = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(f"{path} is no scenario:\n{listed}\nThe format is in docs/operations/chaos.md.")


class ScenarioMissing(MagnetarError):
    """No scenario goes by this name."""

    def __init__(self, name: str, there: Iterable[str]) -> None:
        """Name it, and all that are there."""
        super().__init__(f"there is no scenario {name}: there are {', '.join(there)}, or give the path of a YAML file")


def read(path: Path) -> Scenario:
    """The scenario of a file. Raises `ScenarioRefused`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ScenarioRefused(path, [str(problem)]) from problem
    return parsed(text, path)


def parsed(text: str, path: Path) -> Scenario:
    """The scenario of a text. Raises `ScenarioRefused`, which names `path`."""
    if len(text) > _MOST_BYTES:
        raise ScenarioRefused(path, [f"it has {len(text)} characters, more than {_MOST_BYTES}"])
    try:
        return Scenario.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as problem:
        raise ScenarioRefused(path, [f"not YAML: {' '.join(str(problem).split())}"]) from problem
    except ValidationError as problem:
        raise ScenarioRefused(path, map(_told, _causes(problem.errors(include_url=False)))) from problem


def suite() -> Mapping[str, Scenario]:
    """Those that come with Magnetar, by id. Raises `ScenarioRefused`."""
    found = [read(path) for path in sorted(SUITE.glob("*.yaml"))]
    return {scenario.id: scenario for scenario in found}


def chosen(names: Iterable[str]) -> list[Scenario]:
    """By id, or by the path of a file; each once. Raises `ScenarioMissing` and `ScenarioRefused`."""
    there = suite()
    found: dict[str, Scenario] = {}
    for name in names:
        scenario = read(Path(name)) if name.endswith((".yaml", ".yml")) else there.get(name.upper()) or there.get(name)
        if scenario is None:
            raise ScenarioMissing(name, there)
        found.setdefault(scenario.id, scenario)
    return list(found.values())


def _causes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without those that only follow from one further in: a list lacks whatever in it could not be read."""
    places = [error["loc"] for error in errors]
    return [
        error
        for error in errors
        if not any(len(place) > len(error["loc"]) and place[: len(error["loc"])] == error["loc"] for place in places)
    ]


def _told(error: ErrorDetails) -> str:
    """`faults, 2, who, every: Input should be 'zookeeper', …`; places are counted from 1, as a reader does."""
    place = ", ".join(str(part + 1) if isinstance(part, int) else str(part) for part in error["loc"])
    return f"{place or 'the whole'}: {error['msg'].removeprefix('Value error, ')}"
