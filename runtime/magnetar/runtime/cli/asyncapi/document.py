"""The whole document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from magnetar.runtime.cli.asyncapi.channels import BINARY, BINDING, channels_of, letters, payloads
from magnetar.runtime.cli.asyncapi.headers import correlation, schemas
from magnetar.runtime.cli.asyncapi.operations import operations_of
from magnetar.runtime.compose.places import wanted_of

if TYPE_CHECKING:
    from magnetar.runtime.wiring import Wiring
    from magnetar.schemas.shapes import Json

VERSION: Final = "3.0.0"
BROKER: Final = "localhost:6650"

_TOLD: Final = (
    "Actors on Apache Pulsar: what each takes and sends by topics. The payload of a message is one datum of its "
    "channel's Avro schema, binary, without a container: a record whose only field body is a union of the channel's "
    "messages. The property type says which of them it is, the field x-key which entity it is for. A key belongs to "
    "partition (hash & 0x7fffffff) % x-partitions, where hash is Java's String.hashCode. What is sent is what the code "
    "of the handlers names. A reply is what may come: events whose causation_id is the message_id of the command; "
    "whoever asks with Client.ask gets the actor's state from the store. Timers and effects are on no topic. "
    "The version is the generation of what the app stores and sends."
)


def document_of(wiring: Wiring) -> dict[str, Json]:
    """An app as AsyncAPI 3, with Pulsar's bindings; the same for the same app, in every process."""
    wanted = wanted_of(wiring)
    return {
        "asyncapi": VERSION,
        "info": {"title": wiring.app, "version": str(wiring.contracts), "description": _TOLD},
        "defaultContentType": BINARY,
        "servers": {"pulsar": _server(wanted.tenant)},
        "channels": channels_of(wiring, wanted),
        "operations": operations_of(wiring),
        "components": {
            "schemas": payloads(wiring) | schemas(),
            "messages": letters(),
            "correlationIds": correlation(),
        },
    }


def _server(tenant: str) -> Json:
    return {
        "host": "{broker}",
        "protocol": "pulsar",
        "description": "The cluster that the app's workers are started with (--bus).",
        "variables": {"broker": {"default": BROKER, "description": "Host and port of a broker or a proxy."}},
        "bindings": {"pulsar": {"tenant": tenant, "bindingVersion": BINDING}},
    }
