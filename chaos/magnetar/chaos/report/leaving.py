"""Reads the folders of runs, and leaves their reports in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.chaos.record.keeping import RECORD, RecordDamaged, read, read_record
from magnetar.chaos.report.junit import junit
from magnetar.chaos.report.marked import marked
from magnetar.chaos.report.overview import overview
from magnetar.chaos.report.page import page
from magnetar.chaos.report.suite import Played
from magnetar.chaos.report.summary import as_json, summary
from magnetar.runtime.errors import MagnetarError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE, SUITE, SUMMARY, TABLE, JUNIT = "report.html", "index.html", "summary.json", "summary.md", "junit.xml"


class NoRun(MagnetarError):
    """A folder holds no run, nor folders of runs."""

    def __init__(self, folder: Path) -> None:
        """Where was looked."""
        super().__init__(f"{folder} has no {RECORD}, nor has a folder in it: name the folder that a run was left in")


@dataclass(frozen=True, slots=True)
class Left:
    """What was written; `damaged` says of each run that could not be read why."""

    written: list[Path]
    damaged: list[str]


def report(folder: Path) -> Left:
    """Write the report of a run, or of each run in the folder and the page of all.

    Raises `RecordDamaged` for a single run that cannot be read, `NoRun` where there is none, and `OSError`.
    """
    if (folder / RECORD).is_file():
        suite = f"../{SUITE}" if (folder.parent / SUITE).is_file() else None
        return Left(list(_run(folder, suite)), [])
    folders = sorted(path.parent for path in folder.glob(f"*/{RECORD}"))
    if not folders:
        raise NoRun(folder)
    return _suite(folder, folders)


def _run(folder: Path, suite: str | None) -> Iterator[Path]:
    kept = read(folder)
    yield _put(folder / PAGE, page(kept, suite=suite).encode())
    yield _put(folder / SUMMARY, as_json(summary(kept.record)))
    yield _put(folder / JUNIT, junit([kept.record]).encode())


def _suite(folder: Path, folders: list[Path]) -> Left:
    left = Left([], [])
    runs: list[Played] = []
    for each in folders:
        try:
            left.written.extend(_run(each, f"../{SUITE}"))
            runs.append(Played(f"{each.name}/{PAGE}", read_record(each)))
        except RecordDamaged as damage:
            left.damaged.append(str(damage))
    records = [run.record for run in runs]
    left.written.append(_put(folder / SUITE, overview(runs, left.damaged).encode()))
    left.written.append(_put(folder / SUMMARY, as_json([summary(record) for record in records])))
    left.written.append(_put(folder / TABLE, marked(runs).encode()))
    left.written.append(_put(folder / JUNIT, junit(records).encode()))
    return left


def _put(path: Path, content: bytes) -> Path:
    """All of it or nothing: whoever reads meanwhile sees the one before."""
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(content)
    return unfinished.replace(path)
