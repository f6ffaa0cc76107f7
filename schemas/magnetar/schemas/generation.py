"""The committed `.avsc` files: written from the types, and compared with them so that CI sees a drift."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from magnetar.schemas.derivation import schema_of, topic_schema
from magnetar.schemas.errors import ContractInvalid

if TYPE_CHECKING:
    from pathlib import Path

    import msgspec

    from magnetar.schemas.contracts import Message
    from magnetar.schemas.schema import Schema

TOPIC_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Contracts:
    """What an application's contracts are.

    `bodies` are all its messages, states and timers; `topics` says which messages, in the order of the union, each
    topic carries; `namespace` is that of the topics' own records.
    """

    namespace: str
    bodies: Sequence[type[msgspec.Struct]]
    topics: Mapping[str, Sequence[type[Message]]]

    def schemas(self) -> dict[str, Schema]:
        """Return every schema by the relative path of its file, or raise ContractInvalid."""
        for topic in self.topics:
            if not TOPIC_NAME.fullmatch(topic):
                raise ContractInvalid(f"topic {topic!r}", ["a file is named after it; use letters, digits, _ . and -"])
        bodies = [schema_of(cls) for cls in self.bodies]
        named = {f"{schema.name}.avsc": schema for schema in bodies}
        if len(named) != len(set(self.bodies)):
            raise ContractInvalid("the contracts", [f"{name} is the name of several types" for name in _twice(bodies)])
        topics = {
            f"topics/{topic}.avsc": topic_schema(topic, self.namespace, types) for topic, types in self.topics.items()
        }
        return {**named, **topics}


def generate(contracts: Contracts, directory: Path) -> list[Path]:
    """Write every schema's file where it differs from the types, and return the paths that were written.

    Files that no type stands behind are left alone; `drift` names them.
    """
    written: list[Path] = []
    for name, text in _texts(contracts).items():
        path = directory / name
        if _read(path) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    return written


def drift(contracts: Contracts, directory: Path) -> list[str]:
    """Return one line for each file that is missing, differs from its type, or has no type; empty when all is well."""
    texts = _texts(contracts)
    lines = [_difference(name, text, _read(directory / name)) for name, text in texts.items()]
    present = sorted(path.relative_to(directory).as_posix() for path in _present(directory))
    stale = [f"{name}: no contract stands behind it; remove the file" for name in present if name not in texts]
    return [line for line in lines if line] + stale


def pretty(schema: Schema) -> str:
    """Return a schema as its file holds it: indented, in a stable order, with a newline at the end."""
    return json.dumps(json.loads(schema.text), indent=2, ensure_ascii=False) + "\n"


def _texts(contracts: Contracts) -> dict[str, str]:
    return {name: pretty(schema) for name, schema in contracts.schemas().items()}


def _difference(name: str, text: str, found: str | None) -> str:
    if found == text:
        return ""
    return f"{name}: is missing; generate it" if found is None else f"{name}: differs from its type; generate it anew"


def _read(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", errors="replace") if path.is_file() else None


def _present(directory: Path) -> list[Path]:
    return [*directory.glob("*.avsc"), *directory.glob("topics/*.avsc")]


def _twice(schemas: Sequence[Schema]) -> list[str]:
    names = [schema.name for schema in schemas]
    return sorted({name for name in names if names.count(name) > 1})
