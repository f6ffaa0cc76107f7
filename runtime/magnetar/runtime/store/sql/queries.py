"""Named queries: one `.sql` file a dialect, each query under a line `-- name: what_it_is`."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEADING = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def parse(text: str) -> Mapping[str, str]:
    """The queries of a file's text by name; `ValueError` when a name stands twice."""
    _, *parts = _HEADING.split(text)
    names, bodies = parts[::2], parts[1::2]
    if twice := {name for name in names if names.count(name) > 1}:
        message = f"queries named twice: {', '.join(sorted(twice))}"
        raise ValueError(message)
    return MappingProxyType({name: body.strip().rstrip(";") for name, body in zip(names, bodies, strict=True)})


@cache
def queries(dialect: str) -> Mapping[str, str]:
    """The queries of a dialect (`sqlite`), read once: stores are opened thousands of times in a simulation."""
    return parse(files("magnetar.runtime.store.sql").joinpath(f"{dialect}.sql").read_text(encoding="utf-8"))
