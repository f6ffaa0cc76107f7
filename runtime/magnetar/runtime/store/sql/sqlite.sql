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
INSERT INTO workers (worker, code, contracts, actors, since, seen, heard, progress, leaving, left_alone)
VALUES (?1, ?2, ?3, ?4, ?9, ?9, ?9 - ?5, ?6, ?7, ?8)
ON CONFLICT (worker) DO UPDATE SET
    code = excluded.code, contracts = excluded.contracts, actors = excluded.actors, seen = excluded.seen,
    heard = excluded.heard, progress = excluded.progress, leaving = excluded.leaving, left_alone = excluded.left_alone;

-- name: forget_workers
DELETE FROM workers WHERE seen < ?;

-- name: depart
DELETE FROM workers WHERE worker = ?;

-- name: members
SELECT worker, code, contracts, actors, since, seen, heard, progress, leaving, left_alone FROM workers
ORDER BY worker;

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
SELECT shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why, careful FROM shards
WHERE shard = ?;

-- name: shards
SELECT shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why, careful FROM shards
ORDER BY shard;

-- name: positions
SELECT source, ledger, entry, batch FROM positions WHERE shard = ?;

-- name: all_positions
SELECT shard, source, ledger, entry, batch FROM positions;

-- name: take
UPDATE shards SET
    epoch = epoch + 1, minded = epoch + 1, owner = ?3, clean = 0, contracts = max(contracts, ?4),
    generation = generation + ?6, why = iif(owner = ?3, why, ?5), since = iif(owner = ?3, since, ?8),
    careful = iif(clean OR ?7, careful, min(careful + 1, 2))
WHERE shard = ?1 AND epoch = ?2 AND contracts <= ?4
RETURNING shard, epoch, owner, commits, lane, clean, generation, floor, contracts, since, why, careful;

-- name: release
UPDATE shards SET owner = '', clean = 1, since = ?3 WHERE shard = ?1 AND epoch = ?2 RETURNING epoch;

-- name: lay_aside
DELETE FROM hands WHERE shard = ? AND holder = ? AND crashes = 0;

-- name: let_wait
UPDATE hands SET holder = '' WHERE shard = ? AND holder = ?;

-- name: hands
SELECT shard, message_id, key, source, holder, owner, crashes, since FROM hands WHERE shard = ? ORDER BY message_id;

-- name: all_hands
SELECT shard, message_id, key, source, holder, owner, crashes, since FROM hands ORDER BY shard, message_id;

