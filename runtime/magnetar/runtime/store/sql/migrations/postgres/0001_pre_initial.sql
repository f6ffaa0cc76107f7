-- The first layout. Everything of a shard carries its shard (R1); instants are microseconds UTC; texts sort by their
-- bytes, whatever the database's locale is.

CREATE TABLE actors (
    actor text COLLATE "C" NOT NULL PRIMARY KEY,
    partitions bigint NOT NULL  -- for life: another number would send keys to other shards (R31)
);

-- Few rows, each written with every commit: room for their next versions on the same page.
CREATE TABLE shards (
    shard text COLLATE "C" NOT NULL PRIMARY KEY,
    epoch bigint NOT NULL,
    owner text NOT NULL,
    commits bigint NOT NULL,
    lane bigint NOT NULL,
    clean boolean NOT NULL,
    generation bigint NOT NULL,
    floor bigint NOT NULL,
    contracts bigint NOT NULL DEFAULT 0,  -- the highest of code that owned it (R16)
    since bigint NOT NULL DEFAULT 0,
    why text NOT NULL DEFAULT ''
) WITH (fillfactor = 20);

CREATE TABLE positions (
    shard text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    ledger bigint NOT NULL,
    entry bigint NOT NULL,
    batch bigint NOT NULL,
    PRIMARY KEY (shard, source)
) WITH (fillfactor = 20);

CREATE TABLE workers (
    worker text COLLATE "C" NOT NULL PRIMARY KEY,
    code text NOT NULL,
    contracts bigint NOT NULL,
    actors text NOT NULL,
    since bigint NOT NULL,
    seen bigint NOT NULL,
    heard bigint NOT NULL,
    progress bigint NOT NULL,
    leaving boolean NOT NULL
) WITH (fillfactor = 20);

-- `id` ascends in the order in which keys were first seen, so that the keys in play lie together in the timeline's index.
CREATE TABLE states (
    id bigint GENERATED ALWAYS AS IDENTITY,
    actor text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    shard text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    schema text NOT NULL,
    body bytea NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (actor, key)
) WITH (fillfactor = 80);

-- Partitioned by ranges of the message id, which begins with a time (UUIDv7), so that old rows leave by dropping a table
-- (R4), and uniqueness spans all of it (R3). Other ids, and those whose range has no partition, are in the last one.
CREATE TABLE journal (
    actor text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    shard text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    disposition text NOT NULL,
    type text NOT NULL,
    schema text NOT NULL,
    body bytea NOT NULL,
    source text NOT NULL,
    position text NOT NULL,
    correlation_id text NOT NULL,
    causation_id text NOT NULL,
    occurred_at bigint NOT NULL,
    published_at bigint NOT NULL,
    now bigint NOT NULL,
    code text NOT NULL,
    version bigint NOT NULL,
    state_hash bytea NOT NULL,
    sent text NOT NULL,
    answer bytea,
    answer_schema text,
    state bigint,  -- states.id of the key, if it had a state by then
    PRIMARY KEY (message_id, actor)
) PARTITION BY RANGE (message_id);

CREATE TABLE journal_default PARTITION OF journal DEFAULT;

CREATE INDEX journal_timeline ON journal (state, version) WHERE state IS NOT NULL;
CREATE INDEX journal_stateless ON journal (actor, key) WHERE state IS NULL;

CREATE TABLE outbox (
    shard text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    topic text NOT NULL,
    partition bigint NOT NULL,
    key text NOT NULL,
    body bytea NOT NULL,
    properties text NOT NULL,
    PRIMARY KEY (shard, number)
);

CREATE TABLE timers (
    actor text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    shard text COLLATE "C" NOT NULL,
    generation bytea NOT NULL,
    due bigint NOT NULL,
    type text NOT NULL,
    schema text NOT NULL,
    body bytea NOT NULL,
    correlation_id text NOT NULL,
    causation_id text NOT NULL,
    PRIMARY KEY (actor, key, name)
);

CREATE INDEX timers_due ON timers (shard, due);

CREATE TABLE schemas (
    fingerprint text COLLATE "C" NOT NULL PRIMARY KEY,
    text text NOT NULL
);
