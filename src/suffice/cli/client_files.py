"""Write the files of clients so that one command takes it back, byte for byte.

Before a client's file is touched, its bytes and its mode are kept below the storage folder, with the digest of what is about to be
written. Undo restores exactly that. A file that somebody changed in between is not overwritten unless that is asked for, and
even then the version that is replaced is kept. Nothing is written when one of several files cannot be.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from suffice.cli.file_merge import UnsafeMergeError, merge
from suffice.errors import NotFoundError, StorageError, SufficeError

_MOST_BYTES = 4 * 1024 * 1024
_PRIVATE = 0o600


class ChangedSinceError(SufficeError):
    """A client's file is no longer what was written, so that restoring it would lose somebody's work."""

    status = 409
    default_code = "changed_since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """New bytes of one file, made from `before` (None: there is no file)."""

    path: Path
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A file that is left alone: why, and the text that a person has to put in."""

    path: Path
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """One file as it was: `backup` is the name of the kept bytes, empty when there was no file; `made` are new folders."""

    path: Path
    backup: str
    mode: int
    digest: str
    made: tuple[str, ...]


class ClientFiles:
    """The files that were changed for one client. `folder` is where backups are kept."""

    def __init__(self, folder: Path, client: str) -> None:
        self._client = client
        self._kept_apart = folder / "kept"
        self._folder = folder / client
        self._manifest = self._folder / "manifest.json"

    @property
    def applied(self) -> bool:
        """Whether there is something to undo."""
        return self._manifest.exists()

    def plan(self, wanted: Sequence[tuple[Path, str]]) -> tuple[list[Change], list[Refusal]]:
        """Return what would be written and what is refused. Raises ChangedSinceError when a file was changed since the last time."""
        known = {kept.path: kept for kept in self._read()} if self.applied else {}
        changes, refusals = [], []
        for given, text in wanted:
            path = given.resolve()
            try:
                before = _current(path)
                if path in known:
                    before = self._original(known[path], before)
                changes.append(Change(path=path, before=before, after=merge(path.name, before, text)))
            except UnsafeMergeError as error:
                refusals.append(Refusal(path=path, reason=str(error), text=text))
        return changes, refusals

    def apply(self, changes: Sequence[Change]) -> list[Path]:
        """Write `changes`, after undoing what was applied before; returns the files written. Raises ChangedSinceError."""
        if self.applied:
            self.undo()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = [self._keep(index, change) for index, change in enumerate(changes)]
        rows = [
            {"path": str(k.path), "backup": k.backup, "mode": k.mode, "digest": k.digest, "made": list(k.made)}
            for k in kept
        ]
        text = json.dumps({"version": 1, "client": self._client, "files": rows}, indent=2)
        # The record comes first: whatever is interrupted after this line can be undone.
        _replace(self._manifest, text.encode(), _PRIVATE)
        for change, one in zip(changes, kept, strict=True):
            change.path.parent.mkdir(parents=True, exist_ok=True)
            # A key may be in it now, so that nobody else may read it.
            _replace(change.path, change.after, one.mode & _PRIVATE if one.backup else _PRIVATE)
        return [change.path for change in changes]

    def undo(self, *, force: bool = False) -> list[Path]:
        """Restore every file; returns those that were touched.

        Raises NotFoundError when nothing was applied, ChangedSinceError when a file was changed since and not `force`.
        """
        if not self.applied:
            raise NotFoundError(
                f"nothing to undo: `suffice connect {self._client} --apply` has not been used",
                hint="undo is kept in the storage folder; name the same --config as then",
            )
        kept = self._read()
        try:
            found = [_current(k.path) for k in kept]
        except UnsafeMergeError as error:
            raise ChangedSinceError(
                f"a client's file cannot be restored: {error}",
                hint=f"the originals are in {self._folder}, listed in manifest.json there",
            ) from None
        touched = []
        for one, current in zip(kept, found, strict=True):
            if not force:
                self._original(one, current)
        for one, current in zip(kept, found, strict=True):
            before = self._backup(one)
            if current is not None and current != before and _digest(current) != one.digest:
                name = f"{self._client}-{_digest(current)[:12]}-{one.path.name}"
                _replace(self._kept_apart / name, current, _PRIVATE)
            if before is None:
                one.path.unlink(missing_ok=True)
                for folder in one.made:
                    _remove_empty(Path(folder))
            else:
                one.path.parent.mkdir(parents=True, exist_ok=True)
                _replace(one.path, before, one.mode)
            touched.append(one.path)
        self._manifest.unlink()
        shutil.rmtree(self._folder)
        return touched

    def _original(self, kept: _Kept, current: bytes | None) -> bytes | None:
        """Return the bytes that `kept` stands for, when `current` is nobody's later work. Raises ChangedSinceError."""
        before = self._backup(kept)
        if current is None or current == before or _digest(current) == kept.digest:
            return before
        raise ChangedSinceError(
            f"{kept.path} was changed after `suffice connect {self._client} --apply` wrote it",
            hint=f"`suffice connect {self._client} --undo --force` restores the original and keeps the present version "
            f"in {self._kept_apart}",
        )

    def _backup(self, kept: _Kept) -> bytes | None:
        return (self._folder / kept.backup).read_bytes() if kept.backup else None

    def _keep(self, index: int, change: Change) -> _Kept:
        backup, mode = "", _PRIVATE
        if change.before is not None:
            backup, mode = f"{index}.bak", stat.S_IMODE(change.path.stat().st_mode)
            _replace(self._folder / backup, change.before, _PRIVATE)
        # A folder that another client's files are in was made by us all the same: the last one undone removes it.
        shared = {folder for other in self._others() for row in other for folder in row.made}
        made = [str(parent) for parent in change.path.parents if not parent.exists() or str(parent) in shared]
        return _Kept(path=change.path, backup=backup, mode=mode, digest=_digest(change.after), made=tuple(made))

    def _others(self) -> Iterator[list[_Kept]]:
        for manifest in self._folder.parent.glob("*/manifest.json"):
            if manifest != self._manifest:
                with contextlib.suppress(StorageError):
                    yield ClientFiles(self._folder.parent, manifest.parent.name)._read()

    def _read(self) -> list[_Kept]:
        try:
            rows = json.loads(self._manifest.read_bytes())["files"]
            return [
                _Kept(
                    path=Path(row["path"]),
                    backup=row["backup"],
                    mode=row["mode"],
                    digest=row["digest"],
                    made=tuple(row["made"]),
                )
                for row in rows
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"{self._manifest} is damaged: {type(error).__name__}",
                hint=f"the kept files are beside it; restore them by hand and remove {self._folder}",
            ) from None


def _current(path: Path) -> bytes | None:
    """Return the bytes of `path`, None when there is no such file. Raises UnsafeMergeError for what is no ordinary file."""
    if not path.exists():
        return None
    if not path.is_file():
        raise UnsafeMergeError("it is not a file")
    if path.stat().st_size > _MOST_BYTES:
        raise UnsafeMergeError("it is larger than 4 MiB")
    return path.read_bytes()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _replace(path: Path, data: bytes, mode: int) -> None:
    """Write `data` whole or not at all, readable by nobody else at any moment unless `mode` says so."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.suffice-{os.getpid()}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb") as out:
            out.write(data)
            out.flush()
            os.fchmod(out.fileno(), mode)
            os.fsync(out.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _remove_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
