-- What operators ask for (R27), what is paused, and which dead letter a key holds for.
-- Columns have defaults, because older code goes on writing these rows without knowing them.

CREATE TABLE requests (
    id uuid NOT NULL PRIMARY KEY,
    shard text COLLATE "C" NOT NULL,
    what text NOT NULL,
    key text COLLATE "C" NOT NULL,
    arguments text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    asked_at bigint NOT NULL,
    status text NOT NULL,
    answer text NOT NULL,
    answered_at bigint,
    epoch bigint
);

CREATE INDEX requests_asked ON requests (shard, id) WHERE status = 'asked';
CREATE INDEX requests_of_key ON requests (shard, key, id);

CREATE TABLE pauses (
    shard text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,  -- '': whatever comes
    who text NOT NULL,
    why text NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (shard, type)
);

ALTER TABLE parked_keys ADD COLUMN held_by text NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN replays bigint NOT NULL DEFAULT 0;

CREATE INDEX dead_letters_of_key ON dead_letters (actor, key);
