"""Forward-only migrations: numbered `.sql` files, each applied once in a transaction of its own, its checksum kept.

`0007_pre_requests.sql` runs before the code that needs it, `0008_post_requests.sql` after the last worker of the code
that still needed the old layout is gone. So a `pre` migration that this code does not know is harmless: newer code is
being rolled out, or was rolled back. After an unknown `post` one the store is not this code's any more: it is refused,
as is one whose applied files were edited since.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, Protocol

from magnetar.runtime.store.port import StoreMismatch, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FILE = re.compile(r"(?P<number>\d{4})_(?P<phase>pre|post)_(?P<name>[a-z0-9_]+)\.sql")


class Phase(StrEnum):
    """When a migration runs: before the new code starts, or after the old code is gone."""

    PRE = "pre"
    POST = "post"


BOTH_PHASES = frozenset(Phase)


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    phase: Phase
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class Applied(NamedTuple):
    """A migration that a database has, as it was when it ran."""

    phase: str
    checksum: str


class Ledger(Protocol):
    """Where a database keeps which migrations it has."""

    def applied(self) -> Mapping[int, Applied]:
        """By number; empty for a database that has never been migrated."""
        ...

    def apply(self, migration: Migration) -> None:
        """Run it and note it, in one transaction; nothing when another process was faster."""
        ...


def migration_in(filename: str, text: str) -> Migration:
    """The migration in a file of that name; `ValueError` when the name does not say number, phase and purpose."""
    match = _FILE.fullmatch(filename)
    if match is None:
        message = f"{filename!r} is not named NNNN_pre_what.sql or NNNN_post_what.sql"
        raise ValueError(message)
    return Migration(int(match["number"]), Phase(match["phase"]), match["name"], text)


@cache
def migrations(dialect: str) -> tuple[Migration, ...]:
    """All migrations of a dialect in their order, read once."""
    folder = files("magnetar.runtime.store.sql").joinpath("migrations", dialect)
    found = [migration_in(file.name, file.read_text(encoding="utf-8")) for file in folder.iterdir()]
    return tuple(sorted(found, key=lambda each: each.number))


def missing(applied: Mapping[int, Applied], known: Sequence[Migration]) -> list[Migration]:
    """The migrations that the database lacks.

    `StoreMismatch` when it went past this code (an unknown `post` migration), or a file was edited.
    """
    checksums = {each.number: each.checksum for each in known}
    for number, (phase, checksum) in sorted(applied.items()):
        if number not in checksums and phase == Phase.PRE:
            continue
        if number not in checksums:
            message = f"the store has migration {number:04}, which ended its use by this version: run the newer version"
            raise StoreMismatch(message)
        if checksums[number] != checksum:
            message = f"migration {number:04} is not the one the store was made with: restore the released file"
            raise StoreMismatch(message)
    return [each for each in known if each.number not in applied]


def check_readable(applied: Mapping[int, Applied], known: Sequence[Migration], place: str) -> None:
    """`StoreUnavailable` for what is no store, `StoreMismatch` as `missing` says; one that lacks some may be read."""
    missing(applied, known)
    if not applied:
        message = f"{place} is no store: no worker has ever started on it"
        raise StoreUnavailable(message)


def migrate(ledger: Ledger, known: Sequence[Migration], phases: frozenset[Phase]) -> None:
    """Bring the database up to date. `StoreMismatch` as `missing` says; a failure leaves finished steps in place."""
    for each in missing(ledger.applied(), known):
        if each.phase in phases:
            ledger.apply(each)
