"""Pulsar's REST API, as much of it as provisioning and looking need.

Errors are those of the bus port. The API's odd answers are read here and nowhere else: an incompatible schema is
a 500 from one address and a 409 with an HTML page from another, and a broker that does not own a topic answers
writes with a 307, which is followed with method and body kept.
"""

from __future__ import annotations

import html
import re
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from magnetar.runtime.bus.port import BusError, BusUnavailable, Position, Refused, SchemaRefused, TopicMissing
from magnetar.runtime.bus.pulsar.access import REMEDY, Access
from magnetar.runtime.bus.pulsar.answers import (
    Added,
    AllStored,
    Backlog,
    Bookies,
    Compatibility,
    Excuse,
    Identity,
    Insides,
    Partitions,
    Stats,
    Stored,
    Verdict,
)
from magnetar.runtime.bus.pulsar.hosts import hosts_of, url_of
from magnetar.runtime.bus.pulsar.marks import Ledger, mark_of
from magnetar.runtime.bus.pulsar.sameness import AVRO, normal

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from magnetar.runtime.bus.pulsar.marks import Mark

T = TypeVar("T")

_LONGEST = 400  # characters of a reason: the broker's own may hold a stack trace and both schemas
_EXACT = "perPartition=true&getPreciseBacklog=true&getEarliestTimeInBacklog=true&excludePublishers=true"
_REMEDY: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: f": the token is missing, wrong or expired; {REMEDY}",
    HTTPStatus.FORBIDDEN: ": the token's role may not do this; grant it that, or give a token of another role",
}
_SCHEMA_TROUBLE = (
    "schema compatibility check",  # it cannot read, or be read by, what the topic has
    "Incompatible schema: ",  # it is of another kind than what the topic has
    "Invalid schema definition",
    "Invalid default for field",
    "org.apache.avro.",  # an exception of Avro's, that nobody caught
)
_REFUSED = frozenset({HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})
_JSON = {"content-type": "application/json"}
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout)
_EARLIEST = {"ledgerId": -1, "entryId": -1, "partitionIndex": -1}


