"""What the engine asks of whoever runs effect functions, which may block: the engine itself never waits for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.effects import Call, Dependency
    from magnetar.schemas import Effect


class Job(NamedTuple):
    """A call to be made. `number` is the engine's own, for one life of a worker."""

    number: int
    dependency: Dependency
    function: Callable[[Any, Call], Any]
    request: Effect
    call: Call


class Finished(NamedTuple):
    """A call that has ended: what its function returned, or the exception that it raised."""

    number: int
    result: object


class Bulkhead(Protocol):
    """Runs calls, those of one dependency never in the way of another's. Called by the loop's thread only."""

    def begin(self, job: Job) -> None:
        """Make the call soon. Never blocks; the engine begins no more than `threads` at a time of a dependency."""
        ...

    def finished(self) -> list[Finished]:
        """The calls that have ended since it was asked last."""
        ...

    def close(self) -> None:
        """Begin no more calls. What is under way may go on; nobody hears of it any more."""
        ...


class Inline:
    """Makes a call at once, in the loop's thread: for tests and simulation, where no function blocks."""

    def __init__(self) -> None:
        """Nothing has ended."""
        self._ended: list[Finished] = []

    def begin(self, job: Job) -> None:
        """Make it."""
        self._ended.append(Finished(job.number, made(job)))

    def finished(self) -> list[Finished]:
        """In order."""
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Nothing is open."""


def made(job: Job) -> object:
    """Make the call in this thread: what its function returns, or raises, which is an answer like others."""
    try:
        return job.function(job.request, job.call)
    except Exception as error:  # noqa: BLE001 - judged by the engine: unknown, or surely not sent
        return error
