"""What a group's requests change, written (R27)."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from magnetar.runtime.store.sqlite.writing import add, change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.runtime.store.requests import Answering
    from magnetar.runtime.store.sqlite.connection import Connection


def write_answers(connection: Connection, answerings: Sequence[Answering]) -> None:
    """All of it, what goes before what comes. `RowConflict`."""
    change(connection, "answer", "answers", sorted(chain.from_iterable(each.answers for each in answerings)))
    change(connection, "move_letter", "letters", sorted(chain.from_iterable(each.letters for each in answerings)))
    add(connection, "add_edit", "edits", sorted(chain.from_iterable(each.edits for each in answerings)))
    rewritten = sorted(chain.from_iterable(each.rewritten for each in answerings))
    change(connection, "rewrite_letter", "rewritten", rewritten)
    change(connection, "resume", "resumed", sorted(chain.from_iterable(each.resumed for each in answerings)))
    add(connection, "pause", "paused", sorted(chain.from_iterable(each.paused for each in answerings)))
