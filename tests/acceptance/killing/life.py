"""Lives of worker processes: how they begin, what is heard of them, and that each of them ends.

The imports of a worker take longer than most of these lives do, so they are done once, and each worker is forked from
the process that did them. Nothing of the client or of a thread exists there yet.
"""

from __future__ import annotations

from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING, NoReturn, Self

import pytest

from tests.acceptance.killing.worker import live

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from subprocess import Popen

    from tests.acceptance.killing.worker import Plan

LIFE = 20.0
"""Seconds within which a worker must own its shards, have died, or have drained."""

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload([live.__module__])


class Life:
    """A worker process, from its start to the end of the block. `errors`: a file that gets its stderr."""

    def __init__(self, plan: Plan, errors: Path) -> None:
        self._plan = plan
        self._errors = errors
        self._heard, told = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(target=live, args=(plan, str(errors), told))
        self._process.start()
        told.close()  # so that its end is heard as well

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join(LIFE)
        self._process.close()
        self._heard.close()

    def drain(self) -> None:
        """Wait until it owns all shards, and ask it to leave."""
        if not self._heard.poll(LIFE):
            self.fail("does not own all shards")
        try:
            self._heard.recv_bytes()
        except EOFError:
            self.fail("has ended before it owned all shards")
        self._process.terminate()

    def status(self) -> int:
        """Its exit status, once it has ended."""
        self._process.join(LIFE)
        status = self._process.exitcode
        if status is None:
            self.fail("has not ended")
        return status

    def fail(self, why: str) -> NoReturn:
        """Fail the test."""
        said = self._errors.read_text(encoding="utf-8")
        pytest.fail(f"after {LIFE} s at most, the worker {why}: {self._plan}; what workers said:\n{said}")


@contextmanager
def ended(life: Popen[str]) -> Generator[Popen[str]]:
    """A process that is gone after the block, however that ends: `Popen` alone would wait for it without end."""
    with life:
        try:
            yield life
        finally:
            life.kill()
