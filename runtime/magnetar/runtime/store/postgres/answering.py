"""What a group's requests change, made into calls (R27), and which of these rows contradict the database."""

from __future__ import annotations

from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from magnetar.runtime.store.postgres.columns import call
from magnetar.runtime.store.postgres.packing import blobs, integers, text, texts, uuids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from magnetar.runtime.store.postgres.connection import Call, Rows
    from magnetar.runtime.store.requests import Answering

_ANSWERS = (uuids, texts, texts, texts, integers, integers)
_LETTERS = (texts, uuids, texts, integers)
_EDITS = (uuids, texts, uuids, texts, blobs, texts, texts, texts, integers)


def answering_writes(answerings: Sequence[Answering]) -> Iterator[tuple[str, Call]]:
    """All of it, what goes before what comes, each statement with the name by which its conflict is looked up."""
    yield from call("answers", "answer", _ANSWERS, sorted(chain.from_iterable(each.answers for each in answerings)))
    letters = sorted(chain.from_iterable(each.letters for each in answerings))
    yield from call("letters", "move_letters", _LETTERS, letters)
    edits = sorted(chain.from_iterable(each.edits for each in answerings))
    yield from call("edits", "add_edits", _EDITS, edits)
    rewritten = sorted(chain.from_iterable(each.rewritten for each in answerings))
    yield from call("rewritten", "rewrite_letters", (texts, uuids, blobs, texts), rewritten)
    resumed = sorted(chain.from_iterable(each.resumed for each in answerings))
    yield from call("resumed", "resume", (texts, texts), resumed)
    paused = sorted(chain.from_iterable(each.paused for each in answerings))
    yield from call("paused", "pause", (texts, texts, texts, texts, integers), paused)


def _in_answers(ask: Ask, answering: Answering) -> Iterator[str]:
    for answer in answering.answers:
        found = ask("requests", uuids([answer.id]))
        if not found or found[0][8] != "asked":
            yield f"requests: {answer.id.hex()} is {found[0][8] if found else 'unknown'}, and was to be answered"


def _in_letters(ask: Ask, answering: Answering) -> Iterator[str]:
    moved = [(actor, message_id, status) for actor, message_id, status, _ in answering.letters]
    for actor, message_id, status in (*moved, *((*each[:2], "edited") for each in answering.rewritten)):
        found = ask("dead_letter", text(actor), message_id)
        if found != [("dead",)]:
            said = found[0][0] if found else "none"
            yield f"dead_letters: message {message_id.hex()} of {actor} is {said}, and was to be {status}"


def _in_pauses(ask: Ask, answering: Answering) -> Iterator[str]:
    for shard, type_ in (*answering.resumed, *(pause[:2] for pause in answering.paused)):
        yield f"pauses: {type_ or 'everything'} of {shard}: {ask('pauses_in', text(shard))}"


Ask: TypeAlias = "Callable[..., Rows]"
_Finder: TypeAlias = "Callable[[Ask, Answering], Iterator[str]]"
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
