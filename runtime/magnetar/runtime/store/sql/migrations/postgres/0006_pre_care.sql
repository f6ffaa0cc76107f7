-- What a worker has in hand alone, and what took one with it (R24, R25).
-- Columns have defaults, because older code goes on writing these rows without knowing them.

CREATE TABLE hands (
    shard text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    key text NOT NULL,
    source text NOT NULL,
    holder text NOT NULL,  -- the life of a process; '': it was charged with a crash, and has not come again
    owner text NOT NULL,
    crashes bigint NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (shard, message_id)
);

CREATE TABLE crashes (
    actor text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    number bigint NOT NULL,
    shard text COLLATE "C" NOT NULL,
    key text NOT NULL,
    source text NOT NULL,
    owner text NOT NULL,
    code text NOT NULL,
    now bigint NOT NULL,
    PRIMARY KEY (actor, message_id, number)
);

ALTER TABLE shards ADD COLUMN careful bigint NOT NULL DEFAULT 0;
ALTER TABLE parked_keys ADD COLUMN crashes bigint NOT NULL DEFAULT 0;
