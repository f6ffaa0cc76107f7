"""The shape of an application's own table, as the store makes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Name and columns as (name, kind, nullable); a kind is `text`, `integer`, `real` or `blob`."""

    name: str
    columns: tuple[tuple[str, str, bool], ...]
