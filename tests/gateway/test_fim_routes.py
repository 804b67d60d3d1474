"""Fill in the middle through a whole gateway: every client shape to every style of provider, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import PRICE, Answer, Gateway, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Error, Toxic, Usage

BEFORE, AFTER, MIDDLE = "def add(a, b):\n    ", "\n\nprint(add(1, 2))\n", "return a + b"
# style -> (provider, path of its address, model)
STYLES = {
    "mistral": ("mistral", "/v1", "codestral-latest"),
    "inception": ("inception", "/v1", "mercury-edit-2"),
    "deepseek": ("deepseek", "", "deepseek-chat"),
    "infill": ("llamacpp", "", "qwen2.5-coder-1.5b"),
    "template": ("vllm", "/v1", "Qwen/Qwen2.5-Coder-7B"),
    "chat": ("openai", "/v1", "gpt-4o-mini"),
    "messages": ("anthropic", "", "claude-haiku-4-5"),
}
PATHS = {
    "mistral": "/v1/fim/completions",
    "inception": "/v1/fim/completions",
    "deepseek": "/beta/completions",
    "infill": "/infill",
    "template": "/v1/completions",
    "chat": "/v1/chat/completions",
    "messages": "/v1/messages",
}
SHAPES = {"completions": "v1/completions", "beta": "beta/completions", "fim": "v1/fim/completions", "infill": "infill"}
BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def settings(style: str, url: str, name: str = "one", price: str = PRICE) -> str:
    provider, path, model = STYLES[style]
    lines = [f'[endpoints."{name}"]', f'provider = "{provider}"', f'base_url = "{url.removesuffix("/v1") + path}"']
    lines += ["private = true", f'models = ["{model}"]', 'api_key = "key-of-ours-1234"']
    if price:
        lines += [f'[endpoints."{name}".prices]', f'"{model}" = {price}']
    return "\n".join(lines) + "\n"


def script(style: str, **more: Any) -> Behaviour:
    text = f"```python\n{MIDDLE}\n```" if style in ("chat", "messages") else MIDDLE
    where = "last" if style in ("mistral", "inception") else "separate"
    return Behaviour(**{"text": text, "prompt_tokens": 40, "usage": Usage(where=where), **more})  # type: ignore[arg-type]


@asynccontextmanager
async def filling(style: str, folder: Path, **more: Any) -> AsyncIterator[tuple[Gateway, FakeProvider]]:
    async with (
        FakeProvider(script(style, **more), models=("m",)) as fake,
        gateway(settings(style, fake.base_url), folder) as up,
    ):
        yield up, fake


def body(shape: str, style: str, stream: bool = False, **more: Any) -> dict[str, Any]:
    provider, _, model = STYLES[style]
    if shape == "infill":
        asked: dict[str, Any] = {"input_prefix": BEFORE, "input_suffix": AFTER, "prompt": "", "n_predict": 64}
    else:
        asked = {"prompt": BEFORE, "suffix": AFTER, "max_tokens": 64}
    return {"model": f"{provider}/{model}", "stream": stream, **asked, **more}


def text(shape: str, answer: Answer) -> tuple[str, str]:
    """The text and the finish as the client's shape says them."""
    stream = answer.headers["content-type"].startswith("text/event-stream")
    rows = [json.loads(e) for e in answer.events if e != "[DONE]"] if stream else [answer.json]
    if shape == "infill":
        assert "[DONE]" not in answer.events
        assert [row["stop"] for row in rows] == [False] * (len(rows) - 1) + [True]
        return "".join(row["content"] for row in rows), rows[-1]["stop_type"]
    assert not stream or answer.events[-1] == "[DONE]"
    out, finish = "", ""
    for row in rows:
        for choice in row["choices"]:
            inner = choice.get("delta") or choice.get("message") or {}
            out += (choice.get("text") if shape != "fim" else inner.get("content")) or ""
            finish = choice.get("finish_reason") or finish
    return out, finish


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("shape", SHAPES)
@BOTH
async def test_every_shape_is_filled_in_by_every_style(shape: str, style: str, stream: bool, tmp_path: Path):
    async with filling(style, tmp_path) as (up, fake):
        answer = await up.post(SHAPES[shape], body(shape, style, stream))
        assert answer.status == 200, answer.body
        assert text(shape, answer) == (MIDDLE, "eos" if shape == "infill" else "stop")
        (sent,) = fake.requests
        told = json.dumps(sent.parsed)
        assert sent.path == PATHS[style]
        assert json.dumps(BEFORE)[1:-1] in told
        assert json.dumps(AFTER)[1:-1] in told
        (row,) = await up.rows(answer)
        assert (row.row.charge_class, row.row.task) == ("exact", "complete")
        assert row.detail.result.usage.prompt_tokens == 40
        assert row.row.charge_nano == 40 * 1000 + 10_000 * row.detail.result.usage.output_tokens
        assert answer.headers["x-suffice-task"] == "complete"
        assert ("emulated=suffix" in answer.headers.get("x-suffice-losses", "")) == (style in ("chat", "messages"))
        assert await up.findings() == []


