"""A worker that is started while its broker or its database is away: it waits for them, and says so."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, TypeVar

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.store.port import CommitUnknown, StoreUnavailable
from magnetar.runtime.threads.supervision import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_log = logging.getLogger("magnetar.worker")
_BETWEEN = Patience(first=0.5, most=5.0)


def made_once_reached(make: Callable[[], T], *, shared: bool, pause: Callable[[float], None] = time.sleep) -> T:
    """What `make` makes, as soon as broker and store answer. Until then it is tried again, for ever.

    Whoever ends instead is started again by something that does so later and later, and loses the time since they are
    back. `shared`: the store is a server; what a file lacks does not come by itself, and is raised as is all else that
    was refused. A migration whose end is unknown is read back by the next try. `pause` waits for so many seconds.
    """
    away = (BusUnavailable, StoreUnavailable, CommitUnknown) if shared else (BusUnavailable,)
    tries = 0
    while True:
        try:
            return make()
        except away as error:
            tries += 1
            wait = _BETWEEN.before(tries)
            _log.warning("cannot begin yet, and tries again in %.1f s: %s", wait, error)
        pause(wait)
