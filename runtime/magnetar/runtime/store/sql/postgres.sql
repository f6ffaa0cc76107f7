-- Parameters are binary and typed by their casts. Where a number of rows must have been changed, a statement divides by
-- zero unless it was so: the transaction fails before its COMMIT, which has been sent along with it.
--
-- Rows are found by key inside a LATERAL with LIMIT or OFFSET, and changed by ctid. That leaves the planner one plan,
-- whatever it believes about the size of a table: it makes one when tables are still empty, and may count a table when
-- all that was in it has just left. From an equation of keys it would then make a loop over the whole table for each
-- row of a group. Only `shards` is joined by key: it is never larger than a group may be.

-- name: settings
SELECT set_config(wish.name, wish.setting, false)
FROM unnest($1::text[], $2::text[]) AS wish (name, setting) JOIN pg_settings USING (name);

-- name: migrations_table
CREATE TABLE IF NOT EXISTS migrations (
    number bigint NOT NULL PRIMARY KEY,
    phase text NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL
);

-- name: one_at_a_time
SELECT pg_advisory_xact_lock($1::int8)::text;

-- name: trim_alone
SELECT pg_try_advisory_lock($1::int8);

-- name: without_haste
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '20s', true),
    set_config('transaction_timeout', '0', true);

-- name: has_migrations_table
SELECT to_regclass('migrations') IS NOT NULL;

-- name: migrations
SELECT number, phase, checksum FROM migrations;

-- name: add_migration
INSERT INTO migrations (number, phase, name, checksum) VALUES ($1::int8, $2::text, $3::text, $4::text);

-- name: now
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8;

-- name: partitions
SELECT partitions FROM actors WHERE actor = $1::text;

-- name: add_actor
INSERT INTO actors (actor, partitions) VALUES ($1::text, $2::int8);

-- name: add_shards
INSERT INTO shards (shard, epoch, owner, commits, lane, clean, generation, floor)
SELECT $1::text || '/' || number, 0, '', 0, 0, true, 0, 0 FROM generate_series(0, $2::int8 - 1) AS number;

-- name: table_columns
SELECT
    attname::text,
    CASE format_type(atttypid, NULL)
        WHEN 'bigint' THEN 'integer' WHEN 'double precision' THEN 'real' WHEN 'bytea' THEN 'blob'
        ELSE format_type(atttypid, NULL) END,
    NOT attnotnull
FROM pg_attribute WHERE attrelid = to_regclass($1::text) AND attnum > 0 AND NOT attisdropped ORDER BY attnum;

-- name: add_schemas
INSERT INTO schemas (fingerprint, text) SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING;

-- name: schemas
SELECT fingerprint, text FROM schemas;

-- name: beat
INSERT INTO workers (worker, code, contracts, actors, since, seen, heard, progress, leaving, left_alone)
SELECT
    $1::text, $2::text, $3::int8, $4::text, clock.now, clock.now, clock.now - $5::int8, $6::int8, $7::bool, $8::text
FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now) AS clock
ON CONFLICT (worker) DO UPDATE SET
    code = excluded.code, contracts = excluded.contracts, actors = excluded.actors, seen = excluded.seen,
    heard = excluded.heard, progress = excluded.progress, leaving = excluded.leaving, left_alone = excluded.left_alone
RETURNING seen;

-- name: forget_workers
DELETE FROM workers WHERE seen < (extract(epoch FROM clock_timestamp()) * 1000000)::int8 - $1::int8;

-- name: depart
DELETE FROM workers WHERE worker = $1::text;

-- name: members
SELECT worker, code, contracts, actors, since, seen, heard, progress, leaving, left_alone FROM workers
ORDER BY worker;

-- name: standings
SELECT shard, epoch, owner, since, contracts FROM shards WHERE shard = ANY($1::text[]);

-- name: all_standings
SELECT shard, epoch, owner, since, contracts FROM shards;

-- name: shard
SELECT shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why, careful FROM shards
WHERE shard = $1::text;

-- name: lock_shard
SELECT clean FROM shards WHERE shard = $1::text FOR UPDATE;

-- name: shards
SELECT shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why, careful FROM shards ORDER BY shard;

-- name: positions
SELECT source, ledger, entry, batch FROM positions WHERE shard = $1::text;

