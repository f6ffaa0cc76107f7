"""`magnetar send`: one message from the command line."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from os import urandom
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from magnetar.runtime.bus.port import BusUnavailable
from magnetar.runtime.cli import screen
from magnetar.runtime.cli.apps import MOST_JSON, feed_of, message_of, wiring_of
from magnetar.runtime.cli.exits import BadInput, Exit
from magnetar.runtime.cli.options import AsJson, Bus, Store, Target, reaching_broker, reading, shared_bus
from magnetar.runtime.cli.wording import simple
from magnetar.runtime.client import Client, RealMoments
from magnetar.runtime.identity import id_of, mint, to_text
from magnetar.schemas import Event, contract_name

if TYPE_CHECKING:
    from magnetar.runtime.client import Answer
    from magnetar.runtime.wiring import Topic, Wiring
    from magnetar.schemas import Message


def send(  # noqa: PLR0913, PLR0917 - each is an argument or option of the command
    target: Target,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="The message's type: Place, or its full contract name.")],
    json: Annotated[str, typer.Argument(metavar="JSON", help="Its fields as a JSON object; - reads them from stdin.")],
    id_: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="Its id: equal ids are one message. Else a new one.")
    ] = None,
    bus: Bus = None,
    ask: Annotated[bool, typer.Option("--ask", help="Wait until it is applied, and print the state after it.")] = False,
    store: Store = None,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Longest wait in seconds.")] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Send one message to the actor that takes it, durably; an event is published in its publisher's name.

    Dates are ISO 8601 with a zone, decimals and UUIDs are texts, bytes are base64. With --ask the answer is read from
    the store, so it needs --store too; exit status 1 then says that the message was not applied.
    After a time-out it may have been sent: send it again with the same --id, which is always right.

        $ magnetar send shop:app Place '{"order_id": "o-1"}'
        $ magnetar send shop:app Place '{"order_id": "o-1"}' --id order-1-placed --ask --store sqlite:///shop.db
        $ cat big.json | magnetar send shop:app Import - --json
    """
    wiring = wiring_of(target)
    message = message_of(wiring, type_, _text(json))
    topic = destination(wiring, message)
    if ask:
        _check_asked(topic, message)
    text = id_ or to_text(mint(RealMoments().now(), urandom))
    with ExitStack() as stack:
        views = stack.enter_context(reading(store)) if ask else None
        stack.enter_context(reaching_broker())
        connection = shared_bus(bus, wiring.app, silent=True).connect("magnetar send")
        stack.callback(connection.close)
        client = Client(wiring, connection, views, timeout=timeout)
        stack.callback(client.close)
        answer = _done(client, topic, message, text, ask=ask)
    _tell(topic, message, text, answer, as_json=as_json)
    if answer is not None and answer.state is None:
        raise typer.Exit(Exit.NO)


def publish(client: Client, topic: Topic, message: Message, text: str | None) -> str:
    """Send a command, or publish an event; returns its id. Raises what the client raises."""
    return client.publish(topic, message, id=text) if isinstance(message, Event) else client.send(message, id=text)


def key_of(topic: Topic, message: Message) -> str:
    """The key that a message is for; '' for one without."""
    getter = topic.kinds[type(message)].key
    return "" if getter is None else getter(message)


def _done(client: Client, topic: Topic, message: Message, text: str, *, ask: bool) -> Answer | None:
    try:
        if ask:
            return client.ask(message, id=text)
        publish(client, topic, message, text)
    except BusUnavailable:
        screen.tell(f"send it again with --id {text}: then it counts once, even if it was sent now")
        raise
    return None


def _check_asked(topic: Topic, message: Message) -> None:
    if isinstance(message, Event) or not topic.takers:
        raise BadInput(
            f"{type(message).__name__} cannot be asked: no one actor of this app takes it; send it without --ask"
        )


def _text(json: str) -> str:
    """The JSON, from stdin where `-` stands for it; one byte more than can be used is enough to refuse it."""
    return sys.stdin.read(MOST_JSON + 1) if json == "-" else json


def _tell(topic: Topic, message: Message, text: str, answer: Answer | None, *, as_json: bool) -> None:
    facts: dict[str, Any] = {"id": text, "message_id": to_text(id_of(text)), "type": contract_name(type(message))}
    facts |= {"topic": topic.name, "key": key_of(topic, message)}
    if answer is not None:
        facts |= {
            "disposition": answer.disposition,
            "version": answer.version,
            "state": msgspec.to_builtins(answer.state),
        }
    if as_json:
        screen.answer(facts)
        return
    typer.echo(f"sent {simple(facts['type'])} to {facts['topic']}/{facts['key']}, id {text}")
    if answer is not None:
        told = f"{answer.disposition}, version {answer.version}"
        typer.echo(told if answer.state is None else f"{told}: {msgspec.json.encode(answer.state).decode()}")


def destination(wiring: Wiring, message: Message) -> Topic:
    """Where a message goes: its taker's topic, or for an event its publisher's. `BadInput`, `MisuseError`."""
    return feed_of(wiring, type(message)) or wiring.destination(None, message)
