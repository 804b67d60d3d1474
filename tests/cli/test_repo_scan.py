import asyncio
import json
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from tests.cli.test_outcome_command import suffice
from tests.gateway.running import one_provider
from tests.sandbox.test_survival import DAY_S, commit


@pytest.fixture
def readable():
    folder = Path(tempfile.mkdtemp(prefix="suffice-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


async def test_survival_reaches_the_requests_of_the_commit_once(tmp_path, readable):
    git = await asyncio.create_subprocess_exec("git", "init", "-q", "-b", "main", str(readable))
    assert await git.wait() == 0
    made_s = int(time.time()) - 2 * DAY_S
    known = commit(readable, made_s, a="a = 1\na = 2\na = 3\na = 4\n")
    unknown = commit(readable, made_s + 60, a="a = 1\na = 2\na = 3\na = 40\n")
    async with one_provider(tmp_path / "g") as (running, _):
        request = (await running.chat()).request_id
        linked = await running.post("/outcomes", {"request_id": request, "commit": known, "kind": "committed"})
        assert linked.status == 200
        argv = ("outcome", "scan-repo", str(readable), "--url", running.base_url, "--json")
        code, out, err = await suffice(*argv, folder=tmp_path)
        assert code == 0, err
        told = {row["commit"]: row for row in json.loads(out)["scanned"]}
        assert (told[known[:12]]["recorded"], told[unknown[:12]]["recorded"]) == (1, "unknown commit")
        _, kept = (await running.story(request)).outcomes
        assert (kept.kind, kept.source, kept.distance, kept.accepted, kept.weight) == (
            *("edited", "survival-1d", 0.25, True),
            0.25,
        )
        code, out, _ = await suffice(*argv, folder=tmp_path)
        assert {row["recorded"] for row in json.loads(out)["scanned"]} == {0, "unknown commit"}