-- name: all_positions
SELECT shard, source, ledger, entry, batch FROM positions;

-- name: take
UPDATE shards SET
    epoch = epoch + 1, owner = $3::text, clean = false, contracts = greatest(contracts, $4::int8),
    generation = generation + $6::int8, why = CASE WHEN owner = $3::text THEN why ELSE $5::text END,
    since = CASE WHEN owner = $3::text THEN since
        ELSE (extract(epoch FROM clock_timestamp()) * 1000000)::int8 END,
    careful = CASE WHEN clean OR $7::bool THEN careful ELSE least(careful + 1, 2) END
WHERE shard = $1::text AND epoch = $2::int8 AND contracts <= $4::int8
RETURNING shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why, careful;

-- name: release
WITH released AS (
    UPDATE shards SET owner = '', clean = true, since = (extract(epoch FROM clock_timestamp()) * 1000000)::int8
    WHERE shard = $1::text AND epoch = $2::int8 RETURNING shard, epoch
), removed AS (
    DELETE FROM outbox USING released
    WHERE outbox.shard = released.shard AND number > $3::int8 AND number <= $4::int8
), aside AS (
    DELETE FROM hands USING released WHERE hands.shard = released.shard AND holder = $5::text AND crashes = 0
), waits AS (
    UPDATE hands SET holder = '' FROM released
    WHERE hands.shard = released.shard AND holder = $5::text AND crashes > 0
)
SELECT epoch FROM released;

-- name: hands
SELECT shard, message_id, key, source, holder, owner, crashes, since FROM hands
WHERE shard = $1::text ORDER BY message_id;

-- name: all_hands
SELECT shard, message_id, key, source, holder, owner, crashes, since FROM hands ORDER BY shard, message_id;

-- name: hold
INSERT INTO hands (shard, message_id, key, source, holder, owner, crashes, since)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int8[], $8::int8[]
)
ON CONFLICT (shard, message_id) DO UPDATE SET
    key = excluded.key, source = excluded.source, holder = excluded.holder, owner = excluded.owner,
    crashes = excluded.crashes, since = excluded.since;

-- name: drop_hands
DELETE FROM hands USING unnest($1::text[], $2::uuid[]) AS gone (shard, message_id) CROSS JOIN LATERAL (
    SELECT ctid FROM hands WHERE shard = gone.shard AND message_id = gone.message_id LIMIT 1
) AS found WHERE hands.ctid = found.ctid;

-- name: ease
UPDATE shards SET careful = careful - 1 WHERE shard = ANY($1::text[]);

-- name: add_crashes
INSERT INTO crashes (actor, message_id, number, shard, key, source, owner, code, now)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int8[]
);

-- name: crashes
SELECT message_id, max(number) FROM crashes
WHERE actor = $1::text AND message_id = ANY($2::uuid[]) GROUP BY message_id;

-- name: crashes_of
SELECT actor, message_id, number, shard, key, source, owner, code, now FROM crashes
WHERE actor = $1::text AND message_id = $2::uuid ORDER BY number;

-- name: all_crashes_of
SELECT actor, message_id, number, shard, key, source, owner, code, now FROM crashes
WHERE actor = $1::text ORDER BY message_id, number;

-- name: lock_shards
SELECT shard FROM shards WHERE shard = ANY($1::text[]) ORDER BY shard FOR UPDATE;

-- name: fence
UPDATE shards SET commits = wanted.commits + 1, lane = wanted.lane, floor = wanted.floor
FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::int8[]) AS wanted (shard, epoch, commits, lane, floor)
WHERE shards.shard = wanted.shard AND shards.epoch = wanted.epoch AND shards.commits = wanted.commits
RETURNING shards.shard, shards.commits;

