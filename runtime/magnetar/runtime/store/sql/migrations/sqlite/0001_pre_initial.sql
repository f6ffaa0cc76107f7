-- The first layout. Everything of a shard carries its shard (R1); instants are microseconds UTC.

CREATE TABLE actors (
    actor TEXT NOT NULL PRIMARY KEY,
    partitions INTEGER NOT NULL  -- for life: another number would send keys to other shards (R31)
) STRICT, WITHOUT ROWID;

CREATE TABLE shards (
    shard TEXT NOT NULL PRIMARY KEY,
    epoch INTEGER NOT NULL,
    owner TEXT NOT NULL,
    commits INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    clean INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    floor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE positions (
    shard TEXT NOT NULL,
    source TEXT NOT NULL,
    ledger INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    PRIMARY KEY (shard, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    actor TEXT NOT NULL,
    message_id BLOB NOT NULL,
    shard TEXT NOT NULL,
    key TEXT NOT NULL,
    disposition TEXT NOT NULL,
    type TEXT NOT NULL,
    schema TEXT NOT NULL,
    body BLOB NOT NULL,
    source TEXT NOT NULL,
    position TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    now INTEGER NOT NULL,
    code TEXT NOT NULL,
    version INTEGER NOT NULL,
    state_hash BLOB NOT NULL,
    sent TEXT NOT NULL,
    answer BLOB,
    answer_schema TEXT,
    PRIMARY KEY (actor, message_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX journal_timeline ON journal (actor, key, version);

CREATE TABLE states (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    shard TEXT NOT NULL,
    version INTEGER NOT NULL,
    schema TEXT NOT NULL,
    body BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    shard TEXT NOT NULL,
    number INTEGER NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    properties TEXT NOT NULL,
    PRIMARY KEY (shard, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    shard TEXT NOT NULL,
    generation BLOB NOT NULL,
    due INTEGER NOT NULL,
    type TEXT NOT NULL,
    schema TEXT NOT NULL,
    body BLOB NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id TEXT NOT NULL,
    PRIMARY KEY (actor, key, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX timers_due ON timers (shard, due);

CREATE TABLE schemas (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
