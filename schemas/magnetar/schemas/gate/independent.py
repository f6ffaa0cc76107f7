"""The Avro project's own checker, as a second opinion on every pair of versions. The only module that imports it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import AvroException
from avro.schema import parse as parse_avro

if TYPE_CHECKING:
    from avro.schema import Schema as AvroSchema

MOST_PARSED = 4096
"""Parsed schemas of so many texts are kept."""


def refusal(reader: str, writer: str) -> str | None:
    """Why Avro's rules do not let one schema read what another wrote (both as JSON texts); None where they do."""
    try:
        checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
        found = checker.get_compatibility(_parsed(reader), _parsed(writer))
    except AvroException as error:
        return f"the avro package cannot read it: {error}"
    if found.compatibility is SchemaCompatibilityType.compatible:
        return None
    places = ", ".join(sorted(found.locations))
    return f"{'; '.join(sorted(found.messages))} (at {places})"


def unread(text: str) -> str | None:
    """Why the package does not take a schema at all (a JSON text); None where it takes it."""
    try:
        _parsed(text)
    except AvroException as error:
        return f"the avro package cannot read it: {error}"
    return None


@lru_cache(maxsize=MOST_PARSED)
def without(text: str, names: frozenset[str]) -> str:
    """A topic's schema with nothing inside the messages named: they are contracts of their own, asked about apart."""
    schema = json.loads(text)
    body = schema["fields"][0]
    body["type"] = [_hollow(each, names) for each in body["type"]]
    return json.dumps(schema)


def _hollow(branch: Any, names: frozenset[str]) -> Any:  # noqa: ANN401 - JSON of a schema
    if not isinstance(branch, dict) or f"{branch.get('namespace')}.{branch.get('name')}" not in names:
        return branch
    return {**branch, "fields": []}


@lru_cache(maxsize=MOST_PARSED)
def _parsed(text: str) -> AvroSchema:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a logical type it does not know is ours to judge
        return parse_avro(text)
