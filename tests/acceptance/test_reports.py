"""The pages of suite and pairs that are kept in docs/reports: whole, as the README shows them, with nothing to hide."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from magnetar.chaos.scenarios.pairs import PARTS
from magnetar.chaos.scenarios.reading import suite
from magnetar.chaos.verdict import Verdict
from tests.acceptance.pages import LINK, ROOT, page, tables_of

if TYPE_CHECKING:
    from pathlib import Path

REPORTS = ROOT / "docs/reports"
PAIRS = REPORTS / "pairs"
TABLE = page("docs/reports/summary.md")
HREF = re.compile(r'href="([^"#:]+)"')
PRIVATE = re.compile(r"/(?:home|root|tmp|work|Users)/")
"""Paths of the machine that played it."""
CORE = 13
"""Scenarios up to this number may not even be unknown."""
UNKNOWN = 3
"""So many of the others may."""


def verdicts(table: str = TABLE) -> dict[str, Verdict]:
    """By scenario."""
    rows = [row for row in tables_of(table) if row[0] != "scenario"]
    return {row[0].partition("]")[0].lstrip("["): Verdict(row[1].split()[-1]) for row in rows}


def test_every_scenario_of_the_suite_is_there() -> None:
    """And no other."""
    assert set(verdicts()) == set(suite())


def test_no_scenario_is_invalid_and_few_are_unknown() -> None:
    """Those that count most are valid."""
    found = verdicts()
    assert Verdict.INVALID not in found.values()
    unknown = [int(re.sub(r"\D", "", name)) for name, verdict in found.items() if verdict is Verdict.UNKNOWN]
    assert len(unknown) <= UNKNOWN
    assert all(number > CORE for number in unknown)


def test_the_readme_shows_the_same_table() -> None:
    """With links from where it stands."""
    assert LINK.sub(lambda link: f"](docs/reports/{link[1]})", TABLE) in page("README.md")


def test_every_pair_of_faults_is_valid() -> None:
    """All parts of the chain that one seed draws."""
    found = verdicts((PAIRS / "summary.md").read_text(encoding="utf-8"))
    assert found == {f"S34-1.{part}": Verdict.VALID for part in range(1, PARTS + 1)}


@pytest.mark.parametrize("folder", [REPORTS, PAIRS], ids=["suite", "pairs"])
@pytest.mark.parametrize(("name", "pattern"), [("index.html", HREF), ("summary.md", LINK)])
def test_every_link_leads_somewhere(folder: Path, name: str, pattern: re.Pattern[str]) -> None:
    """To a page that is kept, too."""
    links = pattern.findall((folder / name).read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (folder / link).is_file()] == []


def test_no_page_names_a_path_of_the_machine_that_played_it() -> None:
    """A report is for everybody."""
    pages = sorted(REPORTS.rglob("*.html"))
    assert [each for each in pages if PRIVATE.search(each.read_text(encoding="utf-8"))] == []
