"""The local journal: what happened, in the kernel before it matters, on disk soon after.

A boot (one ledger of one process) owns a folder with a lock and numbered segments. A frame is length, crc32, payload.
Segments are preallocated, so that a full disk refuses new reservations while settlements still find room, and mapped where
the file system writes in place: a store into a shared mapping is in the page cache, as a write is, but is no system call.
Must not interpret payloads. Invariants: `append` returns only after the kernel has the frame; a torn tail is left out
on reading; a segment goes away only when the store has committed all of it.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from suffice.errors import LedgerError, StorageError
from suffice.storage import place
from suffice.storage.database import no_crash

SEGMENT_BYTES = 4 << 20
# The part of a segment that only settlements may use: 512 KiB are some 600 of them.
BALLAST_SHARE = 8
_HEAD = struct.Struct("<II")


def frames(data: bytes) -> Iterator[bytes]:
    """Yield the payloads of a segment up to its end, or to the first frame that was torn."""
    at = 0
    while at + _HEAD.size <= len(data):
        length, crc = _HEAD.unpack_from(data, at)
        payload = data[at + _HEAD.size : at + _HEAD.size + length]
        if length == 0 or len(payload) != length or zlib.crc32(payload) != crc:
            return
        yield payload
        at += _HEAD.size + length


class Journal:
    """The journal of this boot."""

    def __init__(
        self,
        root: Path,
        boot: str,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        ballast_bytes: int | None = None,
        crash: Callable[[str], None] = no_crash,
    ) -> None:
        """Make the folder of `boot` and its first segment. Raises LedgerError when the disk refuses."""
        self.boot = boot
        self.folder = root / boot
        self.segment = 0
        self._segment_bytes = segment_bytes
        self._ballast_bytes = segment_bytes // BALLAST_SHARE if ballast_bytes is None else ballast_bytes
        self._crash = crash
        self._fd = -1
        self._at = 0
        self._map: mmap.mmap | None = None
        self._full: list[tuple[int, int]] = []
        self._named = 0
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700)
            self._mapped = place.writes_in_place(self.folder)
            self._lock = place.lock(self.folder / "lock")
            self._next()
        except OSError as error:
            raise LedgerError(f"the journal in {root} cannot be written: {error.strerror}") from error

    def append(self, payload: bytes, *, closing: bool = False) -> None:
        """Give one payload to the kernel. Raises LedgerError when there is no room, or only what `closing` may use."""
        frame = _HEAD.pack(len(payload), zlib.crc32(payload)) + payload
        size = len(frame)
        room = self._segment_bytes - self._at - size
        # An opening entry turns the segment early: what it leaves is the room in which the others can be closed.
        if room < (0 if closing else self._ballast_bytes):
            self._turn(size)
        at, self._at = self._at, self._at + size
        if self._map is not None:
            # A process that dies in the middle leaves a frame whose checksum is wrong: a torn tail, as with a write.
            self._map[at : at + size] = frame
            return
        try:
            if os.pwrite(self._fd, frame, at) != size:
                raise LedgerError("the journal took only part of an entry")
        except OSError as error:
            self._at = at
            raise LedgerError(f"the journal cannot be written: {error.strerror}") from error
        except LedgerError:
            self._at = at
            raise

    def sync(self) -> None:
        """Force to disk what was appended so far. Called on the writer thread. Raises OSError."""
        for _, fd in (*self._full, (self.segment, self._fd)):
            os.fdatasync(fd)
        if self._named != (newest := self.segment):
            # A new segment's name is durable only when its folder is.
            for folder in (self.folder, self.folder.parent):
                handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)
            self._named = newest

    def drop_before(self, segment: int) -> None:
        """Remove the segments before `segment`: the store has them. Called on the writer thread."""
        for path in sorted(self.folder.glob("*.seg")):
            if int(path.stem) < segment:
                self._crash("segment.before_unlink")
                try:
                    path.unlink()
                except OSError:
                    pass  # it is replayed at the next start, which changes nothing, and removed then
        while self._full and self._full[0][0] < segment:
            os.close(self._full.pop(0)[1])

    def close(self, *, remove: bool) -> None:
        """Close; with `remove` the folder goes too, because the store has everything."""
        if self._map is not None:
            self._map.close()
            self._map = None
        for _, fd in (*self._full, (self.segment, self._fd)):
            os.close(fd)
        if remove:
            remove_folder(self.folder)
        os.close(self._lock)

    def _turn(self, size: int) -> None:
        if size + self._ballast_bytes > self._segment_bytes:
            raise LedgerError(f"an entry of {size} bytes is larger than a journal segment")
        try:
            self._next()
        except OSError as error:
            raise LedgerError(
                f"the journal has no room: {error.strerror}", hint="free disk space: the gateway goes on by itself"
            ) from error

    def _next(self) -> None:
        path = self.folder / f"{self.segment + 1:09d}.seg"
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(fd, 0, self._segment_bytes)
            mapped = mmap.mmap(fd, self._segment_bytes) if self._mapped else None
        except OSError:
            os.close(fd)
            path.unlink()
            raise
        if self._map is not None:
            self._map.close()
        self._map = mapped
        if self._fd >= 0:
            self._full.append((self.segment, self._fd))
        self._fd, self._at, self.segment = fd, 0, self.segment + 1


def remove_folder(folder: Path) -> None:
    """Remove a boot's folder, its lock last."""
    for path in sorted(folder.glob("*.seg")):
        path.unlink()
    (folder / "lock").unlink(missing_ok=True)
    folder.rmdir()


class DeadBoot:
    """The journal of a boot whose process is gone; holds its lock until closed."""

    def __init__(self, folder: Path, lock: int) -> None:
        self.folder = folder
        self.boot = folder.name
        self._lock = lock

    def payloads(self) -> Iterator[bytes]:
        """Yield everything that the boot has appended, in order."""
        for path in sorted(self.folder.glob("*.seg")):
            yield from frames(path.read_bytes())

    def close(self, *, remove: bool) -> None:
        """Give the lock back; with `remove` the folder goes, because the store has everything."""
        if remove:
            remove_folder(self.folder)
        os.close(self._lock)


def dead_boots(root: Path) -> list[DeadBoot]:
    """Return the boots below `root` whose lock is free, oldest first, locked by us now."""
    found = []
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and p.suffix != ".kept") if root.is_dir() else []:
        try:
            found.append(DeadBoot(folder, place.lock(folder / "lock")))
        except StorageError:
            continue  # its process lives
    return found