-- name: fence_all
WITH fenced AS (
    UPDATE shards SET commits = wanted.commits + 1, lane = wanted.lane, floor = wanted.floor
    FROM unnest($1::text[], $2::int8[], $3::int8[], $4::int8[], $5::int8[])
        AS wanted (shard, epoch, commits, lane, floor)
    WHERE shards.shard = wanted.shard AND shards.epoch = wanted.epoch AND shards.commits = wanted.commits
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM fenced;

-- name: epochs_and_commits
SELECT shard, epoch, commits FROM shards WHERE shard = ANY($1::text[]);

-- name: outbox
SELECT shard, number, topic, partition, key, body, properties FROM outbox
WHERE shard = $1::text AND number > $2::int8 ORDER BY number LIMIT $3::int8;

-- name: timers_due
SELECT actor, key, name, shard, generation, due, type, schema, body, correlation_id, causation_id FROM timers
WHERE shard = $1::text AND due <= $2::int8 ORDER BY due, actor, key, name;

-- name: dispositions
SELECT wanted.id, found.disposition
FROM unnest($2::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
    SELECT disposition FROM journal WHERE message_id = wanted.id AND actor = $1::text LIMIT 1
) AS found;

-- name: numbers_used
SELECT found.*
FROM unnest($1::text[], $2::int8[]) AS wanted (shard, number) CROSS JOIN LATERAL (
    SELECT shard, number FROM outbox WHERE shard = wanted.shard AND number = wanted.number LIMIT 1
) AS found;

-- name: generations
SELECT found.*
FROM unnest($1::text[], $2::text[], $3::text[]) AS wanted (actor, key, name) CROSS JOIN LATERAL (
    SELECT actor, key, name, generation FROM timers
    WHERE actor = wanted.actor AND key = wanted.key AND name = wanted.name LIMIT 1
) AS found;

-- name: state
SELECT actor, key, shard, version, schema, body, changed_at FROM states WHERE actor = $1::text AND key = $2::text;

-- name: states
SELECT found.*
FROM unnest($2::text[]) AS wanted (key) CROSS JOIN LATERAL (
    SELECT actor, key, shard, version, schema, body, changed_at FROM states
    WHERE key = wanted.key AND actor = $1::text LIMIT 1
) AS found;

-- name: add_journal
INSERT INTO journal (
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema, state
)
SELECT new.*, (SELECT id FROM states WHERE states.actor = new.actor AND states.key = new.key)
FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::text[],
    $10::text[], $11::text[], $12::text[], $13::int8[], $14::int8[], $15::int8[], $16::text[], $17::int8[],
    $18::bytea[], $19::text[], $20::bytea[], $21::text[]
) AS new (
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
);

-- name: add_states
INSERT INTO states (actor, key, shard, version, schema, body, changed_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::bytea[], $7::int8[]);

-- name: change_states
WITH changed AS (
    UPDATE states SET
        shard = new.shard, version = new.version, schema = new.schema, body = new.body, changed_at = new.changed_at
    FROM unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::text[], $6::bytea[], $7::int8[], $8::int8[])
        AS new (actor, key, shard, version, schema, body, changed_at, over) CROSS JOIN LATERAL (
            SELECT ctid FROM states WHERE actor = new.actor AND key = new.key AND version = new.over LIMIT 1
        ) AS found
    WHERE states.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM changed;

-- name: add_outbox
INSERT INTO outbox (shard, number, topic, partition, key, body, properties)
SELECT * FROM unnest($1::text[], $2::int8[], $3::text[], $4::int8[], $5::text[], $6::bytea[], $7::text[]);

-- name: remove_outbox
DELETE FROM outbox USING unnest($1::text[], $2::int8[], $3::int8[]) AS sent (shard, after, until) CROSS JOIN LATERAL (
    SELECT ctid FROM outbox WHERE shard = sent.shard AND number > sent.after AND number <= sent.until OFFSET 0
) AS found WHERE outbox.ctid = found.ctid;

-- name: cancel_timers
DELETE FROM timers USING unnest($1::text[], $2::text[], $3::text[]) AS gone (actor, key, name) CROSS JOIN LATERAL (
    SELECT ctid FROM timers WHERE actor = gone.actor AND key = gone.key AND name = gone.name LIMIT 1
) AS found WHERE timers.ctid = found.ctid;

-- name: fire_timers
WITH fired AS (
    DELETE FROM timers
    USING unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS gone (actor, key, name, generation)
        CROSS JOIN LATERAL (
            SELECT ctid FROM timers
            WHERE actor = gone.actor AND key = gone.key AND name = gone.name AND generation = gone.generation LIMIT 1
        ) AS found
    WHERE timers.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM fired;

-- name: arm_timers
INSERT INTO timers (actor, key, name, shard, generation, due, type, schema, body, correlation_id, causation_id)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::int8[], $7::text[], $8::text[], $9::bytea[],
    $10::text[], $11::text[]
)
ON CONFLICT (actor, key, name) DO UPDATE SET
    shard = excluded.shard, generation = excluded.generation, due = excluded.due, type = excluded.type,
    schema = excluded.schema, body = excluded.body, correlation_id = excluded.correlation_id,
    causation_id = excluded.causation_id;

