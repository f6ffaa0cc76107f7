"""Whatever is stored can be read: its schema is kept beside it, and its bytes fit it (R30)."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation
from magnetar.schemas import Schema
from magnetar.schemas.reading import reader
from magnetar.schemas.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History
    from magnetar.chaos.verdict import Examination
    from magnetar.schemas.reading import Read

_PROMISE = "what is stored can be read"


def stored_is_readable(_: History, evidence: Evidence) -> Examination:
    """Journal, states and timers name a schema that the store keeps, and their bytes are of it, to the last one."""
    for subject, fingerprint, body in _stored(evidence):
        why = _unreadable(evidence, fingerprint, body)
        yield None if why is None else Violation(_PROMISE, subject, why)


def _stored(evidence: Evidence) -> Iterator[tuple[str, str, bytes]]:
    for row in evidence.journal.values():
        yield f"journal of {row.actor}, key {row.key}, version {row.version}", row.schema, row.body
    for state in evidence.states.values():
        yield f"state of {state.actor}, key {state.key}", state.schema, state.body
    for timers in evidence.timers.values():
        for timer in timers:
            yield f"timer {timer.name} of {timer.actor}, key {timer.key}", timer.schema, timer.body


def _unreadable(evidence: Evidence, fingerprint: str, body: bytes) -> str | None:
    """Why these bytes cannot be read, if they cannot."""
    text = evidence.schemas.get(fingerprint)
    if text is None:
        return f"the store keeps no schema {fingerprint}"
    try:
        _, end = _reader(text)(body, 0)
    except (ValueError, ArithmeticError, IndexError, struct.error) as error:
        return f"{type(error).__name__}: {error}"
    return None if end == len(body) else f"{len(body) - end} bytes are left after the value"


@lru_cache(maxsize=256)
def _reader(text: str) -> Read:
    shape = Schema.parse(text).shape
    return reader(shape.root, shape.names, Weights(shape.names))
