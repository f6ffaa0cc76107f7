-- Replays of many dead letters: what was chosen, once and for all, and how far a tool has come. What edited ones said.

CREATE TABLE replays (
    id uuid NOT NULL PRIMARY KEY,
    chosen text NOT NULL,  -- in words
    who text NOT NULL,
    why text NOT NULL,
    canary bigint NOT NULL,
    rate double precision NOT NULL,
    stop_at double precision NOT NULL,
    most bigint NOT NULL,
    begun_at bigint NOT NULL,
    letters bigint NOT NULL,
    status text NOT NULL,
    said text NOT NULL,
    ended_at bigint
);

CREATE TABLE replay_letters (
    replay uuid NOT NULL,
    number bigint NOT NULL,
    request uuid NOT NULL,
    actor text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    shard text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    PRIMARY KEY (replay, number)
);

CREATE TABLE edits (
    request uuid NOT NULL PRIMARY KEY,
    actor text COLLATE "C" NOT NULL,
    message_id uuid NOT NULL,
    shard text COLLATE "C" NOT NULL,
    body bytea NOT NULL,  -- as it was before
    schema text NOT NULL,
    who text NOT NULL,
    why text NOT NULL,
    edited_at bigint NOT NULL
);

CREATE INDEX edits_of_letter ON edits (actor, message_id);
