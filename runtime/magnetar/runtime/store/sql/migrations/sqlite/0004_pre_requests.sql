-- What operators ask for (R27), what is paused, and which dead letter a key holds for.
-- Columns have defaults, because 0.1.0 goes on writing these rows without knowing them.

CREATE TABLE requests (
    id BLOB NOT NULL PRIMARY KEY,
    shard TEXT NOT NULL,
    what TEXT NOT NULL,
    key TEXT NOT NULL,
    arguments TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    answer TEXT NOT NULL,
    answered_at INTEGER,
    epoch INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_asked ON requests (shard, id) WHERE status = 'asked';
CREATE INDEX requests_of_key ON requests (shard, key, id);

CREATE TABLE pauses (
    shard TEXT NOT NULL,
    type TEXT NOT NULL,  -- '': whatever comes
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (shard, type)
) STRICT, WITHOUT ROWID;

ALTER TABLE parked_keys ADD COLUMN held_by TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN replays INTEGER NOT NULL DEFAULT 0;

CREATE INDEX dead_letters_of_key ON dead_letters (actor, key);
