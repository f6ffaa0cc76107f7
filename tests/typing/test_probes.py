"""mypy and basedpyright see what a user's mistakes are, and see none where there is none."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ACCEPTS = HERE / "accepts.py"
REJECTS = HERE / "rejects.py"
MARK = re.compile(r"#\s*E:\s*(?P<fragment>.+?)\s*$")
MYPY_LINE = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): (?P<severity>error|warning): (?P<text>.*)$")


class Complaint(NamedTuple):
    """One thing that a checker reports about one line."""

    file: str
    line: int
    severity: str
    text: str


def _run(*command: str) -> str:
    """What a checker prints; it exits with 1 when it has complaints, and with more when it could not work."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False, env=os.environ | {"NO_COLOR": "1"}
    )
    assert done.returncode in {0, 1}, f"{command[0]} could not work:\n{done.stdout}{done.stderr}"
    return done.stdout


def _mypy(_folder: Path) -> list[Complaint]:
    options = ("--no-error-summary", "--no-pretty", "--hide-error-context")
    printed = _run(sys.executable, "-m", "mypy", *options, str(ACCEPTS), str(REJECTS))
    matches = [MYPY_LINE.match(line) for line in printed.splitlines()]
    return [
        Complaint(Path(found["file"]).name, int(found["line"]), found["severity"], found["text"])
        for found in matches
        if found
    ]


def _pyright_project(folder: Path) -> Path:
    """The project's own settings, turned to the probes (which they exclude)."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    settings = pyproject["tool"]["basedpyright"] | {"include": [str(ACCEPTS), str(REJECTS)], "exclude": []}
    settings["extraPaths"] = [str(ROOT / source) for source in settings["extraPaths"]]
    del settings["venv"], settings["venvPath"], settings["executionEnvironments"]
    project = folder / "pyrightconfig.json"
    project.write_text(json.dumps(settings), encoding="utf-8")
    return project


def _basedpyright(folder: Path) -> list[Complaint]:
    project = str(_pyright_project(folder))
    printed = _run(
        sys.executable, "-m", "basedpyright", "--outputjson", "--project", project, "--pythonpath", sys.executable
    )
    report = json.loads(printed)
    assert report["summary"]["filesAnalyzed"] == 2, "both probe files must be looked at"
    return [
        Complaint(Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["severity"], one["message"])
        for one in report["generalDiagnostics"]
    ]


@pytest.fixture(scope="module", params=[_mypy, _basedpyright], ids=["mypy", "basedpyright"])
def complaints(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Complaint]:
    """What one checker says about both probe files."""
    checker: Callable[[Path], list[Complaint]] = request.param
    return checker(tmp_path_factory.mktemp("probes"))


def _marked() -> dict[int, str]:
    lines = enumerate(REJECTS.read_text(encoding="utf-8").splitlines(), start=1)
    return {number: found["fragment"] for number, line in lines if (found := MARK.search(line))}


def test_right_code_is_accepted(complaints: list[Complaint]) -> None:
    """Not one complaint, not even a warning, about what the guide tells users to write."""
    assert [one for one in complaints if one.file == ACCEPTS.name] == []


def test_mistakes_are_rejected_and_nothing_else(complaints: list[Complaint]) -> None:
    """The lines with an error are exactly the marked ones."""
    errors = {one.line for one in complaints if one.file == REJECTS.name and one.severity == "error"}
    assert errors == set(_marked())


def test_mistakes_are_named(complaints: list[Complaint]) -> None:
    """The message of each rejected line has the text that its mark asks for."""
    said: defaultdict[int, str] = defaultdict(str)
    for one in complaints:
        if one.file == REJECTS.name:
            said[one.line] += one.text + "\n"
    unnamed = {line: said[line] for line, fragment in _marked().items() if fragment not in said[line]}
    assert unnamed == {}
