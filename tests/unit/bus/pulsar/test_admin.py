"""The REST API's odd answers are read right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest

from magnetar.runtime.bus.port import BusError, BusUnavailable, Refused, SchemaRefused, TopicMissing
from magnetar.runtime.bus.pulsar.admin import Admin

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = "persistent://public/shop/orders"
NO_FIT = "Error during schema compatibility check with strategy BACKWARD_TRANSITIVE: Unable to read schema: {}"
STACK = (
    f"\n --- An unexpected error occurred in the server ---\n\nMessage: {NO_FIT}\n\nStacktrace:\n\norg.apache.pulsar…"
)
PAGE = f"<html><head>\n<title>Error 409 {NO_FIT.replace(':', '&#58;')}</title></head><body><h2>…</h2></body></html>"


def admin(answer: Callable[[httpx2.Request], httpx2.Response]) -> Admin:
    """A client whose network is a function."""
    return Admin("http://broker-1:8080", transport=httpx2.MockTransport(answer))


def always(status: int, *, json: object = None, text: str | None = None) -> Admin:
    """A client that always gets this answer."""
    return admin(lambda _: httpx2.Response(status, json=json) if text is None else httpx2.Response(status, text=text))


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_write_follows_the_owner_of_the_topic(method: str) -> None:
    """A 307 sends the same method and body to the other broker."""
    seen: list[tuple[str, str, bytes]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append((request.method, request.url.host, request.content))
        if request.url.host == "broker-1":
            return httpx2.Response(307, headers={"location": str(request.url.copy_with(host="broker-2"))})
        return httpx2.Response(204)

    admin(answer).set_policy("public/shop", method, "deduplication", value=True)
    assert seen == [(method, "broker-1", b"true"), (method, "broker-2", b"true")]


def test_a_compatible_schema_is_a_202() -> None:
    """Either name of the flag is read."""
    assert always(202, json={"compatibility": True}).incompatibility(TOPIC, "{}") is None
    assert always(202, json={"isCompatibility": True}).incompatibility(TOPIC, "{}") is None
    assert always(202, json={"compatibility": False}).incompatibility(TOPIC, "{}") is not None


@pytest.mark.parametrize("reason", [STACK, "Message: Invalid schema definition data for AVRO schema\n\nStacktrace:\n"])
def test_an_incompatible_schema_is_a_500(reason: str) -> None:
    """The reason is the broker's message without its stack."""
    said = always(500, json={"reason": reason}).incompatibility(TOPIC, "{}")
    assert said is not None
    assert said.startswith(("Error during schema compatibility check", "Invalid schema definition"))
    assert "Stacktrace" not in said


@pytest.mark.parametrize(
    "answer", [(500, {"reason": "bookie down"}), (503, {"reason": "not ready"}), (202, {"strategy": "FULL"})]
)
def test_any_other_trouble_is_no_verdict(answer: tuple[int, object]) -> None:
    """An unknown is never taken for a yes or a no."""
    with pytest.raises(BusUnavailable, match="orders"):
        always(answer[0], json=answer[1]).incompatibility(TOPIC, "{}")


@pytest.mark.parametrize("status", [409, 422])
def test_a_refused_schema_is_an_html_page(status: int) -> None:
    """The title of the page is the reason."""
    with pytest.raises(SchemaRefused, match="schema compatibility check") as caught:
        always(status, text=PAGE).add_schema(TOPIC, "{}")
    assert "<" not in str(caught.value)


def test_a_schema_is_known_by_what_counts_of_it() -> None:
    """The broker's own call for that goes by bytes, so it is not asked; a schema of another kind is another one."""
    record = '{"type": "record", "name": "R", "fields": []}'
    stored = [{"version": 4, "type": "JSON", "data": record}, {"version": 5, "type": "AVRO", "data": record}]
    there = always(200, json={"getSchemaResponses": stored})
    assert there.schema_version(TOPIC, record.replace("{", '{"doc": "ours", ')) == 5
    assert there.schema_version(TOPIC, record.replace("R", "S")) is None
    assert always(200, json={"getSchemaResponses": []}).schema_version(TOPIC, record) is None
    assert always(404, json={"reason": "Topic not found"}).schemas(TOPIC) == {}


