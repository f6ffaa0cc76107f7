"""The pictures in the guide are drawn from the tables that run."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from magnetar.actors import ORDER_LIFECYCLE, PAYMENT_LIFECYCLE, STOCK_LIFECYCLE, mermaid
from magnetar.actors.charging import CHARGE_LIFECYCLE, REFUND_LIFECYCLE
from magnetar.actors.cli import app
from magnetar.actors.lifecycle import table
from tests.acceptance.pages import files_of, page, suite, written

if TYPE_CHECKING:
    from magnetar.actors import Lifecycle

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "the-shop.md"
LIVES: list[Lifecycle[Any, Any, Any, Any, Any]] = [
    ORDER_LIFECYCLE,
    STOCK_LIFECYCLE,
    PAYMENT_LIFECYCLE,
    CHARGE_LIFECYCLE,
    REFUND_LIFECYCLE,
]


def _drawn(life: Lifecycle[Any, Any, Any, Any, Any]) -> str:
    return f"\n```mermaid\n{mermaid(life)}```\n\n{table(life)}"


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_the_guide_shows_the_table_that_runs(life: Lifecycle[Any, Any, Any, Any, Any]) -> None:
    """Picture and table between the marks are those of the code (UPDATE_GUIDE=1 draws them anew)."""
    text = GUIDE.read_text(encoding="utf-8")
    marked = re.compile(rf"<!-- lifecycle {life.name} -->\n(.*?)<!-- end -->", re.DOTALL)
    if os.environ.get("UPDATE_GUIDE") == "1":
        drawn = f"<!-- lifecycle {life.name} -->\n{_drawn(life)}<!-- end -->"
        GUIDE.write_text(text := marked.sub(lambda _: drawn, text), encoding="utf-8")
    assert marked.findall(text) == [_drawn(life)]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.name)
def test_the_command_draws_the_same(life: Lifecycle[Any, Any, Any, Any, Any]) -> None:
    """`magnetar order lifecycle` prints the diagram, `--table` the table."""
    runner = CliRunner()
    assert runner.invoke(app, ["order", "lifecycle", life.name]).stdout == mermaid(life)
    assert runner.invoke(app, ["order", "lifecycle", life.name, "--table"]).stdout == table(life)


def test_the_command_draws_an_order_unless_told() -> None:
    """Orders are what most people look for."""
    assert CliRunner().invoke(app, ["order", "lifecycle"]).stdout == mermaid(ORDER_LIFECYCLE)


def test_every_outcome_is_explained_in_the_guide() -> None:
    """Each word that an operator may read stands in the guide's lists with a sentence of its own."""
    text = GUIDE.read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
    used = {transition.outcome.value for life in LIVES for _, _, transition in life.transitions()}
    assert used - listed == set()


def test_the_example_of_the_guide_passes(tmp_path: Path) -> None:
    """A reader who types it sees green."""
    done = suite(written(tmp_path, files_of(page("docs/guide/the-shop.md"))))
    assert "1 passed" in done.stdout, done.stdout
