"""An application's rows are checked before any database sees them, so that all databases refuse the same ones."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magnetar.runtime.store.port import AppRow, CommitRejected
from magnetar.runtime.store.sql.tables import check_row, check_table, table_name
from magnetar.runtime.table import Table

KINDS = {"text": str, "integer": int, "real": float, "blob": bytes}
VALUES: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(), st.binary(), st.just(object())
)


@given(value=VALUES, kind=st.sampled_from(sorted(KINDS)), nullable=st.booleans())
def test_a_value_fits_its_kind_or_is_rejected(value: object, kind: str, nullable: bool) -> None:  # noqa: FBT001
    """Exactly that type, within what a column holds; None where it may be empty; never NaN."""
    fits = nullable if value is None else type(value) is KINDS[kind]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        fits = False
    if isinstance(value, float) and math.isnan(value):
        fits = False
    table = Table("t", (("c", kind, nullable),))
    row = AppRow("t", "orders/0", b"id", 0, (value,))
    if fits:
        check_row(row, {"t": table})
    else:
        with pytest.raises(CommitRejected, match="table 't', column 'c'"):
            check_row(row, {"t": table})


@given(name=st.text(max_size=50))
def test_a_table_name_is_plain_or_refused(name: str) -> None:
    """What is let through needs no quotes in any SQL."""
    plain = name.isascii() and name.replace("_", "a").isalnum() and name == name.lower()
    plain = plain and name[0].isalpha() and len(name) <= 40
    if plain:
        assert table_name(name) == f"app_{name}"
    else:
        with pytest.raises(ValueError, match="table name"):
            table_name(name)


def test_all_that_is_wrong_with_a_table_is_told_at_once() -> None:
    """Three problems, one error."""
    with pytest.raises(ValueError, match=r"unknown kind.*'Amount'.*twice"):
        check_table(Table("t", (("a", "money", False), ("Amount", "text", True), ("a", "text", True))))
