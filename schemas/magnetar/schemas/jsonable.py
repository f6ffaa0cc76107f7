"""Default values as the JSON that Avro writes them in, exact or refused."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args, get_origin
from uuid import UUID

import msgspec

from magnetar.schemas.contracts import Digits, Wire

if TYPE_CHECKING:
    from magnetar.schemas.shapes import Json

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
MILLISECOND: Final = timedelta(milliseconds=1)


def unscaled(value: Decimal, precision: int, scale: int) -> int:
    """Return a decimal as an integer of its smallest unit; ValueError where a digit would be lost."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        message = f"{value} is not a number"
        raise ValueError(message)  # noqa: TRY004 - the value is of the right type
    shift = exponent + scale
    if shift < 0:
        message = f"{value} has more than {scale} digits after the point"
        raise ValueError(message)
    number = int("".join(map(str, digits)) or "0") if len(digits) <= precision else None
    if number is None or (number and len(str(number)) + shift > precision):
        message = f"{value} has more than {precision} digits ({scale} after the point)"
        raise ValueError(message)
    number = number * 10**shift if number else 0
    return -number if sign else number


def unscaled_bytes(number: int) -> bytes:
    """Return the shortest two's-complement form, big end first, of at least one byte."""
    return number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)


def micros(value: datetime) -> int:
    """Return microseconds since 1970 UTC; ValueError for a datetime without time zone."""
    if value.tzinfo is None or value.utcoffset() is None:
        message = f"{value!r} has no time zone; use an aware datetime"
        raise ValueError(message)
    return (value - EPOCH) // MICROSECOND


def millis(value: datetime) -> int:
    """Return milliseconds since 1970 UTC; ValueError where microseconds would be lost."""
    whole, rest = divmod(micros(value), 1000)
    if rest:
        message = f"{value} is not a whole number of milliseconds"
        raise ValueError(message)
    return whole


def days(value: date) -> int:
    """Return days since 1970-01-01."""
    return value.toordinal() - EPOCH.toordinal()


def default_json(value: Any, hint: Any) -> Json:  # noqa: ANN401, C901, PLR0911 - any default
    """Return a field's default as Avro's JSON; ValueError says why there is none."""
    marks = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    bare = get_args(hint)[0] if marks else hint
    if value is None:
        return None
    if type(None) in get_args(bare):
        return default_json(value, next(inner for inner in get_args(bare) if inner is not type(None)))
    match value:
        case enum.Enum():
            return str(value.value)
        case str():
            return value.encode().decode()  # refuses a lone surrogate
        case bool() | int():
            return value
        case float():
            return _finite(value)
        case bytes():
            return value.decode("latin-1")
        case UUID():
            return str(value)
        case _:
            return _composite(value, bare, marks)


def _finite(value: float) -> Json:
    if not math.isfinite(value):
        message = "is not a finite number"
        raise ValueError(message)
    return value


def _composite(value: Any, bare: Any, marks: tuple[Any, ...]) -> Json:  # noqa: ANN401 - as default_json
    match value:
        case datetime():
            return millis(value) if Wire("timestamp-millis") in marks else micros(value)
        case date():
            return days(value)
        case Decimal():
            digits = next(mark for mark in marks if isinstance(mark, Digits))
            return unscaled_bytes(unscaled(value, digits.precision, digits.scale)).decode("latin-1")
        case tuple():
            return [default_json(item, get_args(bare)[0]) for item in value]
        case Mapping():
            return {str(key): default_json(item, get_args(bare)[1]) for key, item in value.items()}
        case msgspec.Struct():
            fields = msgspec.structs.fields(value)
            return {field.name: default_json(getattr(value, field.name), field.type) for field in fields}
        case _:
            message = "cannot be written as JSON"
            raise ValueError(message)
