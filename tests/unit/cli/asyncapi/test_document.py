"""The AsyncAPI document: valid by the official schema, and true of what is really on the topics."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastavro
import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml  # type: ignore[import-untyped]

from magnetar.actors.charging.shop import SHOP
from magnetar.actors.shop import SHOP as SHOP_WITHOUT_PROVIDER
from magnetar.runtime import Actor, App, Command, Context, Key, PermanentError, Policy, Retry, State, World
from magnetar.runtime.bus.pulsar.wanted import policies
from magnetar.runtime.cli.asyncapi import document_of
from magnetar.runtime.compose.places import wanted_of
from magnetar.schemas import Money, commerce
from magnetar.schemas.commerce import Capture, Line, Place, Restock
from tests.acceptance.pages import ROOT
from tests.unit.cli import shop

if TYPE_CHECKING:
    from magnetar.runtime.bus.port import Delivery

PAGE = ROOT / "docs" / "reference" / "asyncapi.yaml"
TARGET = "magnetar.actors.charging.shop:SHOP"
OFFICIAL = json.loads((Path(__file__).parent / "3.0.0.json").read_text(encoding="utf-8"))
AVRO = Path(commerce.__file__).parent / "avro" / "topics"
BINDING = ("channels", "orders", "bindings", "pulsar")
WRONG: dict[str, tuple[tuple[str, ...], Any]] = {
    "a version that is not 3.0.0": (("asyncapi",), "2.6.0"),
    "a channel without namespace": (BINDING, {"persistence": "persistent"}),
    "a setting that the binding does not know": ((*BINDING, "backlog"), 1),
    "a retention below zero": ((*BINDING, "retention", "size"), -1),
    "an action that is none": (("operations", "orders-sends-stock", "action"), "publish"),
    "a payload that is no Avro": (("components", "schemas", "stock", "schema", "type"), "recrod"),
}


def complaints(document: Any) -> list[str]:
    """What the official schema of AsyncAPI 3.0.0, with the bindings that it knows, has to say."""
    found = jsonschema.Draft7Validator(OFFICIAL).iter_errors(document)
    return [f"{'/'.join(map(str, each.absolute_path))}: {each.message:.200}" for each in found]


def references(node: Any) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(node, dict):
        yield from (each for key, each in node.items() if key == "$ref")
        for each in node.values():
            yield from references(each)
    elif isinstance(node, list):
        for each in node:
            yield from references(each)


def found(document: Any, reference: str) -> Any:
    """What a reference stands for."""
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


@pytest.fixture(scope="module")
def document() -> Any:
    """The committed page."""
    return yaml.safe_load(PAGE.read_text(encoding="utf-8"))


def test_the_page_is_what_the_shop_is_whatever_the_hashes_are() -> None:
    """Whoever changes a contract, an actor or a topic makes it anew: the same command without `--check`."""
    command = [
        sys.executable,
        "-m",
        "magnetar.runtime.cli",
        "schema",
        "asyncapi",
        TARGET,
        "--check",
        "--out",
        str(PAGE),
    ]
    for seed in ("1", "2"):
        done = subprocess.run(
            command, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, f"{PAGE} is what the app is\n")


def test_the_page_is_valid(document: Any) -> None:
    """By the schema that the AsyncAPI initiative publishes, and so are other apps."""
    assert complaints(document) == []
    assert complaints(json.loads(json.dumps(document_of(shop.app.wire())))) == []


@pytest.mark.parametrize("wrong", WRONG)
def test_the_official_schema_would_have_seen_it(document: Any, wrong: str) -> None:
    """It is no schema that lets everything pass."""
    path, value = WRONG[wrong]
    spoiled = deepcopy(document)
    place = spoiled
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert complaints(spoiled)


def test_every_reference_leads_somewhere(document: Any) -> None:
    """And what an operation takes or answers is of the channel that it names."""
    assert all(found(document, each) for each in references(document))
    for operation in document["operations"].values():
        for part in (operation, *([operation["reply"]] if "reply" in operation else [])):
            inside = f"{part['channel']['$ref']}/messages/"
            assert part["messages"]
            assert all(each["$ref"].startswith(inside) for each in part["messages"])


def test_every_topic_and_every_actor_is_told(document: Any) -> None:
    """With partitions and subscriptions as they are provisioned, and settings as they are set."""
    wiring = SHOP.wire()
    wanted = wanted_of(wiring)
    told = {
        (name, each["x-partitions"], tuple(each["x-subscriptions"]), each["address"])
        for name, each in document["channels"].items()
    }
    assert told == {(each.name, each.partitions, each.subscriptions, wanted.full(each.name)) for each in wanted.topics}
    assert {each["tags"][0]["name"] for each in document["operations"].values()} == wiring.actors.keys()
    settings = {each.name: each.value for each in policies(wanted)}
    for channel in document["channels"].values():
        binding = channel["bindings"]["pulsar"]
        assert binding["namespace"] == wanted.application
        assert binding["deduplication"] is settings["deduplication"]
        assert binding["ttl"] == settings["messageTTL"]
        assert settings["retention"] == {
            "retentionTimeInMinutes": binding["retention"]["time"],
            "retentionSizeInMB": binding["retention"].get("size", -1),
        }
    assert document["servers"]["pulsar"]["bindings"]["pulsar"]["tenant"] == wanted.tenant


def test_payloads_are_the_committed_avro_files(document: Any) -> None:
    """Of the topics, for that is what is on the wire; all messages of a topic stand in its union."""
    for file in AVRO.glob("*.avsc"):
        schema = document["components"]["schemas"][file.stem]["schema"]
        assert schema == json.loads(file.read_text(encoding="utf-8"))
        union = [f"{each['namespace']}.{each['name']}" for each in schema["fields"][0]["type"]]
        messages = document["channels"][file.stem]["messages"]
        assert list(messages) == union
        assert {each["payload"]["$ref"] for each in messages.values()} == {f"#/components/schemas/{file.stem}"}


def test_what_actors_do_to_each_other(document: Any) -> None:
    """Commands go to their taker, events come back by its own topic; what nobody sends is in no operation."""
    sends = document["operations"]["orders-sends-stock"]
    assert [each["$ref"].rpartition(".")[2] for each in sends["messages"]] == ["Reserve", "Sell", "Release", "Return"]
    assert sends["reply"]["channel"] == {"$ref": "#/channels/stock-events"}
    receives = document["operations"]["orders-receives-payments-events"]
    assert [each["$ref"].rpartition(".")[2] for each in receives["messages"]] == ["PaymentReceived"]
    assert "reply" not in receives
    assert "stock-sends-orders" not in document["operations"]


def test_services_that_live_elsewhere_are_told_as_far_as_they_are_known() -> None:
    """Their partitions are not; nobody is answered by them."""
    made: Any = document_of(shop.app.wire())
    assert "x-partitions" not in made["channels"]["mail"]
    assert made["channels"]["mail"]["description"] == "What mail, a service that is not of this app, takes."
    assert made["channels"]["payments-events"]["x-subscriptions"] == ["magnetar-orders"]
    assert "reply" not in made["operations"]["orders-sends-mail"]
    assert "reply" not in made["operations"]["stock-receives-stock"]  # it publishes nothing


class Ring(Command):
    """Rings a till."""

    till: Key
    hard: bool = False


class Till(State):
    """A till."""

    rung: int = 0


tills = Actor("tills", Till, policy=Policy(partitions=2, retry=Retry(attempts=2, tiers=(1.0,), immediate=1)))


@tills.handles
def ring(till: Till, message: Ring, context: Context) -> Till:
    """Never succeeds."""
    if message.hard:
        raise PermanentError("the till is gone")
    raise OSError("the till is stuck")


TILLS = App("tills", tills)


def traffic(world: World) -> list[tuple[str, Delivery]]:
    """All that was ever on its topics."""
    topics = [(each.name, each.partitions or 1) for each in world.wiring.provisioned()]
    return [(name, each) for name, count in topics for at in range(count) for each in world.broker.log(name, at)]


def sold() -> tuple[App, list[tuple[str, Delivery]]]:
    """An order is placed and paid, and its goods are sold."""
    with World(SHOP_WITHOUT_PROVIDER) as world:
        world.send(Restock(sku="s-1", quantity=5))
        world.send(Place(order_id="o-1", lines=(Line(sku="s-1", quantity=2, price=Money(500, "EUR")),)))
        world.send(Capture(order_id="o-1", reference="r-1", amount=Money(1000, "EUR")))
        return SHOP_WITHOUT_PROVIDER, traffic(world)


def failed() -> tuple[App, list[tuple[str, Delivery]]]:
    """Nothing succeeds: not at once, and not when it is tried again."""
    with World(TILLS, parks=True) as world:
        world.send(Ring(till="t-1", hard=True))
        world.send(Ring(till="t-2"))
        world.advance(60)
        return TILLS, traffic(world)


def test_the_document_is_true_of_an_order() -> None:
    """By the properties a message is exactly one of its channel's; its payload is read, and keyed, as is told."""
    app, seen = sold()
    document: Any = json.loads(json.dumps(document_of(app.wire())))
    assert {topic for topic, _ in seen} == {
        "orders", "stock", "payments", "orders-events", "stock-events", "payments-events"
    }  # fmt: skip
    for topic, delivery in seen:
        [message] = matching(document, topic, delivery)
        schema = found(document, message["payload"]["$ref"])["schema"]
        stream = BytesIO(delivery.body)
        datum: Any = fastavro.schemaless_reader(stream, fastavro.parse_schema(schema), return_record_name=True)
        name, value = datum["body"]
        assert (name, value[message["x-key"]], stream.read()) == (message["name"], delivery.key, b"")
        assert (sender_of(delivery), topic, name) in sent(document) | {("client", topic, name)}