@pytest.mark.parametrize(
    ("status", "said", "strategy"),
    [
        (202, {"compatibility": True, "schemaCompatibilityStrategy": "FULL"}, "FULL"),
        (500, {"reason": STACK}, "BACKWARD_TRANSITIVE"),
        (500, {"reason": "Message: Incompatible schema: exists schema type JSON, new schema type AVRO"}, None),
    ],
)
def test_a_verdict_says_by_which_strategy(status: int, said: object, strategy: str | None) -> None:
    """An answer to another question than was asked must not be taken for one."""
    verdict = always(status, json=said).verdict(TOPIC, "{}")
    assert (verdict.strategy, verdict.reason is None) == (strategy, status == 202)


def test_what_is_missing_is_none() -> None:
    """Reading something that is not there is no error; writing to it is."""
    absent = always(404, json={"reason": "Topic not found"})
    assert absent.partitions(TOPIC) is None
    assert absent.policies("public/shop") is None
    assert absent.subscriptions(TOPIC) == frozenset()
    assert not absent.has_subscription(TOPIC, "magnetar-orders")
    with pytest.raises(TopicMissing, match="Topic not found"):
        absent.create_missing_partitions(TOPIC)


def test_creating_what_is_there_is_no_error() -> None:
    """Two operators may apply at once; only another number of partitions is refused."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json={"partitions": 4}) if request.method == "GET" else httpx2.Response(409)

    there = admin(answer)
    there.create_tenant("public", ["standalone"])
    there.create_namespace("public/shop")
    there.create_subscription(f"{TOPIC}-partition-0", "magnetar-orders")
    there.create_partitions(TOPIC, 4)
    with pytest.raises(Refused, match="4 already"):
        there.create_partitions(TOPIC, 16)


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Refused), (403, Refused), (405, Refused), (412, Refused), (500, BusUnavailable)]
)
def test_a_status_becomes_an_error(status: int, kind: type[BusError]) -> None:
    """With what was asked, the status and the reason."""
    with pytest.raises(kind, match=rf"set|PUT.*{status}.*no way"):
        always(status, json={"reason": "no way"}).set_policy("public/shop", "PUT", "retention", {})


def test_a_page_of_something_else_is_told() -> None:
    """A proxy's greeting is not a list of tenants."""
    with pytest.raises(BusUnavailable, match="is it one"):
        always(200, text="<html>welcome</html>").tenants()


def test_no_connection_is_unavailable() -> None:
    """The error names the method, the path and the address."""

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(BusUnavailable, match=r"GET tenants at http://broker-1:8080: ConnectError: refused"):
        admin(refuse).tenants()


class Brokers:
    """Three hosts; those that are `gone` take no connection, those that are `frozen` never answer, some are `ill`."""

    def __init__(self, **ones: str) -> None:
        self.ones = ones
        self.asked: list[str] = []
        self.admin = Admin("http://one:8080,two:8080/,three:8080", transport=httpx2.MockTransport(self.answer))

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """As each does."""
        host = request.url.host
        self.asked.append(host)
        match self.ones.get(host, "well"):
            case "gone":
                raise httpx2.ConnectError("refused", request=request)
            case "frozen":
                raise httpx2.ReadTimeout("timed out", request=request)
            case "ill":
                return httpx2.Response(500, text="no metadata")
            case _:
                return httpx2.Response(200, json=["public"])


def test_of_several_hosts_the_one_is_asked_first_that_answered_last() -> None:
    """Each of them answers for the whole cluster."""
    brokers = Brokers(one="gone", two="frozen")
    for _ in range(2):
        assert brokers.admin.tenants() == ["public"]
    assert brokers.asked == ["one", "two", "three", "three"]
    brokers.ones = {"three": "ill"}
    assert brokers.admin.tenants() == ["public"]
    assert brokers.asked[4:] == ["three", "one"]


