"""Pairs of versions that differ in nothing but fields that one of them lacks and a reader can do without.

Whatever reads the one's data as the other's has only to skip, and to fill in defaults: all that both have is of the
same type, to the last name inside. Twenty versions are 190 pairs, and nearly all of them are such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from magnetar.schemas.schema import Schema
from magnetar.schemas.shapes import Array, Enumeration, Fixed, Leaf, Named, Node, Record, Reference, Table, Union

MOST_OUTLINED: Final = 4096
"""Outlines of so many schemas are kept."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A schema laid flat: by place what is there, each named type once.

    `needed` are the records' fields without default, as (record, place).
    """

    root: str
    places: Mapping[str, str]
    needed: tuple[tuple[str, str], ...]
    aliased: bool


def alike(written: str, read: str) -> bool:
    """Whether reading one schema's data as another's only skips fields and fills in defaults (both as JSON texts).

    With an alias in either: no.
    """
    was, now = outline(written), outline(read)
    if was.aliased or now.aliased or was.root != now.root:
        return False
    if any(record in was.places and place not in was.places for record, place in now.needed):
        return False
    if was.places.items() <= now.places.items():
        return True
    return all(now.places.get(place, told) == told for place, told in was.places.items())


@lru_cache(maxsize=MOST_OUTLINED)
def outline(text: str) -> Outline:
    """Return the outline of a schema."""
    shape = Schema.parse(text).shape
    records = [each for each in shape.names.values() if isinstance(each, Record)]
    fields = [(_told(record), f"{record.name}.{each.name}", each) for record in records for each in record.fields]
    return Outline(
        _told(shape.root),
        dict(_named(shape.names)) | {place: _told(each.type) for _, place, each in fields},
        tuple((record, place) for record, place, each in fields if each.default is None),
        bool(shape.aliases) or any(each.aliases for _, _, each in fields),
    )


def _named(names: Mapping[str, Named]) -> Iterator[tuple[str, str]]:
    for name, each in names.items():
        match each:
            case Record():
                yield f"={name}", f"record after {each.upcasts} upcasts"
            case Enumeration():
                yield f"={name}", f"enum {','.join(each.symbols)} {each.default}"
            case Fixed():
                yield f"={name}", f"fixed {each.size} {each.logical}"


def _told(node: Node) -> str:
    match node:
        case Leaf():
            return str(node)
        case Array(items=inner):
            return f"array<{_told(inner)}>"
        case Table(values=inner):
            return f"map<{_told(inner)}>"
        case Union(branches=branches):
            return f"union<{','.join(map(_told, branches))}>"
        case Record() | Enumeration() | Fixed() | Reference():
            return f"={node.name}"
        case _:
            raise TypeError(node)
