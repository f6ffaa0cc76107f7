"""`magnetar store` on a real PostgreSQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from magnetar.runtime.cli.program import run

if TYPE_CHECKING:
    import pytest

    from magnetar.runtime.servers.postgres import PostgresServer
    from magnetar.runtime.store.postgres import PostgresPlace, PostgresStore


PRE = [
    "0001_pre_initial", "0002_pre_parking", "0003_pre_requests", "0004_pre_effects", "0005_pre_replays",
    "0006_pre_care", "0007_pre_left_alone",
]  # fmt: skip


def test_migrating_twice(place: PostgresPlace, server: PostgresServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The first time all is applied; the second time nothing is missing."""
    del place  # it empties the database afterwards
    told: list[object] = []
    for _ in range(2):
        assert run(["store", "migrate", "--post", "--json", "--store", server.service_url]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told == [
        {"applied": PRE, "waiting": []},
        {"applied": [], "waiting": []},
    ]


def test_trimming_is_only_shown_unless_asked_for(
    store: PostgresStore, server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store that is new has nothing to trim."""
    del store  # it made the database
    arguments = ["store", "trim", "--before", "90d", "--store", server.service_url]
    assert run([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["applied"], answer["tables"]) == (False, [])
    assert run([*arguments, "--apply"]) == 0
    assert "nothing in the journal is from before" in capsys.readouterr().err


def test_a_store_that_is_not_there_yet(place: PostgresPlace, server: PostgresServer) -> None:
    """Trimming makes none: it says that something outside is not available."""
    del place
    assert run(["store", "trim", "--before", "90d", "--store", server.service_url]) == 3
