"""One file that is replaced whole: for state that is learned and may be lost, but never half-written.

Invariant: a reader sees the old bytes or the new ones, never a mixture; mode 0600.
"""

from __future__ import annotations

import os
from pathlib import Path

from suffice.errors import StorageError


def read(path: Path) -> bytes | None:
    """Return the bytes of `path`, None when it does not exist. Raises StorageError when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}") from error


def replace(path: Path, data: bytes) -> None:
    """Put `data` at `path`, atomically and on disk. Raises StorageError."""
    fresh = path.with_name(path.name + ".new")
    try:
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        fresh.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used, so that nothing is lost; return its new place."""
    place = path.with_name(path.name + ".unusable")
    path.replace(place)
    return place
