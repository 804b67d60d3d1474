from pathlib import Path

from tests.gateway.running import endpoint, gateway, one_provider

from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour


async def test_the_number_of_calls_is_bounded_by_the_configuration(tmp_path: Path):
    for most in (1, 2):
        head = f"[upstream]\nmax_attempts = {most}\n"
        async with one_provider(tmp_path / str(most), presets.failing(500), head=head) as (running, provider):
            assert (await running.chat()).status == 502
            assert len(provider.requests) == most


async def test_an_outage_is_not_amplified(tmp_path: Path):
    """Retries onto what fails are a bounded share of the requests: here the floor of a quiet endpoint."""
    async with one_provider(tmp_path, presets.failing(500)) as (running, provider):
        running.runtime.health._circuits.clear()
        for _ in range(12):
            await running.chat()
            for circuit in running.runtime.health._circuits.values():
                circuit.is_open = False
        assert 12 <= len(provider.requests) <= 12 + 5


async def test_a_larger_window_takes_what_was_too_long(tmp_path: Path):
    async with (
        FakeProvider(presets.too_long(), models=("m",)) as small,
        FakeProvider(Behaviour(text="fits"), models=("n",)) as large,
    ):
        toml = '[aliases]\ncoding = ["openai/m", "openai/n"]\n' + endpoint("small", small.base_url)
        dear = "{ input_usd_per_mtok = 3, output_usd_per_mtok = 30 }"
        toml += endpoint("large", large.base_url, model="n", price=dear)
        toml += (
            '[models."openai/m"]\ncontext_window_tokens = 8000\n[models."openai/n"]\ncontext_window_tokens = 200000\n'
        )
        async with gateway(toml, tmp_path) as running:
            answer = await running.chat(model="coding")
            rows = await running.rows(answer)
            assert (answer.status, answer.text) == (200, "fits")
            assert rows[-1].row.endpoint == "large"


async def test_the_wrong_credential_of_one_account_is_not_tried_on_it_again(tmp_path: Path):
    async with (
        FakeProvider(presets.bad_credential(), models=("m",)) as bad,
        FakeProvider(Behaviour(text="ok"), models=("m",)) as good,
        gateway(endpoint("a", bad.base_url) + endpoint("b", good.base_url), tmp_path) as running,
    ):
        for _ in range(3):
            assert (await running.chat()).text == "ok"
        assert len(bad.requests) <= 1
