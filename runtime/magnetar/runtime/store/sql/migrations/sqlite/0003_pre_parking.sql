-- What waits for its key and why (R22, R23), each failure (R24), and what died, which is its own record at any age (R4).

CREATE TABLE parked (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    shard TEXT NOT NULL,
    message_id BLOB NOT NULL,
    type TEXT NOT NULL,
    schema TEXT NOT NULL,
    body BLOB NOT NULL,
    source TEXT NOT NULL,
    position TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    properties TEXT NOT NULL,
    timer TEXT NOT NULL,
    parked_at INTEGER NOT NULL,
    PRIMARY KEY (actor, key, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE parked_keys (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    shard TEXT NOT NULL,
    reason TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,  -- first - 1: nothing waits
    failures INTEGER NOT NULL,
    due INTEGER,
    error TEXT NOT NULL,
    error_text TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX parked_keys_shard ON parked_keys (shard);

CREATE TABLE failures (
    actor TEXT NOT NULL,
    message_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    shard TEXT NOT NULL,
    key TEXT NOT NULL,
    error TEXT NOT NULL,
    error_text TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    code TEXT NOT NULL,
    now INTEGER NOT NULL,
    PRIMARY KEY (actor, message_id, number)
) STRICT, WITHOUT ROWID;

-- A plain table, as rows are long.
CREATE TABLE dead_letters (
    actor TEXT NOT NULL,
    message_id BLOB NOT NULL,
    shard TEXT NOT NULL,
    key TEXT NOT NULL,
    type TEXT NOT NULL,
    schema TEXT NOT NULL,
    body BLOB NOT NULL,
    source TEXT NOT NULL,
    position TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    properties TEXT NOT NULL,
    timer TEXT NOT NULL,
    error TEXT NOT NULL,
    error_text TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    failures INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    dead_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    PRIMARY KEY (actor, message_id)
) STRICT;

CREATE INDEX dead_letters_by_time ON dead_letters (dead_at);
CREATE INDEX dead_letters_of_actor ON dead_letters (actor, dead_at);
CREATE INDEX dead_letters_alike ON dead_letters (actor, fingerprint);
