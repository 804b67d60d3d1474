"""The provider as a process of its own, which survives nothing but keeps its bill."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest
from tests.testing.raw import ask

from suffice.testing.journal import read_journal
from suffice.testing.serve import main

BODY = {"model": "m", "messages": []}


async def start(*argv: str) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "suffice.testing.serve", *argv, stdin=-1, stdout=-1
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    return process, int(line.split(":")[-1].split("/")[0])


async def test_a_killed_provider_keeps_its_bill(tmp_path: Path) -> None:
    script, journal = tmp_path / "s.json", tmp_path / "j"
    script.write_text(json.dumps({"text": "abcdefgh", "prompt_tokens": 4}))
    process, port = await start("--script", str(script), "--journal", str(journal), "--seed", "3")
    try:
        assert (await ask(port, BODY))[0] == 200
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    [row] = read_journal(journal)
    assert (row.prompt_tokens, row.completion_tokens, row.closed) == (4, 2, True)


async def test_it_ends_with_its_parent_and_on_sigterm() -> None:
    process, _ = await start("--until-stdin-closes")
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0
    process, port = await start("--no-record", "--model", "z")
    _, _, body = await ask(port, b"", "/v1/models", method="GET")
    assert json.loads(body)["data"][0]["id"] == "z"
    process.terminate()
    assert await process.wait() == 0


@pytest.mark.parametrize("text", [None, '{"txt": 1}'])
def test_a_wrong_script_is_exit_3(tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.json"
    if text:
        path.write_text(text)
    assert main(["--script", str(path)]) == 3
    assert str(path) in capsys.readouterr().err
