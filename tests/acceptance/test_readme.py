"""The README keeps its word: its actor runs, breaks as it says, and what it calls proved has a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.pages import ROOT, TEST_LINK, files_of, page, section, suite, tables_of, tool, written

README = page("README.md")
LINES = 16
PROMISES = 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder into which a newcomer has typed both files."""
    return written(tmp_path, files_of(README))


def test_the_first_actor_and_its_test_run(folder: Path) -> None:
    """Typed into an empty folder, they pass."""
    assert {path.name for path in folder.iterdir()} == {"orders.py", "test_orders.py"}
    done = suite(folder)
    assert (done.returncode, done.stdout.splitlines()[-1][:8]) == (0, "1 passed"), done.stdout


@pytest.mark.parametrize(
    ("before", "after", "met"),
    [
        ("after=1800", "after=3600", "AssertionError: assert 'placed' == 'cancelled'"),
        ("@orders.handles\ndef overdue", "def overdue", "names timer Overdue, which actor 'orders' does not handle"),
        ('status: str = "new"', "status: str", "field 'status' has no default"),
    ],
)
def test_broken_it_fails_and_mended_it_passes(folder: Path, before: str, after: str, met: str) -> None:
    """Each way to break it that the README names is met at once, with a reason."""
    actor = folder / "orders.py"
    whole = actor.read_text(encoding="utf-8")
    assert whole.count(before) == 1
    actor.write_text(whole.replace(before, after), encoding="utf-8")
    broken = suite(folder)
    assert broken.returncode == 1
    assert met in broken.stdout
    actor.write_text(whole, encoding="utf-8")
    assert suite(folder).returncode == 0


def test_type_checkers_are_content_with_the_first_actor(folder: Path) -> None:
    """A newcomer with a strict checker sees no error."""
    done = tool(folder, "mypy", "--strict", "--cache-dir", str(folder), "orders.py", "test_orders.py")
    assert done.returncode == 0, done.stdout


def test_the_first_actor_is_as_short_as_we_say() -> None:
    """So many lines that are not empty."""
    lines = [line for line in files_of(README)["orders.py"].splitlines() if line.strip()]
    assert len(lines) <= LINES


def test_the_first_guide_begins_where_the_readme_ends() -> None:
    """Whoever goes on to the guide finds the same two files."""
    guide = files_of(page("docs/guide/first-actor.md"))
    assert {name: guide[name] for name in files_of(README)} == files_of(README)


def _promises() -> list[list[str]]:
    return [row for row in tables_of(section(README, "What it promises")) if row[0] != "promise"]


def test_every_promise_is_proved_or_said_to_be_open() -> None:
    """Each row names a test that exists, or says what is not yet there, or both."""
    rows = _promises()
    assert len(rows) == PROMISES
    empty = [promise for promise, _, proof in rows if not TEST_LINK.search(proof) and "Not yet: " not in proof]
    assert empty == []


def test_only_tests_prove() -> None:
    """A proof is a list of tests, each a link, and then what is open; nothing else may look like one."""
    odd = [proof for _, _, proof in _promises() if TEST_LINK.sub("", proof.partition("Not yet: ")[0]).strip(" ,.")]
    assert odd == []


def test_the_targets_of_make_exist() -> None:
    """Each `make …` that the README and CONTRIBUTING tell is a target."""
    makefile = page("Makefile")
    told = set(re.findall(r"^make ([\w-]+)", README + page("CONTRIBUTING.md"), re.MULTILINE))
    assert {"demo", "test"} <= told
    assert [name for name in sorted(told) if f"\n{name}:" not in makefile] == []


def test_the_folders_of_the_layout_exist() -> None:
    """The layout is the one on disk."""
    layout = section(README, "Layout").partition("```\n")[2].partition("```")[0]
    folders = [line.split()[0] for line in layout.splitlines()]
    assert len(folders) == len(layout.splitlines())
    assert [name for name in folders if not (ROOT / name).is_dir()] == []
