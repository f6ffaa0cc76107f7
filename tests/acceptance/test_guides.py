"""The guides tell the truth: their files run, their mistakes are met as they say, their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.pages import (
    LINK,
    ROOT,
    TEST_LINK,
    TEST_NAME,
    files_of,
    function_of,
    functions_of,
    page,
    pages,
    suite,
    tool,
    written,
)

FIRST = "docs/guide/first-actor.md"
RUNNING = "docs/guide/running-a-worker.md"
TESTING = "docs/guide/testing-your-actors.md"
WORKERS = "docs/guide/two-workers.md"
GUIDES = [
    FIRST,
    TESTING,
    "docs/guide/foreign-producers.md",
    "docs/guide/when-handling-fails.md",
    "docs/guide/calling-the-outside-world.md",
    RUNNING,
    WORKERS,
]
MISTAKES = {
    "Forget a handler": ("@orders.handles\ndef overdue", "def overdue"),
    "Forget the key": ("order_id: Key", "order_id: str"),
    "Use a type that cannot be stored": ('status: str = "new"\n', 'status: str = "new"\n    lines: list[str] = []\n'),
    "Forget to return the state": ('return replace(order, status="placed")', 'replace(order, status="placed")'),
    "Publish a command": (
        "context.schedule(Overdue(), after=1800)",
        "context.publish(Place(order_id=context.key))",
    ),
}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-\S+")


@pytest.mark.parametrize("guide", GUIDES)
def test_the_files_of_a_guide_pass_their_tests(guide: str, tmp_path: Path) -> None:
    """A reader who types them sees green."""
    files = _files(guide)
    assert any(name.startswith("test_") for name in files)
    done = suite(written(tmp_path, files))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("guide", GUIDES)
def test_a_type_checker_is_content_with_a_guide(
    guide: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The code that we show is typed as we promise."""
    cache = tmp_path_factory.getbasetemp() / "mypy"  # of ours and of what we use: that is checked once
    done = tool(written(tmp_path, _files(guide)), "mypy", "--strict", "--cache-dir", str(cache), ".")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_the_first_guide_is_met_as_it_says(mistake: str, tmp_path: Path) -> None:
    """Each mistake gives the very words that the page shows."""
    files = files_of(page(FIRST))
    before, after = MISTAKES[mistake]
    assert files["orders.py"].count(before) == 1
    files = {"orders.py": files["orders.py"].replace(before, after), "test_orders.py": files["test_orders.py"]}
    done = suite(written(tmp_path, files))
    assert done.returncode == 1
    assert _told(page(FIRST), mistake) in _seen(done.stdout, tmp_path)


def test_every_mistake_of_the_first_guide_is_tried() -> None:
    """No mistake is shown that nobody made."""
    assert re.findall(r"^\*\*(.+?)\.\*\*", page(FIRST), re.MULTILINE) == list(MISTAKES)


def test_the_trial_of_the_testing_guide_finds_what_it_says(tmp_path: Path) -> None:
    """The bug that the page puts into its actor is found in the very words that it shows."""
    files = files_of(page(TESTING))
    guard = '    if seat.status != "reserved":\n        return seat\n'
    assert files["seats.py"].count(guard) == 1
    files["seats.py"] = files["seats.py"].replace(guard, "")
    done = suite(written(tmp_path, {name: files[name] for name in ("seats.py", "test_seats.py")}))
    assert done.returncode == 1
    told = re.search(r"^```\n(NotSurvived.*?)^```", page(TESTING), re.DOTALL | re.MULTILINE)
    assert told
    assert " ".join(told[1].split()) in _seen(done.stdout, tmp_path).replace("magnetar.chaos.trials.finding.", "")


def _files(guide: str) -> dict[str, str]:
    """The files of a guide; those on workers go on with the actor of the first."""
    files = files_of(page(guide))
    return {"orders.py": files_of(page(FIRST))["orders.py"], **files} if guide in {RUNNING, WORKERS} else files


def _told(text: str, mistake: str) -> str:
    """The block below the mistake's name."""
    told = re.search(rf"^\*\*{mistake}\.\*\*.*?^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert told
    return " ".join(told[1].split())


def _seen(printed: str, folder: Path) -> str:
    """What pytest says of the error, without what differs from run to run."""
    lines = [line.removeprefix("E").strip() for line in printed.splitlines() if line.startswith("E ")]
    seen = " ".join(" ".join(lines).split())
    return ID.sub("…", seen.replace("magnetar.runtime.errors.", "").replace(f"{folder}/", ""))


def _links() -> list[tuple[str, str]]:
    return [
        (str(path.relative_to(ROOT)), target)
        for path in pages()
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target
    ]


def test_every_link_leads_somewhere() -> None:
    """Pages and pictures that a page points to exist."""
    dead = [f"{name}: {target}" for name, target in _links() if not (ROOT / name).parent.joinpath(target).exists()]
    assert dead == []


def test_every_test_that_a_page_links_to_is_in_its_file() -> None:
    """What is said to be proved is proved by a test of that name."""
    found: list[str] = []
    for path in pages():
        for words, target in TEST_LINK.findall(path.read_text(encoding="utf-8")):
            file = path.parent / target
            if not file.is_file() or function_of(words) not in functions_of(file):
                found.append(f"{path.relative_to(ROOT)}: {function_of(words)} in {target}")
    assert found == []


def test_every_test_that_a_page_names_exists() -> None:
    """A test that was renamed is renamed in the pages too."""
    known = {name for path in (ROOT / "tests").rglob("test_*.py") for name in functions_of(path)}
    names = [(path, name) for path in pages() for name in TEST_NAME.findall(path.read_text(encoding="utf-8"))]
    assert [f"{path.relative_to(ROOT)}: {name}" for path, name in names if name not in known] == []
