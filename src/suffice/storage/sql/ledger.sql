-- name: open_reservation
INSERT INTO reservations (request_id, attempt, boot, at_ms, amount_nano, checkpoint_nano, holds, intent)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: reservation
SELECT request_id, attempt, boot, at_ms, amount_nano, checkpoint_nano, holds, intent FROM reservations
WHERE request_id = ? AND attempt = ?;

-- name: reservations_of
SELECT request_id, attempt, boot, at_ms, amount_nano, checkpoint_nano, holds, intent FROM reservations
WHERE boot = ? ORDER BY at_ms;

-- name: checkpoint
UPDATE reservations SET checkpoint_nano = ? WHERE request_id = ? AND attempt = ?;

-- name: close_reservation
DELETE FROM reservations WHERE request_id = ? AND attempt = ?;

-- name: append_row
INSERT INTO ledger (request_id, attempt, kind, at_ms, charge_nano, reserved_nano, reference_nano, holds, key_id, owner,
    team, task, model, endpoint, outcome, charge_class, price_kind, price_version, detail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: row_exists
SELECT 1 FROM ledger WHERE request_id = ? AND attempt = ? AND kind <> 'A';

-- name: rows_of_attempt
SELECT seq, request_id, attempt, kind, at_ms, charge_nano, reserved_nano, reference_nano, holds, key_id, owner, team,
    task, model, endpoint, outcome, charge_class, price_kind, price_version, detail
FROM ledger WHERE request_id = ? AND attempt = ? ORDER BY seq;

-- name: put_decision
INSERT INTO decisions (request_id, at_ms, record) VALUES (?, ?, ?)
ON CONFLICT (request_id) DO UPDATE SET at_ms = excluded.at_ms, record = excluded.record;

-- name: put_outcome
INSERT INTO outcomes (request_id, at_ms, record) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;
