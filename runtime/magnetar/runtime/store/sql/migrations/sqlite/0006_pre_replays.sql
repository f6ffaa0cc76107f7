-- Replays of many dead letters: what was chosen, once and for all, and how far a tool has come. What edited ones said.

CREATE TABLE replays (
    id BLOB NOT NULL PRIMARY KEY,
    chosen TEXT NOT NULL,  -- in words
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    canary INTEGER NOT NULL,
    rate REAL NOT NULL,
    stop_at REAL NOT NULL,
    most INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    letters INTEGER NOT NULL,
    status TEXT NOT NULL,
    said TEXT NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE replay_letters (
    replay BLOB NOT NULL,
    number INTEGER NOT NULL,
    request BLOB NOT NULL,
    actor TEXT NOT NULL,
    message_id BLOB NOT NULL,
    shard TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (replay, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE edits (
    request BLOB NOT NULL PRIMARY KEY,
    actor TEXT NOT NULL,
    message_id BLOB NOT NULL,
    shard TEXT NOT NULL,
    body BLOB NOT NULL,  -- as it was before
    schema TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    edited_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX edits_of_letter ON edits (actor, message_id);
