"""What a stream is charged if the process dies in the middle of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.e2e.process import Served, provider, write_config
from tests.e2e.test_crash import rows_of
from tests.gateway.running import CHAT, endpoint, one_provider

from suffice.gateway import live
from suffice.gateway.checkpoint import COUNTED_BYTES, EVERY_S, Checkpoint
from suffice.gateway.settlement import bill, estimate_usage
from suffice.testing.script import Behaviour, Timing
from suffice.values.money import Known, Rates
from suffice.values.usage import Usage
from suffice.wire.chat_relay import Answer

RATES = Rates(input=1_000_000, output=10_000_000, cache_read=0, cache_write=0, cache_write_1h=0, cache_write_12h=0)
PRICE = Known(rates=RATES, source="test", version="1")


@given(st.text(max_size=300), st.integers(1, 10_000), st.floats(0, 600), st.integers(0, 5000))
def test_it_is_never_below_what_was_seen(text: str, frame_bytes: int, flowing_s: float, told: int):
    answer, bytes_in = Answer(text=text), len(text.encode()) + frame_bytes
    reported = Usage(input_tokens=7, output_tokens=told) if told else None
    bound = Checkpoint().bound(PRICE, 7, bytes_in, flowing_s, answer=answer, reported=reported)
    assert bound >= bill(PRICE, None, estimate_usage(7, answer, bytes_in)).cost_nano
    assert bound >= bill(PRICE, None, reported or Usage()).cost_nano


def test_an_even_stream_stays_below_its_bound_until_the_next_look():
    point, text = Checkpoint(), "word " * 20_000
    for second in range(5, 100, 5):
        seen = Answer(text=text[: second * 200])
        bound = point.bound(PRICE, 100, second * 2_000, float(second), answer=seen, reported=None)
        later = Answer(text=text[: (second + 5) * 200])
        assert bound >= bill(PRICE, None, estimate_usage(100, later)).cost_nano
    # And not far above: a tenth after a minute and a half, plus a few tokens.
    assert bound < 1.2 * bill(PRICE, None, estimate_usage(100, seen)).cost_nano


def test_a_very_long_answer_is_not_counted_again_and_again():
    point = Checkpoint()
    assert point.wants_answer(COUNTED_BYTES + 1)
    point.bound(PRICE, 0, 1000, 60.0, answer=Answer(text="x" * 100), reported=None)
    assert not point.wants_answer(COUNTED_BYTES + 1)
    later = point.bound(PRICE, 0, COUNTED_BYTES * 2, 60.0, answer=None, reported=None)
    assert later > 30_000 * 10_000


SLOW = Behaviour(text="word " * 4000, timing=Timing(between_tokens_s=0.01))


async def test_a_stream_of_some_seconds_is_noted_and_settled_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "EVERY_S", 0.05)
    slow = Behaviour(text="word " * 60, timing=Timing(between_tokens_s=0.01))
    async with one_provider(tmp_path, slow) as (running, _):
        noted: list[int] = []
        checkpoint = running.runtime.ledger.checkpoint

        def note(reservation: object, charge: int) -> None:
            noted.append(charge)
            checkpoint(reservation, charge)  # type: ignore[arg-type]

        monkeypatch.setattr(running.runtime.ledger, "checkpoint", note)
        monkeypatch.setattr("suffice.gateway.checkpoint.EVERY_S", 0.05)
        answer = await running.chat(stream=True)
        (row,) = await running.rows(answer)
        assert len(noted) >= 2
        assert row.row.charge_class == "exact"
        assert all(charge < row.row.reserved_nano for charge in noted)
        assert await running.findings() == []


async def test_a_kill_in_a_long_stream_charges_what_flowed(tmp_path: Path):
    """The one test that waits for the real interval: a gateway of its own, killed for good."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"text": "word " * 4000, "timing": {"between_tokens_s": 0.01}}))
    with provider(tmp_path, "--model", "m", "--script", str(script)) as url:
        config = write_config(tmp_path, "[budgets.all]\nlimit_usd = 1000\n" + endpoint("one", url))
        served = await asyncio.to_thread(Served, config)
        body = {"model": "openai/m", **CHAT, "stream": True, "max_tokens": 100_000}
        seen = 0
        started = asyncio.get_running_loop().time()
        try:
            async with (
                httpx.AsyncClient(timeout=30) as client,
                client.stream("POST", served.base_url + "/chat/completions", json=body) as got,
            ):
                async for line in got.aiter_lines():
                    seen += line.startswith("data:")
                    if asyncio.get_running_loop().time() - started > EVERY_S + 1:
                        await asyncio.to_thread(served.kill)
        except httpx.HTTPError:
            pass
        again = await asyncio.to_thread(Served, config)
        assert await asyncio.to_thread(again.stop) == 0
    rows, findings = await asyncio.to_thread(rows_of, tmp_path)
    assert findings == []
    (row,) = rows
    assert row.row.kind == "U"
    # At ten dollars a million tokens: at least what came, far from what was reserved.
    assert seen * 10_000 <= row.row.charge_nano < row.row.reserved_nano / 4
