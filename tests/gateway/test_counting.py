"""Counts of tokens: the provider's own where it counts, else an estimate."""

from pathlib import Path

from tests.gateway.running import PRICE, gateway

from suffice.testing.fake_upstream import FakeProvider

BODY = {"model": "anthropic/m", "messages": [{"role": "user", "content": "hello"}]}


async def test_a_provider_that_cannot_count_is_estimated(tmp_path: Path):
    async with FakeProvider() as fake:
        url = fake.base_url.removesuffix("/v1")
        toml = f'[endpoints.one]\nprovider = "anthropic"\nbase_url = "{url}"\nprivate = true\nmodels = ["m"]\n'
        async with gateway(toml + f"[endpoints.one.prices]\nm = {PRICE}\n", tmp_path) as up:
            answer = await up.post("/messages/count_tokens", BODY)
            assert answer.status == 200 and answer.json["input_tokens"] >= 1
            assert [request.path for request in fake.requests] == ["/v1/messages/count_tokens"]
            assert fake.requests[0].parsed == {**BODY, "model": "m"}
            unknown = await up.post("/messages/count_tokens", {**BODY, "model": "none"})
            assert unknown.error["type"] == "not_found_error"
