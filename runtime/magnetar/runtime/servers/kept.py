"""A server that lives on between commands: brought up once, looked at, brought down by whoever comes later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from magnetar.runtime.servers.errors import AlreadyRunning, DataBusy, ServerNotReady
from magnetar.runtime.servers.health import first_missing, wait_until_ready
from magnetar.runtime.servers.locks import locked
from magnetar.runtime.servers.pulsar import PulsarPlan, PulsarServer
from magnetar.runtime.servers.record import Layout, Running, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TURN_SECONDS = 120.0
_ANSWER_SECONDS = 30.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """The ports that were asked for; None: any will do."""

    broker_port: int | None = None
    web_port: int | None = None

    def fits(self, found: Running) -> bool:
        """Whether a running server is one that was asked for."""
        asked = (self.broker_port, self.web_port)
        return all(want in {None, has} for want, has in zip(asked, found.ports, strict=True))


def bring_up(data: Path, wanted: Wanted, plan: Callable[[], PulsarPlan]) -> tuple[Running, bool]:
    """The ready server of a data directory, and whether it was started now; `plan` is asked for only then.

    Two at once are safe: the second waits and finds the server of the first. Raises any `ServerError`.
    """
    layout = Layout(data.absolute())
    with locked(layout.turn, _TURN_SECONDS, DataBusy(data)):
        found = running(layout)
        if found is not None:
            return _answering(layout, wanted, found), False
        PulsarServer(plan()).start()
        started = running(layout)
        if started is None:
            raise DataBusy(data)
        return started, True


def _answering(layout: Layout, wanted: Wanted, found: Running) -> Running:
    if not wanted.fits(found):
        raise AlreadyRunning(layout.data, found.address.service_url, found.address.admin_url)
    lacking = wait_until_ready(found.address.web_port, found.process.alive, _ANSWER_SECONDS)
    if lacking is not None:
        raise ServerNotReady(_ANSWER_SECONDS, str(lacking), layout.log)
    return found


def bring_down(data: Path) -> Running | None:
    """Stop the server of a data directory, and no other process; None if none ran. Its data stays."""
    layout = Layout(data.absolute())
    with locked(layout.turn, _TURN_SECONDS, DataBusy(data)):
        found = running(layout)
        if found is not None:
            found.process.end(_STOP_SECONDS)
        return found


def look(data: Path) -> tuple[Running, str] | None:
    """The running server of a data directory and what is wrong with it ("" if nothing is); None if none runs."""
    found = running(Layout(data.absolute()))
    if found is None:
        return None
    lacking = first_missing(found.address.web_port)
    return found, "" if lacking is None else str(lacking)
