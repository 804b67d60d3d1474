from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.wire.codec import Target
from suffice.wire.fim import FimFile, FimRequest, Shape, decode
from suffice.wire.fim_upstream import Style, as_chat, encode, style_of
from suffice.wire.neutral import loss_header

ASK = FimRequest(
    shape="fim", prefix="a", suffix="b", max_tokens=64, stop=("\n\n",), temperature=0.0, seed=3, stream=True
)


def write(request: FimRequest, style: Style, model: str = "m", **target: Any) -> tuple[dict[str, Any], str]:
    encoded = encode(request, style, Target(model=model, **target))
    return json.loads(encoded.body), loss_header(encoded.losses)


BASE = {
    "model": "m",
    "prompt": "a",
    "suffix": "b",
    "max_tokens": 64,
    "stop": ["\n\n"],
    "temperature": 0.0,
    "stream": True,
}


@pytest.mark.parametrize(
    ("style", "body", "lost"),
    [
        ("mistral", BASE | {"random_seed": 3}, ""),
        ("inception", BASE, "dropped=seed"),
        ("deepseek", BASE | {"seed": 3, "stream_options": {"include_usage": True}}, ""),
        ("completions", BASE | {"seed": 3, "stream_options": {"include_usage": True}}, ""),
    ],
)
def test_styles_with_a_suffix(style: Style, body: dict[str, Any], lost: str) -> None:
    assert write(ASK, style) == (body, lost)


def test_limits_of_providers() -> None:
    big = FimRequest(shape="fim", prefix="a", max_tokens=9000, files=(FimFile(name="x", text="y"),), min_tokens=2)
    body, lost = write(big, "deepseek")
    assert body["max_tokens"] == 4096
    assert lost == "dropped=input_extra, dropped=max_tokens, dropped=min_tokens"


def test_templates_bring_their_stops() -> None:
    body, lost = write(ASK, "template", "qwen2.5-coder:7b")
    assert body["prompt"] == "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"
    assert body["stop"] == ["\n\n", "<|endoftext|>", "<|fim_pad|>", "<|file_sep|>"]
    assert "suffix" not in body and lost == ""
    body, _ = write(ASK, "template", "qwen2.5-coder", max_stop=16)
    assert len(body["stop"]) == 7
    with pytest.raises(RequestError) as caught:
        write(ASK, "template", "gpt-4")
    assert caught.value.code == "untranslatable"


def test_a_clients_own_template_is_changed_to_the_models() -> None:
    prompt = "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"
    request = decode("completions", json.dumps({"model": "x", "prompt": prompt}).encode())
    assert write(request, "template", "starcoder2")[0]["prompt"] == "<fim_prefix>a<fim_suffix>b<fim_middle>"
    assert write(request, "mistral")[0]["prompt"] == "a"
    raw = decode("completions", json.dumps({"model": "x", "prompt": "<|repo_name|>r" + prompt}).encode())
    assert write(raw, "template", "qwen3-coder")[0]["prompt"] == "<|repo_name|>r" + prompt
    for style, model in (("template", "starcoder2"), ("mistral", "m"), ("infill", "m")):
        with pytest.raises(RequestError, match="prompt"):
            write(raw, style, model)  # type: ignore[arg-type]
    with pytest.raises(RequestError):
        as_chat(raw)


def test_llamas_form_keeps_the_line_apart() -> None:
    body = {"input_prefix": "a\n", "input_suffix": "b", "prompt": "  x", "n_predict": 0, "n_indent": 2, "stream": False}
    request = decode("infill", json.dumps(body).encode())
    assert write(request, "infill")[0] == body | {"model": "m", "cache_prompt": True}
    other, lost = write(request, "mistral")
    assert (other["prompt"], lost) == ("a\n  x", "dropped=n_indent")


_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)


@given(_TEXT, _TEXT, st.sampled_from([("mistral", "fim"), ("deepseek", "completions"), ("infill", "infill")]))
def test_what_we_write_a_server_of_the_shape_reads(prefix: str, suffix: str, pair: tuple[Style, Shape]) -> None:
    style, shape = pair
    request = FimRequest(shape="fim", prefix=prefix, suffix=suffix + "x", max_tokens=5, stop=("q",))
    back = decode(shape, encode(request, style, Target(model="m")).body)
    assert (back.prefix, back.suffix, back.max_tokens, back.stop) == (prefix, suffix + "x", 5, ("q",))


def test_the_last_resort_is_a_chat_prompt() -> None:
    request = FimRequest(
        shape="infill", prefix="def f(", suffix="):", language="python", files=(FimFile(name="x", text="X"),)
    )
    chat = as_chat(request)
    text = chat.messages[0].parts[0].text  # type: ignore[union-attr]
    assert "<before>def f(</before>\n<after>):</after>" in text
    assert '<file name="x">' in text
    assert "python" in chat.system[0].parts[0].text  # type: ignore[union-attr]
    assert chat.max_output_tokens == 256


@pytest.mark.parametrize(
    ("row", "style"),
    [
        (("mistral", "/fim/completions", "fields"), "mistral"),
        (("inception", "/fim/completions", "fields"), "inception"),
        (("deepseek", "/beta/completions", "fields"), "deepseek"),
        (("siliconflow", "/completions", "fields"), "completions"),
        (("together", "/completions", "template"), "template"),
        (("llamacpp", "/infill", "infill"), "infill"),
        (("moonshot", "/chat/completions", "prefix"), "chat"),
        (("openai", "", ""), "chat"),
    ],
)
def test_the_style_of_a_catalogue_row(row: tuple[str, str, str], style: str) -> None:
    assert style_of(*row) == style
