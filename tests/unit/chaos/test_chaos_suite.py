"""The page of all runs, and the folders that reports are left in."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from magnetar.chaos.cli import app
from magnetar.chaos.record.keeping import write
from magnetar.chaos.record.shape import Bound
from magnetar.chaos.report.junit import junit
from magnetar.chaos.report.leaving import report
from magnetar.chaos.report.marked import marked
from magnetar.chaos.report.overview import overview
from magnetar.chaos.report.standing import facets
from magnetar.chaos.report.suite import Played, lines, moved
from magnetar.runtime.instant import SECOND
from tests.unit.chaos.pages import body, words
from tests.unit.chaos.showing import BEGAN, Play

if TYPE_CHECKING:
    from pathlib import Path


def test_the_longest_gap_comes_first_and_each_scenario_once() -> None:
    """The last run of each stands, beside the one before it."""
    runs = [
        Played(f"{play.scenario.id}-{number}/report.html", play.kept().record)
        for number, play in enumerate(
            [
                Play(offered=5, slow=1.0),
                Play(offered=5, slow=2.0, began=BEGAN + SECOND),
                Play(offered=5, slow=3.0, scenario=msgspec.structs.replace(Play().scenario, id="S11")),
            ]
        )
    ]
    found = lines(reversed(runs))
    assert [(line.last.record.scenario.id, len(line.runs)) for line in found] == [("S11", 1), ("S03", 2)]
    assert [line.trend.kind for line in found] == ["same", "worse"]
    told = words(body(overview(runs)))
    assert told.index("S11") < told.index("S03")
    assert "4.21 s longer" in told


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_trend_turns_with_its_runs(before: float, now: float) -> None:
    """Worse one way is never worse the other way, and nearly the same is the same."""
    there, back = moved(before, now).kind, moved(now, before).kind
    assert (there, back) not in {("worse", "worse"), ("better", "better")}
    if abs(before - now) < 0.2:
        assert there == back == "same"
    assert moved(None, now).kind == "same"


def test_a_bound_that_nobody_measured_is_no_success() -> None:
    """It is told as not seen, and JUnit has an error."""
    record = msgspec.structs.replace(Play(offered=5).kept().record, bounds=(Bound("recovery", 15.0, None, "so"),))
    assert "recovery was not seen" in facets(record)[2].why
    case = next(
        case
        for case in ET.fromstring(junit([record]).encode()).iter("testcase")
        if case.get("name") == "bound: recovery"
    )
    assert case.find("error") is not None


def test_a_table_has_a_row_for_each_scenario_by_number() -> None:
    """The last run of each, its times beside their bounds; nothing in a title ends its cell or its link."""
    scenario = Play().scenario
    ids, wild = ("S34-1.10", "S11b", "S9", "S11", "S34-1.2", "S11"), "a | b\nc ](x) `d`"
    named = [msgspec.structs.replace(scenario, id=each, title=wild) for each in ids]
    runs = [
        Played(f"run-{number}/report.html", Play(offered=5, scenario=each, began=BEGAN + number).kept().record)
        for number, each in enumerate(named)
    ]
    _, _, *rows = marked(runs).splitlines()
    told = r"a \| b c \](x) \`d\`"
    assert [row.partition(" | ")[0] for row in rows] == [
        f"| [S9](run-2/report.html) {told}",
        f"| [S11](run-5/report.html) {told}",
        f"| [S11b](run-1/report.html) {told}",
        f"| [S34-1.2](run-4/report.html) {told}",
        f"| [S34-1.10](run-0/report.html) {told}",
    ]
    assert {len(re.split(r"(?<!\\)\|", row)) for row in rows} == {7}


# the folders


def test_a_folder_of_runs_becomes_pages_that_lead_to_one_another(tmp_path: Path) -> None:
    """Each run has its page, JSON and JUnit; the page of all leads to each and back; what is damaged is told."""
    for number in range(2):
        write(tmp_path / f"run-{number}", Play(seed=number, offered=5, began=BEGAN + number).kept())
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "record.json").write_text("{")
    left = report(tmp_path)
    assert "torn" in left.damaged[0]
    assert len(left.damaged) == 1
    assert {path.relative_to(tmp_path).as_posix() for path in left.written} == {
        *(f"run-{number}/{name}" for number in range(2) for name in ("report.html", "summary.json", "junit.xml")),
        *("index.html", "summary.json", "summary.md", "junit.xml"),
    }
    index = body((tmp_path / "index.html").read_text("utf-8"))
    assert [link.attrib["href"] for link in index.iter("a")][1:] == ["run-1/report.html"]
    assert 'href="../index.html"' in (tmp_path / "run-0" / "report.html").read_text("utf-8")
    assert "torn" in words(index)
    assert not list(tmp_path.rglob(".*"))


def test_one_run_becomes_one_page(tmp_path: Path) -> None:
    """It leads nowhere while there is no page of all, and what is written again is the same."""
    write(tmp_path, Play(offered=5).kept())
    first = {path: path.read_bytes() for path in report(tmp_path).written}
    assert sorted(path.name for path in first) == ["junit.xml", "report.html", "summary.json"]
    assert b"../index.html" not in first[tmp_path / "report.html"]
    assert {path: path.read_bytes() for path in report(tmp_path).written} == first


def test_the_command_says_what_it_wrote_and_what_it_could_not_read(tmp_path: Path) -> None:
    """Exit status 1 when a run is damaged, or none is there."""
    write(tmp_path / "run", Play(offered=5).kept())
    done = CliRunner().invoke(app, ["chaos", "report", str(tmp_path)])
    assert (done.exit_code, done.output.splitlines()[0]) == (0, str(tmp_path / "run" / "report.html"))
    (tmp_path / "run" / "points.jsonl").unlink()
    done = CliRunner().invoke(app, ["chaos", "report", "--json", str(tmp_path)])
    assert done.exit_code == 1
    assert "points.jsonl" in msgspec.json.decode(done.output)["damaged"][0]
    done = CliRunner().invoke(app, ["chaos", "report", str(tmp_path / "nowhere")])
    assert done.exit_code == 1
    assert "has no record.json" in done.output
