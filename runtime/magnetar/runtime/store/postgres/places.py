"""Where the data is: a PostgreSQL database, by its URL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from magnetar.runtime.store.postgres.database import Setup
from magnetar.runtime.store.postgres.held import PostgresHeld
from magnetar.runtime.store.postgres.periods import Period
from magnetar.runtime.store.postgres.requests import PostgresRequests
from magnetar.runtime.store.postgres.store import PostgresStore
from magnetar.runtime.store.postgres.upkeep import PostgresUpkeep
from magnetar.runtime.store.postgres.views import PostgresViews

if TYPE_CHECKING:
    from collections.abc import Mapping

_PORTS = re.compile(r"[0-9,]*")
PATIENCE = 3.0
"""Seconds that a call may take, connecting included."""


class PostgresPlace:
    """A database at `postgresql://user:password@host:port/name?sslmode=verify-full…`, as libpq understands it.

    `patience` is the longest that a call blocks, in seconds; `period` is how long each partition of the journal is.
    Neither the password nor the URL is ever in a text. Raises `ValueError` for what is no such URL.
    """

    shared = True

    def __init__(self, url: str, patience: float = PATIENCE, period: Period = Period.MONTH) -> None:
        given = _understood(url)
        limits: Mapping[str, str | int] = {
            "application_name": "magnetar",
            "client_encoding": "utf8",
            "keepalives_idle": 2,
            "keepalives_interval": 1,
            "keepalives_count": 3,
            "tcp_user_timeout": round(patience * 1000),
        }
        asked = {name: value for name, value in given.items() if value is not None}
        conninfo = make_conninfo("", **{**limits, **asked})
        self.period = period
        self.setup = Setup(conninfo, _label(given), patience)

    def __repr__(self) -> str:
        """Without the password."""
        return f"PostgresPlace({self.setup.label})"

    def open(self) -> PostgresStore:
        """A store on this database, migrated if need be. `StoreUnavailable`, `StoreMismatch`."""
        return PostgresStore(self.setup, self.period)

    def views(self) -> PostgresViews:
        """Operators' queries on this database, from any process. `StoreUnavailable` without a store."""
        return PostgresViews(self.setup)

    def requests(self) -> PostgresRequests:
        """What tools ask of the shards' owners. `StoreUnavailable` without a store."""
        return PostgresRequests(self.setup)

    def held(self) -> PostgresHeld:
        """All that code must be able to read. `StoreUnavailable` without a store."""
        return PostgresHeld(self.setup)

    def upkeep(self) -> PostgresUpkeep:
        """What operators do to it from time to time. Nothing is asked yet."""
        return PostgresUpkeep(self.setup, self.period)


def _understood(url: str) -> Mapping[str, str | int | None]:
    """The URL's parts. What libpq says of a wrong one is not told, nor parts taken wrongly: it may be a password."""
    message = "this postgresql:// URL cannot be understood: percent-encode what is special in user and password"
    try:
        given = conninfo_to_dict(url)
    except psycopg.Error:
        raise ValueError(message) from None
    if _PORTS.fullmatch(str(given.get("port", ""))) is None or "@" in f"{given.get('host')}{given.get('dbname')}":
        raise ValueError(message)
    return given


def _label(given: Mapping[str, object]) -> str:
    """Where it is, for people: no user, no password."""
    return f"postgresql://{given.get('host', 'localhost')}:{given.get('port', 5432)}/{given.get('dbname', '')}"
