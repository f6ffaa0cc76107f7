"""The public names are a promise: they change on purpose, in a committed list, or not at all."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

PORTIONS = ("magnetar.runtime", "magnetar.schemas", "magnetar.actors", "magnetar.chaos")
COMMITTED = Path(__file__).with_name("public_names.txt")


def _public_names() -> list[str]:
    return [f"{portion}.{name}" for portion in PORTIONS for name in sorted(importlib.import_module(portion).__all__)]


def test_public_names_are_the_committed_ones() -> None:
    """`__all__` of every portion equals the list beside this file (UPDATE_PUBLIC_NAMES=1 writes it anew)."""
    names = _public_names()
    if os.environ.get("UPDATE_PUBLIC_NAMES") == "1":
        COMMITTED.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    assert names == COMMITTED.read_text(encoding="utf-8").splitlines()


def test_public_names_exist() -> None:
    """Every name in `__all__` is really there."""
    missing = [name for name in _public_names() if not _resolves(name)]
    assert missing == []


def _resolves(name: str) -> bool:
    portion, _, attribute = name.rpartition(".")
    return hasattr(importlib.import_module(portion), attribute)
