"""A value that does not fit its contract is refused with the path; nothing is rounded, cut or guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from typing import Any

import pytest

from magnetar.schemas import EncodeFailed, Record, codec_for, replace, topic_codec
from magnetar.schemas.codec import MOST_BYTES
from magnetar.schemas.inspection import MOST_DEPTH
from tests.unit.schemas.shop import MESSAGES, PAID, From, Line, Order, Overdue, Paid, Place, Tree

HERE = From()


class SpecialLine(Line):
    """A line that knows more than its contract."""

    gift: bool = False


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"order_id": 5}, "$.order_id", "Expected `str`"),
        ({"text": None}, "$.text", "Expected `str`"),
        ({"text": "\ud800"}, "$.text", "surrogates"),
        ({"flag": 1}, "$.flag", "Expected `bool`"),
        ({"number": True}, "$.number", "Expected `int`"),
        ({"number": 1.0}, "$.number", "Expected `int`"),
        ({"number": 2**63}, "$.number", "more than 64 bits"),
        ({"number": -(2**63) - 1}, "$.number", "more than 64 bits"),
        ({"number": 2**80}, "$.number", "more than 64 bits"),
        ({"small": 2**31}, "$.small", "more than 32 bits"),
        ({"real": float("nan")}, "$.real", "NaN"),
        ({"single": 0.1}, "$.single", "exactly in 32 bits"),
        ({"single": 1e300}, "$.single", "32 bits"),
        ({"single": float("nan")}, "$.single", "NaN"),
        ({"raw": "text"}, "$.raw", "Expected `bytes`"),
        ({"at": datetime(2026, 1, 1)}, "$.at", "has no time zone"),  # noqa: DTZ001 - the point
        ({"at": 5}, "$.at", "Expected `datetime`"),
        ({"maybe_at": datetime(2026, 1, 1)}, "$.maybe_at", "has no time zone"),  # noqa: DTZ001 - the point
        ({"then": datetime(2026, 1, 1, microsecond=1, tzinfo=UTC)}, "$.then", "whole number of milliseconds"),
        ({"reference": "12345678-1234-5678-1234-567812345678"}, "$.reference", "Expected `uuid`"),
        ({"amount": Decimal("1.234")}, "$.amount", "more than 2 digits after the point"),
        ({"amount": Decimal("1.230")}, "$.amount", "more than 2 digits after the point"),
        ({"amount": Decimal("12345678901.00")}, "$.amount", "more than 12 digits"),
        ({"amount": Decimal("1E+999999")}, "$.amount", "more than 12 digits"),
        ({"amount": Decimal("1" * 5000)}, "$.amount", "more than 12 digits"),
        ({"amount": Decimal("NaN")}, "$.amount", "not a number"),
        ({"amount": Decimal("Infinity")}, "$.amount", "not a number"),
        ({"amount": 12.34}, "$.amount", "Expected `decimal`"),
        ({"amount": "12.34"}, "$.amount", "Expected `decimal`"),
        ({"status": "lost"}, "$.status", "Invalid enum value"),
        ({"tags": {"a": Decimal("0.001")}}, "$.tags[a]", "digits after the point"),
        ({"tags": {5: Decimal(1)}}, "$.tags", "Expected `str`"),
        ({"counts": ((1, 2**63),)}, "$.counts[0][1]", "more than 64 bits"),
        ({"counts": 5}, "$.counts", "Expected `array`"),
        ({"maybe_line": Line(sku="s", price=Decimal("0.001"))}, "$.maybe_line.price", "digits after the point"),
        ({"maybe_lines": (Line(sku="s"), replace(Line(sku=""), sku=5))}, "$.maybe_lines[1].sku", "Expected `str`"),
        ({"maybe_line": SpecialLine(sku="s")}, "$.maybe_line.gift", "is no field of the contract"),
        ({"text": object()}, "$.text", "unsupported"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_path(change: Mapping[str, Any], path: str, reason: str) -> None:
    """The error names the field and says what is wrong with it."""
    with pytest.raises(EncodeFailed) as caught:
        codec_for(Paid).encode(replace(PAID, **change))
    assert (caught.value.type, caught.value.path) == ("shop.Paid", path)
    assert reason in caught.value.reason


def test_the_limits_themselves_are_written() -> None:
    """The largest and smallest of everything come back as they were."""
    at = datetime.max.replace(tzinfo=UTC)
    for value in (
        replace(PAID, number=2**63 - 1, small=-(2**31), amount=Decimal("9999999999.99"), real=float("inf"), at=at),
        replace(PAID, number=-(2**63), amount=Decimal("-9999999999.99"), at=datetime.min.replace(tzinfo=UTC)),
    ):
        codec = codec_for(Paid)
        assert codec.decode(codec.encode(value), codec.schema, HERE) == value


def test_a_decimal_with_fewer_digits_is_the_same_amount() -> None:
    """Writing 1.5 or 1E+3 with two digits after the point loses nothing; the bytes are those of 1.50 and 1000.00."""
    codec = codec_for(Paid)
    for written, read in (("1.5", "1.50"), ("1E+3", "1000.00"), ("0", "0.00"), ("-0", "0.00")):
        encoded = codec.encode(replace(PAID, amount=Decimal(written)))
        assert encoded == codec.encode(replace(PAID, amount=Decimal(read)))
        assert str(codec.decode(encoded, codec.schema, HERE).amount) == read


def test_a_threads_decimal_context_changes_nothing() -> None:
    """Neither way rounds, however low the precision that somebody else has set."""
    codec = codec_for(Paid)
    value = replace(PAID, amount=Decimal("1234567890.12"))
    with localcontext(prec=3):
        assert codec.decode(codec.encode(value), codec.schema, HERE) == value


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    """A time zone is not kept; the instant is, and it comes back in UTC."""
    codec = codec_for(Paid)
    zone = timezone(timedelta(hours=5, minutes=30))
    value = replace(PAID, at=datetime(2026, 1, 1, 12, tzinfo=zone))
    decoded = codec.decode(codec.encode(value), codec.schema, HERE)
    assert decoded.at == value.at
    assert decoded.at.tzinfo is not zone


def test_another_type_is_refused() -> None:
    """A codec writes its own type: no subclass, no stranger, no type that the topic does not carry."""
    with pytest.raises(EncodeFailed, match=r"shop\.Line at \$: is a SpecialLine"):
        codec_for(Line).encode(SpecialLine(sku="s"))
    stranger: Any = Order()
    with pytest.raises(EncodeFailed, match=r"Order is not one of the topic's types"):
        topic_codec("orders", "shop", MESSAGES).encode(stranger)


def test_a_message_names_its_own_type_in_a_topic() -> None:
    """The error's path leads from the message, not from the topic's record."""
    wrong: Any = 5
    with pytest.raises(EncodeFailed, match=r"shop\.Place at \$\.order_id"):
        topic_codec("orders", "shop", MESSAGES).encode(Place(order_id=wrong, lines=()))


def test_what_could_not_be_decoded_is_not_encoded() -> None:
    """The limits on size, number of values and depth hold both ways."""

    class Blob(Record):
        raw: bytes = b""
        numbers: tuple[int, ...] = ()

    deep = Tree()
    for _ in range(MOST_DEPTH + 1):
        deep = Tree(twin=deep)
    for value, reason in (
        (Blob(raw=b"x" * MOST_BYTES), "are more than"),
        (Blob(numbers=(1,) * 300_000), "does not fit"),
        (deep, "nested deeper"),
    ):
        with pytest.raises(EncodeFailed, match=reason):
            codec_for(type(value)).encode(value)


def test_a_timer_without_fields_is_its_index_alone() -> None:
    """The third type of the topic has no field: two zig-zagged is all that is written."""
    codec = topic_codec("orders", "shop", MESSAGES)
    assert codec.encode(Overdue()) == b"\x04"
    assert codec.decode(b"\x04", codec.schema, HERE) == Overdue()
