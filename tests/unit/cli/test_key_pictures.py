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
    FailureReport,
    Happening,
    KeyReport,
    ParkedReport,
    SentReport,
    ShardReport,
    Timeline,
    TimerReport,
    UnsentReport,
    WaitingReport,
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

WAITING = WaitingReport("0190aaaa-0000-7000-8000-00000000abcd", "shop.Pay", Content({"note": NOTE}), "orders/5", AT)
PARKED = ParkedReport(
    reason="retry",
    since=AT,
    due=AT + timedelta(seconds=70),
    failures=2,
    error="shop.RatesMissing",
    error_text="[bold]no rates for 2026-03",
    waiting=1_204,
    messages=[WAITING],
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


@WIDTHS
def test_a_parked_key_says_what_it_waits_for(width: int) -> None:
    """The attempts, the error as it is, when it goes on, since when it waits, and what is behind it."""
    text = drawn(key_picture(msgspec.structs.replace(KEY, parked=PARKED), AT + timedelta(seconds=60)), width)
    assert max(map(len, text.splitlines())) <= width
    for fact in (
        "its first message has failed 2 times, and is tried again at 2026-01-31 12:01:10.123Z, in 10.0 s",
        "since 2026-01-31 12:00:00.123Z",
        "shop.RatesMissing: [bold]no rates for 2026-03",
        "1,204 messages of it wait",
        "Pay …0000abcd",
        "and 1,203 more",
    ):
        assert fact in words(text)


@pytest.mark.parametrize(
    ("reason", "fact"),
    [("held", "a message of it is a dead letter: it waits for a person"), ("unread", "it waits for newer code")],
)
def test_a_key_that_does_not_go_on_by_itself_says_so(reason: str, fact: str) -> None:
    """Also one of which no message was ever applied: it was seen all the same."""
    parked = msgspec.structs.replace(PARKED, reason=reason, due=None, failures=0, waiting=1)
    text = words(drawn(key_picture(msgspec.structs.replace(KEY, state=None, version=0, parked=parked), AT), 140))
    assert fact in text
    assert "tried again" not in text
    assert "no message of it was applied yet" in text
    assert "1 message of it waits" in text


def test_what_was_parked_or_died_tells_its_attempts() -> None:
    """It has no version of its own, and has done nothing."""
    failure = FailureReport(1, AT, "shop.RatesMissing", "no rates")
    dead = msgspec.structs.replace(STEP, disposition="dead", sent=[], armed=[], cancelled=[], failures=[failure])
    tail = msgspec.structs.replace(STEP, disposition="parked", sent=[], armed=[], cancelled=[])
    text = drawn(timeline_picture(Timeline("orders", "o-1", [tail, dead]), 200), 200)
    assert "v1" not in text
    assert "waits behind what came before it" in words(text)
    assert "attempt 1 failed at 2026-01-31 12:00:00.123: shop.RatesMissing: no rates" in words(text)
    assert "sends nothing" not in text


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
