-- Many workers: who they are (R13, R14), and of each shard since when and why its owner has it.
-- Columns have defaults, because 0.1.0 goes on writing these rows without knowing them.

CREATE TABLE workers (
    worker TEXT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL,
    contracts INTEGER NOT NULL,
    actors TEXT NOT NULL,
    since INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    heard INTEGER NOT NULL,
    progress INTEGER NOT NULL,
    leaving INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE shards ADD COLUMN contracts INTEGER NOT NULL DEFAULT 0;  -- the highest of code that owned it (R16)
ALTER TABLE shards ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE shards ADD COLUMN why TEXT NOT NULL DEFAULT '';
