"""Log lines of a process that goes on: readable on a terminal, JSON where something collects them."""

from __future__ import annotations

import logging
import sys
from functools import partial
from typing import TYPE_CHECKING

import structlog
from structlog.tracebacks import ExceptionDictTransformer

from magnetar.runtime.worker.observer import Loss, Observer, Wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    from structlog.typing import EventDict, Processor

_log = logging.getLogger("magnetar.worker")


def configure(*, as_json: bool, besides: Sequence[str] = (), process: int | None = None) -> None:
    """Send log records to stderr: one JSON object a line, or one readable line. Called once, by the process.

    Loggers named in `besides` are left out: their command tells the same in its own way. `process` is in every record
    of one among several processes.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if process is not None:
        shared.append(partial(_numbered, process))
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        frames = ExceptionDictTransformer(show_locals=False)  # a local variable may hold anything, also a secret
        last += [structlog.processors.ExceptionRenderer(frames), structlog.processors.JSONRenderer()]
    else:
        last += [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    handler.addFilter(lambda record: record.name not in besides)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # two lines for each shard that is taken, with nothing to do


def _numbered(process: int, logger: object, method: str, record: EventDict) -> EventDict:  # noqa: ARG001
    record["process"] = process
    return record


class Telling(Observer):
    """Logs what an operator wants to know of a worker: what it owns, and what it waits for, each reason once."""

    def __init__(self) -> None:
        """Nothing is owned yet."""
        self._owned: set[str] = set()
        self._reasons: dict[str, str] = {}

    def owned(self, shard: str, epoch: int) -> None:
        """As the observer says."""
        self._owned.add(shard)
        self._reasons.pop(shard, None)
        _log.info("owns %s since epoch %d, %d shards in all", shard, epoch, len(self._owned))

    def lost(self, shard: str, why: str, loss: Loss) -> None:
        """As the observer says."""
        self._owned.discard(shard)
        _log.log(logging.INFO if loss is Loss.RELEASED else logging.WARNING, "owns %s no more: %s", shard, why)

    def waiting(self, shard: str, why: str, on: Wait) -> None:  # noqa: ARG002
        """As the observer says."""
        self._once(shard, f"{shard} waits: {why}")

    def blocked(self, shard: str, destination: str, why: str) -> None:
        """As the observer says."""
        self._once(f"{shard} {destination}", f"{shard} cannot send to {destination}: {why}")

    def _once(self, about: str, text: str) -> None:
        if self._reasons.get(about) != text:
            self._reasons[about] = text
            _log.warning("%s", text)
