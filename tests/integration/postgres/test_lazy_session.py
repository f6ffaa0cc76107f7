"""The zoo's session that waits for no disk, on a real server: it is the engine's alone that is lazy."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from magnetar.chaos.zoo.bug import broken
from magnetar.chaos.zoo.cluster.bugs.waits_for_no_disk import BUG
from magnetar.runtime.store.postgres.connection import Call
from magnetar.runtime.store.postgres.database import Setup, engine_session, reading_session

if TYPE_CHECKING:
    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.store.postgres.database import Session

_ASK = Call("SELECT current_setting('synchronous_commit')")


def said(session: Session) -> object:
    """What the server says of it."""
    with closing(session):
        ((row,),) = session.read("asking", _ASK)
        return row[0]


def test_only_a_broken_engine_waits_for_no_disk(postgres_server: PostgresServer) -> None:
    """The product waits; with the bug it does not, and whoever reads is as before."""
    url = postgres_server.service_url
    setup = Setup(url, "here", 20.0)
    with closing(psycopg.connect(url)) as connection:
        usual = connection.execute("SHOW synchronous_commit").fetchone()
    assert said(engine_session(setup)) == "on"
    with broken(BUG.changes):
        assert said(engine_session(setup)) == "off"
        assert (said(reading_session(setup)),) == usual
    assert said(engine_session(setup)) == "on"
