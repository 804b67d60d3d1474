-- name: story_rows
SELECT seq, request_id, attempt, kind, at_ms, charge_nano, reserved_nano, reference_nano, holds, key_id, owner, team,
    task, model, endpoint, outcome, charge_class, price_kind, price_version, detail
FROM ledger WHERE request_id = ? ORDER BY attempt, seq;

-- name: story_decision
SELECT record FROM decisions WHERE request_id = ?;

-- name: story_outcomes
SELECT record FROM outcomes WHERE request_id = ? ORDER BY seq;

-- name: story_open
SELECT request_id, attempt, boot, at_ms, amount_nano, checkpoint_nano, holds, intent FROM reservations
WHERE request_id = ? ORDER BY attempt;

-- name: recent
SELECT seq, request_id, attempt, kind, at_ms, charge_nano, reserved_nano, reference_nano, holds, key_id, owner, team,
    task, model, endpoint, outcome, charge_class, price_kind, price_version, detail
FROM ledger ORDER BY seq DESC LIMIT ?;

-- name: spend
-- Adjustment rows move money, they are not attempts; reference_nano is -1 where no reference price was known.
SELECT CASE ?1 WHEN 'model' THEN model WHEN 'task' THEN task WHEN 'key' THEN key_id WHEN 'team' THEN team
        WHEN 'owner' THEN owner WHEN 'day' THEN date(at_ms / 1000, 'unixepoch') ELSE '' END AS name,
    count(DISTINCT request_id), sum(kind <> 'A'), sum(charge_nano),
    sum(CASE WHEN reference_nano >= 0 THEN charge_nano ELSE 0 END),
    sum(CASE WHEN reference_nano >= 0 THEN reference_nano ELSE 0 END),
    sum(kind <> 'A' AND reference_nano < 0), sum(price_kind = 'unknown' AND kind <> 'A'), sum(kind = 'U'),
    sum(price_kind = 'estimated' AND kind <> 'A')
FROM ledger WHERE at_ms >= ?2 AND at_ms < ?3 GROUP BY name ORDER BY 4 DESC, name;

-- name: audit_duplicates
SELECT request_id, attempt, count(*) FROM ledger WHERE kind <> 'A' GROUP BY request_id, attempt HAVING count(*) > 1;

-- name: audit_open_and_closed
SELECT r.request_id, r.attempt FROM reservations r JOIN ledger l ON l.request_id = r.request_id
    AND l.attempt = r.attempt AND l.kind <> 'A';

-- name: audit_spent
WITH charged AS (
    SELECT j.value ->> 0 AS budget_id, j.value ->> 1 AS start_s, sum(l.charge_nano) AS nano
    FROM ledger l, json_each(l.holds) j GROUP BY 1, 2
), every AS (SELECT budget_id, start_s FROM charged UNION SELECT budget_id, start_s FROM windows)
SELECT e.budget_id, e.start_s, coalesce(w.spent_nano, 0), coalesce(c.nano, 0) + coalesce(w.pruned_nano, 0)
FROM every e LEFT JOIN charged c USING (budget_id, start_s) LEFT JOIN windows w USING (budget_id, start_s)
WHERE coalesce(w.spent_nano, 0) <> coalesce(c.nano, 0) + coalesce(w.pruned_nano, 0);

-- name: audit_leased
WITH held AS (SELECT budget_id, start_s, sum(left_nano) AS nano FROM leases GROUP BY 1, 2)
SELECT w.budget_id, w.start_s, w.leased_nano, coalesce(h.nano, 0) FROM windows w LEFT JOIN held h USING (budget_id, start_s)
WHERE w.leased_nano <> coalesce(h.nano, 0);

-- name: audit_reserved
WITH held AS (
    SELECT r.boot, j.value ->> 0 AS budget_id, j.value ->> 1 AS start_s, sum(r.amount_nano) AS nano
    FROM reservations r, json_each(r.holds) j WHERE j.value ->> 2 GROUP BY 1, 2, 3
)
SELECT h.budget_id, h.start_s, h.nano, coalesce(l.left_nano, 0) + coalesce(w.over_nano, 0)
FROM held h LEFT JOIN leases l USING (boot, budget_id, start_s) LEFT JOIN windows w USING (budget_id, start_s)
WHERE h.nano > coalesce(l.left_nano, 0) + coalesce(w.over_nano, 0);

-- name: audit_limits
SELECT w.budget_id, w.start_s, w.spent_nano + w.leased_nano, w.peak_nano + w.over_nano
FROM windows w JOIN budgets b ON b.id = w.budget_id
WHERE b.hard = 1 AND w.peak_nano > 0 AND w.spent_nano + w.leased_nano > w.peak_nano + w.over_nano;

-- name: audit_signs
SELECT request_id, attempt, charge_nano FROM ledger WHERE kind <> 'A' AND charge_nano < 0;

-- name: counts
SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM reservations), (SELECT count(*) FROM decisions),
    (SELECT count(*) FROM outcomes);

-- name: prune_cutoff
SELECT coalesce(max(at_ms) + 1, 0) FROM (SELECT at_ms FROM ledger ORDER BY at_ms DESC LIMIT -1 OFFSET ?);

-- name: prune_carry
UPDATE windows SET pruned_nano = pruned_nano + coalesce((
    SELECT sum(l.charge_nano) FROM ledger l, json_each(l.holds) j
    WHERE l.at_ms < ?1 AND j.value ->> 0 = windows.budget_id AND j.value ->> 1 = windows.start_s), 0);

-- name: prune_ledger
DELETE FROM ledger WHERE at_ms < ?;

-- name: prune_decisions
DELETE FROM decisions WHERE at_ms < ?;

-- name: prune_outcomes
DELETE FROM outcomes WHERE at_ms < ?;

-- name: report_rows
SELECT seq, request_id, attempt, kind, at_ms, charge_nano, reserved_nano, reference_nano, holds, key_id, owner, team,
    task, model, endpoint, outcome, charge_class, price_kind, price_version, detail
FROM ledger WHERE seq > ? AND at_ms >= ? AND at_ms < ? ORDER BY seq LIMIT 2000;

-- name: recent_requests
SELECT request_id FROM (
    SELECT request_id, at_ms FROM ledger WHERE kind <> 'A' AND seq > (SELECT coalesce(max(seq), 0) FROM ledger) - 1000
    UNION ALL SELECT request_id, at_ms FROM (SELECT request_id, at_ms FROM decisions ORDER BY at_ms DESC LIMIT 1000)
) GROUP BY request_id ORDER BY max(at_ms) DESC, request_id DESC LIMIT ?;

-- name: prune_count
SELECT (SELECT count(*) FROM ledger WHERE at_ms < ?1), (SELECT count(*) FROM decisions WHERE at_ms < ?1),
    (SELECT count(*) FROM outcomes WHERE at_ms < ?1);

-- name: decisions_since
SELECT request_id FROM decisions WHERE at_ms >= ? ORDER BY at_ms DESC LIMIT ?;

-- name: recent_decisions
SELECT record FROM decisions WHERE at_ms > ? AND at_ms <= ? ORDER BY at_ms DESC, request_id DESC LIMIT ?;

-- name: requests_of_commit
SELECT DISTINCT request_id FROM outcomes WHERE record ->> 'commit' = ? LIMIT ?;

-- name: report_outcomes
SELECT record FROM outcomes WHERE at_ms >= ? AND at_ms < ? ORDER BY seq;
