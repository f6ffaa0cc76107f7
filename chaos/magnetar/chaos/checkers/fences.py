"""Who committed what: only the newest owner of a shard, and each commit once (R6, R8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magnetar.chaos.history import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from magnetar.chaos.evidence import Evidence
    from magnetar.chaos.history import Commit, History


def fences_held(history: History, _: Evidence) -> Iterator[Violation]:
    """No commit under an epoch that somebody has moved."""
    for commit in history.commits:
        if commit.epoch != commit.current:
            what = f"{commit.owner} committed under epoch {commit.epoch} when it was {commit.current}"
            yield Violation("a zombie commits nothing", f"shard {commit.shard}", what)


def commits_follow(history: History, evidence: Evidence) -> Iterator[Violation]:
    """`commits` steps by one, and the shard's row counts what the database accepted."""
    by_shard: dict[str, list[Commit]] = {}
    for commit in history.commits:
        by_shard.setdefault(commit.shard, []).append(commit)
    for shard, commits in by_shard.items():
        counters = [commit.commits for commit in commits]
        if counters != list(range(len(counters))) or evidence.shards[shard].commits != len(counters):
            what = f"{len(counters)} commits, counted {counters[-5:]}, and {evidence.shards[shard].commits} in its row"
            yield Violation("each commit is counted once", f"shard {shard}", what)
