"""What a worker says of itself over HTTP: `/metrics`, `/healthz`, `/readyz`."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.compose.running import code_version
from magnetar.runtime.telemetry.counting import Counting
from magnetar.runtime.telemetry.health import Readiness, ailments
from magnetar.runtime.telemetry.metrics import CONTENT_TYPE, Exhibit, registry_of_process, text_of
from magnetar.runtime.telemetry.serving import Answer, Serving
from magnetar.runtime.worker.observer import Observers

if TYPE_CHECKING:
    from magnetar.runtime.compose.running import RunningWorker
    from magnetar.runtime.telemetry.address import Address
    from magnetar.runtime.wiring import Wiring
    from magnetar.runtime.worker.observer import Observer


class Listening:
    """Made before its worker, so that a port in use is noticed first, and probes are answered while it starts.

    `observer` is to hear the worker; `watch` tells which worker it is. Every number is in a registry of its own.
    """

    def __init__(self, wiring: Wiring, at: Address) -> None:
        """Listens at once. Raises `CannotListen`."""
        self._worker: RunningWorker | None = None
        self._readiness = Readiness()
        counting = Counting({name: plan.policy.partitions for name, plan in wiring.actors.items()}, code_version())
        self.observer: Observer = Observers(counting, self._readiness)
        self.registry = registry_of_process()
        self._exhibit = Exhibit(counting)
        self.registry.register(self._exhibit)
        pages = {"/metrics": self._metrics, "/healthz": self._healthz, "/readyz": self._readyz}
        self._serving = Serving(at, pages)

    @property
    def address(self) -> Address:
        """Where it listens: with the port that was free."""
        return self._serving.address

    def watch(self, worker: RunningWorker) -> None:
        """From now on tell about this worker."""
        self._worker = worker
        self._exhibit.look(worker.look().numbers)

    def close(self) -> None:
        """Listen no more."""
        self._serving.close()

    def _metrics(self) -> Answer:
        return Answer(HTTPStatus.OK, CONTENT_TYPE, text_of(self.registry))

    def _healthz(self) -> Answer:
        """A worker that is being made lives: what hangs there has deadlines of its own."""
        worker = self._worker
        reasons = [] if worker is None else ailments(worker.pulse, worker.deadline, time.monotonic())
        return _verdict("alive", reasons)

    def _readyz(self) -> Answer:
        worker = self._worker
        if worker is None:
            return _verdict("ready", ["the worker is being made"])
        reasons = ailments(worker.pulse, worker.deadline, time.monotonic())
        if worker.draining:
            reasons.append("the worker is draining")
        return _verdict("ready", reasons + self._readiness.reasons())


def _verdict(question: str, reasons: list[str]) -> Answer:
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    body = msgspec.json.encode({question: not reasons, "reasons": reasons}) + b"\n"
    return Answer(status, "application/json", body)
