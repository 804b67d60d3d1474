import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest
from tests.gateway.running import one_provider


async def suffice(*argv: str, folder: Path, **variables: str) -> tuple[int, str, str]:
    """Run the command as a process of its own, beside the gateway of this one."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "suffice.cli.main", *argv),
        cwd=folder,
        env={"HOME": str(folder), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await child.communicate()
    return child.returncode or 0, out.decode(), err.decode()


async def test_a_report_reaches_the_running_gateway(tmp_path):
    async with one_provider(tmp_path / "g") as (running, _):
        key = await running.key(owner="ann")
        text = key["authorization"].removeprefix("Bearer ")
        answer = await running.chat(headers=key)
        args = ("outcome", "last", "tests_passed", "--source", "ci", "--url", running.base_url)
        code, _, err = await suffice(*args, folder=tmp_path)
        assert code == 1 and "SUFFICE_KEY" in err
        code, out, _ = await suffice(*args, folder=tmp_path, SUFFICE_KEY=text)
        assert (code, out) == (0, "tests_passed: 1 of 1 requests recorded\n")
        without_path = (*args[:-1], running.base_url.removesuffix("/v1"))
        code, out, _ = await suffice(*without_path, folder=tmp_path, SUFFICE_KEY=text)
        assert (code, out) == (0, "tests_passed: 0 of 1 requests recorded, 1 known before\n")
        code, out, _ = await suffice(*args, "--json", folder=tmp_path, SUFFICE_KEY=text)
        assert json.loads(out)["repeated"] == 1
        (kept,) = (await running.story(answer.request_id)).outcomes
        assert (kept.kind, kept.source) == ("tests_passed", "ci")


def test_nobody_listens(run):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        code, _, err = run("outcome", "last", "accepted", "--url", f"http://127.0.0.1:{held.getsockname()[1]}/v1")
    assert code == 4 and "no gateway answers" in err and "suffice serve" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("last", "merge"), "did you mean 'merged'?"),
        (("last",), "one of"),
        (("last", "edited"), "--distance"),
        (("x", "merged", "--session", "--commit"), "not allowed with"),
    ],
)
def test_usage(run, args, said):
    code, _, err = run("outcome", *args)
    assert code == 2 and said in err
