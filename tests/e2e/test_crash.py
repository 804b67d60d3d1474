"""`kill -9` under load: whatever a provider bills is in the ledger after the restart, once."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tests.e2e.process import Served, create_key, provider, write_config
from tests.gateway.running import endpoint

from suffice.ledger import queries
from suffice.storage.database import Database
from suffice.testing.journal import read_journal
from suffice.values.system_env import SystemEnv

LANES = 8


async def load(served: Served, key: str, seconds: float) -> None:
    """Send requests in parallel, streaming and not, until the gateway is killed."""

    async def lane(client: httpx.AsyncClient, number: int) -> None:
        body = {"model": "openai/m", "messages": [{"role": "user", "content": "hi"}], "stream": number % 2 == 0}
        while True:
            try:
                await client.post(served.base_url + "/chat/completions", json=body)
            except httpx.HTTPError:
                return

    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=20.0) as client:
        lanes = [asyncio.create_task(lane(client, n)) for n in range(LANES)]
        await asyncio.sleep(seconds)
        await asyncio.to_thread(served.kill)
        await asyncio.gather(*lanes)


def rows_of(folder: Path) -> tuple[list[queries.AttemptRow], list[str]]:
    database = Database(SystemEnv(), folder / "data" / "suffice.db")
    database.open()
    try:
        with database.reader() as session:
            found = list(queries.recent(session, 1_000_000))
            return found, [f"{f.invariant}: {f.message}" for f in queries.verify(session)]
    finally:
        database.close()


async def kill_under_load(folder: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    script = folder / "script.json"
    script.write_text(json.dumps({"timing": {"before_head_s": 0.002, "between_tokens_s": 0.001}}))
    with provider(folder, "--model", "m", "--script", str(script)) as url:
        config = write_config(folder, "[budgets.team]\nlimit_usd = 1000000\n" + endpoint("one", url))
        key = await asyncio.to_thread(_prepared, config)
        for _ in range(kills):
            served = await asyncio.to_thread(Served, config)
            await load(served, key, chance.uniform(0.15, 0.5))
        last = await asyncio.to_thread(Served, config)
        assert await asyncio.to_thread(last.stop) == 0
    billed = {row.id: row for row in read_journal(folder / "bill.jsonl")}
    rows, findings = rows_of(folder)
    assert findings == []
    assert len(billed) > kills
    known = Counter[str](r.detail.result.upstream_request_id for r in rows if r.detail.result.upstream_request_id)
    assert [name for name, times in known.items() if times > 1] == []
    unknown = [r for r in rows if r.row.kind == "U"]
    missing = [name for name in billed if name not in known]
    # What died in flight stands there with its whole reservation; nothing that was billed stands nowhere.
    assert len(missing) <= len(unknown)
    assert all(r.row.charge_nano == r.row.reserved_nano > 0 for r in unknown)
    for row in rows:
        bill = billed.get(row.detail.result.upstream_request_id)
        if bill is not None and row.row.charge_class == "exact":
            assert row.row.charge_nano == bill.prompt_tokens * 1_000 + bill.completion_tokens * 10_000
    cost = sum(b.prompt_tokens * 1_000 + b.completion_tokens * 10_000 for b in billed.values())
    assert sum(r.row.charge_nano for r in rows) >= cost


def _prepared(config: Path) -> str:
    """Let the gateway make its storage, then create a key in it."""
    first: Any = Served(config)
    first.stop()
    return create_key(config.parent, budgets=("team",))


async def test_five_kills_under_load_lose_no_billed_request_and_double_none(tmp_path: Path):
    await kill_under_load(tmp_path, 5, seed=1)


@pytest.mark.long
async def test_a_hundred_kills(tmp_path: Path):
    await kill_under_load(tmp_path, 100, seed=2)
