"""A Pulsar that asks who we are and proves who it is: what works, and what is said when something is wrong."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.port import BusError, BusUnavailable, Refused
from magnetar.runtime.bus.pulsar.access import Access
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.applying import apply, survey
from magnetar.runtime.bus.pulsar.client import PulsarBus
from magnetar.runtime.bus.pulsar.provisioning import plan
from magnetar.runtime.bus.pulsar.reading import read_log
from magnetar.runtime.bus.pulsar.settings import PulsarSettings
from magnetar.runtime.bus.pulsar.wanted import Wanted, WantedTopic
from tests.contract.bus.harness import SUBSCRIPTION, plain, until
from tests.integration.pulsar.guarded import Guarded, guarded, signed, start

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from magnetar.runtime.bus.port import Bus
    from magnetar.runtime.servers.pulsar import PulsarPlan

APPLICATION = "guarded"
TOPIC = "orders"
ROLE = "shop"


@pytest.fixture(scope="module")
def server(pulsar_plan: PulsarPlan, tmp_path_factory: pytest.TempPathFactory) -> Generator[Guarded]:
    """The server, with a topic on which one role may produce and consume."""
    found = guarded(pulsar_plan, tmp_path_factory.mktemp("guarded"))
    start(found)
    with Admin(found.server.admin_url, access=Access(token=found.token("admin"))) as admin:
        topic = WantedTopic(name=TOPIC, partitions=1, subscriptions=(SUBSCRIPTION,))
        wanted = Wanted(application=APPLICATION, topics=(topic,))
        apply(admin, plan(wanted, survey(admin, wanted)))
        admin.set_policy(f"public/{APPLICATION}", "POST", f"permissions/{ROLE}", ["produce", "consume"])
    yield found
    found.server.kill()


@pytest.fixture
def settings(server: Guarded, tmp_path: Path) -> PulsarSettings:
    """Of the role that may; the client's own log is a file with all there is."""
    return PulsarSettings(
        service_url=server.server.service_url,
        application=APPLICATION,
        access=Access(token=server.token(ROLE)),
        operation_timeout=2,
        log_file=str(tmp_path / "client.log"),
        log_level="debug",
    )


def works(bus: Bus) -> None:
    """Ask, publish, receive, acknowledge."""
    assert bus.partitions(TOPIC) == 1
    assert until(bus.ping(TOPIC).poll, 10, "the ping") >= 0
    producer = until(bus.produce(TOPIC, 0, "shop", None).poll, 10, "the producer")
    number = producer.last_number + 1
    producer.send(number, plain(str(number).encode()))
    (receipt,) = until(lambda: producer.receipts() or None, 10, "the receipt")
    assert receipt.error is None
    consumer = until(bus.subscribe(TOPIC, 0, SUBSCRIPTION).poll, 10, "the consumer")
    found = until(lambda: consumer.receive(10, 0.1) or None, 10, "the message")
    assert found[-1].body == str(number).encode()
    consumer.acknowledge(found[-1].position)
    producer.close()
    consumer.close()


def test_a_token_opens_it(server: Guarded, settings: PulsarSettings) -> None:
    """All calls; and the log is read with it."""
    bus = PulsarBus(settings, Admin(server.server.admin_url, access=settings.access))
    works(bus)
    bus.close()
    assert read_log(settings, TOPIC, 0)


def test_everything_goes_over_tls(server: Guarded, settings: PulsarSettings) -> None:
    """Broker and REST API, with the host's name checked against a certificate of an authority that we trust.

    A role that may produce and consume may also ask how far its subscription is acknowledged.
    """
    access = replace(settings.access, trust_certs=server.certs)
    over = replace(settings, service_url=server.service_tls, access=access)
    bus = PulsarBus(over, Admin(server.admin_tls, access=access))
    works(bus)
    consumer = until(bus.subscribe(TOPIC, 0, SUBSCRIPTION).poll, 10, "the consumer")
    until(consumer.cursor, 10, "how far it is acknowledged")
    bus.close()


