"""A client that leaves when an answer is there but not given yet: what was made of it is booked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import CHAT, one_provider, until

from suffice.testing.script import Behaviour

CHECK = '[checks.tests]\ncommand = ["true"]\n'


@pytest.mark.parametrize("headers", [{}, {"x-suffice-mode": "buffer"}], ids=["whole", "buffer"])
async def test_an_answer_whose_client_leaves_while_it_is_checked_is_paid_for(headers: dict[str, str], tmp_path: Path):
    begun = asyncio.Event()

    async def never(*asked: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    async with one_provider(tmp_path, Behaviour(text="def add(a, b):\n    return a + b"), more=CHECK) as (running, _):
        running.runtime.pipeline._judging._run_check = never
        body = {"model": "openai/m", **CHAT, "stream": bool(headers)}
        sent = {"x-suffice-check": "tests", **headers}
        asking = asyncio.create_task(
            running.client.post(running.base_url + "/chat/completions", json=body, headers=sent)
        )
        await asyncio.wait_for(begun.wait(), 10)
        asking.cancel()
        await until(lambda: not running.runtime.ledger._open)
        (row,) = await running.recent()
        assert (row.row.outcome, row.row.charge_class) == ("cancelled", "exact")
        assert 0 < row.row.charge_nano < row.row.reserved_nano
        assert await running.findings() == []
