import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.gateway.running import Gateway, one_provider

from suffice.errors import BudgetError
from suffice.gateway.attempts import AttemptFailed, event_fault
from suffice.testing import presets
from suffice.testing.script import Behaviour, Timing
from suffice.upstream.fault_matrix import Charge


async def test_a_reservation_is_journaled_before_the_provider_sees_the_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async with one_provider(tmp_path) as (running, provider):
        seen: list[int] = []
        ledger = running.runtime.ledger
        request = running.runtime.transport.request

        async def watched(*args: object, **more: object) -> object:
            seen.append(len(ledger._open))
            return await request(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(running.runtime.transport, "request", watched)
        await running.chat()
        assert seen == [1]
        assert ledger._open == {}
        assert len(provider.requests) == 1


async def test_whatever_breaks_in_us_ends_the_reservation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with one_provider(tmp_path) as (running, _):

        async def broken(*args: object, **more: object) -> object:
            raise ZeroDivisionError

        monkeypatch.setattr(running.runtime.transport, "request", broken)
        assert (await running.chat()).status == 500
        assert running.runtime.ledger._open == {}
        (row,) = await running.recent()
        assert (row.row.outcome, row.row.charge_class) == ("cancelled", "unk")


async def test_a_refused_reservation_gives_the_probe_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with one_provider(tmp_path, presets.rate_limited(milliseconds=8000)) as (running, _):
        await running.chat()
        circuit = next(iter(running.runtime.health._circuits.values()))

        async def refused(*args: object) -> object:
            assert circuit.probe_until
            raise BudgetError("no")

        monkeypatch.setattr(running.runtime.ledger, "admit", refused)
        assert (await running.chat()).status == 402
        assert not circuit.probe_until


@pytest.mark.parametrize("stream", [False, True])
async def test_only_one_request_probes_what_is_half_open(stream: bool, tmp_path: Path):
    async with one_provider(tmp_path, presets.rate_limited(milliseconds=5500)) as (running, provider):
        await running.chat()
        _age(running)
        before = len(provider.requests)
        provider.set_script(Behaviour(timing=Timing(before_head_s=0.2)))
        answers = await asyncio.gather(*(running.chat(stream=stream) for _ in range(5)))
        assert sorted(a.status for a in answers) == [200, 503, 503, 503, 503]
        assert len(provider.requests) == before + 1
        assert running.cooling() == {}


def _age(running: Gateway) -> None:
    """Let every rest be over."""
    for circuit in running.runtime.health._circuits.values():
        circuit.open_until = 0.0


def live(failure: dict[str, str]) -> Any:
    """As much of an attempt as an error event needs."""
    return SimpleNamespace(reader=SimpleNamespace(failure=failure), in_own_words=False)


def test_an_error_event_is_a_fault_of_its_row():
    assert event_fault(live({"message": "x", "code": "server_error"}), tokens_seen=False).row == 17
    late = event_fault(live({"message": "x"}), tokens_seen=True)
    assert (late.row, late.charge) == (18, Charge.EST)
    assert AttemptFailed(late).fault is late