class Admin:
    """One cluster's REST API. Every call blocks; `BusUnavailable` when there is no usable answer. Any thread.

    Of several hosts the one is asked first that answered last. The next is asked where nothing can have happened: for
    whatever is only read, and for a write that found no connection.

    Args:
        url: `http://host:8080`, `https://host:8443`, or several hosts: `http://one:8080,other:8080`.
        timeout: seconds for an answer of one host.
        connect_timeout: seconds for connecting to it; None: as long as for an answer.
        access: the token, and which certificates are trusted. `Refused` for certificates that cannot be used.
        transport: in place of the network, for tests.
    """

    def __init__(
        self,
        url: str,
        timeout: float = 10.0,
        access: Access | None = None,
        transport: httpx2.BaseTransport | None = None,
        connect_timeout: float | None = None,
    ) -> None:
        self._url = url
        self._hosts = tuple(url_of(url, (host.rstrip("/"),)) for host in hosts_of(url))
        self._first = 0  # the host that answered last; several threads set it, and any of their words will do
        self._access = access or Access()
        tls = self._access.tls()
        if tls is None and url.startswith("http:"):
            # Trusts nobody, should it be sent on to TLS: to read the authorities of the machine takes 0.1 s.
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client = httpx2.Client(
            timeout=httpx2.Timeout(timeout, connect=connect_timeout or timeout),
            verify=True if tls is None else tls,
            follow_redirects=True,
            event_hooks={"request": [self._authorize]},
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where it is, as it was told: `http://host:8080`."""
        return self._url

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def clusters(self) -> list[str]:
        """The names of the clusters."""
        return self._get("clusters", list[str]) or []

    def brokers(self) -> list[str]:
        """The brokers that are up, each as host and port of its own REST API."""
        return self._get("brokers", list[str]) or []

    def identify(self) -> Identity:
        """Which version answers here, and what its clock says."""
        answer = self._send("GET", "brokers/version", None)
        self._check(answer, "read the broker's version")
        try:
            said = parsedate_to_datetime(answer.headers.get("date", ""))
        except ValueError as failure:
            raise BusUnavailable(f"{self._url} does not tell the time; is it a Pulsar's REST API?") from failure
        return Identity(answer.text.strip().strip('"'), said)

    def settings(self) -> Mapping[str, str]:
        """All settings in force of the broker that answers here."""
        found = self._get("brokers/configuration/runtime", dict[str, str | None]) or {}
        return {name: value or "" for name, value in found.items()}

    def changeable(self) -> frozenset[str]:
        """The settings that brokers take without a restart."""
        return frozenset(self._get("brokers/configuration", list[str]) or [])

    def bookies(self) -> int:
        """How many bookies the cluster knows."""
        found = self._get("bookies/all", Bookies)
        return 0 if found is None else len(found.bookies)

    def tenants(self) -> list[str]:
        """The names of the tenants."""
        return self._get("tenants", list[str]) or []

    def create_tenant(self, tenant: str, clusters: list[str]) -> None:
        """Create it for these clusters; nothing happens if it is there."""
        self._create("PUT", f"tenants/{quote(tenant)}", {"adminRoles": [], "allowedClusters": clusters})

    def policies(self, namespace: str) -> Mapping[str, object] | None:
        """What is set on `tenant/name`, by the API's own names; None when there is no such namespace."""
        return self._get(f"namespaces/{quote(namespace)}", dict[str, object])

    def create_namespace(self, namespace: str) -> None:
        """Create it; nothing happens if it is there."""
        self._create("PUT", f"namespaces/{quote(namespace)}", {})

    def set_policy(self, namespace: str, method: str, path: str, value: object) -> None:
        """Set one policy of a namespace."""
        self._write(method, f"namespaces/{quote(namespace)}/{path}", value)

    def topics(self, namespace: str) -> frozenset[str]:
        """The full names of the topics that exist, partitions one by one."""
        return frozenset(self._get(f"persistent/{quote(namespace)}", list[str]) or [])

    def partitions(self, topic: str) -> int | None:
        """How many partitions a topic has; 0 for one that is not partitioned, None for none."""
        found = self._get(f"{_path(topic)}/partitions", Partitions)
        return None if found is None else found.partitions

    def backlogs(self, topic: str) -> Mapping[int, Mapping[str, Backlog]]:
        """For each partition and subscription, exactly what is not acknowledged. One call; empty without the topic.

        Raises `BusUnavailable` where a partition's broker does not answer: what waits there nobody knows.
        """
        found = self._get(f"{_path(topic)}/partitioned-stats?{_EXACT}", Stats)
        if found is None:
            return {}
        told = {name.rpartition("-partition-")[2]: each for name, each in found.partitions.items()}
        backlogs = {int(number): each.subscriptions for number, each in told.items() if number.isdecimal()}
        if silent := found.metadata.partitions - len(backlogs):
            raise BusUnavailable(f"of {found.metadata.partitions} partitions of {topic} {silent} say nothing of theirs")
        return backlogs

    def create_partitions(self, topic: str, partitions: int) -> None:
        """Create a partitioned topic; `Refused` when one exists with another number."""
        if not self._create("PUT", f"{_path(topic)}/partitions", partitions):
            there = self.partitions(topic)
            if there != partitions:
                raise Refused(f"create {topic} with {partitions} partitions: it has {there} already")

    def create_missing_partitions(self, topic: str) -> None:
        """Create those partitions of a partitioned topic that are not there."""
        self._write("POST", f"{_path(topic)}/createMissedPartitions", None)

    def policy_of(self, topic: str, name: str) -> object:
        """A policy that is set on the topic itself, by the API's own name; None where the namespace's is in force."""
        answer = self._send("GET", f"{_path(topic)}/{name}", None)
        if answer.status_code == HTTPStatus.NOT_FOUND or (answer.is_success and not answer.content):
            return None
        self._check(answer, f"read {name} of {topic}")
        return self._decoded(answer, object)

    def set_policy_of(self, topic: str, name: str, value: object) -> None:
        """Set a policy on the topic itself, by the API's own name."""
        self._write("PUT", f"{_path(topic)}/{name}", value)

    def subscriptions(self, topic: str) -> frozenset[str]:
        """The subscriptions of a topic or of one partition; none when it does not exist."""
        return frozenset(self._get(f"{_path(topic)}/subscriptions", list[str]) or [])

    def has_subscription(self, partition_topic: str, subscription: str) -> bool:
        """Whether the topic behind one partition has this subscription."""
        return subscription in self.subscriptions(partition_topic)

    def mark(self, partition_topic: str, subscription: str) -> Mark:
        """How far a subscription of the topic behind one partition is acknowledged; `TopicMissing`."""
        found = self._get(f"{_path(partition_topic)}/internalStats", Insides)
        cursor = None if found is None else found.cursors.get(subscription)
        if found is None or cursor is None:
            raise TopicMissing(f"{partition_topic} has no subscription {subscription}")
        at = Position.parse(f"{cursor.mark_delete}:-1")
        return mark_of(at, [Ledger(each.number, each.entries) for each in found.ledgers])

    def create_subscription(self, topic: str, subscription: str) -> bool:
        """Create it at the earliest message, on all partitions of a topic or on one.

        False, and nothing happens, if it is there; on a whole topic then some partitions may lack it.
        """
        return self._create("PUT", f"{_path(topic)}/subscription/{quote(subscription, safe='')}", _EARLIEST)

    def schemas(self, topic: str) -> Mapping[int, Stored]:
        """The schemas of a topic by version, the oldest first; none for a topic that is not there.

        Versions count from 0 and are never used twice: where the first is not 0, somebody has deleted schemas.
        """
        found = self._get(f"{_schemas(topic)}/schemas", AllStored)
        return {} if found is None else {each.version: each for each in found.schemas}

    def schema_version(self, topic: str, text: str) -> int | None:
        """The version under which the topic has this Avro schema, or one that is the same to the broker."""
        wanted = normal(text)
        stored = self.schemas(topic).values()
        return next((each.version for each in stored if each.type == AVRO and normal(each.text) == wanted), None)

    def verdict(self, topic: str, text: str) -> Verdict:
        """Whether the topic would take this Avro schema: one that can read all that its strategy asks for.

        A topic without schemas takes any, and so does one that does not exist. The broker answers 500 when the schema
        is incompatible or invalid; any other 500 raises `BusUnavailable`.
        """
        answer = self._send("POST", f"{_schemas(topic)}/compatibility", _avro(text))
        reason = _reason(answer)
        if _is_schema_trouble(answer):
            named = re.search(r"check with strategy ([A-Z_]+)", reason)
            return Verdict(named[1] if named else None, reason)
        self._check(answer, f"compare a schema with those of {topic}")
        said = self._decoded(answer, Compatibility)
        if said.compatibility is None and said.is_compatibility is None:
            raise BusUnavailable(f"compare a schema with those of {topic}: no verdict in {answer.text[:_LONGEST]!r}")
        taken = said.compatibility or said.is_compatibility
        return Verdict(said.strategy, None if taken else "the broker says only that it is incompatible")

    def incompatibility(self, topic: str, text: str) -> str | None:
        """Why the topic would refuse this Avro schema; None when it would take it. See `verdict`."""
        return self.verdict(topic, text).reason

    def add_schema(self, topic: str, text: str) -> int:
        """Register an Avro schema; its version. `SchemaRefused` when it is incompatible or invalid."""
        answer = self._send("POST", f"{_schemas(topic)}/schema", _avro(text))
        if answer.status_code in _REFUSED or _is_schema_trouble(answer):
            raise SchemaRefused(f"register a schema of {topic}: {_reason(answer)}")
        self._check(answer, f"register a schema of {topic}")
        return self._decoded(answer, Added).version.version

    def _authorize(self, request: httpx2.Request) -> None:
        # For each hop: the owner of a topic is another host, for which the library would take the token away. It never
        # goes in clear text where we had asked for TLS.
        token = self._access.bearer()
        if token is not None and (request.url.scheme == "https" or self._url.startswith("http:")):
            request.headers["authorization"] = f"Bearer {token}"

    def _get(self, path: str, kind: type[T]) -> T | None:
        answer = self._send("GET", path, None)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        self._check(answer, f"read {path}")
        return self._decoded(answer, kind)

    def _create(self, method: str, path: str, value: object) -> bool:
        """Whether it was made; False when it was there."""
        answer = self._send(method, path, value)
        if answer.status_code == HTTPStatus.CONFLICT:
            return False
        self._check(answer, f"{method} {path}")
        return True

    def _write(self, method: str, path: str, value: object) -> None:
        self._check(self._send(method, path, value), f"{method} {path}")

    def _send(self, method: str, path: str, value: object) -> httpx2.Response:
        """What the first host says that answers; where all fail at a read, what the last of them says."""
        reads, first = method == "GET", self._first
        content = None if reads else msgspec.json.encode(value)
        silent: list[str] = []
        failed: httpx2.Response | None = None
        for number in (*range(first, len(self._hosts)), *range(first)):
            host = self._hosts[number]
            try:
                answer = self._client.request(method, f"{host}/admin/v2/{path}", content=content, headers=_JSON)
            except httpx2.HTTPError as failure:
                silent.append(f"at {host}: {type(failure).__name__}: {failure}")
                if not reads and not isinstance(failure, _NOT_SENT):
                    break
                continue
            if not (reads and answer.is_server_error):
                self._first = number
                return answer
            failed = answer
        if failed is None:
            raise BusUnavailable(f"{method} {path} {'; '.join(silent)}")
        return failed

    def _check(self, answer: httpx2.Response, doing: str) -> None:
        if not answer.is_success:
            remedy = _REMEDY.get(answer.status_code, "")
            raise _kind(answer.status_code)(f"{doing}: {answer.status_code}, {_reason(answer)}{remedy}")

    def _decoded(self, answer: httpx2.Response, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.DecodeError as failure:
            said = f"{answer.request.url} answered what Pulsar's REST API would not ({failure}); is it one?"
            raise BusUnavailable(said) from failure


def _kind(status: int) -> type[BusError]:
    if status == HTTPStatus.NOT_FOUND:
        return TopicMissing
    return Refused if status < HTTPStatus.INTERNAL_SERVER_ERROR else BusUnavailable


def _reason(answer: httpx2.Response) -> str:
    """The broker's reason in one line: from its JSON, from the title of its error page, or the text itself."""
    try:
        text = msgspec.json.decode(answer.content, type=Excuse).reason
    except msgspec.DecodeError:
        title = re.search(r"<title>(.*?)</title>", answer.text, re.DOTALL)
        text = html.unescape(title[1]) if title else answer.text
    message = re.search(r"Message: (.*?)(?:Stacktrace:|$)", text, re.DOTALL)
    return " ".join((message[1] if message else text).split())[:_LONGEST] or "no reason given"


def _is_schema_trouble(answer: httpx2.Response) -> bool:
    """A 500 whose reason is the schema; any other says nothing of it."""
    if answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    reason = _reason(answer)
    return any(sign in reason for sign in _SCHEMA_TROUBLE)


def _avro(text: str) -> Mapping[str, object]:
    return {"type": AVRO, "schema": text, "properties": {}}


def _path(topic: str) -> str:
    return f"persistent/{quote(topic.removeprefix('persistent://'))}"


def _schemas(topic: str) -> str:
    return f"schemas/{quote(topic.removeprefix('persistent://'))}"
