"""The plant of these tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.workers.plant import Plant, plant_of

if TYPE_CHECKING:
    from magnetar.runtime.servers.postgres import PostgresPlan, PostgresServer
    from magnetar.runtime.servers.pulsar import PulsarServer


@pytest.fixture
def plant(
    tmp_path: Path, pulsar_server: PulsarServer, postgres_server: PostgresServer, postgres_plan: PostgresPlan
) -> Plant:
    """A shop with a namespace and a database of its own, and no worker yet."""
    return plant_of(tmp_path, pulsar_server, postgres_server, postgres_plan)
