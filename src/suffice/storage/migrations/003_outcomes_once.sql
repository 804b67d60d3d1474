-- Version 3: an outcome counts once for each request, kind and source, however often it is reported; commits find their requests.
DELETE FROM outcomes WHERE seq NOT IN (
    SELECT min(seq) FROM outcomes GROUP BY request_id, record ->> 'kind', coalesce(record ->> 'source', ''));
CREATE UNIQUE INDEX outcomes_once ON outcomes (request_id, record ->> 'kind', coalesce(record ->> 'source', ''));
CREATE INDEX outcomes_commit ON outcomes (record ->> 'commit');
