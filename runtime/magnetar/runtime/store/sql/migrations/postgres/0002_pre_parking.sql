-- What waits for its key and why (R22, R23), each failure (R24), and what died, which is its own record at any age (R4).

CREATE TABLE parked (
    actor text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    ordinal bigint NOT NULL,
    shard text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    type text NOT NULL,
    schema text NOT NULL,
    body bytea NOT NULL,
    source text NOT NULL,
    position text NOT NULL,
    correlation_id text NOT NULL,
    causation_id text NOT NULL,
    occurred_at bigint NOT NULL,
    published_at bigint NOT NULL,
    properties text NOT NULL,
    timer text NOT NULL,
    parked_at bigint NOT NULL,
    PRIMARY KEY (actor, key, ordinal)
);

CREATE TABLE parked_keys (
    actor text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    shard text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,  -- first - 1: nothing waits
    failures bigint NOT NULL,
    due bigint,
    error text NOT NULL,
    error_text text NOT NULL,
    since bigint NOT NULL,
    PRIMARY KEY (actor, key)
) WITH (fillfactor = 50);  -- each is written again for whatever joins its tail

CREATE INDEX parked_keys_shard ON parked_keys (shard);

CREATE TABLE failures (
    actor text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    number bigint NOT NULL,
    shard text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    error text NOT NULL,
    error_text text NOT NULL,
    fingerprint text NOT NULL,
    code text NOT NULL,
    now bigint NOT NULL,
    PRIMARY KEY (actor, message_id, number)
);

CREATE TABLE dead_letters (
    actor text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    shard text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    type text NOT NULL,
    schema text NOT NULL,
    body bytea NOT NULL,
    source text NOT NULL,
    position text NOT NULL,
    correlation_id text NOT NULL,
    causation_id text NOT NULL,
    occurred_at bigint NOT NULL,
    published_at bigint NOT NULL,
    properties text NOT NULL,
    timer text NOT NULL,
    error text NOT NULL,
    error_text text NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    failures bigint NOT NULL,
    crashes bigint NOT NULL,
    dead_at bigint NOT NULL,
    status text NOT NULL,
    PRIMARY KEY (actor, message_id)
);

CREATE INDEX dead_letters_by_time ON dead_letters (dead_at);
CREATE INDEX dead_letters_of_actor ON dead_letters (actor, dead_at);
CREATE INDEX dead_letters_alike ON dead_letters (actor, fingerprint);
