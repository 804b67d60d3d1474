"""Where the ledger's files are in the storage folder: one place, so that the gateway and the commands agree.

Must not touch the disk, `exists` apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """The files below the storage folder (`config.environment.storage_folder`)."""

    root: Path

    @property
    def database(self) -> Path:
        """The database of keys, budgets, ledger and decisions."""
        return self.root / "suffice.db"

    @property
    def journal(self) -> Path:
        """The folder of the journals, one folder per start of the gateway."""
        return self.root / "journal"

    @property
    def pepper(self) -> Path:
        """The secret with which keys are hashed."""
        return self.root / "pepper"

    @property
    def catalogue(self) -> Path:
        """The price table that `suffice models refresh` writes."""
        return self.root / "catalog.json"

    @property
    def exists(self) -> bool:
        """Whether a database is there: whether anything was ever stored."""
        return self.database.is_file()
