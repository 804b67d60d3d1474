-- name: generation
SELECT value FROM state WHERE name = 'generation';

-- name: bump_generation
UPDATE state SET value = value + 1 WHERE name = 'generation';

-- name: put_budget
INSERT INTO budgets (id, period, limit_nano, soft_ppm, hard) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET period = excluded.period, limit_nano = excluded.limit_nano,
    soft_ppm = excluded.soft_ppm, hard = excluded.hard;

-- name: delete_budget
DELETE FROM budgets WHERE id = ?;

-- name: budgets
SELECT id, period, limit_nano, soft_ppm, hard FROM budgets ORDER BY id;

-- name: open_window
INSERT INTO windows (budget_id, start_s) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: windows
SELECT budget_id, start_s, spent_nano, leased_nano FROM windows;

-- name: lease_room
SELECT b.limit_nano, w.spent_nano, w.leased_nano FROM budgets b JOIN windows w ON w.budget_id = b.id
WHERE b.id = ? AND w.start_s = ?;

-- name: take_lease
-- The check and the change are one statement: that is what makes overspending impossible under any concurrency.
UPDATE windows SET leased_nano = leased_nano + ?1,
    peak_nano = max(peak_nano, (SELECT limit_nano FROM budgets WHERE id = ?2))
WHERE budget_id = ?2 AND start_s = ?3
    AND spent_nano + leased_nano + ?1 <= (SELECT limit_nano FROM budgets WHERE id = ?2);

-- name: add_lease
INSERT INTO leases (boot, budget_id, start_s, left_nano) VALUES (?, ?, ?, ?)
ON CONFLICT (boot, budget_id, start_s) DO UPDATE SET left_nano = left_nano + excluded.left_nano;

-- name: charge_window
INSERT INTO windows (budget_id, start_s, spent_nano, leased_nano, over_nano) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (budget_id, start_s) DO UPDATE SET spent_nano = spent_nano + excluded.spent_nano,
    leased_nano = leased_nano + excluded.leased_nano, over_nano = over_nano + excluded.over_nano;

-- name: charge_lease
UPDATE leases SET left_nano = left_nano - ? WHERE boot = ? AND budget_id = ? AND start_s = ?;

-- name: leases_of
SELECT budget_id, start_s, left_nano FROM leases WHERE boot = ?;

-- name: lease_boots
SELECT DISTINCT boot FROM leases UNION SELECT DISTINCT boot FROM reservations;

-- name: return_lease
UPDATE windows SET leased_nano = leased_nano - ? WHERE budget_id = ? AND start_s = ?;

-- name: drop_leases
DELETE FROM leases WHERE boot = ?;

-- name: drop_lease
DELETE FROM leases WHERE boot = ? AND budget_id = ? AND start_s = ? AND left_nano = 0;
