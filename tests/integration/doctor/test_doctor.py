"""The doctor on a real broker: as we start it, broken through the REST API, and not there at all."""

from __future__ import annotations

import json
import threading
import time
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.compose.doctor import examination
from magnetar.runtime.compose.places import PulsarPlace, bus_place, store_place, wanted_of
from magnetar.runtime.operate.doctor import Severity
from tests.unit.cli.shop import app

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from magnetar.runtime.operate.doctor import Finding
    from magnetar.runtime.servers.pulsar import PulsarServer
    from magnetar.runtime.wiring import Wiring

SHORT = '{"retentionTimeInMinutes":5,"retentionSizeInMB":-1}'
PATIENCE = 30.0


def _call(admin: Admin, told: str) -> None:
    """A REST call as the doctor tells it: method, path, and the body, if any."""
    method, path, *body = told.split(" ", 2)
    admin._write(method, path.removeprefix("/admin/v2/"), json.loads(body[0]) if body else None)


def _until(there: Callable[[], bool]) -> None:
    """Policies of topics travel through a topic of the broker's own: look again until it is so."""
    until = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not there():
        assert time.monotonic() < until, "it is not so"
        pause.wait(0.1)


@pytest.fixture
def wiring() -> Wiring:
    """The shop under a name of its own, so in a namespace of its own."""
    return replace(app.wire(), app=f"shop{uuid.uuid4().hex[:8]}")


@pytest.fixture
def admin(pulsar_server: PulsarServer) -> Generator[Admin]:
    """The REST API of the run's server."""
    with Admin(pulsar_server.admin_url) as opened:
        yield opened


@pytest.fixture
def examined(
    pulsar_server: PulsarServer, admin: Admin, wiring: Wiring, tmp_path: Path
) -> Callable[[], dict[str, list[Finding]]]:
    """Asks the doctor about the provisioned shop, with a store on which a worker has been: findings by severity."""
    wanted = wanted_of(wiring)
    apply(admin, plan(wanted, survey(admin, wanted)))
    place = bus_place(pulsar_server.service_url, wiring.app)
    assert isinstance(place, PulsarPlace)
    quiet = replace(place, settings=replace(place.settings, log_file="/dev/null"))
    store = store_place(f"sqlite:///{tmp_path / 'shop.db'}")
    with closing(store.open()) as opened:
        opened.prepare(wiring.partitions(), [])

    def ask() -> dict[str, list[Finding]]:
        found = examination("shop:app", wiring, pulsar_server.admin_url, quiet, store, backup_age=86_400)
        return {severity.value: [each for each in found if each.severity is severity] for severity in Severity}

    return ask


def test_a_system_as_we_start_it_lacks_what_one_machine_cannot_have(
    examined: Callable[[], dict[str, list[Finding]]],
) -> None:
    """No danger but the single bookie; advice because there is no second one, and because nobody works."""
    found = examined()
    [danger] = found["danger"]
    assert danger.check == "quorum"
    assert "a single bookie" in danger.found
    assert {finding.check for finding in found["advice"]} <= {
        "quorum-spare",
        "workers",
    }
    checks = {finding.check for finding in found["ok"]}
    assert checks >= {"clocks", "partitions", "subscriptions", "retention", "store-durable", "bus-answers"}


def test_what_is_broken_over_rest_is_found_and_mended_as_told(
    examined: Callable[[], dict[str, list[Finding]]], admin: Admin, wiring: Wiring
) -> None:
    """A broker's setting, a policy of the namespace and one of a topic; each change, made as told, makes it well."""
    wanted = wanted_of(wiring)
    usual = {finding.check for finding in examined()["danger"]}
    _call(admin, "POST /admin/v2/brokers/configuration/autoSkipNonRecoverableData/true")
    try:
        _call(admin, f"POST /admin/v2/namespaces/{wanted.namespace}/messageTTL 60")
        _call(admin, f"POST /admin/v2/persistent/{wanted.namespace}/orders/deduplicationEnabled false")
        _call(admin, f"POST /admin/v2/namespaces/{wanted.namespace}/retention {SHORT}")
        _until(lambda: len(examined()["danger"]) == len(usual) + 4)
        found = [finding for finding in examined()["danger"] if finding.check not in usual]
        assert {(finding.check, finding.subject.split()[0]) for finding in found} == {
            ("broker-skips-data", "broker"),
            ("message-ttl", "namespace"),
            ("retention", "namespace"),
            ("deduplication", "topic"),
        }
        for finding in found:
            for change in finding.change:
                _call(admin, change)
        _until(lambda: {finding.check for finding in examined()["danger"]} == usual)
    finally:
        _call(admin, "POST /admin/v2/brokers/configuration/autoSkipNonRecoverableData/false")


def test_what_is_not_there_is_told(pulsar_server: PulsarServer, wiring: Wiring, tmp_path: Path) -> None:
    """No namespace, no store, and no broker behind an address: each a danger, and none an error."""
    store = store_place(f"sqlite:///{tmp_path / 'none.db'}")
    nowhere = bus_place("pulsar://127.0.0.1:9", wiring.app)
    assert isinstance(nowhere, PulsarPlace)
    bus = replace(nowhere, settings=replace(nowhere.settings, log_file="/dev/null", operation_timeout=1))
    found = examination("shop:app", wiring, pulsar_server.admin_url, bus, store, backup_age=0)
    dangers = {finding.check for finding in found if finding.severity is Severity.DANGER}
    assert dangers == {
        "quorum",
        "namespace",
        "topics",
        "subscriptions",
        "topic-schemas",
        "bus-answers",
        "store-answers",
    }
    silent = examination("shop:app", wiring, "http://127.0.0.1:9", bus, store, backup_age=0)
    assert {finding.check for finding in silent if finding.severity is Severity.DANGER} == {
        "broker-answers",
        "bus-answers",
        "store-answers",
    }
