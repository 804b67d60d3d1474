-- Version 4: files and batches that callers made at providers: whose they are, where they lie, and what a batch was charged.
CREATE TABLE passed_objects (
    id TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    kind TEXT NOT NULL,
    key_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    settled INTEGER NOT NULL,
    body TEXT NOT NULL,
    demand TEXT NOT NULL,
    PRIMARY KEY (id, endpoint)
) STRICT;
CREATE INDEX passed_objects_of_key ON passed_objects (key_id, kind, created_ms);
