"""Whatever evolution the gate allows, no datum is lost or changed by it, whoever reads it."""

from __future__ import annotations

import sys
import types
from collections.abc import Generator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from magnetar.schemas import Kept, Schema, codec_for, gate
from magnetar.schemas.gate import raw
from magnetar.schemas.gate.agreeing import disagreement
from magnetar.schemas.importing import python_source
from magnetar.schemas.resolution import resolve
from tests.unit.schemas.gate.evolving import Maker, text_of

NAME = "shop.R"
RELEASE = gate.Release(1, "", "2026-01-01T00:00:00Z", "an evolution", 0, "", {}, {})
SEEDS = st.integers(0, 2**32)


class Evolution:
    """A contract that was changed some times, each time as the gate allowed; what it refused was not done."""

    def __init__(self, seed: int, changes: int) -> None:
        self.maker = Maker(seed)
        self.schemas = [self.maker.record()]
        self.refused = 0
        for _ in range(changes):
            candidate = self.maker.changed(self.schemas[-1])
            if self._allows(candidate):
                self.schemas.append(candidate)
            else:
                self.refused += 1
        self.texts = [text_of(schema) for schema in self.schemas]

    def _allows(self, candidate: Any) -> bool:
        versions = [
            gate.Version(NAME, number, text_of(schema), Schema.parse(text_of(schema)), (), RELEASE)
            for number, schema in enumerate(self.schemas, start=1)
        ]
        registry = gate.Registry([], {NAME: versions}, [])
        working = gate.Working({NAME: gate.Contract(NAME, "command", text_of(candidate))})
        return gate.check(registry, working, gate.Settings()) == []


def agreed(one: Any, other: Any, first: str, second: str) -> None:
    """Fail where two values of two versions differ in what both versions have."""
    assert disagreement(one, other, Schema.parse(first).shape, Schema.parse(second).shape) is None, (one, other)


@settings(max_examples=1000)
@given(SEEDS)
def test_every_datum_survives_what_the_gate_allows(seed: int) -> None:
    """Old data under the new reader and back, new data under the old one; equal in all that both know (1,000 times)."""
    evolution = Evolution(seed, changes=2)
    new = evolution.texts[-1]
    for schema, old in zip(evolution.schemas[:-1], evolution.texts[:-1], strict=True):
        value = raw.read(raw.write(old, evolution.maker.value(schema)), old)
        read = raw.read(raw.write(old, value), old, new)
        agreed(value, read, old, new)
        agreed(read, raw.read(raw.write(new, read), new, old), new, old)
        raw.read(raw.write(new, evolution.maker.value(evolution.schemas[-1])), new, old)
        one, other = Schema.parse(old).shape, Schema.parse(new).shape
        for writer, reader in ((one, other), (other, one)):
            resolve(writer.root, writer, reader.root, reader)  # Malformed where the codec would not read it


@settings(max_examples=60)
@given(SEEDS)
def test_the_types_of_both_versions_read_each_other(seed: int) -> None:
    """The same with the real codec, on types made from the two schemas."""
    evolution = Evolution(seed, changes=3)
    for (schema, old), (_, new) in pairwise(zip(evolution.schemas, evolution.texts, strict=True)):
        with type_of(old) as one, type_of(new) as other:
            before, after = codec_for(one), codec_for(other)
            data = raw.write(old, evolution.maker.value(schema))
            saved = after.encode(after.decode(data, before.schema, Kept("shop", "new")))
            back = before.encode(before.decode(saved, after.schema, Kept("shop", "old")))
        agreed(raw.read(data, old), raw.read(saved, new), old, new)
        agreed(raw.read(saved, new), raw.read(back, old), new, old)


def test_the_evolutions_are_worth_something() -> None:
    """Most of them change something, and the gate has much to refuse."""
    tried = [Evolution(seed, changes=2) for seed in range(100)]
    assert sum(len(each.schemas) > 1 for each in tried) >= 60
    assert sum(each.refused for each in tried) >= 60


@contextmanager
def type_of(text: str) -> Generator[type[Any]]:
    """The contract type of a schema, in a module of its own."""
    module = types.ModuleType(f"evolved_{Schema.parse(text).fingerprint}")
    sys.modules[module.__name__] = module
    try:
        exec(compile(python_source(text), module.__name__, "exec"), module.__dict__)
        yield module.__dict__[Schema.parse(text).name.rpartition(".")[2]]
    finally:
        sys.modules.pop(module.__name__, None)
