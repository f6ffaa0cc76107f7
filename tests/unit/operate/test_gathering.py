"""Facts are gathered as the REST API tells them; what does not answer hides nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

from magnetar.runtime.bus.port import BusUnavailable, TopicMissing
from magnetar.runtime.bus.pulsar.admin import Admin
from magnetar.runtime.bus.pulsar.wanted import Wanted
from magnetar.runtime.operate.doctor.facts import ClusterFacts, Unanswered
from magnetar.runtime.operate.doctor.gathering import ask_bus, ask_cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from magnetar.runtime.bus.port import Bus

DATE = {"date": "Sat, 28 Nov 2026 03:36:49 GMT"}
WANTED = Wanted(application="shop")
ANSWERS: Mapping[str, object] = {
    "/brokers": ["b1:8080", "b2:8080"],
    "/brokers/configuration": ["autoSkipNonRecoverableData"],
    "/brokers/configuration/runtime": {"a": "1", "b": None},
    "/bookies/all": {"bookies": [{"bookieId": "x"}, {"bookieId": "y"}]},
    "/clusters": ["c"],
    "/tenants": ["public"],
}


def cluster(
    answers: Mapping[str, object] = ANSWERS,
    *,
    silent: tuple[str, ...] = (),
    url: str = "http://any:8080",
    asked: set[str] | None = None,
) -> object:
    """What is found where each host answers the same, but those that are silent; `asked`: collects who was asked."""
    asked = set() if asked is None else asked

    def answer(request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/admin/v2")
        asked.add(f"{request.url.scheme}://{request.url.host}:{request.url.port}")
        if f"{request.url.host}:{request.url.port}" in silent:
            raise httpx2.ConnectError("no route")
        if path == "/brokers/version":
            return httpx2.Response(200, text="4.0.8", headers=DATE)
        return httpx2.Response(200, json=answers[path]) if path in answers else httpx2.Response(404)

    def reach(address: str) -> Admin:
        return Admin(address, transport=httpx2.MockTransport(answer))

    with reach(url) as admin:
        return ask_cluster(admin, WANTED, reach)


def test_every_broker_is_asked_at_its_own_address() -> None:
    """With its version, its settings and its clock."""
    found = cluster()
    assert isinstance(found, ClusterFacts)
    assert [(broker.name, broker.version, broker.settings) for broker in found.brokers] == [
        ("b1:8080", "4.0.8", {"a": "1", "b": ""}),
        ("b2:8080", "4.0.8", {"a": "1", "b": ""}),
    ]
    assert (found.bookies, found.changeable) == (2, frozenset({"autoSkipNonRecoverableData"}))
    assert found.actual.policies is None


def test_a_broker_that_cannot_be_reached_is_named() -> None:
    """The others are judged; where none can be reached, whoever answers at the address that was given."""
    found = cluster(silent=("b2:8080",))
    assert isinstance(found, ClusterFacts)
    assert ([broker.name for broker in found.brokers], list(found.unanswered)) == (["b1:8080"], ["b2:8080"])
    found = cluster(silent=("b1:8080", "b2:8080"))
    assert isinstance(found, ClusterFacts)
    assert [broker.name for broker in found.brokers] == ["http://any:8080"]
    assert sorted(found.unanswered) == ["b1:8080", "b2:8080"]


def test_brokers_are_asked_over_tls_where_the_first_one_was() -> None:
    """A broker is named by its plain port, where it has one, and else by that for TLS."""
    asked: set[str] = set()
    both = {"webServicePort": "Optional[8080]", "webServicePortTls": "Optional[8443]"}
    found = cluster({**ANSWERS, "/brokers/configuration/runtime": both}, url="https://any:8443", asked=asked)
    assert isinstance(found, ClusterFacts)
    assert ([broker.name for broker in found.brokers], found.unanswered) == (["b1:8080", "b2:8080"], {})
    assert asked == {"https://any:8443", "https://b1:8443", "https://b2:8443"}
    asked.clear()
    only = {"webServicePort": "Optional.empty", "webServicePortTls": "Optional[8443]"}
    named = {"/brokers": ["b1:8443", "b2:8444"], "/brokers/configuration/runtime": only}
    assert isinstance(cluster({**ANSWERS, **named}, url="https://any:8443", asked=asked), ClusterFacts)
    assert asked == {"https://any:8443", "https://b1:8443", "https://b2:8444"}


def test_a_broker_that_answers_for_another_is_not_taken_for_it() -> None:
    """Two on one host, where the port for TLS is the first one's: nobody is judged by somebody else's settings."""
    named = {
        "/brokers": ["b1:8080", "b1:8081"],
        "/brokers/configuration/runtime": {"webServicePort": "Optional[8080]", "webServicePortTls": "Optional[8443]"},
    }
    found = cluster({**ANSWERS, **named}, url="https://any:8443")
    assert isinstance(found, ClusterFacts)
    assert [broker.name for broker in found.brokers] == ["b1:8080"]
    assert found.unanswered == {"b1:8081": Unanswered("another broker answers at https://b1:8443")}


def test_the_only_broker_is_asked_where_we_reached_it() -> None:
    """The address by which it knows itself may be none for us."""
    found = cluster({**ANSWERS, "/brokers": ["inside:8080"]}, silent=("inside:8080",))
    assert isinstance(found, ClusterFacts)
    assert ([broker.name for broker in found.brokers], found.unanswered) == (["inside:8080"], {})


def test_a_cluster_that_does_not_answer_is_told() -> None:
    """With the reason."""
    found = cluster(silent=("any:8080",))
    assert isinstance(found, Unanswered)
    assert "no route" in found.reason


class _Bus:
    """Knows one topic, misses another, and is cut off from a third."""

    def partitions(self, topic: str) -> int:
        if topic == "orders":
            return 3
        raise TopicMissing(topic) if topic == "gone" else BusUnavailable("cut off")


def test_the_bus_tells_partitions() -> None:
    """A missing topic is an answer; none at all is told."""
    bus: Bus = _Bus()  # type: ignore[assignment] # pyright: ignore[reportAssignmentType]
    assert ask_bus(bus, ["orders", "gone"]) == {"orders": 3}
    assert ask_bus(bus, ["orders", "far"]) == Unanswered("cut off")
