"""What a dead letter says instead: JSON from a person, as bytes that this code would have written. Pure.

It is checked against the very type that a handler will get, its key must stay what it is, and nothing is left out in
silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from magnetar.runtime.errors import MisuseError
from magnetar.runtime.worker.asked import Declined
from magnetar.runtime.worker.posting import MESSAGE_LIMIT
from magnetar.schemas import EncodeFailed, Message, contract_name

if TYPE_CHECKING:
    from magnetar.runtime.store.parking import DeadLetter
    from magnetar.runtime.wiring import ActorPlan, Topic
    from magnetar.schemas import Codec


def rewritten(plan: ActorPlan, letter: DeadLetter, text: str) -> tuple[bytes, str]:
    """Body and schema of the letter with this value. `Declined` for what is none of its type, or is for another key."""
    kind = _kind(plan, letter.type)
    message = _message(kind, text)
    getter = plan.kinds[kind].key
    if getter is not None and getter(message) != letter.key:
        reason = f"it is for key {letter.key!r}, and may not be made one for {getter(message)!r:.80}"
        raise Declined(reason)
    codec: Codec[Any] = plan.timers[letter.type] if letter.timer else _topic(plan, letter).codec
    try:
        body = codec.encode(message)
    except (EncodeFailed, MisuseError) as error:
        raise Declined(str(error)) from error
    if len(body) > MESSAGE_LIMIT:
        reason = f"it would have {len(body)} bytes, and at most {MESSAGE_LIMIT} fit"
        raise Declined(reason)
    return body, codec.schema.fingerprint


def _topic(plan: ActorPlan, letter: DeadLetter) -> Topic:
    """Where it came from; the actor's own where that is not taken any more."""
    name = letter.source.rpartition("/")[0]
    return next((topic for topic in plan.sources if topic.name == name), plan.sources[0])


def _kind(plan: ActorPlan, name: str) -> type[Message]:
    for kind in plan.handlers:
        if contract_name(kind) == name:
            return kind
    reason = f"no code here can handle a {name or 'message without a type'}: deploy some that can, then edit it"
    raise Declined(reason)


def _message(kind: type[Message], text: str) -> Message:
    try:
        value = msgspec.json.decode(text, type=kind)
        given = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError) as error:
        reason = f"this is no {kind.__name__}: {error}"
        raise Declined(reason) from error
    unknown = unknown_in(given, msgspec.json.decode(msgspec.json.encode(value)))
    if unknown is not None:
        reason = f"this is no {kind.__name__}: it has no field {unknown}"
        raise Declined(reason)
    return value


def unknown_in(given: Any, understood: Any, path: str = "$") -> str | None:  # noqa: ANN401 - JSON
    """The path of the first thing given that the type dropped without a word; None when it took everything."""
    if isinstance(given, dict) and isinstance(understood, dict):
        known = cast("dict[str, Any]", understood)
        for name, value in cast("dict[str, Any]", given).items():
            if name not in known:
                return f"{path}.{name}"
            if (inner := unknown_in(value, known[name], f"{path}.{name}")) is not None:
                return inner
    if isinstance(given, list) and isinstance(understood, list):
        pairs = enumerate(zip(_listed(given), _listed(understood), strict=True))
        inside = (unknown_in(one, other, f"{path}[{at}]") for at, (one, other) in pairs)
        return next((found for found in inside if found is not None), None)
    return None


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return list(value)
