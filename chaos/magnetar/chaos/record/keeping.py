"""Writes a record to its folder, and reads it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from magnetar.chaos.history import History
from magnetar.chaos.record.shape import Point, Record, Sample, Tenure
from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

RECORD, POINTS, SAMPLES, OWNERS, HISTORY = (
    *("record.json", "points.jsonl", "samples.jsonl"),
    *("owners.jsonl", "history.jsonl"),
)
_T = TypeVar("_T", Point, Sample, Tenure)


class RecordDamaged(MagnetarError):
    """A folder has no record of a run, or not one of this version; the message names the file and what is wrong."""

    def __init__(self, path: Path, reason: str) -> None:
        """Which file, and why."""
        self.path = path
        super().__init__(f"{path} is no record of a run: {reason}; play the scenario again, or choose another folder")


@dataclass(frozen=True, slots=True)
class Kept:
    """All that a run left behind."""

    record: Record
    points: Sequence[Point]
    samples: Sequence[Sample]
    owners: Sequence[Tenure]
    history: History


def write(folder: Path, kept: Kept) -> None:
    """Leave it behind; the folder is made if need be. `record.json` comes last: where it is, all the rest is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RECORD).unlink(missing_ok=True)
    for name, some in ((POINTS, kept.points), (SAMPLES, kept.samples), (OWNERS, kept.owners)):
        (folder / name).write_bytes(_lines(map(msgspec.json.encode, some)))
    (folder / HISTORY).write_bytes(_lines(kept.history.lines()))
    unfinished = folder / f".{RECORD}"
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(kept.record)) + b"\n")
    unfinished.replace(folder / RECORD)


def read(folder: Path) -> Kept:
    """All of a run. Raises `RecordDamaged`."""
    record = read_record(folder)
    return Kept(
        record,
        _read_all(folder / POINTS, Point),
        _read_all(folder / SAMPLES, Sample),
        _read_all(folder / OWNERS, Tenure),
        _read_history(folder / HISTORY),
    )


def read_record(folder: Path) -> Record:
    """What is made of a run, without what it was made from. Raises `RecordDamaged`."""
    path = folder / RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError) as problem:
        raise RecordDamaged(path, str(problem)) from problem


def _lines(lines: Iterable[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _read_all(path: Path, kind: type[_T]) -> list[_T]:
    decode = msgspec.json.Decoder(kind).decode
    try:
        return [decode(line) for line in path.read_bytes().splitlines()]
    except (OSError, msgspec.DecodeError) as problem:
        raise RecordDamaged(path, str(problem)) from problem


def _read_history(path: Path) -> History:
    try:
        return History.read(path.read_bytes().splitlines())
    except (OSError, msgspec.DecodeError) as problem:
        raise RecordDamaged(path, str(problem)) from problem
