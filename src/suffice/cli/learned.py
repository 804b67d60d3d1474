"""What was learned before the last stop, from the file that it was kept in.

It reads only; who learns writes (`assembly.py`). Invariant: a file that cannot be used is set aside, never lost and never in the way.
"""

from __future__ import annotations

import logging
from pathlib import Path

from suffice.decision import state as beliefs
from suffice.decision.core import CELLS
from suffice.decision.snapshot import Snapshot
from suffice.errors import DecisionError
from suffice.storage import blob

log = logging.getLogger("suffice")


def restored(path: Path) -> Snapshot | None:
    """Return what was learned, None when there is nothing or it cannot be used. Raises StorageError for what may not be read."""
    data = blob.read(path)
    if data is None:
        return None
    try:
        snapshot = beliefs.loads(data)
        if snapshot.skill.cells == CELLS:
            return snapshot
        problem = "it was learned for other kinds of tasks"
    except DecisionError as error:
        problem = str(error)
    log.warning("beginning to learn anew: %s (kept as %s)", problem, blob.set_aside(path))
    return None
