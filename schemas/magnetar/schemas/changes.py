"""Changing values inside a tree of dicts and sequences, where they need it; None stands for nothing to change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Change: TypeAlias = Callable[[Any], Any]
"""Turns one part of a tree into another."""


def each(change: Change | None) -> Change | None:
    """Return the change of an array whose items change."""
    return None if change is None else lambda items: [change(item) for item in items]


def every(change: Change | None) -> Change | None:
    """Return the change of a map whose values change."""
    return None if change is None else lambda table: {key: change(value) for key, value in table.items()}


def unless_none(change: Change | None) -> Change | None:
    """Return the change of a value that may be None."""
    return None if change is None else lambda value: None if value is None else change(value)


def fieldwise(found: Sequence[tuple[str, Change | None]]) -> Change | None:
    """Return the change of a record (a dict, in place) some of whose fields change."""
    changes = tuple((name, change) for name, change in found if change is not None)

    def apply(record: dict[str, Any]) -> dict[str, Any]:
        for name, change in changes:
            record[name] = change(record[name])
        return record

    return apply if changes else None