@pytest.mark.parametrize("wrong", ["unknown authority", "other host"])
def test_a_broker_that_cannot_prove_who_it_is_is_not_talked_to(
    server: Guarded, settings: PulsarSettings, wrong: str
) -> None:
    """Nothing that could be switched off: the error names what to look at."""
    certs = None if wrong == "unknown authority" else server.certs
    host = "127.0.0.1" if certs is None else "localhost"  # the certificate is for the address only
    access = replace(settings.access, trust_certs=certs)
    bus = PulsarBus(replace(settings, service_url=server.service_tls.replace("127.0.0.1", host), access=access))
    with pytest.raises(BusUnavailable, match="MAGNETAR_BUS_TRUST_CERTS"):
        bus.partitions(TOPIC)
    bus.close()
    with (
        Admin(server.admin_tls.replace("127.0.0.1", host), access=access) as admin,
        pytest.raises(BusUnavailable, match=r"(?i)certificate verify failed"),
    ):
        admin.tenants()


@pytest.mark.parametrize("wrong", ["forged", "none"])
def test_a_token_that_is_not_taken_is_told(
    server: Guarded,
    settings: PulsarSettings,
    wrong: str,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The client itself would only wait until it times out; the REST API says why. The secret is told nowhere."""
    token = None if wrong == "none" else signed(b"another key", ROLE)
    access = Access(token=token)
    wronged = replace(settings, access=access)
    bus = PulsarBus(wronged, Admin(server.server.admin_url, access=access))
    failures: list[BusError] = []
    with caplog.at_level(logging.DEBUG):
        with pytest.raises(Refused, match="missing, wrong or expired; give a valid one in MAGNETAR_BUS_TOKEN") as asked:
            bus.partitions(TOPIC)
        with pytest.raises(Refused, match=f"subscribe to .*{TOPIC}.*MAGNETAR_BUS_TOKEN") as opened:
            until(bus.subscribe(TOPIC, 0, SUBSCRIPTION).poll, 10, "the refusal")
        bus.close()
        alone = PulsarBus(wronged)
        with pytest.raises(BusUnavailable, match="magnetar topics plan") as unexplained:
            alone.partitions(TOPIC)
        alone.close()
    failures += [asked.value, opened.value, unexplained.value]
    told = "".join((caplog.text, (tmp_path / "client.log").read_text(), *map(str, failures), *map(repr, failures)))
    told += "".join(capfd.readouterr()) + repr(wronged)
    assert token is None or token not in told
    assert token is None or token.rsplit(".", 1)[1] not in told


def test_a_role_without_permission_is_told(server: Guarded, settings: PulsarSettings) -> None:
    """By the broker itself, at once."""
    access = Access(token=server.token("stranger"))
    bus = PulsarBus(replace(settings, access=access), Admin(server.server.admin_url, access=access))
    with pytest.raises(Refused, match="grant it to produce and consume"):
        bus.partitions(TOPIC)
    for opening in (bus.subscribe(TOPIC, 0, SUBSCRIPTION), bus.produce(TOPIC, 0, "stranger", None)):
        with pytest.raises(Refused, match="grant it to produce and consume"):
            until(opening.poll, 10, "the refusal")
    bus.close()


def test_a_token_that_was_renewed_is_used_after_renew(
    server: Guarded, settings: PulsarSettings, tmp_path: Path
) -> None:
    """From its file; one that cannot be read leaves the connections as they were."""
    file = tmp_path / "token"
    file.write_text(server.token(ROLE), encoding="ascii")
    access = Access(token_file=file)
    bus = PulsarBus(replace(settings, access=access), Admin(server.server.admin_url, access=access))
    works(bus)
    file.unlink()
    with pytest.raises(Refused, match="cannot read the token"):
        bus.renew()
    works(bus)
    file.write_text(signed(b"another key", ROLE), encoding="ascii")
    bus.renew()
    with pytest.raises(BusUnavailable):
        until(bus.ping(TOPIC).poll, 10, "the refusal")
    file.write_text(server.token(ROLE), encoding="ascii")
    bus.renew()
    works(bus)
    bus.close()
