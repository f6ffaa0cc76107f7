"""A PostgreSQL that lives on between commands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.servers.errors import AlreadyRunning
from magnetar.runtime.servers.postgres_kept import bring_down, bring_up, look
from magnetar.runtime.servers.process import ServerProcess
from magnetar.runtime.servers.record import write_state

if TYPE_CHECKING:
    from pathlib import Path

    from magnetar.runtime.servers.postgres import PostgresPlan


def test_it_is_brought_up_once_and_down_for_good(postgres_plan: PostgresPlan, tmp_path: Path) -> None:
    """The second finds the first, at the address it is at and no other; after `down` nothing is left of it."""
    plan = replace(postgres_plan, data=tmp_path / "kept", tied=False)
    found, started = bring_up(plan.data, plan.host, lambda: plan)
    try:
        assert started
        assert bring_up(plan.data, plan.host, _no_plan) == (found, False)
        with pytest.raises(AlreadyRunning):
            bring_up(plan.data, "127.0.0.9", _no_plan)
        assert look(plan.data) == (found, "")
    finally:
        assert bring_down(plan.data) == found
    assert not found.process.alive()
    assert (look(plan.data), bring_down(plan.data), bring_down(tmp_path / "never")) == (None, None, None)


def test_a_record_of_a_dead_server_is_no_server(postgres_plan: PostgresPlan, tmp_path: Path) -> None:
    """After a crash it is started anew, where it was."""
    plan = replace(postgres_plan, data=tmp_path / "kept", tied=False)
    first, _ = bring_up(plan.data, plan.host, lambda: plan)
    bring_down(plan.data)
    write_state(plan.data / "pid.json", ServerProcess(pid=first.process.pid, born="an earlier boot 1"))
    second, started = bring_up(plan.data, plan.host, lambda: plan)
    bring_down(plan.data)
    assert started
    assert second.address == first.address


def _no_plan() -> PostgresPlan:
    raise AssertionError
