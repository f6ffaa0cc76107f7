-- What is asked of the outside world and not answered yet (R29).

CREATE TABLE effects (
    actor TEXT NOT NULL,
    effect_id BLOB NOT NULL,
    shard TEXT NOT NULL,
    key TEXT NOT NULL,
    dependency TEXT NOT NULL,
    type TEXT NOT NULL,
    schema TEXT NOT NULL,
    body BLOB NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    doubtful INTEGER NOT NULL,
    due INTEGER NOT NULL,
    error TEXT NOT NULL,
    error_text TEXT NOT NULL,
    PRIMARY KEY (actor, effect_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX effects_shard ON effects (shard);
CREATE INDEX effects_key ON effects (actor, key);