def test_a_write_goes_to_the_next_host_only_where_it_was_never_sent() -> None:
    """What has become of one without an answer nobody knows; and an error of its own may be about what was asked."""
    gone = Brokers(one="gone")
    gone.admin.set_policy("public/shop", "POST", "deduplication", value=True)
    assert gone.asked == ["one", "two"]
    for trouble in ("frozen", "ill"):
        brokers = Brokers(one=trouble)
        with pytest.raises(BusUnavailable, match=r"namespaces/public%2Fshop|namespaces/public/shop"):
            brokers.admin.set_policy("public/shop", "POST", "deduplication", value=True)
        assert brokers.asked == ["one"]


@pytest.mark.parametrize(
    ("ones", "words"),
    [
        (
            {"one": "gone", "two": "frozen", "three": "gone"},
            "at http://one:8080: ConnectError: .* at http://two:8080: ",
        ),
        ({"one": "gone", "two": "ill", "three": "frozen"}, "500, no metadata"),
    ],
)
def test_where_all_hosts_fail_it_is_told_how(ones: dict[str, str], words: str) -> None:
    """Each that did not answer; or what the last one said that did."""
    brokers = Brokers(**ones)
    with pytest.raises(BusUnavailable, match=words):
        brokers.admin.tenants()
    assert brokers.asked == ["one", "two", "three"]


def test_a_broker_says_who_it_is_and_what_time_it_has() -> None:
    """The version is bare text; one that tells no time is no Pulsar."""
    date = {"date": "Sat, 28 Nov 2026 03:36:49 GMT"}
    said = admin(lambda _: httpx2.Response(200, text="4.0.8", headers=date)).identify()
    assert (said.version, said.clock.isoformat()) == ("4.0.8", "2026-11-28T03:36:49+00:00")
    with pytest.raises(BusUnavailable, match="is it a Pulsar"):
        always(200, text="hello").identify()


def test_a_policy_that_is_not_set_on_a_topic_is_an_empty_answer() -> None:
    """Also where the topic knows no such policy."""
    assert always(200, text="").policy_of(TOPIC, "retention") is None
    assert always(404).policy_of(TOPIC, "retention") is None
    assert always(200, json={"retentionTimeInMinutes": 5}).policy_of(TOPIC, "retention") == {
        "retentionTimeInMinutes": 5
    }
    with pytest.raises(Refused, match="retention"):
        always(403).policy_of(TOPIC, "retention")


def stats(*partitions: str, of: int) -> dict[str, object]:
    """What `partitioned-stats` says of a topic with so many partitions, when these have answered."""
    some = {"subscriptions": {"orders": {"msgBacklog": 3, "earliestMsgPublishTimeInBacklog": 7}}}
    return {"metadata": {"partitions": of, "deleted": False}, "partitions": dict.fromkeys(partitions, some)}


def test_a_backlog_is_that_of_every_partition() -> None:
    """By number; a topic that is not there has none."""
    found = always(200, json=stats(f"{TOPIC}-partition-0", f"{TOPIC}-partition-1", of=2)).backlogs(TOPIC)
    assert {number: some["orders"].messages for number, some in found.items()} == {0: 3, 1: 3}
    assert always(404).backlogs(TOPIC) == {}


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        ([f"{TOPIC}-partition-1"], "of 2 partitions of .*orders 1 say nothing of theirs"),
        ([TOPIC], "of 2 partitions of .*orders 2 say nothing of theirs"),
        ([], "2 say nothing"),
    ],
)
def test_a_partition_whose_broker_is_silent_is_not_taken_for_one_without_backlog(
    answered: list[str], told: str
) -> None:
    """The API leaves it out, and has the topic itself in place of all when none answers."""
    with pytest.raises(BusUnavailable, match=told):
        always(200, json=stats(*answered, of=2)).backlogs(TOPIC)
