"""From `MODULE:APP` to a checked app, and from JSON to one of its messages."""

from __future__ import annotations

import difflib
import traceback
from typing import TYPE_CHECKING

import msgspec

from magnetar.runtime.cli.exits import AppBroken, BadInput
from magnetar.runtime.compose.loading import load_app
from magnetar.runtime.errors import MagnetarError
from magnetar.runtime.worker.rewriting import unknown_in
from magnetar.schemas import Event, contract_name

if TYPE_CHECKING:
    from magnetar.runtime.app import App
    from magnetar.runtime.wiring import Topic, Wiring
    from magnetar.schemas import Message

MOST_JSON = 5 << 20
"""Longest message text in characters: no longer one fits on the broker."""


def wiring_of(target: str) -> Wiring:
    """The app, imported and checked. `AppNotFound`, `AppInvalid`, and `AppBroken` for whatever its import raised."""
    return app_of(target).wire()


def app_of(target: str) -> App:
    """The app, imported. `AppNotFound`, and `AppBroken` for whatever its import raised."""
    try:
        return load_app(target)
    except MagnetarError:
        raise
    except Exception as error:  # the app's own code runs in here
        raise AppBroken(
            f"importing {target.partition(':')[0]!r} raised {type(error).__name__}: {error}{_place(error)}"
        ) from error


def _place(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return ""  # its text says where
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    return "" if last is None else f" ({last.filename}, line {last.lineno})"


def message_of(wiring: Wiring, name: str, text: str) -> Message:
    """The message of that type in JSON. Raises `BadInput` that names the path and what belongs there."""
    kind = type_named(wiring, name)
    if len(text) > MOST_JSON:
        raise BadInput(f"the JSON of {name} has more than {MOST_JSON} characters; no message can be that large")
    try:
        value = msgspec.json.decode(text, type=kind)
        given = msgspec.json.decode(text)
    except msgspec.ValidationError as error:
        raise BadInput(f"this is no {kind.__name__}: {error}{_fields(kind)}") from error
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise BadInput(
            f'this is no JSON: {error}; write an object in quotes, such as \'{{"order_id": "o-1"}}\''
        ) from error
    unknown = unknown_in(given, msgspec.json.decode(msgspec.json.encode(value)))
    if unknown is not None:
        raise BadInput(f"this is no {kind.__name__}: it has no field {unknown}{_fields(kind)}")
    return value


def type_named(wiring: Wiring, name: str) -> type[Message]:
    """The message type of that full or simple name. Raises `BadInput` that says which there are."""
    known = {contract_name(kind): kind for topic in wiring.topics.values() for kind in topic.types}
    found = [full for full in known if name in {full, full.rpartition(".")[2]}]
    if len(found) == 1:
        return known[found[0]]
    if found:
        raise BadInput(f"{name} is the name of several messages: write one of {', '.join(sorted(found))}")
    simple = sorted({full.rpartition(".")[2] for full in known})
    near = difflib.get_close_matches(name, simple, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(simple) or 'none'}"
    raise BadInput(f"app {wiring.app!r} has no message {name!r}; {hint}")


def feed_of(wiring: Wiring, kind: type[Message]) -> Topic | None:
    """The topic on which events of this type are published; None for a command. `BadInput` where there are several."""
    if not issubclass(kind, Event):
        return None
    feeds = [topic for topic in wiring.topics.values() if kind in topic.kinds and topic.name not in wiring.actors]
    if not feeds:
        raise BadInput(f"nobody in app {wiring.app!r} publishes {kind.__name__}: name its publisher in a Remote")
    if len(feeds) > 1:
        names = ", ".join(topic.name for topic in feeds)
        raise BadInput(f"{kind.__name__} is published on several topics ({names}); which one is meant cannot be told")
    return feeds[0]


def _fields(kind: type[Message]) -> str:
    shown = [f"{field.name}{'' if field.required else '?'}" for field in msgspec.structs.fields(kind)]
    return (
        f"; {kind.__name__} has the fields {', '.join(shown)}"
        if shown
        else f"; {kind.__name__} has no fields: write {{}}"
    )