async def test_the_template_of_the_family_is_applied(tmp_path: Path):
    async with filling("template", tmp_path) as (up, fake):
        await up.post("v1/fim/completions", body("fim", "template"))
        sent = fake.requests[0].parsed or {}
        assert sent["prompt"] == f"<|fim_prefix|>{BEFORE}<|fim_suffix|>{AFTER}<|fim_middle|>"
        assert "<|endoftext|>" in sent["stop"]
        assert "suffix" not in sent


async def test_a_prompt_in_the_models_own_template_is_passed_on_as_it_is(tmp_path: Path):
    prompt = f"<|fim_prefix|>{BEFORE}<|fim_suffix|>{AFTER}<|fim_middle|>"
    asked = b'{ "prompt" : %s, "max_tokens":64,"model":"vllm/Qwen/Qwen2.5-Coder-7B","stop": ["x"]}'
    async with filling("template", tmp_path) as (up, fake):
        answer = await up.post("v1/completions", asked % json.dumps(prompt).encode())
        assert text("completions", answer)[0] == MIDDLE
        assert fake.requests[0].body == asked.replace(b"vllm/", b"") % json.dumps(prompt).encode()
        assert "x-suffice-losses" not in answer.headers


async def test_the_same_prompt_is_taken_apart_for_another_family(tmp_path: Path):
    prompt = f"<|fim_prefix|>{BEFORE}<|fim_suffix|>{AFTER}<|fim_middle|>"
    async with filling("mistral", tmp_path) as (up, fake):
        await up.post("v1/completions", {"model": "mistral/codestral-latest", "prompt": prompt, "max_tokens": 9})
        sent = fake.requests[0].parsed or {}
        assert (sent["prompt"], sent["suffix"]) == (BEFORE, AFTER)


@BOTH
async def test_the_clients_own_shape_is_passed_through_with_every_byte(stream: bool, tmp_path: Path):
    asked = b'{"n_predict": 8,"samplers":["top_k", "infill"], "input_prefix":"a","input_suffix":"b","prompt":"","stream":%s}'
    asked %= b"true" if stream else b"false"
    async with filling("infill", tmp_path, cached_tokens=10) as (up, fake):
        answer = await up.post("infill", asked)
        sent = fake.requests[0]
        assert sent.body.startswith(asked[:-1]) and (sent.parsed or {})["model"] == "qwen2.5-coder-1.5b"
        told = json.loads(answer.events[-1]) if stream else answer.json
        assert told["timings"]["prompt_ms"] == 1.5  # of the server's own, which no shape of ours has
        (row,) = await up.rows(answer)
        usage = row.detail.result.usage
        assert (usage.input_tokens, usage.cache_read_tokens) == (30, 10)


async def test_auto_asks_a_model_that_was_made_for_it(tmp_path: Path):
    cheap = "{ input_usd_per_mtok = 0.01, output_usd_per_mtok = 0.02 }"
    async with FakeProvider(script("mistral")) as coder, FakeProvider(script("chat")) as talker:
        toml = settings("chat", talker.base_url, "talker", cheap) + settings("mistral", coder.base_url, "coder")
        async with gateway(toml, tmp_path) as up:
            answer = await up.post("v1/completions", body("completions", "mistral") | {"model": "auto"})
            assert answer.headers["x-suffice-model"] == "mistral/codestral-latest"
            assert talker.requests == []


async def test_auto_asks_in_words_where_nobody_fills_in(tmp_path: Path):
    async with filling("chat", tmp_path) as (up, fake):
        answer = await up.post("infill", {"input_prefix": BEFORE, "input_suffix": AFTER})
        assert text("infill", answer)[0] == MIDDLE
        assert fake.requests[0].path == "/v1/chat/completions"