-- name: set_positions
INSERT INTO positions (shard, source, ledger, entry, batch)
SELECT * FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[])
ON CONFLICT (shard, source) DO UPDATE SET ledger = excluded.ledger, entry = excluded.entry, batch = excluded.batch;

-- name: settle
WITH settled AS (
    UPDATE journal SET
        disposition = new.disposition, type = new.type, schema = new.schema, body = new.body, source = new.source,
        position = new.position, correlation_id = new.correlation_id, causation_id = new.causation_id,
        occurred_at = new.occurred_at, published_at = new.published_at, now = new.now, code = new.code,
        version = new.version, state_hash = new.state_hash, sent = new.sent, answer = new.answer,
        answer_schema = new.answer_schema,
        state = (SELECT id FROM states WHERE states.actor = journal.actor AND states.key = journal.key)
    FROM unnest(
        $1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::text[],
        $10::text[], $11::text[], $12::text[], $13::int8[], $14::int8[], $15::int8[], $16::text[], $17::int8[],
        $18::bytea[], $19::text[], $20::bytea[], $21::text[]
    ) AS new (
        actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id,
        causation_id, occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
    ) CROSS JOIN LATERAL (
        SELECT tableoid, ctid FROM journal
        WHERE message_id = new.message_id AND actor = new.actor AND disposition IN ('parked', 'dead') LIMIT 1
    ) AS found
    WHERE journal.tableoid = found.tableoid AND journal.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM settled;

-- name: unpark
WITH unparked AS (
    DELETE FROM parked
    USING unnest($1::text[], $2::text[], $3::int8[], $4::int8[]) AS gone (actor, key, first, last) CROSS JOIN LATERAL (
        SELECT ctid FROM parked
        WHERE actor = gone.actor AND key = gone.key AND ordinal >= gone.first AND ordinal <= gone.last OFFSET 0
    ) AS found
    WHERE parked.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = (SELECT sum(last - first + 1) FROM unnest($3::int8[], $4::int8[]) AS gone (first, last)))::int
FROM unparked;

-- name: parked_between
SELECT count(*) FROM parked
WHERE actor = $1::text AND key = $2::text AND ordinal >= $3::int8 AND ordinal <= $4::int8;

-- name: park
INSERT INTO parked (
    actor, key, ordinal, shard, message_id, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, properties, timer, parked_at
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::int8[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::bytea[], $9::text[],
    $10::text[], $11::text[], $12::text[], $13::int8[], $14::int8[], $15::text[], $16::text[], $17::int8[]
);

-- name: free
WITH freed AS (
    DELETE FROM parked_keys USING unnest($1::text[], $2::text[]) AS gone (actor, key) CROSS JOIN LATERAL (
        SELECT ctid FROM parked_keys WHERE actor = gone.actor AND key = gone.key LIMIT 1
    ) AS found
    WHERE parked_keys.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM freed;

-- name: park_keys
INSERT INTO parked_keys (
    actor, key, shard, reason, first, last, failures, due, error, error_text, since, held_by, crashes
)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::text[],
    $10::text[], $11::int8[], $12::text[], $13::int8[]
)
ON CONFLICT (actor, key) DO UPDATE SET
    shard = excluded.shard, reason = excluded.reason, first = excluded.first, last = excluded.last,
    failures = excluded.failures, due = excluded.due, error = excluded.error, error_text = excluded.error_text,
    since = excluded.since, held_by = excluded.held_by, crashes = excluded.crashes;

-- name: add_failures
INSERT INTO failures (actor, message_id, number, shard, key, error, error_text, fingerprint, code, now)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::int8[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::int8[]
);

-- name: add_dead_letters
WITH added AS (
    INSERT INTO dead_letters (
        actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id,
        occurred_at, published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at,
        status, replays
    )
    SELECT * FROM unnest(
        $1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[], $9::text[],
        $10::text[], $11::text[], $12::int8[], $13::int8[], $14::text[], $15::text[], $16::text[], $17::text[],
        $18::text[], $19::int8[], $20::int8[], $21::int8[], $22::text[], $23::int8[]
    )
    ON CONFLICT (actor, message_id) DO UPDATE SET
        shard = excluded.shard, key = excluded.key, type = excluded.type, schema = excluded.schema,
        body = excluded.body, source = excluded.source, position = excluded.position,
        correlation_id = excluded.correlation_id, causation_id = excluded.causation_id,
        occurred_at = excluded.occurred_at, published_at = excluded.published_at, properties = excluded.properties,
        timer = excluded.timer, error = excluded.error, error_text = excluded.error_text,
        fingerprint = excluded.fingerprint, failures = excluded.failures, crashes = excluded.crashes,
        dead_at = excluded.dead_at, status = excluded.status, replays = excluded.replays
    WHERE dead_letters.status <> 'dead'
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM added;

-- name: dead_letter
SELECT status FROM dead_letters WHERE actor = $1::text AND message_id = $2::uuid;

-- name: parked_keys
SELECT actor, key, shard, reason, first, last, failures, due, error, error_text, since, held_by, crashes
FROM parked_keys
WHERE shard = $1::text ORDER BY due NULLS LAST, key;

-- name: parked_key
SELECT actor, key, shard, reason, first, last, failures, due, error, error_text, since, held_by, crashes
FROM parked_keys
WHERE actor = $1::text AND key = $2::text;

-- name: parked
SELECT
    actor, key, ordinal, shard, message_id, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, properties, timer, parked_at
FROM parked WHERE actor = $1::text AND key = $2::text AND ordinal >= $3::int8 ORDER BY ordinal LIMIT $4::int8;

-- name: failures_of
SELECT actor, message_id, number, shard, key, error, error_text, fingerprint, code, now FROM failures
WHERE actor = $1::text AND message_id = $2::uuid ORDER BY number;

-- name: all_failures_of
SELECT actor, message_id, number, shard, key, error, error_text, fingerprint, code, now FROM failures
WHERE actor = $1::text ORDER BY message_id, number;

-- name: dead_letters
SELECT
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
FROM dead_letters ORDER BY dead_at DESC, actor, message_id DESC LIMIT $1::int8;

-- name: dead_letters_of
SELECT
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
FROM dead_letters WHERE actor = $1::text ORDER BY dead_at DESC, message_id DESC LIMIT $2::int8;

-- name: add_effects
INSERT INTO effects (
    actor, effect_id, shard, key, dependency, type, schema, body, correlation_id, causation_id, asked_at, state,
    attempts, doubtful, due, error, error_text
)
SELECT * FROM unnest(
    $1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::text[],
    $10::text[], $11::int8[], $12::text[], $13::int8[], $14::int8[], $15::int8[], $16::text[], $17::text[]
);

-- name: move_effects
WITH moved AS (
    UPDATE effects SET
        state = new.state, attempts = new.attempts, doubtful = new.doubtful, due = new.due, error = new.error,
        error_text = new.error_text
    FROM unnest(
        $1::text[], $2::uuid[], $3::int8[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::text[], $9::text[]
    ) AS new (actor, effect_id, over, state, attempts, doubtful, due, error, error_text) CROSS JOIN LATERAL (
        SELECT ctid FROM effects WHERE actor = new.actor AND effect_id = new.effect_id AND attempts = new.over LIMIT 1
    ) AS found
    WHERE effects.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM moved;

-- name: close_effects
WITH closed AS (
    DELETE FROM effects USING unnest($1::text[], $2::uuid[]) AS gone (actor, effect_id) CROSS JOIN LATERAL (
        SELECT ctid FROM effects WHERE actor = gone.actor AND effect_id = gone.effect_id LIMIT 1
    ) AS found
    WHERE effects.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM closed;

-- name: effect_attempts
SELECT attempts FROM effects WHERE actor = $1::text AND effect_id = $2::uuid;

-- name: effects
SELECT
    actor, effect_id, shard, key, dependency, type, schema, body, correlation_id, causation_id, asked_at, state,
    attempts, doubtful, due, error, error_text
FROM effects WHERE shard = $1::text ORDER BY due, effect_id;

-- name: effects_of
SELECT
    actor, effect_id, shard, key, dependency, type, schema, body, correlation_id, causation_id, asked_at, state,
    attempts, doubtful, due, error, error_text
FROM effects WHERE actor = $1::text AND key = $2::text ORDER BY asked_at, effect_id;

-- name: timeline
SELECT
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
FROM journal WHERE state = (SELECT id FROM states WHERE actor = $1::text AND key = $2::text)
UNION ALL
SELECT
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
FROM journal WHERE state IS NULL AND actor = $1::text AND key = $2::text
ORDER BY version, now, message_id LIMIT $3::int8;

-- name: entry
SELECT
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
FROM journal WHERE actor = $1::text AND message_id = $2::uuid;

-- name: journal_of
SELECT
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
FROM journal WHERE actor = $1::text ORDER BY message_id;

-- name: states_of
SELECT actor, key, shard, version, schema, body, changed_at FROM states WHERE actor = $1::text ORDER BY key;

-- name: timers_of
SELECT actor, key, name, shard, generation, due, type, schema, body, correlation_id, causation_id FROM timers
WHERE actor = $1::text AND key = $2::text ORDER BY due, name;

-- name: unsent_of
SELECT shard, number, topic, partition, key, body, properties FROM outbox
WHERE shard >= $1::text || '/' AND shard < $1::text || '0' ORDER BY shard, number;

-- name: loads
SELECT shard, sum(unsent)::int8, sum(timers)::int8, sum(parked)::int8, sum(effects)::int8 FROM (
    SELECT shard, count(*) AS unsent, 0 AS timers, 0 AS parked, 0 AS effects FROM outbox GROUP BY shard
    UNION ALL
    SELECT shard, 0, count(*), 0, 0 FROM timers GROUP BY shard
    UNION ALL
    SELECT shard, 0, 0, sum(last - first + 1), 0 FROM parked_keys GROUP BY shard
    UNION ALL
    SELECT shard, 0, 0, 0, count(*) FROM effects GROUP BY shard
) AS waiting GROUP BY shard;

-- name: settings_in_force
SELECT name, setting FROM pg_settings WHERE name = ANY($1::text[]);

-- name: journal_partitions
SELECT
    pg_class.relname::text,
    (regexp_match(pg_get_expr(relpartbound, pg_class.oid), 'FROM \(''([^'']+)''\)'))[1]::uuid,
    (regexp_match(pg_get_expr(relpartbound, pg_class.oid), 'TO \(''([^'']+)''\)'))[1]::uuid
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
WHERE inhparent = 'journal'::regclass AND pg_get_expr(relpartbound, pg_class.oid) <> 'DEFAULT'
ORDER BY 2;

-- name: unpartitioned
SELECT count(*) FROM journal_default WHERE message_id >= $1::uuid AND message_id < $2::uuid;

-- name: worn_out
SELECT count(*) FROM journal_default
WHERE now < $1::int8 AND disposition NOT IN ('parked', 'dead');

-- name: trim_default
DELETE FROM journal_default WHERE (message_id, actor) IN (
    SELECT message_id, actor FROM journal_default
    WHERE now < $1::int8 AND disposition NOT IN ('parked', 'dead') LIMIT $2::int8
) RETURNING 1;

-- name: letter
SELECT
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
FROM dead_letters WHERE actor = $1::text AND message_id = $2::uuid;

-- name: letters
SELECT
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
FROM dead_letters
WHERE ($1::text IS NULL OR actor = $1::text) AND ($2::text IS NULL OR key = $2::text)
    AND ($3::text IS NULL OR type = $3::text OR right(type, length($3::text) + 1) = '.' || $3::text)
    AND ($4::text IS NULL OR error = $4::text OR right(error, length($4::text) + 1) = '.' || $4::text)
    AND ($5::text IS NULL OR starts_with(fingerprint, $5::text))
    AND ($6::text IS NULL OR right(replace(message_id::text, '-', ''), length($6::text)) = lower($6::text))
    AND ($7::int8 IS NULL OR dead_at >= $7::int8) AND ($8::int8 IS NULL OR dead_at <= $8::int8)
    AND ($9::text = '' OR status = $9::text)
ORDER BY dead_at DESC, actor, message_id DESC LIMIT $10::int8;

-- name: letter_groups
SELECT
    actor, fingerprint, min(type), min(error), min(error_text), count(*), count(DISTINCT key), min(dead_at),
    max(dead_at)
FROM dead_letters
WHERE ($1::text IS NULL OR actor = $1::text) AND ($2::text IS NULL OR key = $2::text)
    AND ($3::text IS NULL OR type = $3::text OR right(type, length($3::text) + 1) = '.' || $3::text)
    AND ($4::text IS NULL OR error = $4::text OR right(error, length($4::text) + 1) = '.' || $4::text)
    AND ($5::text IS NULL OR starts_with(fingerprint, $5::text))
    AND ($6::text IS NULL OR right(replace(message_id::text, '-', ''), length($6::text)) = lower($6::text))
    AND ($7::int8 IS NULL OR dead_at >= $7::int8) AND ($8::int8 IS NULL OR dead_at <= $8::int8)
    AND ($9::text = '' OR status = $9::text)
GROUP BY actor, fingerprint ORDER BY count(*) DESC, actor, fingerprint LIMIT $10::int8;

-- name: move_letters
WITH moved AS (
    UPDATE dead_letters SET status = new.status, replays = new.replays
    FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int8[]) AS new (actor, message_id, status, replays)
        CROSS JOIN LATERAL (
            SELECT ctid FROM dead_letters
            WHERE actor = new.actor AND message_id = new.message_id AND status = 'dead' LIMIT 1
        ) AS found
    WHERE dead_letters.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM moved;

-- name: keys_parked
SELECT actor, key, shard, reason, first, last, failures, due, error, error_text, since, held_by, crashes
FROM parked_keys WHERE ($1::text IS NULL OR actor = $1::text) AND ($2::text IS NULL OR reason = $2::text)
ORDER BY since, actor, key LIMIT $3::int8;

-- name: ask
INSERT INTO requests (
    id, shard, what, key, arguments, who, why, asked_at, status, answer, answered_at, epoch
)
SELECT new.*, clock.now, 'asked', '', NULL, NULL
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]) AS new,
    (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now) AS clock
ON CONFLICT DO NOTHING;

-- name: asked
SELECT found.*
FROM unnest($1::text[]) AS wanted (shard) CROSS JOIN LATERAL (
    SELECT
        id, shard, what, key, arguments, who, why, asked_at, status, answer, answered_at, epoch
    FROM requests WHERE shard = wanted.shard AND status = 'asked' ORDER BY id LIMIT $2::int8
) AS found ORDER BY found.shard, found.id;

-- name: answer
WITH answered AS (
    UPDATE requests SET
        status = new.status, answer = new.answer, answered_at = new.answered_at, epoch = new.epoch
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[])
        AS new (id, shard, status, answer, answered_at, epoch) CROSS JOIN LATERAL (
            SELECT ctid FROM requests
            WHERE id = new.id AND shard = new.shard AND status = 'asked' LIMIT 1
        ) AS found
    WHERE requests.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::uuid[]))::int FROM answered;

-- name: requests
SELECT
    id, shard, what, key, arguments, who, why, asked_at, status, answer, answered_at, epoch
FROM requests WHERE id = ANY($1::uuid[]) ORDER BY id;

-- name: requests_of
SELECT
    id, shard, what, key, arguments, who, why, asked_at, status, answer, answered_at, epoch
FROM requests WHERE shard = $1::text AND key = $2::text ORDER BY id DESC LIMIT $3::int8;

-- name: pauses_in
SELECT shard, type, who, why, since FROM pauses WHERE shard = $1::text ORDER BY type;

-- name: pauses
SELECT shard, type, who, why, since FROM pauses ORDER BY shard, type;

-- name: pause
INSERT INTO pauses (shard, type, who, why, since)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[]);

-- name: resume
WITH resumed AS (
    DELETE FROM pauses USING unnest($1::text[], $2::text[]) AS gone (shard, type) CROSS JOIN LATERAL (
        SELECT ctid FROM pauses WHERE shard = gone.shard AND type = gone.type LIMIT 1
    ) AS found
    WHERE pauses.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM resumed;

-- name: begin_replay
INSERT INTO replays (id, chosen, who, why, canary, rate, stop_at, most, begun_at, letters, status, said, ended_at)
SELECT
    $1::uuid, $2::text, $3::text, $4::text, $5::int8, $6::float8, $7::float8, $8::int8,
    (extract(epoch FROM clock_timestamp()) * 1000000)::int8, 0, 'running', '', NULL
ON CONFLICT DO NOTHING RETURNING id;

-- name: freeze_letters
INSERT INTO replay_letters (replay, number, request, actor, message_id, shard, key)
SELECT
    $11::uuid,
    row_number() OVER (
        ORDER BY dead_at, source, nullif(split_part(position, ':', 1), '')::int8,
            nullif(split_part(position, ':', 2), '')::int8, nullif(split_part(position, ':', 3), '')::int8, message_id
    ),
    gen_random_uuid(), actor, message_id, shard, key
FROM dead_letters
WHERE ($1::text IS NULL OR actor = $1::text) AND ($2::text IS NULL OR key = $2::text)
    AND ($3::text IS NULL OR type = $3::text OR right(type, length($3::text) + 1) = '.' || $3::text)
    AND ($4::text IS NULL OR error = $4::text OR right(error, length($4::text) + 1) = '.' || $4::text)
    AND ($5::text IS NULL OR starts_with(fingerprint, $5::text))
    AND ($6::text IS NULL OR right(replace(message_id::text, '-', ''), length($6::text)) = lower($6::text))
    AND ($7::int8 IS NULL OR dead_at >= $7::int8) AND ($8::int8 IS NULL OR dead_at <= $8::int8)
    AND ($9::text = '' OR status = $9::text)
    AND (cardinality($10::uuid[]) = 0 OR message_id = ANY($10::uuid[]));

-- name: count_letters
UPDATE replays SET letters = (SELECT count(*) FROM replay_letters WHERE replay = $1::uuid)
WHERE id = $1::uuid RETURNING letters;

-- name: end_replay
UPDATE replays SET
    status = $2::text, said = $3::text, ended_at = (extract(epoch FROM clock_timestamp()) * 1000000)::int8
WHERE id = $1::uuid;

-- name: replays
SELECT id, chosen, who, why, canary, rate, stop_at, most, begun_at, letters, status, said, ended_at FROM replays
ORDER BY begun_at DESC, id LIMIT $1::int8;

-- name: replay_letters
SELECT number, request, actor, message_id, shard, key FROM replay_letters WHERE replay = $1::uuid ORDER BY number;

-- name: replayed
SELECT number, status FROM replay_letters JOIN requests ON requests.id = replay_letters.request
WHERE replay = $1::uuid ORDER BY number;

-- name: add_edits
INSERT INTO edits (request, actor, message_id, shard, body, schema, who, why, edited_at)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::int8[]
);

-- name: rewrite_letters
WITH rewritten AS (
    UPDATE dead_letters SET body = new.body, schema = new.schema
    FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::text[]) AS new (actor, message_id, body, schema)
        CROSS JOIN LATERAL (
            SELECT ctid FROM dead_letters
            WHERE actor = new.actor AND message_id = new.message_id AND status = 'dead' LIMIT 1
        ) AS found
    WHERE dead_letters.ctid = found.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM rewritten;

-- name: edits_of
SELECT request, actor, message_id, shard, body, schema, who, why, edited_at FROM edits
WHERE actor = $1::text AND message_id = $2::uuid ORDER BY edited_at, request;

-- name: those_there
SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL;

-- name: contracts_of_shards
SELECT shard, contracts FROM shards;

-- name: held_states
SELECT actor, key, shard, ''::bytea, '', '', schema, body, '', '' FROM states;

-- name: held_timers
SELECT actor, key, shard, generation, name, type, schema, body, '', '' FROM timers;

-- name: held_parked
SELECT actor, key, shard, message_id, timer, type, schema, body, source, properties FROM parked;

-- name: held_letters
SELECT actor, key, shard, message_id, timer, type, schema, body, source, properties FROM dead_letters
WHERE status = 'dead';

-- name: held_outbox
SELECT split_part(shard, '/', 1), key, shard, ''::bytea, number::text, '', '', body, topic, properties FROM outbox;

-- name: held_effects
SELECT actor, key, shard, effect_id, dependency, type, schema, body, '', '' FROM effects;
