"""The outside world at a test's hand: calls are kept until the test answers them, once, twice, late or never."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.worker.bulkhead import Finished
from tests.unit.worker.bench import Bench
from tests.unit.worker.shopfront import Payment, payments, shopfront

if TYPE_CHECKING:
    from collections.abc import Callable

    from magnetar.runtime.worker.bulkhead import Job


class Switchboard:
    """A bulkhead whose calls end when they are answered."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.closed = False
        self.heard: Callable[[], None] = lambda: None
        self._ended: list[Finished] = []

    def begin(self, job: Job) -> None:
        """Kept; `heard` looks around first."""
        self.heard()
        self.jobs.append(job)

    def answer(self, result: object, number: int = -1) -> None:
        """The so-manieth call, the last one if not told otherwise, ends with this."""
        self._ended.append(Finished(self.jobs[number].number, result))

    def finished(self) -> list[Finished]:
        """As the test has answered."""
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """Noted."""
        self.closed = True


class Counter(Bench):
    """A bench with the shopfront; `outside` is the switchboard of its present worker."""

    def __init__(self) -> None:
        self.outside: Switchboard
        super().__init__(shopfront, bulkhead=self._connected)

    def _connected(self) -> Switchboard:
        self.outside = Switchboard()
        return self.outside

    @property
    def attempts(self) -> list[int]:
        """Of the calls made by this worker, in order."""
        return [job.call.attempt for job in self.outside.jobs]

    def answer(self, result: object, number: int = -1) -> None:
        """Answer a call, and let everything happen that follows from it now."""
        self.outside.answer(result, number)
        self.step(24)

    def told(self, key: str = "o-1") -> list[str]:
        """What the payment was told."""
        return list(self.payment(key).told)

    def payment(self, key: str = "o-1") -> Payment:
        """As committed."""
        return self.state(payments, key)
