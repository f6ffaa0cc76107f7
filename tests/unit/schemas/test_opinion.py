"""The first values of a schema are read and written by fastavro as well; where the two differ, nothing is believed."""

from __future__ import annotations

from typing import Any

import pytest

from magnetar.schemas import DecodeFailed, EncodeFailed, Record
from magnetar.schemas.codec import Pair, RecordCodec
from magnetar.schemas.opinion import FIRST
from tests.unit.schemas.shop import From

HERE = From()


class Transfer(Record):
    """Two amounts that a wrong codec could take for each other."""

    debit: int
    credit: int


def swapped(codec: RecordCodec[Transfer], monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that takes the second field for the first."""
    pair = codec.pair(codec.schema.fingerprint, codec.schema.shape.root, codec.schema.shape)
    assert isinstance(pair, Pair)
    read: Any = pair._read

    def wrong(data: bytes, at: int) -> tuple[dict[str, int], int]:
        tree, end = read(data, at)
        return {"debit": tree["credit"], "credit": tree["debit"]}, end

    monkeypatch.setattr(pair, "_read", wrong)


def wrongly_written(_: Transfer, prefix: bytes) -> bytes:
    """Debit 2 and credit 1, whatever was asked for."""
    return prefix + b"\x04\x02"


def test_a_wrong_reader_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads a value that fits the type, and yet no value comes out."""
    codec = RecordCodec(Transfer)
    swapped(codec, monkeypatch)
    with pytest.raises(DecodeFailed, match="differently by fastavro"):
        codec.decode(b"\x02\x04", codec.schema, HERE)
    with pytest.raises(DecodeFailed, match="differently by fastavro"):  # and again: it never gets used to it
        codec.decode(b"\x02\x04", codec.schema, HERE)


def test_a_wrong_writer_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes bytes that could be read, and yet no bytes come out."""
    codec = RecordCodec(Transfer)
    monkeypatch.setattr(codec, "_write", wrongly_written)
    with pytest.raises(EncodeFailed, match="differently by fastavro"):
        codec.encode(Transfer(debit=1, credit=2))


def test_only_the_first_values_are_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs nothing where a codec has proven itself; a fault that came later would not be found."""
    codec = RecordCodec(Transfer)
    for _ in range(FIRST):
        assert codec.decode(b"\x02\x04", codec.schema, HERE) == Transfer(debit=1, credit=2)
    swapped(codec, monkeypatch)
    assert codec.decode(b"\x02\x04", codec.schema, HERE) == Transfer(debit=2, credit=1)