-- name: hold
INSERT INTO hands (shard, message_id, key, source, holder, owner, crashes, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (shard, message_id) DO UPDATE SET
    key = excluded.key, source = excluded.source, holder = excluded.holder, owner = excluded.owner,
    crashes = excluded.crashes, since = excluded.since;

-- name: drop_hand
DELETE FROM hands WHERE shard = ? AND message_id = ?;

-- name: ease
UPDATE shards SET careful = careful - 1 WHERE shard = ?;

-- name: add_crash
INSERT INTO crashes (actor, message_id, number, shard, key, source, owner, code, now)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: crashes
SELECT message_id, max(number) FROM crashes
WHERE actor = ? AND message_id IN (SELECT unhex(value) FROM json_each(?)) GROUP BY message_id;

-- name: crashes_of
SELECT actor, message_id, number, shard, key, source, owner, code, now FROM crashes
WHERE actor = ? AND message_id = ? ORDER BY number;

-- name: all_crashes_of
SELECT actor, message_id, number, shard, key, source, owner, code, now FROM crashes
WHERE actor = ? ORDER BY message_id, number;

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

-- name: settle
UPDATE journal SET
    disposition = ?5, type = ?6, schema = ?7, body = ?8, source = ?9, position = ?10, correlation_id = ?11,
    causation_id = ?12, occurred_at = ?13, published_at = ?14, now = ?15, code = ?16, version = ?17, state_hash = ?18,
    sent = ?19, answer = ?20, answer_schema = ?21,
    state = (SELECT id FROM states WHERE actor = journal.actor AND key = journal.key)
WHERE actor = ?1 AND message_id = ?2 AND disposition IN ('parked', 'dead');

-- name: unpark
DELETE FROM parked WHERE actor = ? AND key = ? AND ordinal >= ? AND ordinal <= ?;

-- name: parked_between
SELECT count(*) FROM parked WHERE actor = ? AND key = ? AND ordinal >= ? AND ordinal <= ?;

-- name: park
INSERT INTO parked (
    actor, key, ordinal, shard, message_id, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, properties, timer, parked_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: free
DELETE FROM parked_keys WHERE actor = ? AND key = ?;

-- name: park_key
INSERT INTO parked_keys (
    actor, key, shard, reason, first, last, failures, due, error, error_text, since, held_by, crashes
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (actor, key) DO UPDATE SET
    shard = excluded.shard, reason = excluded.reason, first = excluded.first, last = excluded.last,
    failures = excluded.failures, due = excluded.due, error = excluded.error, error_text = excluded.error_text,
    since = excluded.since, held_by = excluded.held_by, crashes = excluded.crashes;

-- name: add_failure
INSERT INTO failures (actor, message_id, number, shard, key, error, error_text, fingerprint, code, now)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: add_dead_letter
INSERT INTO dead_letters (
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (actor, message_id) DO UPDATE SET
    shard = excluded.shard, key = excluded.key, type = excluded.type, schema = excluded.schema, body = excluded.body,
    source = excluded.source, position = excluded.position, correlation_id = excluded.correlation_id,
    causation_id = excluded.causation_id, occurred_at = excluded.occurred_at, published_at = excluded.published_at,
    properties = excluded.properties, timer = excluded.timer, error = excluded.error,
    error_text = excluded.error_text, fingerprint = excluded.fingerprint, failures = excluded.failures,
    crashes = excluded.crashes, dead_at = excluded.dead_at, status = excluded.status, replays = excluded.replays
WHERE dead_letters.status <> 'dead';

-- name: dead_letter
SELECT status FROM dead_letters WHERE actor = ? AND message_id = ?;

-- name: parked_keys
SELECT actor, key, shard, reason, first, last, failures, due, error, error_text, since, held_by, crashes
FROM parked_keys
WHERE shard = ? ORDER BY due NULLS LAST, key;

-- name: parked_key
SELECT actor, key, shard, reason, first, last, failures, due, error, error_text, since, held_by, crashes
FROM parked_keys
WHERE actor = ? AND key = ?;

-- name: parked
SELECT
    actor, key, ordinal, shard, message_id, type, schema, body, source, position, correlation_id, causation_id,
    occurred_at, published_at, properties, timer, parked_at
FROM parked WHERE actor = ? AND key = ? AND ordinal >= ? ORDER BY ordinal LIMIT ?;

-- name: failures_of
SELECT actor, message_id, number, shard, key, error, error_text, fingerprint, code, now FROM failures
WHERE actor = ? AND message_id = ? ORDER BY number;

-- name: all_failures_of
SELECT actor, message_id, number, shard, key, error, error_text, fingerprint, code, now FROM failures
WHERE actor = ? ORDER BY message_id, number;

-- name: dead_letters
SELECT
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
FROM dead_letters ORDER BY dead_at DESC, actor, message_id DESC LIMIT ?;

-- name: dead_letters_of
SELECT
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
FROM dead_letters WHERE actor = ? ORDER BY dead_at DESC, message_id DESC LIMIT ?;

-- name: add_effect
INSERT INTO effects (
    actor, effect_id, shard, key, dependency, type, schema, body, correlation_id, causation_id, asked_at, state,
    attempts, doubtful, due, error, error_text
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: move_effect
UPDATE effects SET state = ?4, attempts = ?5, doubtful = ?6, due = ?7, error = ?8, error_text = ?9
WHERE actor = ?1 AND effect_id = ?2 AND attempts = ?3;

-- name: close_effect
DELETE FROM effects WHERE actor = ? AND effect_id = ?;

-- name: effect_attempts
SELECT attempts FROM effects WHERE actor = ? AND effect_id = ?;

-- name: effects
SELECT
    actor, effect_id, shard, key, dependency, type, schema, body, correlation_id, causation_id, asked_at, state,
    attempts, doubtful, due, error, error_text
FROM effects WHERE shard = ? ORDER BY due, effect_id;

-- name: effects_of
SELECT
    actor, effect_id, shard, key, dependency, type, schema, body, correlation_id, causation_id, asked_at, state,
    attempts, doubtful, due, error, error_text
FROM effects WHERE actor = ? AND key = ? ORDER BY asked_at, effect_id;

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
SELECT shard, sum(unsent), sum(timers), sum(parked), sum(effects) FROM (
    SELECT shard, count(*) AS unsent, 0 AS timers, 0 AS parked, 0 AS effects FROM outbox GROUP BY shard
    UNION ALL
    SELECT shard, 0, count(*), 0, 0 FROM timers GROUP BY shard
    UNION ALL
    SELECT shard, 0, 0, sum(last - first + 1), 0 FROM parked_keys GROUP BY shard
    UNION ALL
    SELECT shard, 0, 0, 0, count(*) FROM effects GROUP BY shard
) GROUP BY shard;

-- name: letter
SELECT
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
FROM dead_letters WHERE actor = ? AND message_id = ?;

-- name: letters
SELECT
    actor, message_id, shard, key, type, schema, body, source, position, correlation_id, causation_id, occurred_at,
    published_at, properties, timer, error, error_text, fingerprint, failures, crashes, dead_at, status, replays
FROM dead_letters
WHERE (?1 IS NULL OR actor = ?1) AND (?2 IS NULL OR key = ?2)
    AND (?3 IS NULL OR type = ?3 OR substr(type, -1 - length(?3)) = '.' || ?3)
    AND (?4 IS NULL OR error = ?4 OR substr(error, -1 - length(?4)) = '.' || ?4)
    AND (?5 IS NULL OR substr(fingerprint, 1, length(?5)) = ?5)
    AND (?6 IS NULL OR substr(hex(message_id), -length(?6)) = upper(?6))
    AND (?7 IS NULL OR dead_at >= ?7) AND (?8 IS NULL OR dead_at <= ?8) AND (?9 = '' OR status = ?9)
ORDER BY dead_at DESC, actor, message_id DESC LIMIT ?10;

-- name: letter_groups
SELECT
    actor, fingerprint, min(type), min(error), min(error_text), count(*), count(DISTINCT key), min(dead_at),
    max(dead_at)
FROM dead_letters
WHERE (?1 IS NULL OR actor = ?1) AND (?2 IS NULL OR key = ?2)
    AND (?3 IS NULL OR type = ?3 OR substr(type, -1 - length(?3)) = '.' || ?3)
    AND (?4 IS NULL OR error = ?4 OR substr(error, -1 - length(?4)) = '.' || ?4)
    AND (?5 IS NULL OR substr(fingerprint, 1, length(?5)) = ?5)
    AND (?6 IS NULL OR substr(hex(message_id), -length(?6)) = upper(?6))
    AND (?7 IS NULL OR dead_at >= ?7) AND (?8 IS NULL OR dead_at <= ?8) AND (?9 = '' OR status = ?9)
GROUP BY actor, fingerprint ORDER BY count(*) DESC, actor, fingerprint LIMIT ?10;

-- name: move_letter
UPDATE dead_letters SET status = ?3, replays = ?4 WHERE actor = ?1 AND message_id = ?2 AND status = 'dead';

-- name: keys_parked
SELECT actor, key, shard, reason, first, last, failures, due, error, error_text, since, held_by, crashes
FROM parked_keys WHERE (?1 IS NULL OR actor = ?1) AND (?2 IS NULL OR reason = ?2)
ORDER BY since, actor, key LIMIT ?3;

-- name: ask
INSERT INTO requests (
    id, shard, what, key, arguments, who, why, asked_at, status, answer, answered_at, epoch
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'asked', '', NULL, NULL) ON CONFLICT DO NOTHING;

-- name: asked
SELECT
    requests.id, shard, what, requests.key, arguments, who, why, asked_at, status, answer, answered_at, epoch
FROM json_each(?1) AS wanted CROSS JOIN requests ON requests.id IN (
    SELECT first.id FROM requests AS first
    WHERE first.shard = wanted.value AND first.status = 'asked' ORDER BY first.id LIMIT ?2
) ORDER BY requests.shard, requests.id;

-- name: asked_of
SELECT id, shard, what, key, arguments, who, why, asked_at, status, answer, answered_at, epoch
FROM requests WHERE shard = ? AND status = 'asked' ORDER BY id LIMIT ?;

-- name: answer
UPDATE requests SET status = ?3, answer = ?4, answered_at = ?5, epoch = ?6
WHERE id = ?1 AND shard = ?2 AND status = 'asked';

-- name: requests
SELECT
    id, shard, what, key, arguments, who, why, asked_at, status, answer, answered_at, epoch
FROM requests WHERE id IN (SELECT unhex(value) FROM json_each(?)) ORDER BY id;

-- name: requests_of
SELECT
    id, shard, what, key, arguments, who, why, asked_at, status, answer, answered_at, epoch
FROM requests WHERE shard = ? AND key = ? ORDER BY id DESC LIMIT ?;

-- name: pauses_in
SELECT shard, type, who, why, since FROM pauses WHERE shard = ? ORDER BY type;

-- name: pauses
SELECT shard, type, who, why, since FROM pauses ORDER BY shard, type;

-- name: pause
INSERT INTO pauses (shard, type, who, why, since) VALUES (?, ?, ?, ?, ?);

-- name: resume
DELETE FROM pauses WHERE shard = ? AND type = ?;

-- name: begin_replay
INSERT INTO replays (id, chosen, who, why, canary, rate, stop_at, most, begun_at, letters, status, said, ended_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 'running', '', NULL) ON CONFLICT DO NOTHING RETURNING id;

-- name: freeze_letters
INSERT INTO replay_letters (replay, number, request, actor, message_id, shard, key)
SELECT
    ?11,
    row_number() OVER (
        ORDER BY dead_at, source, json_extract('[' || replace(position, ':', ',') || ']', '$[0]'),
            json_extract('[' || replace(position, ':', ',') || ']', '$[1]'),
            json_extract('[' || replace(position, ':', ',') || ']', '$[2]'), message_id
    ),
    randomblob(16), actor, message_id, shard, key
FROM dead_letters
WHERE (?1 IS NULL OR actor = ?1) AND (?2 IS NULL OR key = ?2)
    AND (?3 IS NULL OR type = ?3 OR substr(type, -1 - length(?3)) = '.' || ?3)
    AND (?4 IS NULL OR error = ?4 OR substr(error, -1 - length(?4)) = '.' || ?4)
    AND (?5 IS NULL OR substr(fingerprint, 1, length(?5)) = ?5)
    AND (?6 IS NULL OR substr(hex(message_id), -length(?6)) = upper(?6))
    AND (?7 IS NULL OR dead_at >= ?7) AND (?8 IS NULL OR dead_at <= ?8) AND (?9 = '' OR status = ?9)
    AND (?10 = '[]' OR message_id IN (SELECT unhex(value) FROM json_each(?10)));

-- name: count_letters
UPDATE replays SET letters = (SELECT count(*) FROM replay_letters WHERE replay = ?1) WHERE id = ?1 RETURNING letters;

-- name: end_replay
UPDATE replays SET status = ?2, said = ?3, ended_at = ?4 WHERE id = ?1;

-- name: replays
SELECT id, chosen, who, why, canary, rate, stop_at, most, begun_at, letters, status, said, ended_at FROM replays
ORDER BY begun_at DESC, id LIMIT ?;

-- name: replay_letters
SELECT number, request, actor, message_id, shard, key FROM replay_letters WHERE replay = ? ORDER BY number;

-- name: replayed
SELECT number, status FROM replay_letters JOIN requests ON requests.id = replay_letters.request
WHERE replay = ? ORDER BY number;

-- name: add_edit
INSERT INTO edits (request, actor, message_id, shard, body, schema, who, why, edited_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: rewrite_letter
UPDATE dead_letters SET body = ?3, schema = ?4 WHERE actor = ?1 AND message_id = ?2 AND status = 'dead';

-- name: edits_of
SELECT request, actor, message_id, shard, body, schema, who, why, edited_at FROM edits WHERE actor = ? AND message_id = ? ORDER BY edited_at, request;

-- name: tables
SELECT name FROM sqlite_schema WHERE type = 'table';

-- name: contracts_of_shards
SELECT shard, contracts FROM shards;

-- name: held_states
SELECT actor, key, shard, x'', '', '', schema, body, '', '' FROM states;

-- name: held_timers
SELECT actor, key, shard, generation, name, type, schema, body, '', '' FROM timers;

-- name: held_parked
SELECT actor, key, shard, message_id, timer, type, schema, body, source, properties FROM parked;

-- name: held_letters
SELECT actor, key, shard, message_id, timer, type, schema, body, source, properties FROM dead_letters
WHERE status = 'dead';

-- name: held_outbox
SELECT substr(shard, 1, instr(shard, '/') - 1), key, shard, x'', CAST(number AS TEXT), '', '', body, topic, properties FROM outbox;

-- name: held_effects
SELECT actor, key, shard, effect_id, dependency, type, schema, body, '', '' FROM effects;
