"""Every metric by name: what it counts, by which labels, and what its labels may hold.

A label holds the name of an actor, of a shard or of a dependency, one of few fixed words, or one of the first so many
groups of dead letters: never a key, an id, or a text of an error.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Prometheus' word for how a metric behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """A metric. `bounds`: upper ends of a histogram's buckets, ascending, in the unit of the name."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    bounds: tuple[float, ...] = ()


_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_STORE = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_AGES = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)


def _counter(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.COUNTER, labels, meaning)


def _gauge(name: str, labels: tuple[str, ...], meaning: str) -> Metric:
    return Metric(name, Kind.GAUGE, labels, meaning)


BUILD_INFO = _gauge("magnetar_build_info", ("version",), "The version that runs, as a label; always 1.")

SHARDS = _gauge("magnetar_shards", ("actor",), "Shards that the actor has, whoever owns them.")
SHARDS_OWNED = _gauge("magnetar_shards_owned", ("actor",), "Shards that this worker owns.")
SHARDS_ASSIGNED = _gauge("magnetar_shards_assigned", ("actor",), "Shards that the assignment gives to this worker.")
SHARDS_CAREFUL = _gauge(
    "magnetar_shards_careful",
    ("actor",),
    "Shards that this worker owns, whose messages go few at a time, or one by one.",
)
SHARD_EPOCH = _gauge("magnetar_shard_epoch", ("shard",), "Epoch of a shard that this worker owns.")
TAKEOVERS = _counter("magnetar_takeovers_total", ("actor", "how"), "Shards won, by how they had been left.")
LOSSES = _counter("magnetar_shards_lost_total", ("actor", "reason"), "Shards that this worker owns no more, by why.")
WENT_BACK = _counter(
    "magnetar_store_went_back_total", ("actor",), "Times that a shard's store proved to be an older copy of itself."
)

COMMITS = _counter("magnetar_commits_total", (), "Groups committed.")
COMMITS_REFUSED = _counter("magnetar_commits_refused_total", ("actor",), "Commits of a shard that its fence refused.")
COMMITS_UNKNOWN = _counter(
    "magnetar_commits_unknown_total", ("outcome",), "Commits of unknown outcome, by what the store said when asked."
)
COMMIT_MESSAGES = Metric(
    "magnetar_commit_messages",
    Kind.HISTOGRAM,
    (),
    "Messages in a group; groups that only tidy up are left out.",
    _SIZES,
)
COMMIT_DURATION = Metric(
    "magnetar_commit_duration_seconds", Kind.HISTOGRAM, (), "How long the store took for a transaction.", _STORE
)

SETTLED = _counter(
    "magnetar_messages_settled_total", ("actor", "outcome"), "Messages committed, by what became of them."
)
MESSAGE_AGE = Metric(
    "magnetar_message_age_seconds",
    Kind.HISTOGRAM,
    ("actor",),
    "From published to committed, messages of topics.",
    _AGES,
)
DUPLICATES = _counter("magnetar_duplicates_total", ("actor",), "Delivered messages that were known already.")
SKIPPED = _counter("magnetar_messages_skipped_total", ("actor",), "Events on the actor's feeds that it does not take.")
REHOMED = _counter("magnetar_messages_rehomed_total", ("actor",), "Messages found in a wrong partition and sent on.")
STALE_TIMERS = _counter("magnetar_timers_stale_total", ("actor",), "Timers that fired when cancelled or replaced.")

FAILURES = _counter("magnetar_failures_total", ("actor",), "Failed attempts to handle a message.")
CRASHES = _counter(
    "magnetar_crashes_total", ("actor",), "Workers that ended with a message in hand, as found out here."
)
DEAD_LETTERS = _counter("magnetar_dead_letters_total", ("actor",), "Messages given up: dead letters.")
DEAD_BY_GROUP = _counter(
    "magnetar_dead_letters_by_group_total", ("actor", "group"), "Messages given up, by the group of their cause."
)
PARKED_KEYS = _gauge("magnetar_parked_keys", ("shard", "reason"), "Keys that are parked, by why.")
PARKED = _gauge("magnetar_parked_messages", ("shard",), "Messages that wait for their parked keys.")
PARKED_AGE = _gauge("magnetar_parked_key_age_seconds", ("shard",), "How long the key is parked that is so the longest.")
LONG_TAILS = _gauge("magnetar_parked_keys_at_alarm", ("shard",), "Parked keys with as many messages as their alarm.")
FULL_TAILS = _gauge(
    "magnetar_parked_keys_at_bound", ("shard",), "Parked keys with as many messages as their bound: the shard waits."
)

