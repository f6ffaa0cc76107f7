"""How a row of the takeover report is judged, and how the report is told."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from magnetar.chaos.takeover import table
from magnetar.chaos.takeover.gaps import Gap, Passed
from magnetar.chaos.takeover.moves import Moves
from magnetar.chaos.takeover.page import page
from magnetar.chaos.takeover.rows import (
    PROMISES,
    Band,
    Colour,
    Event,
    Gaps,
    Machine,
    Row,
    Wrongs,
    judged,
    not_run,
    shared_out,
)
from magnetar.chaos.takeover.run import Report, Showing, completed
from magnetar.chaos.takeover.starving import Hunger
from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from magnetar.chaos.takeover.rows import Promise
    from magnetar.runtime.instant import Instant

WELL = Hunger(0.01, 0.02, 0.0, 0.1)
STARVED = Hunger(3.0, 0.02, 0.0, 0.1)
KILL, FREEZE, _, _, DATABASE, _, ROLLING, SCALE = PROMISES


def never(_: Gap, __: Instant | None) -> Instant:
    """Nobody waited for a processor."""
    return 0


def row(
    promise: Promise,
    gap: float,
    hunger: Hunger | None = WELL,
    wrongs: Wrongs | None = None,
    share: float = 0.3,
    **told: Any,
) -> Row:
    """A row in whose middle one shard stood still for so many seconds."""
    event = Event(promise.name, 0, 60 * SECOND, **told)
    begin, end = 20 * SECOND, 20 * SECOND + round(gap * SECOND)
    found = Gaps(
        {"orders/0": [Gap("orders/0", begin, end)]}, {"orders/0": [Gap("orders/0", begin, (begin + end) // 2)]}
    )
    return judged(promise, event, found, wrongs or Wrongs(), Machine(hunger, never, share))


@given(st.floats(0.01, 30.0))
def test_a_row_is_kept_up_to_its_bound_and_broken_beyond(gap: float) -> None:
    """In microseconds."""
    broken = round(gap * SECOND) > KILL.within * SECOND
    assert row(KILL, gap).colour is (Colour.BROKEN if broken else Colour.KEPT)


@pytest.mark.parametrize("gap", [0.1, 20.0])
def test_without_time_a_row_shows_nothing(gap: float) -> None:
    """Neither that it is kept nor that it is broken."""
    assert row(KILL, gap, STARVED).colour is Colour.UNKNOWN
    assert row(KILL, gap, None).colour is Colour.UNKNOWN


def test_what_is_wrong_is_wrong_without_time_too() -> None:
    """Starvation excuses slowness and nothing else."""
    wrongs = Wrongs()
    wrongs.add("lost", "nothing acked is lost: kill-1.0")
    found = row(KILL, 0.1, STARVED, wrongs)
    assert found.colour is Colour.BROKEN
    assert found.lost == 1


def test_what_is_slow_is_not_wrong() -> None:
    """An order that was cancelled by its own timer, and shards that are not shared out yet: no harm, but not kept."""
    wrongs = shared_out([("no order is overdue", "no order is overdue: kill-1.0: it is CANCELLED")])["kill"]
    for found in (row(KILL, 0.1, wrongs=wrongs), row(KILL, 0.1, slow="not evenly shared out")):
        assert found.colour is Colour.BROKEN
        assert report(found).status == 5
    assert row(KILL, 0.1, STARVED, wrongs).colour is Colour.UNKNOWN
    assert report(row(KILL, 0.1, failed="nobody has it")).status == 1


@pytest.mark.parametrize(("share", "colour"), [(0.3, Colour.BROKEN), (0.304, Colour.BROKEN), (0.31, Colour.UNKNOWN)])
def test_under_more_load_than_the_bounds_are_for_seconds_break_nothing(share: float, colour: Colour) -> None:
    """Fifty orders a second may be more than 30 % of what this machine can do; to keep a bound then is to keep it."""
    late = row(KILL, 5.1, share=share)
    assert late.colour is colour
    assert "orders/0 took 5.10 s" in late.reasons[0]
    assert row(KILL, 4.9, share=share).colour is Colour.KEPT


def test_whatever_else_is_broken_is_so_under_any_load() -> None:
    """What was delivered twice, and moves that need not have been."""
    assert row(ROLLING, 1.1, duplicates=1, share=0.5).colour is Colour.BROKEN
    lost = Wrongs()
    lost.add("lost", "o-1 is gone")
    assert row(KILL, 5.1, wrongs=lost, share=0.5).wrong


def test_a_row_in_which_nothing_was_applied_shows_nothing() -> None:
    """However well the machine was."""
    assert judged(KILL, Event("kill", 0, 9), Gaps({}, {}), Wrongs(), Machine(WELL, never, 0.3)).colour is Colour.UNKNOWN


def test_the_thawed_worker_must_have_been_refused_something() -> None:
    """Otherwise it was frozen while it slept."""
    assert row(FREEZE, 2.0, refused=0).colour is Colour.UNKNOWN
    kept = row(FREEZE, 2.0, refused=3)
    assert kept.colour is Colour.KEPT
    assert kept.refused == 3


def test_only_what_comes_after_the_mark_counts() -> None:
    """While PostgreSQL is down nobody can commit."""
    kept = row(DATABASE, 9.0, mark=26 * SECOND)
    assert kept.colour is Colour.KEPT
    assert (kept.gap, kept.handled, kept.counted) == (9.0, 4.5, 3.0)
    assert row(DATABASE, 9.0, mark=22 * SECOND).colour is Colour.BROKEN


def test_a_rolling_restart_delivers_nothing_twice() -> None:
    """Others may."""
    assert row(ROLLING, 0.5, duplicates=1).colour is Colour.BROKEN
    assert row(KILL, 0.5, duplicates=1).colour is Colour.KEPT


def test_only_what_must_moves_and_one_more_for_each_who_joins_or_leaves() -> None:
    """R14."""
    assert row(SCALE, 0.5, moves=Moves(54 + 9, 54)).colour is Colour.KEPT
    assert row(SCALE, 0.5, moves=Moves(54 + 10, 54)).colour is Colour.BROKEN


def test_a_worker_that_ends_by_itself_breaks_the_row() -> None:
    """Nobody asked it to."""
    found = row(KILL, 0.5, fallen=("worker 1 ended by itself",))
    assert found.colour is Colour.BROKEN
    assert found.reasons == ("worker 1 ended by itself",)
    assert report(found).status == 1


def test_complaints_are_counted_by_kind_where_their_orders_belong() -> None:
    """And those of no order are the whole run's."""
    found = shared_out(
        [
            ("no fork", "actor orders, key kill-1.0"),
            ("per-key order", "actor orders, key kill-2.0"),
            ("replay", "actor stock, key article-0-1.0"),
        ]
    )
    assert found["kill"].counts == {"forked": 1, "reordered": 1}
    assert found[None].counts == {"other": 1}
    assert len(found[None].words) == 1


