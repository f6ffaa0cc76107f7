-- Version 0.1.0 knows nothing of generations (R16), parked keys (R22) and pauses (R27): going on with a shard that has any
-- of these, it would store states without their newer fields, and overtake what waits. It takes no such shard any more: to
-- it the shard looks taken by somebody else, and it tries again until newer code is back.

ALTER TABLE shards ADD COLUMN minded INTEGER NOT NULL DEFAULT 0;  -- the last epoch begun by code that knows of all these

CREATE TRIGGER shards_not_for_older_code BEFORE UPDATE OF epoch ON shards
WHEN NEW.minded <> NEW.epoch AND NEW.epoch > OLD.epoch AND (
    OLD.contracts > 0
    OR EXISTS (SELECT 1 FROM parked_keys WHERE shard = OLD.shard)
    OR EXISTS (SELECT 1 FROM pauses WHERE shard = OLD.shard)
)
BEGIN
    SELECT RAISE(IGNORE);
END;