EFFECT_CALLS = _counter(
    "magnetar_effect_calls_total", ("dependency", "outcome"), "Calls of the outside, by what they came to."
)
EFFECT_DURATION = Metric(
    "magnetar_effect_call_duration_seconds",
    Kind.HISTOGRAM,
    ("dependency",),
    "How long calls of the outside took; one that had its time without an answer counts with that.",
    _AGES,
)
EFFECTS_TOLD = _counter(
    "magnetar_effects_told_total", ("dependency", "outcome"), "Outcomes of effects that were told to who had asked."
)
EFFECTS_WAITING = _gauge(
    "magnetar_waiting_effects", ("shard", "dependency"), "Effects without an outcome, called or waiting."
)
EFFECTS_OPEN = _gauge("magnetar_open_calls", ("dependency",), "Calls of the outside under way, or about to be made.")
BREAKER = _gauge("magnetar_breaker_state", ("dependency", "state"), "1 for the state that the breaker is in.")

RELAYED = _counter("magnetar_messages_relayed_total", ("actor",), "Messages published, by their receipts.")
RELAY_DUPLICATES = _counter(
    "magnetar_relay_duplicates_total", ("actor",), "Messages that were published again and dropped by the broker."
)
BLOCKED = _gauge(
    "magnetar_lane_blocked_destinations", ("shard",), "Destinations of a lane that cannot go on by themselves."
)
LANE = _gauge("magnetar_lane_rows", ("shard",), "Decided messages in memory without a receipt.")

INBOX = _gauge("magnetar_inbox_messages", ("shard",), "Messages that have arrived here and were not taken yet.")
LAG = _gauge(
    "magnetar_shard_lag_seconds", ("shard",), "Age of the oldest message that has arrived and is not committed."
)
TIMERS = _gauge("magnetar_timers_armed", ("shard",), "Timers in memory: those due within the next minute.")
ENTITIES = _gauge("magnetar_entities_live", ("shard",), "Keys whose state is in memory.")

WAITS = _counter("magnetar_waits_total", ("reason",), "Times that a shard had to wait, told again at each try.")
LOOP_STEPS = _counter("magnetar_loop_steps_total", (), "Steps of the loop.")
LOOP_BUSY = _counter("magnetar_loop_busy_seconds_total", (), "Time in steps of the loop: one second a second is full.")

CATALOGUE: tuple[Metric, ...] = (
    BUILD_INFO, SHARDS, SHARDS_OWNED, SHARDS_ASSIGNED, SHARDS_CAREFUL, SHARD_EPOCH, TAKEOVERS, LOSSES, WENT_BACK,
    COMMITS, COMMITS_REFUSED, COMMITS_UNKNOWN, COMMIT_MESSAGES, COMMIT_DURATION,
    SETTLED, MESSAGE_AGE, DUPLICATES, SKIPPED, REHOMED, STALE_TIMERS,
    FAILURES, CRASHES, DEAD_LETTERS, DEAD_BY_GROUP, PARKED_KEYS, PARKED, PARKED_AGE, LONG_TAILS, FULL_TAILS,
    EFFECT_CALLS, EFFECT_DURATION, EFFECTS_TOLD, EFFECTS_WAITING, EFFECTS_OPEN, BREAKER,
    RELAYED, RELAY_DUPLICATES, BLOCKED, LANE, INBOX, LAG, TIMERS, ENTITIES,
    WAITS, LOOP_STEPS, LOOP_BUSY,
)  # fmt: skip
