from pathlib import Path

import pytest
from tests.gateway.running import endpoint, gateway

from suffice.errors import ConfigError
from suffice.testing.fake_upstream import FakeProvider, closed_port

LOCAL = "http://127.0.0.1:9/v1"


async def test_one_row_for_each_model_at_each_endpoint(tmp_path: Path):
    toml = endpoint("one", LOCAL) + endpoint("two", "http://127.0.0.1:8/v1") + endpoint("three", LOCAL, model="n")
    async with gateway(toml, tmp_path) as running:
        fleet = running.runtime.state.fleet
        assert [(row.arm.endpoint, row.arm.model) for row in fleet.served] == [
            ("one", "openai/m"), ("two", "openai/m"), ("three", "openai/n"),
        ]  # fmt: skip
        assert [row.arm.endpoint for row in fleet.by_model["openai/m"]] == ["one", "two"]
        assert fleet.served[0].paths["chat"] == b"/v1/chat/completions"


@pytest.mark.parametrize("name", ["openai/m", "one/m", "m"])
async def test_a_model_is_found_by_each_of_its_names(name: str, tmp_path: Path):
    async with gateway(endpoint("one", LOCAL), tmp_path) as running:
        assert [row.arm.model for row in running.runtime.state.fleet.find(name)] == ["openai/m"]
        assert running.runtime.state.fleet.find("nothing") == ()


async def test_what_is_switched_off_is_not_there(tmp_path: Path):
    toml = endpoint("one", LOCAL) + endpoint("two", LOCAL, model="n", more="enabled = false")
    toml += endpoint("three", LOCAL, model="o") + '[models."openai/o"]\nenabled = false\n'
    async with gateway(toml, tmp_path) as running:
        assert set(running.runtime.state.models) == {"openai/m"}


async def test_the_operators_price_holds(tmp_path: Path):
    async with gateway(endpoint("one", LOCAL), tmp_path) as running:
        price = running.runtime.state.fleet.catalog.price("openai/m", 0.0)
        assert "operator" in price.version


async def test_a_provider_that_nobody_knows_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="nobody"):
        async with gateway(endpoint("one", LOCAL, provider="nobody", price=""), tmp_path):
            pass


async def test_facts_of_an_endpoint_go_over_those_of_the_catalogue(tmp_path: Path):
    more = 'attributes = { region = "eu, us", retention_days = "0", training_use = "no" }'
    async with gateway(endpoint("one", LOCAL, more=more), tmp_path) as running:
        facts = running.runtime.state.fleet.served[0].facts
    assert (facts.regions, facts.retention_days, facts.trains_on_data) == (frozenset({"eu", "us"}), 0, False)
    assert facts.private


async def test_authorities_of_an_endpoint_that_cannot_be_read_are_told_at_once(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"missing\.pem"):
        async with gateway(endpoint("one", LOCAL, more='ca_file = "missing.pem"'), tmp_path):
            pass


async def test_a_reload_mends_what_rested_on_the_old_configuration(tmp_path: Path):
    async with (
        FakeProvider(models=("m",), api_key="right") as fake,
        gateway(endpoint("one", fake.base_url, more='api_key = "wrong"'), tmp_path) as running,
    ):
        assert (await running.chat()).status == 502
        assert list(running.cooling().values()) == [26]
        await running.adopt(endpoint("one", fake.base_url, more='api_key = "right"'))
        assert running.cooling() == {}
        assert (await running.chat()).status == 200
        connections = fake.connections
        running.runtime.refresh()  # what the clock does every quarter of an hour
        assert (await running.chat()).status == 200
        assert fake.connections == connections


async def test_an_endpoint_that_is_gone_rests_no_more(tmp_path: Path):
    with closed_port() as port:
        async with gateway(endpoint("one", f"http://127.0.0.1:{port}/v1"), tmp_path) as running:
            await running.chat()
            assert running.cooling() == {"one": 1}
            await running.adopt(endpoint("two", LOCAL))
            assert running.cooling() == {}
            assert running.runtime.health.endpoints == {"two"}
