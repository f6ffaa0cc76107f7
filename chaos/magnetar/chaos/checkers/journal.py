"""The journal by itself: one chain of versions a key, and the state at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import History

_PROMISE = "one key is one chain of versions"


def versions_without_gap(_: History, evidence: Evidence) -> Iterator[Violation]:
    """Versions of a key are 1, 2, …, as many as it has rows; its state is at the last; all of it in the key's shard."""
    for (actor, key), timeline in evidence.timelines.items():
        subject = f"actor {actor}, key {key}"
        versions = [row.version for row in timeline]
        if versions != list(range(1, len(timeline) + 1)):
            yield Violation(_PROMISE, subject, f"its journal has the versions {versions}")
        state = evidence.states.get((actor, key))
        if state is None or state.version != len(timeline):
            yield Violation(_PROMISE, subject, f"its state is at {state and state.version}, after {len(timeline)} rows")
        home = f"{actor}/{partition_of(key, evidence.wiring.actors[actor].policy.partitions)}"
        strays = {row.shard for row in timeline} - {home}
        if strays:
            yield Violation("a key lives in its own shard", subject, f"applied in {sorted(strays)}, not in {home}")
        nows = [row.now for row in timeline]
        if nows != sorted(nows):
            yield Violation("time does not run backwards", subject, f"its rows were handled at {nows}")
    for actor, key in evidence.states.keys() - evidence.timelines.keys():
        yield Violation(_PROMISE, f"actor {actor}, key {key}", "it has a state and no journal")