def test_the_document_is_true_of_what_fails() -> None:
    """A retry topic and the dead-letter topic carry what they are said to carry."""
    app, seen = failed()
    document: Any = json.loads(json.dumps(document_of(app.wire())))
    letters = [(topic, delivery) for topic, delivery in seen if topic != "tills"]
    assert {topic for topic, _ in letters} == {"tills-magnetar-tills-RETRY-1s", "tills-magnetar-tills-DLQ"}
    for topic, delivery in letters:
        [message] = matching(document, topic, delivery)
        assert message["contentType"] == "application/octet-stream"
        assert (sender_of(delivery), topic, "failed") in sent(document)


def matching(document: Any, topic: str, delivery: Delivery) -> list[Any]:
    """The messages of a channel that a delivery's properties let it be; each property is one that is described."""
    schemas = document["components"]["schemas"]
    described = {*schemas["envelope"]["properties"], *schemas["letter"]["properties"]}
    assert delivery.properties.keys() <= described
    messages = [
        found(document, each["$ref"]) if "$ref" in each else each
        for each in document["channels"][topic]["messages"].values()
    ]
    return [each for each in messages if fits(document, each["headers"], dict(delivery.properties))]


def fits(document: Any, headers: Any, properties: dict[str, str]) -> bool:
    """Whether properties are what a message's headers say."""
    schema = {"components": document["components"], **headers}
    return bool(jsonschema.Draft7Validator(schema).is_valid(properties))


def sender_of(delivery: Delivery) -> str:
    """The actor that has sent a message, or `client`."""
    sender = delivery.properties["sender"]
    return "client" if ":client:" in sender else sender.partition("/")[0]


def sent(document: Any) -> set[tuple[str, str, str]]:
    """(actor, topic, message) of every operation that sends."""
    return {
        (each["tags"][0]["name"], *message["$ref"].removeprefix("#/channels/").split("/messages/"))
        for each in document["operations"].values()
        if each["action"] == "send"
        for message in each["messages"]
    }
