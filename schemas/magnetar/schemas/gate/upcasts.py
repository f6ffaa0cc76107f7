"""How many declared upcasts lead to what a schema describes, and whether two schemas differ in that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.schemas.shapes import Record

if TYPE_CHECKING:
    from magnetar.schemas.schema import Schema


def is_lifted(then: Schema, now: Schema) -> bool:
    """Whether anything in it (of a topic: any message) is read through upcasts, or has more of them than now."""
    one, other = _counts(then), _counts(now)
    return any(other.get(name, count) != count for name, count in one.items())


def _counts(schema: Schema) -> dict[str, int]:
    return {name: node.upcasts for name, node in schema.shape.names.items() if isinstance(node, Record)}
