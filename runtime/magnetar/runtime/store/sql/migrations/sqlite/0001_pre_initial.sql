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

-- A plain table: rows lie in the order in which their keys were first seen, so that the keys in play lie together
-- and a group changes few pages, whatever the keys look like.
CREATE TABLE states (
    id INTEGER NOT NULL PRIMARY KEY,
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    shard TEXT NOT NULL,
    version INTEGER NOT NULL,
    schema TEXT NOT NULL,
    body BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    UNIQUE (actor, key)
) STRICT;

-- A plain table: rows are long, and only ever added.
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
    state INTEGER,  -- states.id of the key, if it had a state by then
    UNIQUE (actor, message_id)
) STRICT;

-- A key's timeline, found through its state: an index over the keys themselves would change a page a message.
CREATE INDEX journal_timeline ON journal (state, version) WHERE state IS NOT NULL;
CREATE INDEX journal_stateless ON journal (actor, key) WHERE state IS NULL;

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
