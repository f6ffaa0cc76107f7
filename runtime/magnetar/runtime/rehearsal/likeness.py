"""Trials that are alike, of which one is tried for all: what a handler meets in them is the same to the last bit.

Two are alike when the same actor meets them in the same way, as the same type from the same source, and the message
and the state are of the same bytes under the same schema. So a handler, being pure, does the same in both: whatever
it reads, and however it takes what it has read, no branch of it can tell them apart. Nothing weaker will do. Two
versions that differ in one default, one symbol or one branch of a union make two values, and which of a state's
fields a handler looks at nobody knows before it has run.

Bytes of two schemas are never alike here, also where they say the same: who hands in samples restates them under
today's schema, where that changes nothing (see `magnetar.runtime.cli.rehearsing`).

Each trial has a key of its own, and what differs between two that are alike is that key, the message's id and the
version that is named for it: names that a rehearsal gives, and no release has left. Only an unsent message has the
key that is in it, which other samples may have, too. It meets what they have made of the state, so each is tried.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.runtime.rehearsal.trials import Trial, Way

if TYPE_CHECKING:
    from collections.abc import Iterable

    from magnetar.runtime.rehearsal.trials import Left


def in_stead(trials: Iterable[Trial]) -> dict[int, Trial]:
    """Return by number of each trial the first that it is alike: which may be itself, and is what is tried."""
    first: dict[object, Trial] = {}
    return {each.number: first.setdefault(_likeness(each), each) for each in trials}


def _likeness(trial: Trial) -> object:
    if trial.way is Way.UNSENT:
        return trial.number
    return (trial.way, trial.actor, trial.type, trial.source, _bits(trial.message), trial.state and _bits(trial.state))


def _bits(left: Left) -> tuple[str, bytes]:
    return left.text, left.body
