"""No fork: one chain of versions a key, written by one owner at a time, each commit once (R1, R3, R6, R8).

And one time: that of the store's clock (R5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation
from magnetar.runtime.routing import partition_of

if TYPE_CHECKING:
    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import Committed, History
    from magnetar.chaos.verdict import Examination
    from magnetar.runtime.store.port import JournalRow

JUMPS = "clock jump"
"""The fault that sets the store's clock."""

_CHAIN = "one key is one chain of versions"


def nothing_forks(history: History, evidence: Evidence) -> Examination:
    """Fences held, commits follow each other, and each key's rows are one chain in its own shard."""
    yield from _fences_held(history)
    yield from _commits_follow(history, evidence)
    yield from _dated_by_the_store(history, evidence)
    for (actor, key), timeline in evidence.timelines.items():
        yield from _one_chain(evidence, actor, key, timeline)
    for actor, key in evidence.states.keys() - evidence.timelines.keys():
        yield Violation(_CHAIN, f"actor {actor}, key {key}", "it has a state and no journal")


def _fences_held(history: History) -> Examination:
    """No commit under an epoch that somebody has moved."""
    for commit in history.commits:
        if commit.epoch != commit.current:
            what = f"{commit.owner} committed under epoch {commit.epoch} when it was {commit.current}"
            yield Violation("a zombie commits nothing", f"shard {commit.shard}", what)
        else:
            yield None


def _commits_follow(history: History, evidence: Evidence) -> Examination:
    """`commits` steps by one, and the shard's row counts what the database accepted."""
    by_shard: dict[str, list[Committed]] = {}
    for commit in history.commits:
        by_shard.setdefault(commit.shard, []).append(commit)
    for shard, commits in by_shard.items():
        counters = [commit.commits for commit in commits]
        if counters != list(range(len(counters))) or evidence.shards[shard].commits != len(counters):
            what = f"{len(counters)} commits, counted {counters[-5:]}, and {evidence.shards[shard].commits} in its row"
            yield Violation("each commit is counted once", f"shard {shard}", what)


def _one_chain(evidence: Evidence, actor: str, key: str, timeline: list[JournalRow]) -> Examination:
    """Versions of a key are 1, 2, …, as many as it has rows; its state is at the last; all of it in the key's shard."""
    subject = f"actor {actor}, key {key}"
    versions = [row.version for row in timeline]
    if versions != list(range(1, len(timeline) + 1)):
        yield Violation(_CHAIN, subject, f"its journal has the versions {versions}")
    state = evidence.states.get((actor, key))
    if state is None or state.version != len(timeline):
        yield Violation(_CHAIN, subject, f"its state is at {state and state.version}, after {len(timeline)} rows")
    home = f"{actor}/{partition_of(key, evidence.wiring.actors[actor].policy.partitions)}"
    strays = {row.shard for row in timeline} - {home}
    if strays:
        yield Violation("a key lives in its own shard", subject, f"applied in {sorted(strays)}, not in {home}")
    nows = [row.now for row in timeline]
    if nows != sorted(nows):
        yield Violation("time does not run backwards", subject, f"its rows were handled at {nows}")
    yield None


def _dated_by_the_store(history: History, evidence: Evidence) -> Examination:
    """R5: `now` is the store's clock, so none is later than what it shows at the end; unless it was put back."""
    if JUMPS in history.effective:
        return
    for row in evidence.journal.values():
        if row.now > evidence.at:
            subject = f"actor {row.actor}, key {row.key}, version {row.version}"
            what = f"it was handled at {row.now}, and the store's clock shows {evidence.at} now"
            yield Violation("the store's clock decides", subject, what)
