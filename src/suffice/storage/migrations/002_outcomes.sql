-- Version 2: evidence that arrives after a request, and pruning that keeps the sums provable.
CREATE TABLE outcomes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (request_id, record)
) STRICT;
CREATE INDEX outcomes_time ON outcomes (at_ms);
-- What was charged by rows that retention has removed, so that ledger + pruned = spent stays true.
ALTER TABLE windows ADD COLUMN pruned_nano INTEGER NOT NULL DEFAULT 0;
-- Charges above their reservation and upward corrections: the only way past a limit.
ALTER TABLE windows ADD COLUMN over_nano INTEGER NOT NULL DEFAULT 0;
