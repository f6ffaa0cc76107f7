"""The bulkhead: threads that call the outside world, each dependency's of its own, so that none waits for another's."""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import TYPE_CHECKING

from magnetar.runtime.worker.bulkhead import Finished

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.worker.bulkhead import Job


class Bulkhead:
    """Daemon threads, made when a dependency is first called; a call that hangs keeps its own, and nobody else's."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """`wake` is called after each call, in its thread."""
        self._wake = wake
        self._jobs: dict[str, queue.SimpleQueue[Job | None]] = {}
        self._threads: list[threading.Thread] = []
        self._ended: deque[Finished] = deque()

    def begin(self, job: Job) -> None:
        """Hand it to a thread of its dependency, of which there are as many as calls at a time."""
        jobs = self._jobs.get(job.dependency.name)
        if jobs is None:
            jobs = self._jobs[job.dependency.name] = self._staffed(job)
        jobs.put(job)

    def finished(self) -> list[Finished]:
        """What has ended, in that order."""
        return [self._ended.popleft() for _ in range(len(self._ended))]

    def close(self) -> None:
        """Let each thread end after the call in hand. Nobody waits for it: a call may hang for ever."""
        for thread in self._threads:
            self._jobs[thread.name.removeprefix(_PREFIX)].put(None)
        self._threads.clear()

    def _staffed(self, job: Job) -> queue.SimpleQueue[Job | None]:
        jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        name = f"{_PREFIX}{job.dependency.name}"
        for _ in range(job.dependency.threads):
            thread = threading.Thread(target=self._run, args=(jobs,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return jobs

    def _run(self, jobs: queue.SimpleQueue[Job | None]) -> None:
        while (job := jobs.get()) is not None:
            try:
                result: object = job.function(job.request, job.call)
            except BaseException as error:  # noqa: BLE001 - even `SystemExit` says only that nobody knows
                result = error
            self._ended.append(Finished(job.number, result))
            self._wake()


_PREFIX = "magnetar-effect-"
