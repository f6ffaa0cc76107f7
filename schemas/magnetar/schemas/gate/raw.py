"""Raw values of a schema to bytes and back, by fastavro: what no type of ours has touched.

A raw value is what Avro writes: an instant is its long, a decimal its bytes, an enum its symbol. Of a union with
several records a value is (full name, record).
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import fastavro

if TYPE_CHECKING:
    from magnetar.schemas.shapes import Json

MOST_PARSED: Final = 4096
"""Parsed schemas of so many texts are kept."""

MOST_READ: Final = 4096
"""So many values are kept, each with its bytes and two schemas: the gate reads most of its samples more than once."""

MOST_RESTATED: Final = 16_384
"""So many restated samples are kept: the gate restates most of them, and the rehearsal after it asks for the same."""

LOGICAL: Final = frozenset({"logicalType", "precision", "scale"})


class Unreadable(Exception):
    """Bytes, or a pair of schemas, that fastavro cannot read; the message says why."""


def write(text: str, value: object) -> bytes:
    """Return the bytes of a raw value under a schema (its JSON text)."""
    stream = BytesIO()
    fastavro.schemaless_writer(stream, _parsed(text), value, strict_allow_default=True)
    return stream.getvalue()


@lru_cache(maxsize=MOST_READ)
def read(data: bytes, writer: str, reader: str | None = None) -> Any:  # noqa: ANN401 - a raw value
    """Return the raw value in bytes, as the reader's schema has it; all who ask get the same. Raises `Unreadable`."""
    stream = BytesIO(data)
    try:
        value = fastavro.schemaless_reader(
            stream,
            _parsed(writer),
            None if reader is None or reader == writer else _parsed(reader),
            return_record_name=True,
            return_record_name_override=True,
        )
    except Exception as error:  # it raises whatever its reading stumbles over
        raise Unreadable(f"{type(error).__name__}: {error}") from error
    if stream.read(1):
        raise Unreadable("bytes are left after the value")
    return value


@lru_cache(maxsize=MOST_RESTATED)
def restated(data: bytes, writer: str, reader: str) -> bytes:
    """Return the bytes in which the reader's schema writes what is in bytes of the writer's. Raises `Unreadable`."""
    return data if writer == reader else write(reader, read(data, writer, reader))


def jsonable(value: Any) -> Json:  # noqa: ANN401 - a raw value
    """Return a raw value as JSON: bytes as code points up to 255, as Avro writes them."""
    match value:
        case bytes():
            return value.decode("latin-1")
        case dict():
            return {str(key): jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(type(value))


@lru_cache(maxsize=MOST_PARSED)
def _parsed(text: str) -> Any:  # noqa: ANN401 - fastavro's own form
    parsed = fastavro.parse_schema(_plain(json.loads(text)))
    _mend(parsed)
    return parsed


def _plain(schema: Any) -> Any:  # noqa: ANN401 - JSON of a schema
    """The schema without its logical types: values come and go as they are on the wire."""
    match schema:
        case dict():
            inner = {key: each for key, each in schema.items() if key not in LOGICAL}
            for key in ("type", "items", "values"):
                if key in inner:
                    inner[key] = _plain(inner[key])
            if "fields" in inner:
                inner["fields"] = [_plain(each) for each in inner["fields"]]
            return inner
        case list():
            return [_plain(each) for each in schema]
        case _:
            return schema


def _mend(schema: Any) -> None:  # noqa: ANN401 - fastavro's own form
    """Make the defaults of bytes what fastavro has to hand out: it takes the text that stands for them."""
    match schema:
        case {"fields": fields}:
            for each in fields:
                _mend(each["type"])
                if "default" in each:
                    each["default"] = _default(each["type"], each["default"])
        case {"items": inner} | {"values": inner}:
            _mend(inner)
        case list():
            for each in schema:
                _mend(each)
        case _:
            pass


def _default(schema: Any, value: Any) -> Any:  # noqa: ANN401 - JSON of a schema, and of a value
    """A field's default with its bytes as bytes."""
    match schema:
        case [first, *_]:
            return _default(first, value)
        case "bytes" | {"type": "bytes" | "fixed"}:
            return value.encode("latin-1")
        case {"type": "array", "items": items}:
            return [_default(items, each) for each in value]
        case {"type": "map", "values": values}:
            return {key: _default(values, each) for key, each in value.items()}
        case {"type": "record", "fields": fields}:
            kinds = {each["name"]: each["type"] for each in fields}
            return {key: _default(kinds[key], each) for key, each in value.items() if key in kinds}
        case _:
            return value
