import asyncio
import os
import subprocess
from pathlib import Path

from tests.cli.test_outcome_command import suffice
from tests.gateway.running import one_provider


def test_install_show_and_remove(run, home):
    subprocess.run(["git", "init", "-q", home], check=True)
    code, out, _ = run("connect", "repo", "--print")
    assert code == 0 and "127.0.0.1:4000/v1" in out and not (home / ".git/hooks/post-commit").exists()
    code, out, _ = run("connect", "repo")
    assert code == 0 and "installed" in out and "tests_passed" in out and "${{ secrets.SUFFICE_KEY }}" in out
    assert run("connect", "repo", "--remove")[1].endswith("removed\n")
    assert "nothing of ours" in run("connect", "repo", "--remove")[1]


def test_no_repository(run, home):
    code, _, err = run("connect", "repo")
    assert code == 4 and "not a git repository" in err


async def test_a_real_commit_is_linked_with_the_requests_before_it(tmp_path: Path):
    repository = tmp_path / "repo"
    async with one_provider(tmp_path / "g") as (running, _):
        request = (await running.chat()).request_id
        key = os.environ | {"HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
        subprocess.run(["git", "init", "-q", repository], check=True, env=key)
        code, _, err = await suffice("connect", "repo", str(repository), "--url", running.base_url, folder=tmp_path)
        assert code == 0, err
        identity = ("-c", "user.name=t", "-c", "user.email=t@t.test")
        child = await asyncio.create_subprocess_exec(
            *("git", *identity, "commit", "-q", "--allow-empty", "-m", "one"), cwd=repository, env=key
        )
        assert await child.wait() == 0
        async with asyncio.timeout(30):
            while not (found := (await running.story(request)).outcomes):
                await asyncio.sleep(0.05)
        commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=repository, text=True).strip()
        assert [(o.kind, o.source, o.commit) for o in found] == [("committed", "git-hook", commit)]
