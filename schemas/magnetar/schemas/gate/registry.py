"""The released versions on disk, and whether they are still what was released.

    avro/                           what `magnetar schema generate --out avro` writes: the working version
    avro/gate.toml                  what is settled per contract, with reasons (see `settings`)
    avro/released/0003.json         release 3: when, why, which version of which contract, each file's SHA-256
    avro/released/shop.Place/2.avsc          version 2 of a contract, byte for byte as its file was
    avro/released/shop.Place/2.golden.json   sample bytes of it, and what they say
    avro/released/topics/orders/1.avsc       version 1 of a topic

A contract gets a new version in a release only where its file has changed. Each release names the SHA-256 of the
release before it and carries a seal over itself, so a changed byte anywhere is seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from magnetar.schemas.errors import SchemaInvalid
from magnetar.schemas.gate.collecting import uncollected
from magnetar.schemas.gate.finding import Finding
from magnetar.schemas.schema import Schema

RELEASED: Final = "released"
TOPICS: Final = "topics/"
HARM: Final = "whoever trusts that what is released stays as it was"


class Pin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a release says of one contract: its version, and what that version's files are."""

    kind: str
    version: int
    fingerprint: str
    schema: str
    golden: str


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one actor has: its state; `apart`, whatever it takes that is on no topic; `asks`, what of that it makes.

    On no topic are timers, outcomes and effects.
    """

    state: str
    apart: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One release: when, why, and the version that each contract has in it.

    `generation` is the app's number of contracts (R16); `sends` are the messages that its code sends, by topic;
    `actors` are its actors by name, which the first releases do not tell.
    """

    release: int
    label: str
    made: str
    reason: str
    generation: int
    previous: str
    contracts: Mapping[str, Pin]
    sends: Mapping[str, tuple[str, ...]]
    actors: Mapping[str, Role] = {}


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes of a version, in hex, and the raw value that they are, as JSON."""

    bytes: str
    value: Any


@dataclass(frozen=True, slots=True)
class Version:
    """One released version of one contract. `release` is the one that made it."""

    contract: str
    number: int
    text: str
    schema: Schema
    golden: tuple[Sample, ...]
    release: Release


@dataclass(slots=True)
class Registry:
    """Every released version by contract, the oldest first, every release, and what is wrong with their files."""

    releases: list[Release] = field(default_factory=list)
    versions: dict[str, list[Version]] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)

    def newest(self, contract: str) -> Version | None:
        """The newest version of a contract, if it was ever released."""
        found = self.versions.get(contract)
        return found[-1] if found else None


@uncollected()
def load(directory: Path) -> Registry:
    """Return what was released below a folder of schema files; empty where nothing was. Problems are collected."""
    return Loading(directory / RELEASED).registry()


def files_of(contract: str, version: int) -> tuple[str, str]:
    """The names of a version's two files below `released`: its schema, its golden samples."""
    return f"{contract}/{version}.avsc", f"{contract}/{version}.golden.json"


def release_file(number: int) -> str:
    """The name of a release's file below `released`."""
    return f"{number:04d}.json"


def rendered(release: Release) -> str:
    """The text of a release's file; its last line but one is the seal over all above."""
    body = json.dumps(msgspec.to_builtins(release), indent=2, ensure_ascii=False)
    return json.dumps(json.loads(body) | {"seal": digest(body.encode())}, indent=2, ensure_ascii=False) + "\n"


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


class Loading:
    """Reads one folder of releases."""

    def __init__(self, folder: Path) -> None:
        """Take the folder `released`."""
        self._folder = folder
        self._registry = Registry()
        self._pins: dict[tuple[str, int], Pin] = {}
        self._listed: set[str] = set()

    def registry(self) -> Registry:
        """Read every release in order, then look for files that none of them lists."""
        present = {path.relative_to(self._folder).as_posix() for path in self._folder.rglob("*") if path.is_file()}
        previous = ""
        for number, name in enumerate(sorted(name for name in present if "/" not in name), start=1):
            previous = self._release(number, name, previous)
        for name in sorted(present - self._listed):
            self._problem(name, "no release lists this file; remove it, or restore the release that did")
        return self._registry

    def _problem(self, name: str, reason: str) -> None:
        contract = name.rpartition("/")[0] or "releases"
        file = f"{RELEASED}/{name}"
        self._registry.problems.append(Finding("released-file", contract, file, "$", reason, ("released",), HARM))

    def _release(self, number: int, name: str, previous: str) -> str:
        self._listed.add(name)
        data = (self._folder / name).read_bytes()
        try:
            release = _parsed(data)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
            self._problem(name, f"is no release: {error}")
            return digest(data)
        if rendered(release).encode() != data:
            self._problem(name, "was changed after it was made: its seal does not fit")
        elif name != release_file(number) or release.release != number or release.previous != previous:
            self._problem(name, "does not follow the release before it: one was removed, added or changed")
        self._registry.releases.append(release)
        for contract, pin in release.contracts.items():
            self._enter(contract, pin, release)
        return digest(data)

    def _enter(self, contract: str, pin: Pin, release: Release) -> None:
        known = self._pins.setdefault((contract, pin.version), pin)
        if known is not pin:
            if known != pin:
                self._problem(
                    release_file(release.release), f"says of version {pin.version} of {contract} what no other does"
                )
            return
        schema, golden = files_of(contract, pin.version)
        texts = self._text(schema, pin.schema), self._text(golden, pin.golden)
        if texts[0] is None or texts[1] is None:
            return
        try:
            version = Version(contract, pin.version, texts[0], Schema.parse(texts[0]), _samples(texts[1]), release)
        except (SchemaInvalid, msgspec.DecodeError) as error:
            self._problem(schema, f"cannot be read: {error}")
            return
        if version.schema.fingerprint != pin.fingerprint:
            self._problem(schema, f"has the fingerprint {version.schema.fingerprint}, pinned is {pin.fingerprint}")
        self._registry.versions.setdefault(contract, []).append(version)

    def _text(self, name: str, pinned: str) -> str | None:
        self._listed.add(name)
        path = self._folder / name
        data = path.read_bytes() if path.is_file() else None
        if data is None:
            self._problem(name, "is missing")
        elif digest(data) != pinned:
            self._problem(name, f"was changed after it was released: its SHA-256 is not {pinned[:12]}…")
        else:
            return data.decode()
        return None


def _parsed(data: bytes) -> Release:
    found = msgspec.json.decode(data, type=dict[str, Any])
    found.pop("seal", None)
    return msgspec.convert(found, Release)


def _samples(text: str) -> tuple[Sample, ...]:
    return msgspec.json.decode(text, type=tuple[Sample, ...])