def report(*rows: Row, wrong: tuple[str, ...] = ()) -> Report:
    """A report of these rows."""
    return Report(1, 200.0, 60.0, 16, 1000, 8000, 0, 300.0, rows, wrong)


def test_the_exit_status_says_the_worst() -> None:
    """Broken before unknown, unknown before kept."""
    kept, broken, unknown = row(KILL, 0.1), row(KILL, 9.0), row(KILL, 0.1, STARVED)
    assert report(kept).status == 0
    assert report(kept, unknown).status == 3
    assert report(kept, not_run(KILL, "no namespaces")).status == 3
    assert report(kept, unknown, broken).status == 5
    assert report(kept, unknown, broken, wrong=("replay: something",)).status == 1
    assert report(kept, wrong=("replay: something",)).status == 1


def test_a_report_has_all_rows_and_says_why_some_were_not_run() -> None:
    """A row that is not there would be taken for kept."""
    whole = completed(report(row(KILL, 0.1)), "unshare: not permitted", ["kill", "nobroker"])
    assert [each.name for each in whole.rows] == [promise.name for promise in PROMISES]
    reasons = {each.name: each.reasons for each in whole.rows}
    assert reasons["nobroker"] == ("nothing can be cut here: unshare: not permitted",)
    assert reasons["scale"] == ("not asked for",)
    assert whole.status == 3


def drawn() -> Showing:
    """A report with a picture: a shard that stood still for two seconds while a worker was dead."""
    found = row(KILL, 2.0, bands=(Band(19 * SECOND, 21 * SECOND, "worker 2 <dead>"),))
    seen = [Passed("orders/0", at * SECOND // 4, at * SECOND // 4 + 1000) for at in range(80)]
    gaps = {"orders/0": [Gap("orders/0", 20 * SECOND, 22 * SECOND)], "stock/10": [], "stock/9": []}
    return Showing(report(found, not_run(SCALE, "no namespaces & no root")), seen, gaps)


def test_the_page_draws_a_line_for_each_shard_and_what_was_done() -> None:
    """Well-formed, in order, with nothing unescaped."""
    text = page(drawn())
    svg = text[text.index("<svg") : text.index("</svg>") + 6]
    root = ET.fromstring(svg)
    words = [each.text for each in root.iter("text")]
    assert words.index("orders/0") < words.index("stock/9") < words.index("stock/10")
    assert "worker 2 <dead>" in words
    assert [each for each in root.iter("line") if each.get("class") == "gap"]
    assert "no namespaces &amp; no root" in text


def test_the_table_has_every_figure_and_every_reason() -> None:
    """What was not run has none of the former."""
    console = Console(file=io.StringIO(), width=240)
    table.show(drawn().report, console)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "2.00 s" in text
    assert "not run" in text
    assert "4 → 8 → 3 workers: no namespaces & no root" in text


def test_the_report_survives_json() -> None:
    """As it was."""
    one = drawn().report
    assert msgspec.json.decode(msgspec.json.encode(one), type=Report) == one
