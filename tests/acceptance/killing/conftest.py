"""The experiment of this folder."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime import Client
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.compose.places import wanted_of
from tests.acceptance.killing.experiment import Till
from tests.acceptance.killing.till import TILL

if TYPE_CHECKING:
    from magnetar.runtime.servers.pulsar import PulsarServer


@pytest.fixture
def till(
    pulsar_server: PulsarServer, tmp_path: Path, chance: random.Random, request: pytest.FixtureRequest
) -> Iterator[Till]:
    """The app provisioned on the real broker, in a namespace of the test's own; a client, and an empty store file."""
    wiring, name = TILL.wire(), Path(request.path).stem
    with Admin(pulsar_server.admin_url) as admin:
        wanted = replace(wanted_of(wiring), application=name)
        apply(admin, plan(wanted, survey(admin, wanted)))
    bus = PulsarBus(PulsarSettings(service_url=pulsar_server.service_url, application=name, log_file="/dev/null"))
    client = Client(wiring, bus, timeout=30.0)
    till = Till(name, pulsar_server, f"sqlite:///{tmp_path}/till.db", tmp_path / "stderr.txt", chance, client, bus)
    yield till
    till.client.close()
    bus.close()
