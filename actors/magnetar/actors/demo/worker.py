"""The demo's worker as a process: `python -m magnetar.actors.demo.worker BUS ADMIN FOLDER PAYMENT_TIMEOUT [PROVIDER]`.

With a provider's URL it is the worker of the second stage, and what it has to say is in FOLDER/worker.log. It prints
`ready` once it owns all shards, and drains on SIGTERM.
"""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from magnetar.actors.demo.meter import Meter
from magnetar.actors.demo.run import demo_shop
from magnetar.runtime.compose.places import bus_place, store_place
from magnetar.runtime.compose.process import run_until_signal
from magnetar.runtime.compose.running import RunningWorker

if TYPE_CHECKING:
    from magnetar.runtime import App


def main() -> int:
    """Run until killed or drained."""
    bus, admin, folder, payment_timeout = sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4])
    provider = "".join(sys.argv[5:])
    if provider:
        logging.basicConfig(filename=folder / "worker.log", level=logging.WARNING)
    wiring = _app(payment_timeout, provider).wire()
    store = store_place(f"sqlite:///{folder}/shop.db")
    place = bus_place(bus, wiring.app, admin=admin)
    worker = RunningWorker(wiring, place, store, observer=Meter(folder / "commits.jsonl"))
    threading.Thread(target=_tell_when_ready, args=(worker,), daemon=True).start()
    return run_until_signal(worker, poll=0.05)


def _app(payment_timeout: float, provider: str) -> App:
    if not provider:
        return demo_shop(payment_timeout).app
    from magnetar.actors.demo.failing.shop import failing_shop  # noqa: PLC0415 - the first stage needs no such extra

    return failing_shop(payment_timeout, provider)


def _tell_when_ready(worker: RunningWorker) -> None:
    while not worker.ready and not worker.wait(0.01):
        pass
    if worker.ready:
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
