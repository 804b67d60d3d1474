from pathlib import Path

import pytest
from tests.gateway.running import gateway, one_provider


async def test_ours_come_first_then_aliases_then_the_rest(tmp_path: Path):
    async with one_provider(tmp_path, head='[aliases]\nteam = ["openai/m"]\n') as (running, _):
        told = (await running.get("/models")).json
        assert told["object"] == "list"
        assert [row["id"] for row in told["data"]] == ["auto", "fast", "best", "cheap", "team", "openai/m"]
        assert {row["object"] for row in told["data"]} == {"model"}


@pytest.mark.parametrize(
    ("name", "status", "owner"),
    [("auto", 200, "suffice"), ("team", 200, "suffice"), ("openai/m", 200, "openai"), ("openai%2Fm", 200, "openai"),
     ("openai/x", 404, ""), ("..%2F..%2Fetc", 400, ""), ("", 404, "")],
)  # fmt: skip
async def test_one_model(name: str, status: int, owner: str, tmp_path: Path):
    async with one_provider(tmp_path, head='[aliases]\nteam = ["openai/m"]\n') as (running, _):
        answer = await running.get(f"/models/{name}")
        if name.startswith(".."):
            assert answer.status in (400, 404)
            return
        assert answer.status == status
        if status == 200:
            assert answer.json["owned_by"] == owner


async def test_a_model_that_a_key_may_not_use_does_not_exist_for_it(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        key = await running.key(allowed_models=("groq/*",))
        assert (await running.get("/models/openai/m", key)).status == 404


async def test_a_model_of_embeddings_says_what_it_does(tmp_path: Path):
    toml = '[endpoints.one]\nprovider = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nprivate = true\n'
    async with gateway(toml + 'models = ["text-embedding-3-small"]\n', tmp_path) as running:
        told = await running.get("v1beta/models/openai/text-embedding-3-small")
        assert "embedContent" in told.json["supportedGenerationMethods"]
