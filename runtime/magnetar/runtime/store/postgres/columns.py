"""Rows made into columns, each of them one array, and into the call that writes them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import SQL
from magnetar.runtime.store.postgres.packing import (
    blobs,
    integers,
    optional_blobs,
    optional_texts,
    texts,
    uuids,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

JOURNAL = (
    *(texts, uuids, texts, texts, texts, texts, texts, blobs, texts, texts, texts, texts),
    *(integers, integers, integers, texts, integers, blobs, texts, optional_blobs, optional_texts),
)
"""How each column of a `JournalRow` is packed."""


def packed(kinds: Sequence[Callable[..., bytes]], rows: Iterable[Sequence[object]]) -> tuple[bytes, ...]:
    """The columns of the rows, each packed as its kind."""
    return tuple(pack(values) for pack, values in zip(kinds, zip(*rows, strict=True), strict=True))


def call(
    table: str, name: str, kinds: Sequence[Callable[..., bytes]], rows: Sequence[Sequence[object]]
) -> Iterator[tuple[str, Call]]:
    """The named statement for these rows, with the name by which its conflict is looked up; nothing without rows."""
    if rows:
        yield table, Call(SQL[name], packed(kinds, rows))
