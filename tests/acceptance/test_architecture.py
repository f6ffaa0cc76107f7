"""The architecture page is about this code: every rule has a row, every name in it exists, no module is forgotten."""

from __future__ import annotations

import importlib
import re
import xml.etree.ElementTree as ET

import pytest

from magnetar.runtime.worker.points import PHASES
from tests.acceptance.pages import BLOCK, ROOT, TEST_LINK, page, tables_of

TEXT = page("docs/architecture.md")
RUNTIME = ROOT / "runtime" / "magnetar" / "runtime"
RULES = 32
CODE = re.compile(r"`([^`]+)`")
DOTTED = re.compile(r"[a-z_]+(\.\w+)+")
LISTED = ("", "worker", "threads")
"""Folders of the runtime whose every module has its line among the rooms."""


def _rules() -> dict[str, list[str]]:
    rows = [row for row in tables_of(TEXT) if row[0].startswith("**R")]
    return {row[0].split("**")[1]: row for row in rows}


def _resolves(dotted: str) -> bool:
    """Whether it names something below the runtime, or below another portion."""
    for root in ("magnetar.runtime.", "magnetar.", ""):
        parts = (root + dotted).split(".")
        for cut in range(len(parts), 1, -1):
            try:
                found: object = importlib.import_module(".".join(parts[:cut]))
            except ModuleNotFoundError:
                continue
            for name in parts[cut:]:
                found = getattr(found, name, None)
            if found is not None:
                return True
            break
    return False


def _names(text: str) -> set[str]:
    """What a text names in code marks: modules with dots, files with slashes."""
    return {name.removesuffix("()") for name in CODE.findall(BLOCK.sub("", text))}


def test_every_rule_has_its_row() -> None:
    """R1 to R32, in order, none twice."""
    told = [row[0].split("**")[1] for row in tables_of(TEXT) if row[0].startswith("**R")]
    assert told == [f"R{number}" for number in range(1, RULES + 1)]


def test_a_rule_is_kept_somewhere_or_comes_later() -> None:
    """A row names code, or says that there is nothing to hold yet."""
    unkept = [rule for rule, row in _rules().items() if "later" not in row[1] and not CODE.search(row[1])]
    assert unkept == []


@pytest.mark.parametrize("name", sorted(name for name in _names(TEXT) if DOTTED.fullmatch(name) and "/" not in name))
def test_what_the_page_names_exists(name: str) -> None:
    """A function, class or module that was renamed is renamed on the page too."""
    if name.endswith((".py", ".toml")):
        assert any((folder / name).is_file() for folder in (ROOT, RUNTIME, RUNTIME / "worker"))
    else:
        assert _resolves(name)


def test_the_files_that_the_page_names_exist() -> None:
    """Paths are from the runtime's folder, or from the root."""
    paths = [name for name in _names(TEXT) if "/" in name and " " not in name]
    assert [path for path in paths if not (RUNTIME / path).exists() and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("folder", LISTED)
def test_no_module_is_forgotten(folder: str) -> None:
    """Each module of the user's side, the engine and the threads has its line among the rooms."""
    rooms = TEXT.partition("## Rooms")[2].partition("\n## ")[0]
    told = {name.rpartition("/")[2] for name in _names(rooms)}
    modules = {path.name for path in (RUNTIME / folder).glob("*.py")} - {"__init__.py"}
    assert sorted(modules - told) == []


def test_the_phases_are_those_of_the_code() -> None:
    """The names of the fault points at phase boundaries."""
    points = TEXT.partition("## Fault points")[2].partition("\n## ")[0]
    assert [name for name in PHASES if f"`{name}`" not in points] == []


def test_tests_stand_where_rules_are_kept() -> None:
    """A rule that comes later as a whole has no test to show."""
    wrong = [rule for rule, row in _rules().items() if row[1].startswith("later") and TEST_LINK.search(row[2])]
    assert wrong == []


def test_the_drawing_is_well_formed_and_says_what_it_shows() -> None:
    """The picture has a title and a description for those who cannot see it."""
    root = ET.parse(ROOT / "docs" / "way-of-a-message.svg").getroot()
    kinds = {element.tag.rpartition("}")[2] for element in root}
    assert {"title", "desc"} <= kinds
