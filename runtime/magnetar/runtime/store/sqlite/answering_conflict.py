"""Which rows of what a group's requests change contradict the database, in words; by what was to be done."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from magnetar.runtime.store.sqlite.database import SQL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from magnetar.runtime.store.requests import Answering
    from magnetar.runtime.store.sqlite.connection import Connection


def _in_answers(connection: Connection, answering: Answering) -> Iterator[str]:
    for answer in answering.answers:
        found = connection.rows(SQL["requests"], (f'["{answer.id.hex()}"]',))
        if not found or found[0][8] != "asked":
            yield f"requests: {answer.id.hex()} is {found[0][8] if found else 'unknown'}, and was to be answered"


def _in_letters(connection: Connection, answering: Answering) -> Iterator[str]:
    moved = [(actor, message_id, status) for actor, message_id, status, _ in answering.letters]
    for actor, message_id, status in (*moved, *((*each[:2], "edited") for each in answering.rewritten)):
        found = connection.rows(SQL["dead_letter"], (actor, message_id))
        if found != [("dead",)]:
            said = found[0][0] if found else "none"
            yield f"dead_letters: message {message_id.hex()} of {actor} is {said}, and was to be {status}"


def _in_pauses(connection: Connection, answering: Answering) -> Iterator[str]:
    for shard, type_ in (*answering.resumed, *(pause[:2] for pause in answering.paused)):
        yield f"pauses: {type_ or 'everything'} of {shard}: {connection.rows(SQL['pauses_in'], (shard,))}"


_Finder: TypeAlias = "Callable[[Connection, Answering], Iterator[str]]"
ANSWERING_FINDERS: Mapping[str, _Finder] = MappingProxyType(
    {
        "answers": _in_answers,
        "letters": _in_letters,
        "edits": _in_answers,
        "rewritten": _in_letters,
        "resumed": _in_pauses,
        "paused": _in_pauses,
    }
)
