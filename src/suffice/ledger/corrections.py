"""Corrections from outside of the gateway: a better number for a charge, and retention.

Must not change a row: a correction is an appended one. Works beside a running gateway, through the store.
"""

from __future__ import annotations

import msgspec

from suffice.errors import NotFoundError
from suffice.ledger import posting
from suffice.ledger.book import MAX_NANO
from suffice.ledger.queries import Pruned
from suffice.ledger.redact import Redactor
from suffice.storage.database import Database
from suffice.storage.tables import Session
from suffice.values.env import Env
from suffice.values.money import NanoUsd


def adjust(database: Database, env: Env, request_id: str, attempt: int, actual: NanoUsd, reason: str) -> NanoUsd:
    """Book what an ended attempt really cost; returns the difference. Blocks until it is durable.

    A running gateway counts it against the budget with its next slice. Raises NotFoundError, StorageError, ValueError.
    """
    if not 0 <= actual < MAX_NANO:
        raise ValueError(f"{actual} is no charge")
    safe = msgspec.json.decode(Redactor().mask(msgspec.json.encode(reason)), type=str)
    now_ms = int(env.now() * 1000)
    found = database.call(lambda s: posting.adjust(s, request_id, attempt, actual, safe, now_ms)).result()
    if found is None:
        raise NotFoundError(
            f"attempt {attempt} of {request_id[:64]} has no ledger row",
            hint="`suffice ledger recent` shows the last ones",
        )
    return NanoUsd(found[0])


def would_prune(session: Session, before_s: float, max_rows: int | None = None) -> Pruned:
    """Return what `queries.prune` would remove, without removing it."""
    cut_ms = int(before_s * 1000)
    if max_rows is not None:
        cut_ms = max(cut_ms, int(session.run("prune_cutoff", max_rows)[0][0]))
    ledger, decisions, outcomes = session.run("prune_count", cut_ms)[0]
    return Pruned(ledger=ledger, decisions=decisions, outcomes=outcomes)
