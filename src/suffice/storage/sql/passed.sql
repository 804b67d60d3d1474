-- name: put_passed
INSERT INTO passed_objects (id, endpoint, kind, key_id, created_ms, request_id, settled, body, demand)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, endpoint) DO NOTHING;

-- name: passed
SELECT id, endpoint, kind, key_id, created_ms, request_id, settled, body, demand FROM passed_objects
WHERE kind = ? AND key_id = ? ORDER BY created_ms DESC, id DESC;

-- name: find_passed
SELECT id, endpoint, kind, key_id, created_ms, request_id, settled, body, demand FROM passed_objects
WHERE id = ? AND kind = ? AND key_id = ? ORDER BY created_ms DESC;

-- name: update_passed
UPDATE passed_objects SET body = ?3 WHERE id = ?1 AND endpoint = ?2;

-- name: settle_passed
UPDATE passed_objects SET settled = 1 WHERE id = ?1 AND endpoint = ?2 AND settled = 0 RETURNING id;

-- name: unsettle_passed
UPDATE passed_objects SET settled = 0 WHERE id = ?1 AND endpoint = ?2;

-- name: delete_passed
DELETE FROM passed_objects WHERE id = ?1 AND endpoint = ?2;
