"""What the repository may say: locked versions with hashes, and no name of a place that only one machine knows."""

from __future__ import annotations

import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
LOCKS = sorted((ROOT / "deploy" / "locks").glob("*.txt"))
REQUIREMENT = re.compile(r"^[a-z0-9][a-z0-9.-]*==\S+( ; .+)?$")
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")
# Written in halves, so that this file does not hold what it looks for.
FORBIDDEN = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "repo.maven" + ".apache.org",
    "repo1.maven" + ".org",
    "--index" + "-url",
    "--extra-index" + "-url",
    "--find" + "-links",
    "/wor" + "k/",
    "/ro" + "ot/",
    "/ho" + "me/",
]


def _entries(lock: Path) -> list[list[str]]:
    """Each requirement with its hashes, one list per requirement."""
    text = lock.read_text(encoding="utf-8").replace("\\\n", "")
    return [re.split(r"\s+(?=--)", line.strip()) for line in text.splitlines() if line.strip()]


def _asked_for() -> list[Requirement]:
    """Everything that the project file asks for: for users, for extras, for developers, for the build."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = pyproject["project"]
    asked = [
        *project["dependencies"],
        *chain(*project["optional-dependencies"].values()),
        *chain(*pyproject["dependency-groups"].values()),
        *pyproject["build-system"]["requires"],
    ]
    return [wanted for text in asked if (wanted := Requirement(text)).name != project["name"]]


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_there_is_a_lock() -> None:
    """The tests below have something to look at."""
    assert [lock.name for lock in LOCKS] == ["develop.txt"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_versions_with_hashes_only(lock: Path) -> None:
    """Each line is one exact version with at least one SHA-256; no index, no link, no path, no comment."""
    wrong = [
        requirement
        for requirement, *hashes in _entries(lock)
        if not (REQUIREMENT.match(requirement) and hashes and all(HASH.match(one) for one in hashes))
    ]
    assert wrong == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_answers_the_project_file(lock: Path) -> None:
    """Whatever the project asks for is locked, in a version that it accepts (`make lock` brings them together)."""
    locked = dict(requirement.split(" ")[0].split("==") for requirement, *_ in _entries(lock))
    unanswered = [
        str(wanted) for wanted in _asked_for() if not _answers(locked.get(canonicalize_name(wanted.name)), wanted)
    ]
    assert unanswered == []


def _answers(version: str | None, wanted: Requirement) -> bool:
    return version is not None and wanted.specifier.contains(version, prereleases=True)


def test_no_file_names_a_private_place() -> None:
    """No tracked file holds the host of a registry or a path of the machine it was written on."""
    found: list[str] = []
    for path in _tracked():
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {word}" for word in FORBIDDEN if word in text]
    assert found == []
