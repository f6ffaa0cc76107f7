"""The architecture page is about this code: every rule has a row, every name in it exists, no module is forgotten."""

from __future__ import annotations

import importlib
import re
import xml.etree.ElementTree as ET

import pytest

from magnetar.chaos.checkers import CHECKERS, PUNCTUAL, REQUESTS
from magnetar.chaos.simulation.schedule import WORKLOADS
from magnetar.chaos.verdict import ITSELF
from magnetar.chaos.zoo import all_bugs
from magnetar.runtime.worker.points import PHASES
from tests.acceptance.pages import BLOCK, ROOT, TEST_LINK, page, section, tables_of

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
    rooms = section(TEXT, "Rooms")
    told = {name.rpartition("/")[2] for name in _names(rooms)}
    modules = {path.name for path in (RUNTIME / folder).glob("*.py")} - {"__init__.py"}
    assert sorted(modules - told) == []


def test_the_phases_are_those_of_the_code() -> None:
    """The names of the fault points at phase boundaries."""
    points = section(TEXT, "Fault points")
    assert [name for name in PHASES if f"`{name}`" not in points] == []


def test_tests_stand_where_rules_are_kept() -> None:
    """A rule that comes later as a whole has no test to show."""
    wrong = [rule for rule, row in _rules().items() if row[1].startswith("later") and TEST_LINK.search(row[2])]
    assert wrong == []


def _guarding() -> list[list[str]]:
    """The rows of the table of guards."""
    return [row for row in tables_of(section(TEXT, "Who guards each rule")) if row[0] != "rule"]


def _guards() -> dict[str, list[set[str]]]:
    """Rule → its checkers, its assertions, its bugs."""
    return {row[0]: [set(CODE.findall(cell)) for cell in row[1:]] for row in _guarding()}


def _held(rules: dict[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """Rule → who says that it is theirs."""
    return {rule: {name for name, own in rules.items() if rule in own} for rule in _rules()}


def test_every_rule_has_its_guards_or_comes_later() -> None:
    """R1 to R32, in order; one without a guard says so."""
    rows = _guarding()
    assert [row[0] for row in rows] == [f"R{number}" for number in range(1, RULES + 1)]
    assert [row[0] for row in rows if (row[1] == "later") == any(CODE.search(cell) for cell in row[1:])] == []


def test_the_checkers_are_those_that_guard_the_rule() -> None:
    """As each checker says in the code, in every workload."""
    checkers = [*CHECKERS, PUNCTUAL, REQUESTS, *(checker for load in WORKLOADS.values() for checker in load.checkers)]
    assert {checker.name: checker.rules for checker in checkers} == {
        checker.name: checker.rules for checker in reversed(checkers)
    }
    rules = {checker.name: checker.rules for checker in checkers}
    assert {rule: guards[0] for rule, guards in _guards().items()} == _held(rules)


def test_the_bugs_are_those_that_break_the_rule() -> None:
    """As each bug says in its file."""
    assert {rule: guards[2] for rule, guards in _guards().items()} == _held({bug.name: bug.rules for bug in all_bugs()})


def test_what_asserts_a_rule_is_code() -> None:
    """A dotted name that exists (as every one on the page), or whoever looks on while a simulation lasts."""
    told = set[str]().union(*(guards[1] for guards in _guards().values()))
    assert [name for name in sorted(told) if name != ITSELF and not (DOTTED.fullmatch(name) and _resolves(name))] == []


def test_a_rule_that_a_bug_breaks_has_a_guard() -> None:
    """Or the bug could pass."""
    assert [rule for rule, (checkers, asserted, bugs) in _guards().items() if bugs and not checkers | asserted] == []


def test_the_drawing_is_well_formed_and_says_what_it_shows() -> None:
    """The picture has a title and a description for those who cannot see it."""
    root = ET.parse(ROOT / "docs" / "way-of-a-message.svg").getroot()
    kinds = {element.tag.rpartition("}")[2] for element in root}
    assert {"title", "desc"} <= kinds
