-- Version 1: keys, budgets with their windows and leases, open reservations, the ledger, decisions.
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO state VALUES ('generation', 1);

CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    previous_digest BLOB NOT NULL DEFAULT x'',
    previous_until_s INTEGER NOT NULL DEFAULT 0,
    created_s INTEGER NOT NULL,
    expires_s INTEGER NOT NULL DEFAULT 0,
    revoked_s INTEGER NOT NULL DEFAULT 0,
    fields TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE budgets (
    id TEXT PRIMARY KEY,
    period TEXT NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
    limit_nano INTEGER NOT NULL CHECK (limit_nano >= 0),
    soft_ppm INTEGER NOT NULL CHECK (soft_ppm BETWEEN 0 AND 1000000),
    hard INTEGER NOT NULL CHECK (hard IN (0, 1))
) STRICT, WITHOUT ROWID;

-- peak_nano is the highest limit under which a lease was granted: what spent + leased is checked against.
CREATE TABLE windows (
    budget_id TEXT NOT NULL,
    start_s INTEGER NOT NULL,
    spent_nano INTEGER NOT NULL DEFAULT 0,
    leased_nano INTEGER NOT NULL DEFAULT 0,
    peak_nano INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (budget_id, start_s)
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    boot TEXT NOT NULL,
    budget_id TEXT NOT NULL,
    start_s INTEGER NOT NULL,
    left_nano INTEGER NOT NULL,
    PRIMARY KEY (boot, budget_id, start_s)
) STRICT, WITHOUT ROWID;

CREATE TABLE reservations (
    request_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    boot TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    amount_nano INTEGER NOT NULL CHECK (amount_nano >= 0),
    checkpoint_nano INTEGER NOT NULL DEFAULT -1,
    holds TEXT NOT NULL,
    intent TEXT NOT NULL,
    PRIMARY KEY (request_id, attempt)
) STRICT, WITHOUT ROWID;

-- Append-only. kind: S settled, X released, U unknown outcome, A adjustment of an earlier row.
CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('S', 'X', 'U', 'A')),
    at_ms INTEGER NOT NULL,
    charge_nano INTEGER NOT NULL,
    reserved_nano INTEGER NOT NULL,
    reference_nano INTEGER NOT NULL,
    holds TEXT NOT NULL,
    key_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    team TEXT NOT NULL,
    task TEXT NOT NULL,
    model TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    outcome TEXT NOT NULL,
    charge_class TEXT NOT NULL,
    price_kind TEXT NOT NULL,
    price_version TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX ledger_once ON ledger (request_id, attempt) WHERE kind <> 'A';
CREATE INDEX ledger_adjustments ON ledger (request_id, attempt) WHERE kind = 'A';
CREATE INDEX ledger_time ON ledger (at_ms);

CREATE TABLE decisions (
    request_id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX decisions_time ON decisions (at_ms);
