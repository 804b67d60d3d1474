import asyncio
import shutil
import threading
from pathlib import Path

import pytest

from suffice.errors import SandboxError
from suffice.sandbox import checkouts
from suffice.sandbox.checkouts import Checkouts
from suffice.sandbox.sandbox import Sandbox

from .test_repo import git, readable  # noqa: F401


@pytest.fixture
def repository(readable: Path) -> tuple[Path, list[str]]:  # noqa: F811
    """A repository with three commits of one file, and their hashes."""
    if shutil.which("git", path="/usr/local/bin:/usr/bin:/bin") is None:
        pytest.skip("no git here")
    folder = readable / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    hashes = []
    for number in range(3):
        (folder / "a.txt").write_text(f"{number}\n")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", f"commit {number}")
        hashes.append(git(folder, "rev-parse", "HEAD").decode().strip())
    (folder / "a.txt").write_text("not committed\n")
    return folder, hashes


async def test_the_tree_is_that_of_the_commit_and_not_what_lies_there(repository, readable: Path):  # noqa: F811
    folder, hashes = repository
    kept = Checkouts(readable / "trees")
    async with Sandbox(concurrency=1) as box:
        for name, text in ((hashes[0], "0\n"), ("main", "2\n"), ("HEAD", "2\n")):
            async with kept.at(box, folder, name) as tree:
                assert (tree / "a.txt").read_text() == text
                assert not (tree / ".git").exists()
        with pytest.raises(SandboxError, match="no commit"):
            async with kept.at(box, folder, "nowhere"):
                pass
        with pytest.raises(SandboxError, match="no commit"):
            async with kept.at(box, folder, "../../x"):
                pass
    await kept.clear()
    assert list((readable / "trees").iterdir()) == []


async def test_what_is_in_use_stays_and_the_oldest_goes(repository, readable: Path, monkeypatch):  # noqa: F811
    folder, hashes = repository
    monkeypatch.setattr(checkouts, "MOST_KEPT", 1)
    kept = Checkouts(readable / "trees")
    async with Sandbox(concurrency=2) as box, kept.at(box, folder, hashes[0]) as first:
        async with kept.at(box, folder, hashes[1]) as second:
            assert (first / "a.txt").read_text() == "0\n"
        async with kept.at(box, folder, hashes[2]):
            assert (first / "a.txt").exists() and not second.exists()


async def test_many_at_once_make_one_tree(repository, readable: Path):  # noqa: F811
    folder, hashes = repository
    kept = Checkouts(readable / "trees")

    async def read() -> str:
        async with kept.at(box, folder, hashes[1]) as tree:
            return (tree / "a.txt").read_text()

    async with Sandbox(concurrency=2) as box:
        assert await asyncio.gather(*(read() for _ in range(5))) == ["1\n"] * 5
    assert len(list((readable / "trees").iterdir())) == 1


async def test_half_a_tree_of_an_earlier_process_is_replaced(repository, readable: Path):  # noqa: F811
    folder, hashes = repository
    async with Sandbox(concurrency=1) as box:
        async with Checkouts(readable / "trees").at(box, folder, hashes[0]) as tree:
            (tree / "a.txt").write_text("tampered")
            (tree / "more").write_text("x")
        async with Checkouts(readable / "trees").at(box, folder, hashes[0]) as tree:
            assert sorted(p.name for p in tree.iterdir()) == ["a.txt"]
            assert (tree / "a.txt").read_text() == "0\n"


async def test_a_tree_asked_for_while_it_is_being_removed_is_made_anew(repository, readable: Path, monkeypatch):  # noqa: F811
    folder, hashes = repository
    monkeypatch.setattr(checkouts, "MOST_KEPT", 0)
    kept, removing, inside, go_on = Checkouts(readable / "trees"), asyncio.Event(), asyncio.Event(), threading.Event()
    loop, rmtree, held = asyncio.get_running_loop(), shutil.rmtree, []

    def slow(path: Path, ignore_errors: bool) -> None:
        if path.exists() and not held:
            held.append(path)
            loop.call_soon_threadsafe(removing.set)
            go_on.wait(10)
        rmtree(path, ignore_errors=ignore_errors)

    async def read(leave: asyncio.Task[str] | None) -> str:
        async with kept.at(box, folder, hashes[1]) as tree:
            if leave:
                inside.set()
                await leave
            return (tree / "a.txt").read_text()

    async with Sandbox(concurrency=2) as box:
        monkeypatch.setattr(checkouts.shutil, "rmtree", slow)
        first = asyncio.create_task(read(None))
        await removing.wait()
        second = asyncio.create_task(read(first))
        # Long enough for one that waits for nobody to be given the folder that is on its way out.
        await asyncio.wait({asyncio.create_task(inside.wait())}, timeout=1.0)
        go_on.set()
        assert [await second, await first] == ["1\n", "1\n"]
    assert list((readable / "trees").iterdir()) == []
