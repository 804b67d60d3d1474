"""What the pilots of this gateway have seen so far, kept over restarts in one small file.

It counts and remembers; what counts mean is `decision/pilots.py`'s. A file that cannot be read is set aside, and the pilots begin anew.
Runs that were under way when the process ended are not counted.
"""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from suffice.decision.pilots import Standing, Tally, standing
from suffice.decision.progress import INTERVENTIONS
from suffice.storage import blob

FILE = "pilots.json"

log = logging.getLogger("suffice.decision")


class Pilots:
    """The tallies by kind of intervention. `count` is for the event loop, `save` may run in another thread."""

    def __init__(self, path: Path | None = None) -> None:
        """Take what lies at `path`; None keeps nothing. Raises StorageError for a file that may not be read."""
        self._path = path
        self._tallies: dict[str, Tally] = {}
        self._changed = False
        data = blob.read(path) if path is not None else None
        if path is None or data is None:
            return
        try:
            found = msgspec.json.decode(data, type=dict[str, Tally])
            self._tallies = {kind: tally for kind, tally in found.items() if kind in INTERVENTIONS}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("the pilots begin anew: %s (kept as %s)", error, blob.set_aside(path))

    def tally(self, kind: str) -> Tally:
        """Return what was seen of `kind`."""
        return self._tallies.get(kind, Tally())

    def standing(self, kind: str) -> Standing:
        """Return where the pilot of `kind` stands."""
        return standing(self.tally(kind))

    def count(self, kind: str, *, acted: bool, good: bool) -> None:
        """Count a decided run."""
        before = self.standing(kind)
        self._tallies[kind] = self.tally(kind).counted(acted=acted, good=good)
        self._changed = True
        if self.standing(kind) is not before:
            log.warning("the pilot of the intervention %s has %s", kind, self.standing(kind).value)

    def save(self) -> None:
        """Write the tallies when they have changed. Blocks on the disk. Raises StorageError."""
        if self._changed and self._path is not None:
            self._changed = False
            blob.replace(self._path, msgspec.json.encode(dict(self._tallies)))
