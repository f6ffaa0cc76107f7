"""Behaviour, not only shape: sample bytes of every released version are read by every later one, and written again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from magnetar.schemas.codec import Codec, Kept
from magnetar.schemas.errors import DecodeFailed, EncodeFailed
from magnetar.schemas.gate import raw
from magnetar.schemas.gate.agreeing import disagreement
from magnetar.schemas.gate.comparing import compare
from magnetar.schemas.gate.finding import WORKING
from magnetar.schemas.gate.likeness import alike
from magnetar.schemas.schema import Schema

if TYPE_CHECKING:
    from magnetar.schemas.gate.registry import Version
    from magnetar.schemas.gate.working import Contract

SHOWN = 40
"""So many hex digits of a sample are shown."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A sample of a version that a later one does not read, or reads as something else."""

    version: str
    later: str
    path: str
    reason: str


def broken_among(versions: Sequence[Version]) -> Iterator[Broken]:
    """Read every released version's samples as every later released version does, where that could go wrong.

    A pair with a change that was let pass when it was released is passed over here too. Versions that are `alike` were
    read when the later one was the working version, and nothing in either can have changed since.
    """
    for at, version in enumerate(versions):
        yield from _unfaithful(version)
        others = [later for later in versions[at + 1 :] if not alike(version.text, later.text)]
        for trial in trials(version) if others else ():
            for later in others:
                for each in trial.read_by(later.text, later.schema, str(later.number)):
                    if not any(known.new_readers for known in _known(version, later)):
                        yield each


@dataclass(frozen=True, slots=True)
class Now:
    """A released version's samples before the working version: read by its schema, and by its type.

    What the type reads it writes again (a state is loaded and saved), and that is compared too. `back`: also as the
    released version reads what was written. `resolved`: the type reads the very bytes, resolved by the codec; else it
    reads the value as the working schema writes it. `settled`: the working schema is that of the newest release, so
    whatever is `alike` has read what it writes when that release was made. (What a mode demands only since then is
    asked for with the next release.)
    """

    version: Version
    contract: Contract
    back: bool
    resolved: bool
    settled: bool = False

    def broken(self) -> Iterator[Broken]:
        """Yield whatever is not the same afterwards."""
        now = Schema.parse(self.contract.text)
        known = self.settled and alike(self.contract.text, self.version.text)
        for trial in trials(self.version):
            found = list(trial.read_by(self.contract.text, now, WORKING))
            yield from found
            if not found and self.contract.codec is not None:
                given = self._given(trial, now)
                yield from trial.taken_by(self.contract.codec, given, now, back=self.back, known=known)

    def _given(self, trial: Trial, now: Schema) -> tuple[bytes, Schema]:
        if self.resolved:
            return trial.data, self.version.schema
        return raw.restated(trial.data, self.version.text, self.contract.text), now


def trials(version: Version) -> Iterator[Trial]:
    """Return its samples; one that its own version does not read is told by `_unfaithful`."""
    for sample in version.golden:
        data = bytes.fromhex(sample.bytes)
        with suppress(raw.Unreadable):
            yield Trial(version, data, raw.read(data, version.text))


def _unfaithful(version: Version) -> Iterator[Broken]:
    """Samples that are not read any more as what they were when they were made."""
    for sample in version.golden:
        try:
            found = raw.jsonable(raw.read(bytes.fromhex(sample.bytes), version.text))
        except raw.Unreadable as error:
            found = str(error)
        if found != sample.value:
            reason = f"{_shown(sample.bytes)} is not read as it was when it was made"
            yield Broken(str(version.number), str(version.number), "$", reason)


def _known(version: Version, later: Version) -> Iterator[Any]:
    yield from compare(version.schema.shape, later.schema.shape).differences


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


@dataclass(frozen=True, slots=True)
class Trial:
    """One sample of one released version: its bytes, and the raw value in them."""

    version: Version
    data: bytes
    value: Any

    def read_by(self, text: str, schema: Schema, later: str) -> Iterator[Broken]:
        """Whether a later schema reads the same value."""
        try:
            found = raw.read(self.data, self.version.text, text)
        except raw.Unreadable as error:
            yield self._broken(later, "$", f"{self._shown} cannot be read: {error}")
            return
        path = disagreement(self.value, found, self.version.schema.shape, schema.shape)
        if path is not None:
            yield self._broken(later, path, f"{self._shown} is read as another value")

    def taken_by(
        self, codec: Codec[Any], given: tuple[bytes, Schema], now: Schema, *, back: bool, known: bool = False
    ) -> Iterator[Broken]:
        """Whether the type loads it (from these bytes of this schema) and saves the same value.

        `known`: these bytes of the newest schema, if it saves the very same, were looked at before.
        """
        origin = Kept(self.version.contract, "sample", str(self.version.number))
        try:
            saved = codec.encode(codec.decode(*given, origin))
        except (DecodeFailed, EncodeFailed) as error:
            yield self._broken(WORKING, error.path, f"its type does not take {self._shown}: {error.reason}")
            return
        if known and (saved, now) == given:
            return
        value = raw.read(saved, now.text)
        path = disagreement(self.value, value, self.version.schema.shape, now.shape)
        if path is not None:
            yield self._broken(WORKING, path, f"its type loads and saves {self._shown} as another value")
        if back:
            yield from self._back(saved, value, now.text, now)

    def _back(self, saved: bytes, value: object, text: str, now: Schema) -> Iterator[Broken]:
        try:
            found = raw.read(saved, text, self.version.text)
        except raw.Unreadable as error:
            yield self._broken(WORKING, "$", f"what its type saves cannot be read by that version: {error}")
            return
        path = disagreement(value, found, now.shape, self.version.schema.shape)
        if path is not None:
            yield self._broken(WORKING, path, "what its type saves is another value to that version")

    @property
    def _shown(self) -> str:
        return _shown(self.data.hex())

    def _broken(self, later: str, path: str, reason: str) -> Broken:
        return Broken(str(self.version.number), later, path, reason)
