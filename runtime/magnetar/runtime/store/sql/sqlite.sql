-- name: migrations_table
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER NOT NULL PRIMARY KEY,
    phase TEXT NOT NULL,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT;

-- name: has_migrations_table
SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations';

-- name: migrations
SELECT number, phase, checksum FROM migrations;

-- name: add_migration
INSERT INTO migrations (number, phase, name, checksum) VALUES (?, ?, ?, ?);

-- name: partitions
SELECT partitions FROM actors WHERE actor = ?;

-- name: add_actor
INSERT INTO actors (actor, partitions) VALUES (?, ?);

-- name: add_shard
INSERT INTO shards (shard, epoch, owner, commits, lane, clean, generation, floor) VALUES (?, 0, '', 0, 0, 1, 0, 0);

-- name: beat
INSERT INTO workers (worker, code, contracts, actors, since, seen, heard, progress, leaving)
VALUES (?1, ?2, ?3, ?4, ?8, ?8, ?8 - ?5, ?6, ?7)
ON CONFLICT (worker) DO UPDATE SET
    code = excluded.code, contracts = excluded.contracts, actors = excluded.actors, seen = excluded.seen,
    heard = excluded.heard, progress = excluded.progress, leaving = excluded.leaving;

-- name: forget_workers
DELETE FROM workers WHERE seen < ?;

-- name: depart
DELETE FROM workers WHERE worker = ?;

-- name: members
SELECT worker, code, contracts, actors, since, seen, heard, progress, leaving FROM workers ORDER BY worker;

-- name: table_columns
SELECT name, lower(type), "notnull" = 0 FROM pragma_table_info(?) ORDER BY cid;

-- name: add_schema
INSERT INTO schemas (fingerprint, text) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: schemas
SELECT fingerprint, text FROM schemas;

-- name: standing
SELECT shard, epoch, owner, since, contracts FROM shards WHERE shard = ?;

-- name: standings
SELECT shard, epoch, owner, since, contracts FROM shards WHERE shard IN (SELECT value FROM json_each(?));

-- name: all_standings
SELECT shard, epoch, owner, since, contracts FROM shards;

-- name: shard
SELECT shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why FROM shards
WHERE shard = ?;

-- name: shards
SELECT shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why FROM shards
ORDER BY shard;

-- name: positions
SELECT source, ledger, entry, batch FROM positions WHERE shard = ?;

-- name: all_positions
SELECT shard, source, ledger, entry, batch FROM positions;

-- name: take
UPDATE shards SET
    epoch = epoch + 1, owner = ?3, clean = 0, contracts = max(contracts, ?4), generation = generation + ?6,
    why = iif(owner = ?3, why, ?5), since = iif(owner = ?3, since, ?7)
WHERE shard = ?1 AND epoch = ?2 AND contracts <= ?4
RETURNING shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why;

-- name: release
UPDATE shards SET owner = '', clean = 1, since = ?3 WHERE shard = ?1 AND epoch = ?2 RETURNING epoch;

-- name: fence
UPDATE shards SET commits = commits + 1, lane = ?4, floor = ?5 WHERE shard = ?1 AND epoch = ?2 AND commits = ?3
RETURNING commits;

-- name: outbox
SELECT shard, number, topic, partition, key, body, properties FROM outbox
WHERE shard = ? AND number > ? ORDER BY number LIMIT ?;

-- name: timers_due
SELECT actor, key, name, shard, generation, due, type, schema, body, correlation_id, causation_id FROM timers
WHERE shard = ? AND due <= ? ORDER BY due, actor, key, name;

-- name: disposition
SELECT disposition FROM journal WHERE actor = ? AND message_id = ?;

-- name: dispositions
SELECT message_id, disposition FROM journal
WHERE actor = ? AND message_id IN (SELECT unhex(value) FROM json_each(?));

-- name: state
SELECT actor, key, shard, version, schema, body, changed_at FROM states WHERE actor = ? AND key = ?;

-- name: states
SELECT actor, key, shard, version, schema, body, changed_at FROM states
WHERE actor = ? AND key IN (SELECT value FROM json_each(?));

-- name: add_journal
INSERT INTO journal (
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema, state
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21,
    (SELECT id FROM states WHERE actor = ?1 AND key = ?4)
);

-- name: add_state
INSERT INTO states (actor, key, shard, version, schema, body, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: change_state
UPDATE states SET shard = ?3, version = ?4, schema = ?5, body = ?6, changed_at = ?7
WHERE actor = ?1 AND key = ?2 AND version = ?8;

-- name: add_outbox
INSERT INTO outbox (shard, number, topic, partition, key, body, properties) VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: remove_outbox
DELETE FROM outbox WHERE shard = ? AND number > ? AND number <= ?;

-- name: cancel_timer
DELETE FROM timers WHERE actor = ? AND key = ? AND name = ?;

-- name: fire_timer
DELETE FROM timers WHERE actor = ? AND key = ? AND name = ? AND generation = ?;

-- name: timer_generation
SELECT generation FROM timers WHERE actor = ? AND key = ? AND name = ?;

-- name: arm_timer
INSERT INTO timers (
    actor, key, name, shard, generation, due, type, schema, body, correlation_id, causation_id
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (actor, key, name) DO UPDATE SET
    shard = excluded.shard, generation = excluded.generation, due = excluded.due, type = excluded.type,
    schema = excluded.schema, body = excluded.body, correlation_id = excluded.correlation_id,
    causation_id = excluded.causation_id;

-- name: set_position
INSERT INTO positions (shard, source, ledger, entry, batch) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (shard, source) DO UPDATE SET ledger = excluded.ledger, entry = excluded.entry, batch = excluded.batch;

-- name: timeline
SELECT
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
FROM journal WHERE state = (SELECT id FROM states WHERE actor = ?1 AND key = ?2)
UNION ALL
SELECT
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
FROM journal WHERE state IS NULL AND actor = ?1 AND key = ?2
ORDER BY version, now, message_id LIMIT ?3;

-- name: entry
SELECT
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
FROM journal WHERE actor = ? AND message_id = ?;

-- name: journal_of
SELECT
    actor, message_id, shard, key, disposition, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, now, code, version, state_hash, sent, answer, answer_schema
FROM journal WHERE actor = ? ORDER BY message_id;

-- name: states_of
SELECT actor, key, shard, version, schema, body, changed_at FROM states WHERE actor = ? ORDER BY key;

-- name: timers_of
SELECT actor, key, name, shard, generation, due, type, schema, body, correlation_id, causation_id FROM timers
WHERE actor = ? AND key = ? ORDER BY due, name;

-- name: unsent_of
SELECT shard, number, topic, partition, key, body, properties FROM outbox
WHERE shard >= ?1 || '/' AND shard < ?1 || '0' ORDER BY shard, number;

-- name: loads
SELECT shard, sum(unsent), sum(timers) FROM (
    SELECT shard, count(*) AS unsent, 0 AS timers FROM outbox GROUP BY shard
    UNION ALL
    SELECT shard, 0, count(*) FROM timers GROUP BY shard
) GROUP BY shard;
