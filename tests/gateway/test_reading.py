from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import endpoint, gateway, one_provider

from suffice.testing.fake_upstream import FakeProvider

MESSAGES = '"messages":[{"role":"user","content":"hi"}]'


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"", 400, None),
        (b"[]", 400, None),
        (b"{", 400, None),
        (b'{"model":"openai/m",' + MESSAGES.encode() + b"} x", 400, None),
        (b'{"model":"openai/m","model":"openai/m",' + MESSAGES.encode() + b"}", 400, None),
        (b'{"model":"openai/m","mod\\u0065l":"other",' + MESSAGES.encode() + b"}", 400, None),
        (b'{"model":"openai/m","x":"\xff",' + MESSAGES.encode() + b"}", 400, None),
        (b'{"model":"openai/m","x":' + b"[" * 5000 + b"]" * 5000 + b"," + MESSAGES.encode() + b"}", 400, None),
        (b'{"model":"openai/m","x":NaN,' + MESSAGES.encode() + b"}", 400, None),
        (b"{" + MESSAGES.encode() + b"}", 400, "model"),
        (b'{"model":3,' + MESSAGES.encode() + b"}", 400, "model"),
        (b'{"model":"",' + MESSAGES.encode() + b"}", 400, "model"),
        (b'{"model":"openai/m"}', 400, "messages"),
        (b'{"model":"openai/m","messages":[]}', 400, "messages"),
        (b'{"model":"openai/m","messages":"hi"}', 400, "messages"),
        (b'{"model":"openai/m","stream":"true",' + MESSAGES.encode() + b"}", 400, "stream"),
        (b'{"model":"openai/m","stream":1,' + MESSAGES.encode() + b"}", 400, "stream"),
        (b'{"model":"openai/m","max_tokens":-1,' + MESSAGES.encode() + b"}", 400, "max_tokens"),
        (b'{"model":"openai/m","max_tokens":true,' + MESSAGES.encode() + b"}", 400, "max_tokens"),
        (b'{"model":"openai/m","n":1000000,' + MESSAGES.encode() + b"}", 400, "n"),
        (b'{"model":"openai/m","n":-1,' + MESSAGES.encode() + b"}", 400, "n"),
        (b'{"model":"openai/m","n":"2",' + MESSAGES.encode() + b"}", 400, "n"),
        (b'{"model":"openai/nope",' + MESSAGES.encode() + b"}", 404, "model"),
    ],
)  # fmt: skip
async def test_bad_input_is_told_plainly_and_costs_nothing(body: bytes, status: int, param: str | None, tmp_path: Path):
    async with one_provider(tmp_path) as (running, provider):
        answer = await running.post("/chat/completions", body)
        assert answer.status == status
        if param is not None:
            assert answer.error["param"] == param
        assert "Traceback" not in answer.body.decode()
        assert provider.requests == []
        assert await running.recent() == []


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("x-suffice-task", "poetry", 400),
        ("x-suffice-task", "bug-fix", 200),
        ("x-suffice-check", "rm -rf", 400),
        ("x-suffice-check", "@main", 400),
        ("x-suffice-check", "none@main", 400),
        ("x-suffice-repair-usd", "NaN", 400),
        ("x-suffice-repair-usd", "2.5", 200),
        ("x-suffice-max-seconds", "soon", 400),
        ("x-suffice-max-seconds", "nan", 400),
        ("x-suffice-max-seconds", "20", 200),
    ],
)
async def test_hints_in_headers(header: str, value: str, status: int, tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        answer = await running.chat(headers={header: value})
        assert answer.status == status
        if status == 400:
            assert answer.error["param"] == header
        elif header == "x-suffice-task":
            assert answer.headers["x-suffice-task"] == value


async def test_an_unknown_model_is_told_with_the_nearest_names(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        answer = await running.chat(model="openai/mm")
        assert (answer.status, answer.error["code"]) == (404, "model_not_found")
        assert "openai/m" in answer.error["message"]


async def test_embeddings_need_a_model_of_their_own(tmp_path: Path):
    async with one_provider(tmp_path) as (running, provider):
        answer = await running.post("/embeddings", {"model": "auto", "input": "x"})
        assert (answer.status, answer.error["code"]) == (400, "operation_not_served")
        assert provider.requests == []


async def test_an_endpoint_without_the_operation_is_a_clear_refusal(tmp_path: Path):
    async with FakeProvider(models=("m",)) as fake:
        for provider in ("anthropic", "cerebras", "mistral"):
            toml = endpoint("one", fake.base_url, provider=provider)
            async with gateway(toml, tmp_path / provider) as running:
                served = running.runtime.state.fleet.served[0].paths
                answer = await running.post("/embeddings", {"model": f"{provider}/m", "input": "x"})
                assert answer.status == (200 if "embeddings" in served else 400)


async def test_a_broken_decision_lets_the_request_through_on_the_default(tmp_path: Path, monkeypatch: Any):
    async with one_provider(tmp_path, head='[routing]\ndefault_model = "openai/m"\n') as (running, _):
        monkeypatch.setattr(running.runtime.state, "router", lambda target: 1 / 0)
        answer = await running.chat(model="auto")
        assert answer.status == 200
        assert answer.headers["x-suffice-fallback"] == "default"
        story = await running.story(answer.request_id)
        assert story.decision is not None
        assert story.decision.plan is not None
        assert "ZeroDivisionError" in story.decision.plan.alarm


async def test_a_key_may_use_its_models_only(tmp_path: Path):
    more = endpoint("two", "http://127.0.0.1:9/v1", model="n")
    async with one_provider(tmp_path, more=more) as (running, _):
        key = await running.key(allowed_models=("openai/m",))
        assert (await running.chat(headers=key)).status == 200
        refused = await running.chat(model="openai/n", headers=key)
        assert (refused.status, refused.error["code"]) == (403, "model_forbidden")
        auto = await running.chat(model="auto", headers=key)
        assert auto.headers["x-suffice-model"] == "openai/m"
        listed = [row["id"] for row in (await running.get("/models", headers=key)).json["data"]]
        assert "openai/m" in listed
        assert "openai/n" not in listed


async def test_sessions_are_told_apart_by_what_the_client_sends(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        same = [await running.chat(), await running.chat()]
        other = await running.chat(messages=[{"role": "user", "content": "Something else."}])
        keys = [(await running.rows(a))[0].detail.intent.session for a in (*same, other)]
    assert keys[0] == keys[1] != keys[2]


async def test_a_model_that_is_too_slow_is_left_out_while_another_is_in_time(tmp_path: Path):
    more = endpoint("two", "http://127.0.0.1:9/v1", model="n")
    async with one_provider(tmp_path, more=more) as (running, _):
        for arm in running.runtime.state.fleet.by_arm:
            for _number in range(20):
                running.runtime.reading.latencies.seen(arm, 0.5 if arm.model == "openai/m" else 30.0)
        answer = await running.chat(model="auto", headers={"x-suffice-max-seconds": "3"})
        assert answer.headers["x-suffice-model"] == "openai/m"
        story = await running.story(answer.request_id)
        assert story.decision is not None and story.decision.plan is not None
        masks = {c.arm.model: c.masked_by for c in story.decision.plan.candidates}
        assert masks["openai/n"].startswith("latency: in 3 s")
