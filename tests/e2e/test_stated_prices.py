"""Providers that state the price of a call are booked by it, in every dialect; all else by the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.clients import Chat, Messages, ask
from tests.e2e.clients_more import Gemini, Responses
from tests.gateway.running import endpoint, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Usage

CLIENTS: dict[str, Any] = {client.name: client for client in (Chat(), Messages(), Responses(), Gemini())}
# Prices of a nano-dollar for each token of the prompt and four for each of the answer, as the scripted providers state them.
SAME = "{ input_usd_per_mtok = 1, output_usd_per_mtok = 4 }"
OTHER = "{ input_usd_per_mtok = 2, output_usd_per_mtok = 9 }"


async def booked(folder: Path, provider: str, shape: Any, client: str, stream: bool, price: str) -> tuple[Any, ...]:
    """Return charge, how sure, what was stated, the header's cost and the number of disagreements after one request."""
    said = Behaviour(text="word " * 8, prompt_tokens=1000, usage=Usage(shape=shape))
    async with FakeProvider(said, models=("m",)) as fake:
        toml = f'[aliases]\none = ["{provider}/m"]\n'
        toml += endpoint("one", fake.base_url, provider=provider, price=price, more='dialects = ["chat"]')
        async with gateway(toml, folder) as running:
            told = await ask(running, CLIENTS[client], "text", stream)
            assert told.ended and told.answer is not None
            (row,) = await running.rows(told.answer)
            assert await running.findings() == []
            counted = running.runtime.metrics.render().decode()
            apart = f'suffice_price_disagreements_total{{model="{provider}/m"}} 1.0' in counted
            found = row.detail.result
            return row.row.charge_nano, row.row.charge_class, found.stated_nano, row.row.price_version, apart


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("client", list(CLIENTS))
@pytest.mark.parametrize(("provider", "shape"), [("openrouter", "openrouter"), ("xai", "xai")])
async def test_a_bill_is_booked_to_the_nano_dollar(
    provider: str, shape: str, client: str, stream: bool, tmp_path: Path
):
    stated = (1000 + 4 * 10) * 1000
    found = await booked(tmp_path, provider, shape, client, stream, OTHER)
    assert found == (stated, "exact", stated, "provider", True)


async def test_equal_prices_are_no_disagreement(tmp_path: Path):
    found = await booked(tmp_path, "openrouter", "openrouter", "chat", True, SAME)
    assert found == (1_040_000, "exact", 1_040_000, "provider", False)


async def test_what_others_state_is_not_their_bill(tmp_path: Path):
    charge, sure, stated, version, apart = await booked(tmp_path, "together", "openrouter", "chat", False, OTHER)
    assert (charge, sure, stated, apart) == (2000 * 1000 + 9 * 10 * 1000, "exact", -1, False)
    assert version != "provider"
