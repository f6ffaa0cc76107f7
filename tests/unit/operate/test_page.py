"""The page about the doctor has a line for each check, in the words of the code."""

from __future__ import annotations

from magnetar.runtime.operate.doctor import CATALOGUE
from tests.acceptance.pages import page, tables_of


def test_the_table_of_checks_is_the_catalogue() -> None:
    """Whoever changes a check changes its line."""
    rows = [row for row in tables_of(page("docs/operations/doctor.md")) if len(row) == 6 and row[0] != "check"]
    assert rows == [
        [f"`{check.id}`", check.looks_at, check.wanted, check.why, check.rule, check.todo] for check in CATALOGUE
    ]


def test_every_rule_of_a_check_is_one_of_the_protocol() -> None:
    """R1 to R32."""
    assert {check.rule for check in CATALOGUE} <= {f"R{number}" for number in range(1, 33)}
