"""Where the database lives: folder, permissions, the lock that makes one process the writer, and the kind of file system.

Must not open the database itself. Invariant: the files that hold money and key digests are readable by their owner only.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from suffice.errors import StorageError

NETWORK_FILE_SYSTEMS = frozenset(
    (
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
        "fuse.sshfs",
        "fuse.s3fs",
    )
)
# Where blocks that were allocated beforehand are written in place: a store into a mapping never finds the disk full.
IN_PLACE_FILE_SYSTEMS = frozenset(("ext4", "xfs", "tmpfs"))
_MOUNTS = Path("/proc/self/mountinfo")


def file_system(path: Path, mountinfo: str) -> str:
    """Return the type of the file system that holds `path`, by the longest mount point, or "" when not known."""
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if len(fields) < 5 or not tail[0]:
            continue
        mount = fields[4].replace("\\040", " ")
        if (path == Path(mount) or Path(mount) in path.parents) and len(mount) >= best:
            best, kind = len(mount), tail[0]
    return kind


def writes_in_place(folder: Path) -> bool:
    """Tell whether allocated space in `folder` stays writable when the disk is full; False where that is not known."""
    try:
        return file_system(folder.resolve(), _MOUNTS.read_text()) in IN_PLACE_FILE_SYSTEMS
    except OSError:
        return False


def prepare(path: Path) -> None:
    """Make the folder (0700) and the file (0600). Raises StorageError when not writable or on a network file system."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kind = file_system(path.parent.resolve(), _MOUNTS.read_text() if _MOUNTS.exists() else "")
        if kind in NETWORK_FILE_SYSTEMS:
            raise StorageError(
                f"{path} is on a network file system ({kind}), where SQLite's locks do not hold",
                hint="set storage.path to a folder on a local disk",
            )
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}",
            hint="give the user that runs suffice a writable storage.path",
        ) from error


def lock(path: Path) -> int:
    """Return the descriptor of an exclusive lock on `path`; closing it, or dying, gives the lock back.

    The lock is a file of its own, because closing any descriptor of a database file drops SQLite's own locks.
    Raises StorageError when another process holds it.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        raise StorageError(
            f"{path} is held by another process: the database has a writer already",
            code="storage_locked",
            hint="stop the other `suffice serve`, or give this one another storage.path",
        ) from error
    return fd
