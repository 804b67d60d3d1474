"""After a death: the journals of dead boots are booked, and what they left open is charged.

Must not touch a boot whose process lives. Invariants: no reservation that may have reached a provider is released; each
boot is made whole in one transaction, and doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from suffice.ledger import posting
from suffice.ledger.journal import DeadBoot, dead_boots
from suffice.ledger.records import Entry
from suffice.storage import tables
from suffice.storage.database import Database, no_crash
from suffice.storage.tables import Session

_decode = msgspec.json.Decoder(Entry).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a start found: dead boots, entries booked from their journals, reservations charged as unknown.

    `unreadable` entries were skipped and their folders kept (`<boot>.kept`); `lost` names boots that hold leases but whose
    journal is gone: their leases stay withheld, because what they spent is not known.
    """

    boots: int = 0
    replayed: int = 0
    unknown: int = 0
    unreadable: int = 0
    lost: tuple[str, ...] = ()


def recover(database: Database, root: Path, now_ms: int, crash: Callable[[str], None] = no_crash) -> Recovery:
    """Make every dead boot below `root` whole. Blocks on the store: call it off the event loop. Raises StorageError."""
    boots = replayed = unknown = unreadable = 0
    for dead in dead_boots(root):
        entries, bad = _entries(dead)
        new, charged = database.call(lambda s, d=dead, e=entries: _whole(s, d.boot, e, now_ms, crash)).result()  # type: ignore[misc]
        crash("recover.before_remove")
        dead.close(remove=not bad)
        if bad:
            dead.folder.rename(dead.folder.with_name(dead.boot + ".kept"))
        boots, replayed, unknown, unreadable = boots + 1, replayed + new, unknown + charged, unreadable + bad
    lost = database.call(lambda s: tuple(sorted(row[0] for row in s.run("lease_boots")))).result()
    alive = {p.name for p in root.iterdir()} if root.is_dir() else set()
    return Recovery(
        boots=boots,
        replayed=replayed,
        unknown=unknown,
        unreadable=unreadable,
        lost=tuple(boot for boot in lost if boot not in alive),
    )


def _entries(dead: DeadBoot) -> tuple[list[Entry], int]:
    entries, bad = [], 0
    for payload in dead.payloads():
        try:
            entries.append(_decode(payload))
        except msgspec.MsgspecError:
            bad += 1
    return entries, bad


def _whole(
    session: Session, boot: str, entries: list[Entry], now_ms: int, crash: Callable[[str], None]
) -> tuple[int, int]:
    new = posting.replay(session, boot, entries)
    crash("recover.replayed")
    rows = tables.reservations_of(session, boot)
    for row in rows:
        posting.close_unknown(session, row, now_ms)
    tables.end_boot(session, boot)
    crash("recover.charged")
    return new, len(rows)
