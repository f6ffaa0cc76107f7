"""How to reach one Pulsar cluster, and the names of things on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from magnetar.runtime.bus.pulsar.access import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class PulsarSettings:
    """Where the cluster is and how long to wait for it. Durations are seconds.

    Args:
        service_url: `pulsar://host:6650`, or `pulsar+ssl://host:6651`; several hosts parted by commas.
        application: the namespace; topics are `persistent://<tenant>/<application>/<topic>`.
        tenant: the tenant of the namespace.
        access: the token, and which certificates are trusted.
        operation_timeout: how long the client tries an opening or a question, in whole seconds. Longer than the
            broker's `connectionLivenessCheckTimeoutMillis`, else the first try to replace a frozen worker times out.
        connect_timeout: how long a TCP connection may take.
        ping_timeout: after so long without an answer a `Bus.ping` has failed.
        probe_timeout: a host that has not answered for so long is not asked where a topic is, as long as another one
            answers; and a consumer whose broker has not, meanwhile, counts as one without a connection. Shorter than
            `connect_timeout`, else the first opening after a silence meets that host once more.
        mark_timeout: when the REST API has not told for so long how far something is acknowledged, the log says so.
        schema_timeout: how long `Bus.schema` may take, in whole seconds.
        send_timeout: without any receipt for so long while some are due, a producer ends itself; half of it when it is
            known that some host is silent.
        close_timeout: how long a close waits for the broker's answer.
        receiver_queue: messages the client prefetches for each partition; also what a crash delivers again.
        max_pending: unanswered sends a producer holds; more are refused.
        log_file: where the C++ client writes its own log; `/dev/null` drops it.
        log_level: the least level it writes. Each `Busy` is a warning and an error there.
    """

    service_url: str
    application: str
    tenant: str = "public"
    access: Access = field(default_factory=Access)
    operation_timeout: float = 5.0
    connect_timeout: float = 2.0
    ping_timeout: float = 2.0
    probe_timeout: float = 1.0
    mark_timeout: float = 1.0
    schema_timeout: float = 2.0
    send_timeout: float = 10.0
    close_timeout: float = 2.0
    receiver_queue: int = 200
    max_pending: int = 10_000
    log_file: str = "/dev/stderr"
    log_level: Literal["debug", "info", "warning", "error"] = "error"

    def topic(self, name: str) -> str:
        """The full name of a topic."""
        return f"persistent://{self.tenant}/{self.application}/{name}"

    def partition(self, name: str, partition: int) -> str:
        """The full name of the topic behind one partition."""
        return f"{self.topic(name)}-partition-{partition}"
