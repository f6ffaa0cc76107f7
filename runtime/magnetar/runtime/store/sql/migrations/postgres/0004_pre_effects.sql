-- What is asked of the outside world and not answered yet (R29).

CREATE TABLE effects (
    actor text COLLATE "C" NOT NULL,
    effect_id uuid NOT NULL,
    shard text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    dependency text NOT NULL,
    type text NOT NULL,
    schema text NOT NULL,
    body bytea NOT NULL,
    correlation_id text NOT NULL,
    causation_id text NOT NULL,
    asked_at bigint NOT NULL,
    state text NOT NULL,
    attempts bigint NOT NULL,
    doubtful bigint NOT NULL,
    due bigint NOT NULL,
    error text NOT NULL,
    error_text text NOT NULL,
    PRIMARY KEY (actor, effect_id)
) WITH (fillfactor = 50);  -- each is written again for each of its attempts

CREATE INDEX effects_shard ON effects (shard);
CREATE INDEX effects_key ON effects (actor, key);
