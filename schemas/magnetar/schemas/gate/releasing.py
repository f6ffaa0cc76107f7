"""Freezing: the working version becomes the next release, file by file, and the release's own file last of all.

Until that last file is there nothing was released: what an interrupted run has left is named by the gate as listed by
no release, and the next run writes over it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.schemas.codec import Kept
from magnetar.schemas.errors import DecodeFailed
from magnetar.schemas.gate import raw
from magnetar.schemas.gate.registry import (
    RELEASED,
    Pin,
    Registry,
    Release,
    Sample,
    digest,
    files_of,
    release_file,
    rendered,
)
from magnetar.schemas.gate.sampling import samples
from magnetar.schemas.schema import Schema

if TYPE_CHECKING:
    from magnetar.schemas.gate.working import Contract, Working


@dataclass(frozen=True, slots=True)
class Plan:
    """A release that could be made: it, the files of its new versions, and the contracts that these are of."""

    release: Release
    files: Mapping[str, bytes]
    fresh: tuple[str, ...]


def plan(registry: Registry, working: Working, made: str, reason: str, label: str = "") -> Plan | None:
    """Return the next release, or None where nothing has changed since the last. `made` is an instant as text."""
    last = registry.releases[-1] if registry.releases else None
    files: dict[str, bytes] = {}
    pins: dict[str, Pin] = {}
    for name, contract in sorted(working.contracts.items()):
        pins[name], new = _pinned(registry, contract)
        files |= new
    sends = {topic: tuple(sorted(names)) for topic, names in sorted(working.sends.items())}
    actors = dict(sorted(working.actors.items()))
    now = pins, sends, working.generation, actors
    if last and (last.contracts, last.sends, last.generation, last.actors) == now:
        return None
    number = last.release + 1 if last else 1
    previous = digest(rendered(last).encode()) if last else ""
    release = Release(number, label, made, reason, working.generation, previous, pins, sends, actors)
    fresh = tuple(name for name, pin in pins.items() if files_of(name, pin.version)[0] in files)
    return Plan(release, files, fresh)


def publish(planned: Plan, directory: Path) -> None:
    """Write a release below a folder of schema files; a file is whole or not there, and the release's own is last."""
    folder = directory / RELEASED
    for name, data in planned.files.items():
        _write(folder / name, data)
    _write(folder / release_file(planned.release.release), rendered(planned.release).encode())


def golden(contract: Contract) -> tuple[Sample, ...]:
    """Sample bytes of a contract: the least, full and largest values that its type takes; of a state the default."""
    schema = Schema.parse(contract.text)
    found = [raw.write(contract.text, value) for value in samples(schema.shape)]
    taken = [data for data in found if _takes(contract, data, schema)]
    if contract.initial is not None and contract.codec is not None:
        taken.append(contract.codec.encode(contract.initial))
    return tuple(Sample(data.hex(), raw.jsonable(raw.read(data, contract.text))) for data in dict.fromkeys(taken))


def _pinned(registry: Registry, contract: Contract) -> tuple[Pin, dict[str, bytes]]:
    newest = registry.newest(contract.name)
    if newest is not None and newest.text == contract.text:
        return newest.release.contracts[contract.name], {}
    number = newest.number + 1 if newest else 1
    schema, samples_ = contract.text.encode(), _rendered(golden(contract)).encode()
    files = dict(zip(files_of(contract.name, number), (schema, samples_), strict=True))
    fingerprint = Schema.parse(contract.text).fingerprint
    return Pin(contract.kind, number, fingerprint, digest(schema), digest(samples_)), files


def _rendered(found: tuple[Sample, ...]) -> str:
    lines = [json.dumps({"bytes": each.bytes, "value": each.value}, ensure_ascii=False) for each in found]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _takes(contract: Contract, data: bytes, schema: Schema) -> bool:
    """Whether the type takes a sample: it may have checks of its own, which no schema tells of."""
    if contract.codec is None:
        return True
    try:
        contract.codec.decode(data, schema, Kept(contract.name, "sample"))
    except DecodeFailed:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
