-- What a worker has in hand alone, and what took one with it (R24, R25).
-- Columns have defaults, because older code goes on writing these rows without knowing them.

CREATE TABLE hands (
    shard TEXT NOT NULL,
    message_id BLOB NOT NULL,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    holder TEXT NOT NULL,  -- the life of a process; '': it was charged with a crash, and has not come again
    owner TEXT NOT NULL,
    crashes INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (shard, message_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE crashes (
    actor TEXT NOT NULL,
    message_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    shard TEXT NOT NULL,
    key TEXT NOT NULL,
    source TEXT NOT NULL,
    owner TEXT NOT NULL,
    code TEXT NOT NULL,
    now INTEGER NOT NULL,
    PRIMARY KEY (actor, message_id, number)
) STRICT, WITHOUT ROWID;

ALTER TABLE shards ADD COLUMN careful INTEGER NOT NULL DEFAULT 0;
ALTER TABLE parked_keys ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
