-- name: add_key
INSERT INTO keys (id, digest, previous_digest, previous_until_s, created_s, expires_s, revoked_s, fields)
VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: update_key
UPDATE keys SET digest = ?2, previous_digest = ?3, previous_until_s = ?4, created_s = ?5, expires_s = ?6, revoked_s = ?7,
    fields = ?8 WHERE id = ?1;

-- name: keys
SELECT id, digest, previous_digest, previous_until_s, created_s, expires_s, revoked_s, fields FROM keys ORDER BY created_s, id;