async def test_a_fault_goes_over_to_the_next_one(tmp_path: Path):
    async with FakeProvider(Behaviour(status=503)) as bad, FakeProvider(script("infill")) as good:
        toml = settings("mistral", bad.base_url, "a") + settings("infill", good.base_url, "b")
        toml += '[aliases]\ntab = ["mistral/codestral-latest", "llamacpp/qwen2.5-coder-1.5b"]\n'
        async with gateway(toml, tmp_path) as up:
            answer = await up.post("v1/fim/completions", body("fim", "mistral") | {"model": "tab"})
            assert text("fim", answer)[0] == MIDDLE
            assert good.requests


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("style", ["mistral", "infill", "template", "chat"])
async def test_a_cut_stream_is_no_success(shape: str, style: str, tmp_path: Path):
    async with filling(style, tmp_path, text="x" * 80, toxic=Toxic(cut_after_events=5)) as (up, _):
        answer = await up.post(SHAPES[shape], body(shape, style, True))
        assert "[DONE]" not in answer.events
        assert '"stop":true' not in answer.body.decode()
        assert answer.error["code"]
        (row,) = await up.rows(answer)
        assert row.row.outcome == "failed"


@pytest.mark.parametrize("shape", SHAPES)
async def test_errors_have_a_shape_and_a_status(shape: str, tmp_path: Path):
    async with filling("mistral", tmp_path, status=400, error=Error(message="no such suffix")) as (up, _):
        answer = await up.post(SHAPES[shape], body(shape, "mistral"))
        assert (answer.status, answer.error["message"]) == (400, "no such suffix") or answer.status == 400
        unknown = await up.post(SHAPES[shape], body(shape, "mistral") | {"model": "nobody"})
        assert unknown.status == 404
        bad = await up.post(SHAPES[shape], b'{"prompt": 7, "suffix": "x", "input_prefix": 7, "model":"auto"}')
        assert bad.status == 400


@BOTH
async def test_a_warm_up_costs_nothing_where_there_is_no_cache_to_warm(stream: bool, tmp_path: Path):
    async with filling("mistral", tmp_path) as (up, fake):
        answer = await up.post("infill", {"input_prefix": "a", "n_predict": 0, "stream": stream, "model": "auto"})
        assert text("infill", answer)[0] == ""
        assert fake.requests == []


async def test_a_warm_up_reaches_a_server_that_has_one(tmp_path: Path):
    async with filling("infill", tmp_path, text="") as (up, fake):
        assert (await up.post("infill", {"input_prefix": "a", "n_predict": 0})).status == 200
        assert (fake.requests[0].parsed or {})["n_predict"] == 0


async def test_plain_and_several_completions_stay_completions(tmp_path: Path):
    async with filling("template", tmp_path) as (up, fake):
        asked = {"model": "vllm/Qwen/Qwen2.5-Coder-7B", "prompt": "def f(", "max_tokens": 5}
        assert (await up.post("v1/completions", asked)).status == 200
        assert (await up.post("v1/completions", asked | {"suffix": "x", "n": 2})).status == 200
        assert (fake.requests[1].parsed or {})["suffix"] == "x"


async def test_what_an_answer_written_anew_cannot_hold_is_declared(tmp_path: Path):
    async with filling("mistral", tmp_path) as (up, fake):
        answer = await up.post("v1/completions", body("completions", "mistral", logprobs=3, echo=True))
        assert {"dropped=logprobs", "dropped=echo"} <= set(answer.headers["x-suffice-losses"].split(", "))
        assert "logprobs" not in (fake.requests[0].parsed or {})


async def test_a_budget_pays_for_it(tmp_path: Path):
    async with FakeProvider(script("mistral")) as fake:
        head = '[budgets.small]\nlimit_usd = 0.0000001\nwindow = "day"\n'
        async with gateway(head + settings("mistral", fake.base_url), tmp_path) as up:
            key = await up.key(owner="a", budgets=("small",))
            answer = await up.post("v1/fim/completions", body("fim", "mistral"), key)
            assert answer.status == 402
            assert fake.requests == []
            assert (await up.post("v1/fim/completions", body("fim", "mistral"))).status == 401
