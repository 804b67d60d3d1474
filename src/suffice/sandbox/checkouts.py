"""Trees of registered repositories at a commit, as plain folders that checks copy, kept while they are in use or recent.

Must not: run the repository's own git configuration or hooks (repo.py reads the objects inside the sandbox), nor give a check
a folder that another one is about to remove. Invariant: a folder below `root` is whole or is not there under its name.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from suffice.sandbox.repo import read_tree, resolve, write_tree
from suffice.sandbox.sandbox import Sandbox

MOST_KEPT = 8


def _key(repository: Path, name: str) -> tuple[str, str]:
    commit = resolve(repository, name)
    where = hashlib.blake2b(str(repository.resolve()).encode(), digest_size=8).hexdigest()
    return f"{where}-{commit}", commit


@dataclass(slots=True)
class _Entry:
    folder: Path
    users: int = 0
    ready: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Checkouts:
    """Folders with the files of commits, below `root`; the least recently used go when there are more than `MOST_KEPT`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    @asynccontextmanager
    async def at(self, sandbox: Sandbox, repository: Path, name: str) -> AsyncIterator[Path]:
        """Give the folder with the files of `repository` at the commit, branch or tag `name`, for the length of the block.

        Raises SandboxError when it is no repository, has no such commit, or cannot be read.
        """
        key, commit = await asyncio.to_thread(_key, repository, name)
        entry = self._entries.setdefault(key, _Entry(folder=self._root / key))
        self._entries.move_to_end(key)
        entry.users += 1
        try:
            async with entry.lock:
                if not entry.ready:
                    await self._make(sandbox, repository, commit, entry)
            yield entry.folder
        finally:
            entry.users -= 1
            await self._forget()

    async def _make(self, sandbox: Sandbox, repository: Path, commit: str, entry: _Entry) -> None:
        # What an earlier process left may be half a tree.
        await asyncio.to_thread(shutil.rmtree, entry.folder, ignore_errors=True)
        tree = await read_tree(sandbox, repository, commit)
        await asyncio.to_thread(write_tree, tree, entry.folder)
        entry.ready = True

    async def _forget(self) -> None:
        idle = [key for key, entry in self._entries.items() if not entry.users]
        for key in idle[: max(0, len(self._entries) - MOST_KEPT)]:
            await self._remove(key, self._entries[key])

    async def _remove(self, key: str, entry: _Entry) -> None:
        # The entry stays until its folder is gone: whoever asks meanwhile waits for the same lock and makes the tree anew.
        async with entry.lock:
            if entry.users or self._entries.get(key) is not entry:
                return
            entry.ready = False
            await asyncio.to_thread(shutil.rmtree, entry.folder, ignore_errors=True)
            if not entry.users:
                del self._entries[key]

    async def clear(self) -> None:
        """Remove every folder that nobody uses."""
        for key, entry in list(self._entries.items()):
            await self._remove(key, entry)
