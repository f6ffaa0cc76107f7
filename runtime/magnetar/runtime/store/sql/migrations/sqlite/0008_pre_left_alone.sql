-- Which dependencies a worker leaves alone, and until when: told with its heartbeat, so that others can see it (R29).
-- The column has a default, because older code goes on writing these rows without knowing it.

ALTER TABLE workers ADD COLUMN left_alone TEXT NOT NULL DEFAULT '';
