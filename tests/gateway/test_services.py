"""Which endpoint a pinned call goes to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import gateway
from tests.gateway.shelf_provider import settings

from suffice.errors import ForbiddenError, NotFoundError, RequestError
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.services import Services, kind_of, told
from suffice.values.money import Unknown

URL = "http://127.0.0.1:9/v1"


def call(**headers: str) -> Call:
    return Call(
        request_id="r", dialect="chat", path="/v1/rerank", query=b"", headers=headers, body=b"", received_s=1.0,
        started_mono_s=0.0, deadline_mono_s=9.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "model", "endpoint", "name"),
    [
        ({}, "", "one", ""),
        ({}, "vllm/m", "one", "m"),
        ({}, "two/m", "two", "m"),
        ({}, "m", "one", "m"),
        ({}, "Salesforce/Rank", "one", "Salesforce/Rank"),
        ({"x-suffice-endpoint": "two"}, "Salesforce/Rank", "two", "Salesforce/Rank"),
        ({"x-suffice-endpoint": "two"}, "two/m", "two", "m"),
        ({"x-suffice-endpoint": "cohere"}, "m", "three", "m"),
    ],
)
async def test_prefix_header_model_and_order_decide(
    headers: dict[str, str], model: str, endpoint: str, name: str, tmp_path: Path
):
    toml = settings(URL, "none") + settings(URL, "one", "vllm") + settings("http://127.0.0.1:8/v1", "two", "vllm")
    toml += settings("http://127.0.0.1:9/v2", "three", "cohere")
    async with gateway(toml, tmp_path) as up:
        runtime: Any = up.runtime
        services = Services(
            env=runtime.env, reading=runtime.reading, transport=runtime.transport, ledger=runtime.ledger
        )
        pinned = services.pick(call(**headers), "rerank", model)
        assert (pinned.endpoint, pinned.model) == (endpoint, name)
        with pytest.raises(RequestError):
            services.pick(call(**{"x-suffice-endpoint": "none"}), "rerank", model)
        with pytest.raises(ForbiddenError):
            services.permit(Principal(key_id="k", allowed_models=("x",)), "vllm/m")
        services.permit(Principal(key_id="k", allowed_models=("vllm/*",)), "vllm/m")


def test_an_unknown_cost_is_said_to_be_unknown():
    from suffice.catalog.load import load
    from suffice.gateway.services import Pinned

    provider = load().provider("openai")
    assert provider is not None
    pinned = Pinned(endpoint="one", provider=provider, speech=None)  # type: ignore[arg-type]
    assert (b"x-suffice-cost-usd", b"unknown") in told(pinned, call(), -1)
    assert kind_of(Unknown(why="", version="")) == "unknown"


async def test_data_that_must_not_be_trained_on_goes_where_that_is_promised(tmp_path: Path):
    head = "[privacy]\nforbid_training = true\n"
    own = settings(URL, "one", "vllm")
    other = settings("https://api.together.ai/v1", "two", "together").replace("private = true\n", "")
    async with gateway(head + other, tmp_path / "a") as up:
        runtime: Any = up.runtime
        services = Services(
            env=runtime.env, reading=runtime.reading, transport=runtime.transport, ledger=runtime.ledger
        )
        with pytest.raises(ForbiddenError) as refused:
            services.pick(call(), "rerank", "m")
        assert refused.value.code == "data_forbidden"
    async with gateway(head + other + own, tmp_path / "b") as up:
        runtime = up.runtime
        services = Services(
            env=runtime.env, reading=runtime.reading, transport=runtime.transport, ledger=runtime.ledger
        )
        assert services.pick(call(), "rerank", "m").endpoint == "one"  # a server of the operator's own


async def test_only_what_an_endpoint_serves_may_stand_in_a_batch(tmp_path: Path):
    async with gateway(settings(URL), tmp_path) as up:
        runtime: Any = up.runtime
        services = Services(
            env=runtime.env, reading=runtime.reading, transport=runtime.transport, ledger=runtime.ledger
        )
        pinned = services.pick(call(), "files")
        services.served(pinned, "m")
        with pytest.raises(NotFoundError):
            services.served(pinned, "gpt-4o")
