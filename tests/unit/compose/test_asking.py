"""Doctor and shards ask the REST API as whoever the settings say, each broker at its own address, too."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from magnetar.runtime.bus.memory import Broker
from magnetar.runtime.bus.pulsar.access import Access
from magnetar.runtime.compose.doctor import examination
from magnetar.runtime.compose.lags import Lags
from magnetar.runtime.compose.places import EmbeddedBus, store_place
from magnetar.runtime.operate.doctor import Severity
from tests.unit.cli.shop import app

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from magnetar.runtime.operate.doctor import Finding

TOKEN = "a.token.of-ours"


class Brokers:
    """Two brokers' REST APIs that take one token; `refused` are the requests that came without it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.refused: list[str] = []
        self.asked: set[str] = set()

    def answer(self, host: str, path: str, authorization: str | None) -> tuple[int, object]:
        """Status and document."""
        self.asked.add(host)
        if authorization != f"Bearer {TOKEN}":
            self.refused.append(f"{host}{path}")
            return 401, {"reason": "who are you?"}
        known: Mapping[str, object] = {
            "brokers": self.names,
            "brokers/version": "4.0.8",
            "brokers/configuration": [],
            "brokers/configuration/runtime": {},
            "bookies/all": {"bookies": []},
            "clusters": ["c"],
            "tenants": ["public"],
        }
        name = path.removeprefix("/admin/v2/")
        return (200, known[name]) if name in known else (404, {"reason": "no such thing"})


@pytest.fixture
def brokers() -> Generator[Brokers]:
    """Listening on two ports of this machine."""
    found = Brokers()
    with ExitStack() as opened:
        found.names += [opened.enter_context(_listening(found)) for _ in range(2)]
        yield found


@contextmanager
def _listening(brokers: Brokers) -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host, path = self.headers["host"], self.path.split("?")[0]
            status, document = brokers.answer(host, path, self.headers["authorization"])
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def examined(url: str, access: Access | None) -> list[Finding]:
    """What the doctor finds there; bus and store are in memory."""
    bus, store = EmbeddedBus(Broker(lambda: 0)), store_place("memory:")
    return examination("shop:app", app.wire(), url, bus, store, backup_age=0, access=access)


def test_the_doctor_shows_its_token_to_every_broker(brokers: Brokers) -> None:
    """Each is asked where it listens itself."""
    found = examined(f"http://{brokers.names[0]}", Access(token=TOKEN))
    assert {each.subject for each in found if each.check == "broker-version"} == {f"broker {n}" for n in brokers.names}
    assert (brokers.refused, brokers.asked) == ([], set(brokers.names))


def test_without_a_token_the_cluster_is_a_danger(brokers: Brokers) -> None:
    """With the broker's reason, and what to give."""
    found = examined(f"http://{brokers.names[0]}", None)
    [finding] = [each for each in found if each.check == "broker-answers"]
    assert finding.severity is Severity.DANGER
    assert "who are you?" in finding.found
    assert "MAGNETAR_BUS_TOKEN" in finding.found


def test_certificates_that_cannot_be_used_are_a_finding(tmp_path: Path) -> None:
    """No error that would hide what bus and store say."""
    found = examined("https://127.0.0.1:9", Access(trust_certs=tmp_path / "none.pem"))
    [finding] = [each for each in found if each.check == "broker-answers"]
    assert "none.pem" in finding.found
    assert {each.check for each in found} >= {"bus-answers", "store-answers"}


def test_lags_are_asked_with_the_token(brokers: Brokers) -> None:
    """As the doctor does."""
    with Lags(f"http://{brokers.names[0]}", app.wire(), Access(token=TOKEN)) as lags:
        assert {lag.messages for lag in lags.look().values()} == {0}
    assert brokers.refused == []
