"""Situations that a campaign must have met: each is a place where a bug would hide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CRASHES: Mapping[str, frozenset[str]] = {
    "crashed after a commit, before its acknowledgement": frozenset(
        {"store.commit:after", "phase:committed", "consumer.acknowledge:before"}
    ),
    "crashed right after an acknowledgement": frozenset({"consumer.acknowledge:after"}),
    "crashed with a handled group in hand": frozenset({"phase:handled", "store.commit:before"}),
    "crashed between a send and its receipt": frozenset({"producer.send:after", "producer.receipts:before"}),
    "crashed with a receipt in hand": frozenset({"producer.receipts:after"}),
    "crashed while taking a shard": frozenset(
        {"store.take:before", "store.take:after", "store.outbox:before", "store.outbox:after", "bus.subscribe:after"}
    ),
    "crashed while starting": frozenset({"store.prepare:before", "store.prepare:after", "store.remember:before"}),
    "crashed while letting a shard go": frozenset(
        {"store.release:before", "store.release:after", "consumer.close:before", "producer.close:before"}
    ),
    "crashed while reading an unknown commit back": frozenset(
        {"phase:unknown", "store.reconnect:before", "store.reconnect:after"}
    ),
}

TELLING: tuple[str, ...] = tuple(sorted(point for points in CRASHES.values() for point in points))
"""Fault points at which a crash is one of the situations above."""

OTHERS: tuple[str, ...] = (
    "a breaker closed again",
    "a breaker opened",
    "a bell of an earlier time was acknowledged",
    "a commit broke off in its midst",
    "a dead letter held its key",
    "a dead letter was skipped",
    "a failed head was tried again by its bell",
    "a failed head was tried again by its row",
    "a frozen worker woke up after it was replaced",
    "a group had several shards",
    "a key was parked",
    "a lane was longer than its window",
    "a key was paused",
    "a live subscription was rewound to the earliest",
    "a message in the wrong partition was sent on",
    "a message killed its worker",
    "a message that was in hand killed its worker",
    "a partition moved and forgot acknowledgements",
    "a shard was careful",
    "messages of a shard went alone",
    "a person skipped a head",
    "a replayed letter failed again",
    "a replayed letter was applied",
    "a request survived a takeover",
    "a request was refused",
    "a shard was lost while an unknown commit was read back",
    "a tail was applied in more than one group",
    "a tail went on after a takeover",
    "a timer fired after a takeover",
    "a timer fired that had been cancelled or replaced",
    "a timer that waited had been cancelled",
    "a timer waited behind a failure",
    "a worker learned from its fence that a shard was gone",
    "a worker noticed that another one had taken its shard",
    "a worker was replaced while it was cut off",
    "a worker without a broker let its shards go",
    "a worker without a store let its shards go",
    "a zombie's commit was refused",
    "an answer contradicted what was told",
    "an effect was asked again after a takeover",
    "an effect was asked again",
    "an effect ended its worker",
    "an entity left memory and came back",
    "an outcome waited behind a failure",
    "an unknown commit had happened",
    "an unknown commit had not happened",
    "more came for a key in the group that freed it",
    "the broker dropped a message that was sent again",
    "the journal absorbed a duplicate",
    "two workers were awake at once",
    "what was paused as a whole went on",
    "who asked found a dependency's queue full",
    "who took a shard found something in hand",
)

SITUATIONS: tuple[str, ...] = tuple(sorted((*CRASHES, *OTHERS)))


def crashed_at(point: str) -> Iterator[str]:
    """What it means to crash at this fault point."""
    return (situation for situation, points in CRASHES.items() if point in points)
