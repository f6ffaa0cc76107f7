"""A PostgreSQL that lives on between commands: brought up once, looked at, brought down by whoever comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.servers.errors import AlreadyRunning, DataBusy, ServerNotReady
from magnetar.runtime.servers.greeting import ailing, wait_until_well
from magnetar.runtime.servers.locks import locked
from magnetar.runtime.servers.postgres import PostgresPlan, PostgresServer, end
from magnetar.runtime.servers.postgres_layout import USER, PostgresLayout, RunningPostgres, running_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TURN_SECONDS = 120.0
_ANSWER_SECONDS = 30.0


def bring_up(data: Path, host: str, plan: Callable[[], PostgresPlan]) -> tuple[RunningPostgres, bool]:
    """The ready server of a directory, and whether it was started now; `plan` is asked for only then.

    Two at once are safe: the second waits and finds the server of the first. Raises any `ServerError`.
    """
    layout = PostgresLayout(data.absolute())
    with locked(layout.turn, _TURN_SECONDS, DataBusy(data)):
        found = running_in(layout)
        if found is not None:
            return _answering(layout, host, found), False
        PostgresServer(plan()).start()
        started = running_in(layout)
        if started is None:
            raise DataBusy(data)
        return started, True


def bring_down(data: Path) -> RunningPostgres | None:
    """Stop the server of a directory, and no other process; None if none ran. Its data stays."""
    layout = PostgresLayout(data.absolute())
    if not layout.data.is_dir():
        return None
    with locked(layout.turn, _TURN_SECONDS, DataBusy(data)):
        found = running_in(layout)
        if found is not None:
            end(found.process)
        return found


def look(data: Path) -> tuple[RunningPostgres, str] | None:
    """The running server of a directory and what is wrong with it ("" if nothing is); None if none runs."""
    found = running_in(PostgresLayout(data.absolute()))
    if found is None:
        return None
    return found, ailing(found.address.host, found.address.port, USER, USER)


def _answering(layout: PostgresLayout, host: str, found: RunningPostgres) -> RunningPostgres:
    address = found.address
    if address.host != host:
        raise AlreadyRunning(layout.data, address.service_url, address.host)
    complaint = wait_until_well(
        lambda: ailing(address.host, address.port, USER, USER), found.process.alive, _ANSWER_SECONDS
    )
    if complaint:
        raise ServerNotReady(_ANSWER_SECONDS, complaint, layout.log)
    return found
