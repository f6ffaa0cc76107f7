"""The app of a scenario: the shop with its provider, and desks whose notes are lists that are only appended to."""

from __future__ import annotations

import os
import signal
from typing import Final

from magnetar.actors.shop import CONTRACTS
from magnetar.chaos.cluster.shop import Behind
from magnetar.chaos.paying.impatient import CONNECT_TIMEOUT, PARTITIONS, READ_TIMEOUT, impatient
from magnetar.chaos.simulation.clerks import ATTEMPTS, CRASHES, Desk, Note, make_clerks, note
from magnetar.runtime import App, Context, Retry

TARGET: Final = "magnetar.chaos.workloads.market:MARKET"
"""As a worker's command line names it. Its provider is where `MAGNETAR_PROVIDER_URL` says."""

WORKS: Final = "MAGNETAR_CHAOS_WORKER"
"""Set where the app is a worker's, and not that of whoever reads what is left."""


def _noted(desk: Desk, message: Note, context: Context) -> Desk:
    """As a clerk does, but for a message that ends its worker: that is a real end here."""
    if message.kills and WORKS in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
    return note(desk, message, context)


RETRY: Final = Retry(immediate=1, tiers=(1.0, 3.0), attempts=ATTEMPTS, crashes=CRASHES, jitter=0.3, afterwards="skip")


def market(retry: Retry, patience: float) -> App:
    """With these tries of the desks, and so many seconds of patience with the provider."""
    shop = impatient(Behind(connect_timeout=CONNECT_TIMEOUT, read_timeout=patience))
    clerks = make_clerks(PARTITIONS, retry, _noted)
    return App("market", shop.orders, shop.stock, shop.payments, *clerks, contracts=CONTRACTS)


MARKET: Final = market(RETRY, READ_TIMEOUT)
