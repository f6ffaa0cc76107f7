"""The pictures of a key hold every fact, fit their terminal, and read aloud well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING

import msgspec
import pytest
from rich.console import Console

from magnetar.runtime.cli.key_pictures import key_picture, timeline_picture
from magnetar.runtime.operate.decoding import Content
from magnetar.runtime.operate.keys import (
    ArmedReport,
    Happening,
    KeyReport,
    SentReport,
    ShardReport,
    Timeline,
    TimerReport,
    UnsentReport,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

AT = datetime(2026, 1, 31, 12, 0, 0, 123_000, tzinfo=UTC)
NOTE = "x" * 200
WIDTHS = pytest.mark.parametrize("width", [140, 70, 40])

KEY = KeyReport(
    actor="orders",
    key="o-1",
    version=3,
    state=Content({"status": "paid", "lines": [{"sku": "s-1", "quantity": 1}]}),
    schema="f" * 32,
    changed_at=AT,
    shard=ShardReport("orders/5", "host:42", 4, 17),
    timers=[TimerReport("Overdue", "shop.Overdue", AT + timedelta(minutes=30), Content({}))],
    unsent=[UnsentReport(9, "shop.Reserve", "0190-abcdefgh", "stock/3", "s-1", "0190-cause")],
)
STEP = Happening(
    message_id="0190aaaa-0000-7000-8000-00000000abcd",
    type="shop.Place",
    disposition="applied",
    version=1,
    content=Content({"order_id": "o-1", "note": NOTE}),
    source="orders/5",
    position="3:14:-1",
    correlation_id="c",
    causation_id="0190aaaa-0000-7000-8000-00000000eeee",
    occurred_at=AT,
    published_at=AT,
    handled_at=AT + timedelta(milliseconds=12),
    code="1.0",
    sent=[SentReport("shop.Reserve", "0190-abcdefgh", "stock", "s-1", unsent=True)],
    armed=[ArmedReport("Overdue", AT + timedelta(minutes=30))],
    cancelled=["Reminder"],
)


def drawn(picture: RenderableType, width: int) -> str:
    """What a terminal of this width shows, without colours."""
    out = StringIO()
    Console(file=out, width=width, highlight=False, markup=False).print(picture)
    return out.getvalue()


def words(text: str) -> str:
    """The text on one line, as it is read."""
    return " ".join(text.split())


@WIDTHS
def test_a_key_fits_and_tells_everything(width: int) -> None:
    """No line is wider than the terminal, and no fact is cut off."""
    text = drawn(key_picture(KEY, AT + timedelta(minutes=1)), width)
    assert max(map(len, text.splitlines())) <= width
    for fact in (
        "orders/o-1 version 3",
        '"paid"',
        "Overdue due",
        "in 29 min",
        "Reserve to stock/3",
        "host:42",
        "epoch 4",
    ):
        assert fact in words(text)


@WIDTHS
def test_a_timeline_fits_and_tells_everything(width: int) -> None:
    """Wide and narrow: the same facts."""
    text = drawn(timeline_picture(Timeline("orders", "o-1", [STEP]), width), width)
    assert max(map(len, text.splitlines())) <= width
    for fact in ("Place", "v1", "12:00:00.135", "12 ms", "0000abcd", "Reserve", "Overdue", "Reminder", "unsent"):
        assert fact in words(text)
    assert sum(word.count("x") for word in text.split() if not word.strip('x"')) == len(NOTE)


def test_what_was_not_applied_stands_out() -> None:
    """Only the usual disposition goes without saying."""
    rehomed = msgspec.structs.replace(STEP, disposition="re-homed", version=0)
    text = drawn(timeline_picture(Timeline("orders", "o-1", [STEP, rehomed]), 140), 140)
    assert "applied" not in text
    assert "Place  re-homed" in text


def test_what_cannot_be_read_says_why() -> None:
    """In place of the content."""
    broken = msgspec.structs.replace(STEP, content=Content(None, "3 bytes are left"))
    assert "cannot be read: 3 bytes are left" in drawn(timeline_picture(Timeline("orders", "o-1", [broken]), 140), 140)


def test_a_key_never_seen_is_said_to_be() -> None:
    """It has neither state nor timers to show."""
    text = drawn(key_picture(msgspec.structs.replace(KEY, state=None, version=0), AT), 140)
    assert "orders/o-1 was never seen" in text
    assert "timers" not in text
    assert "was never seen" in drawn(timeline_picture(Timeline("orders", "o-1", []), 140), 140)


def test_what_is_left_out_is_said() -> None:
    """Earlier messages are counted, and missing later ones are warned of."""
    text = drawn(timeline_picture(Timeline("orders", "o-1", [STEP], earlier=1_234, incomplete=True), 140), 140)
    assert "1,234 earlier messages not shown" in text
    assert "the latest are not here" in text


def test_a_huge_value_is_cut_and_says_so() -> None:
    """One field must not fill the screen; `--json` has all of it."""
    text = drawn(key_picture(msgspec.structs.replace(KEY, state=Content({"note": "y" * 9_000})), AT), 140)
    assert "5,002 characters more" in words(text)


def test_text_is_shown_as_it_is() -> None:
    """What looks like markup in somebody's order is no markup."""
    text = drawn(key_picture(msgspec.structs.replace(KEY, state=Content({"note": "[bold]x[/bold] :smile:"})), AT), 140)
    assert "[bold]x[/bold] :smile:" in text
