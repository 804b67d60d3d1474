from pathlib import Path

import pytest
from tests.gateway.running import one_provider

from suffice.gateway.live import Live
from suffice.testing import presets
from suffice.testing.script import Behaviour
from suffice.wire.chat_relay import Answer, ChatRelay


async def test_an_attempt_is_booked_once_however_often_it_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settle = Live.settle

    def again(self: Live, *args: object, **more: object) -> object:
        done = settle(self, *args, **more)  # type: ignore[arg-type]
        assert self.cancel() is done
        assert settle(self, *args, **more) is done  # type: ignore[arg-type]
        return done

    monkeypatch.setattr(Live, "settle", again)
    async with one_provider(tmp_path) as (running, _):
        for stream in (False, True):
            answer = await running.chat(stream=stream)
            assert [r.row.outcome for r in await running.rows(answer)] == ["ok"]
        assert await running.findings() == []


async def test_the_row_says_what_was_measured(tmp_path: Path):
    async with one_provider(tmp_path) as (running, provider):
        (row,) = await running.rows(await running.chat())
        result = row.detail.result
        assert result.upstream_request_id == provider.billed[0].id
        assert result.http_status == 200
        assert result.bytes_out > 50
        assert result.bytes_in > 100
        assert 0 <= result.connect_ms <= result.first_token_ms <= result.total_ms


async def test_a_connection_is_used_again_after_a_stream(tmp_path: Path):
    async with one_provider(tmp_path) as (running, provider):
        for _ in range(5):
            await running.chat(stream=True)
        assert provider.connections == 1


async def test_a_connection_is_not_used_again_after_a_cut(tmp_path: Path):
    async with one_provider(tmp_path, [presets.cut(after_bytes=20), Behaviour()]) as (running, provider):
        assert (await running.chat()).status == 502
        assert (await running.chat()).status == 200
        assert provider.connections == 2


async def test_what_broke_may_be_the_reader_and_the_reservation_is_closed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(self: ChatRelay) -> Answer:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(ChatRelay, "answer", broken)
    async with one_provider(tmp_path) as (running, _):
        answer = await running.chat(stream=True)
        assert b"[DONE]" not in answer.body
        (row,) = await running.rows(answer)
        assert (row.row.outcome, row.row.charge_class) == ("cancelled", "unk")
        assert row.row.charge_nano == row.row.reserved_nano > 0
