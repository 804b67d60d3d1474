"""What the provider receives is what the client sent, except for the closed list of fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.running import one_provider

from suffice.catalog.providers import Quirks
from suffice.gateway.conversation import PassThroughChat, Target
from suffice.wire.prescan import scan
from suffice.wire.request_view import RequestView, chat_view

SPACE = st.sampled_from(["", " ", "\n", "\t ", "  \r\n"])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=10).filter(
    lambda k: k not in {"model", "messages", "stream", "stream_options", "user", "n", "best_of", "max_tokens", "tools"}
)


@st.composite
def bodies(draw: Any) -> tuple[bytes, str]:
    """A chat body with odd white space, escapes and unknown fields; returns it and its spelling of the model."""
    model = json.dumps("openai/m")
    fields = [("model", model), ("messages", '[ {"role" :"user","content":"h\\u0069 \\/ \\ud83d\\ude00"} ]')]
    for key in draw(st.lists(KEYS, max_size=4, unique=True)):
        fields.append((key, json.dumps(draw(VALUES), ensure_ascii=draw(st.booleans()))))
    text = "{"
    for at, (key, value) in enumerate(draw(st.permutations(fields))):
        text += ("," if at else "") + draw(SPACE) + f'"{key}"' + draw(SPACE) + ":" + draw(SPACE) + value + draw(SPACE)
    return (text + "}").encode(), model


def sent(body: bytes, target: Target, view: RequestView | None = None) -> bytes:
    top = scan(body)
    return b"".join(PassThroughChat().outbound(top, view or chat_view(top), target).body)


@settings(max_examples=150)
@given(bodies())
def test_only_the_model_changes(made: tuple[bytes, str]):
    body, model = made
    target = Target(model_name="other", path=b"/x", quirks=Quirks())
    assert sent(body, target) == body.replace(b":" + model.encode(), b":" + b'"other"', 1) or sent(
        body, target
    ) == body.replace(model.encode(), b'"other"', 1)


@settings(max_examples=60)
@given(bodies())
def test_nothing_changes_when_the_provider_spells_the_model_the_same(made: tuple[bytes, str]):
    body, _ = made
    assert sent(body, Target(model_name="openai/m", path=b"/x", quirks=Quirks())) == body


async def test_over_the_wire(tmp_path: Path):
    body = b'{ "model" :"openai/m",\n"messages":[{"role":"user","content":"h\\u00e9 \xc3\xa9"}], "odd":[1.0,1e2 ,{}],"user":"a"}'
    async with one_provider(tmp_path) as (running, provider):
        assert (await running.post("/chat/completions", body)).status == 200
        assert provider.requests[0].body == body.replace(b'"openai/m"', b'"m"')
        headers = {name.lower() for name, _ in provider.requests[0].headers}
        assert headers <= {b"host", b"content-type", b"accept", b"content-length", b"authorization", b"accept-encoding",
                           b"user-agent", b"connection", b"x-suffice-hops"}  # fmt: skip


async def test_a_stream_only_gains_the_usage_option(tmp_path: Path):
    body = b'{"model":"openai/m","messages":[{"role":"user","content":"hi"}],"stream":true}'
    async with one_provider(tmp_path) as (running, provider):
        await running.post("/chat/completions", body)
        first = json.loads(provider.requests[0].body)
        assert first.pop("stream_options") == {"include_usage": True}
        assert first == {**json.loads(body), "model": "m"}
        kept = body[:-1] + b',"stream_options":{ "include_usage" : false, "x":1 }}'
        await running.post("/chat/completions", kept)
        assert json.loads(provider.requests[1].body)["stream_options"]["include_usage"] is True


FIELDS = ("prompt_cache_key", "user", "safety_identifier")


@pytest.mark.parametrize("path", ["/chat/completions", "/embeddings"])
async def test_tenants_cannot_name_each_others_caches(path: str, tmp_path: Path):
    fields: dict[str, Any] = dict.fromkeys(FIELDS, "shared")
    fields |= {"model": "openai/m", "messages": [{"role": "user", "content": "hi"}], "input": "x"}
    async with one_provider(tmp_path) as (running, provider):
        red, blue = await running.key(team="red"), await running.key(team="blue")
        for key in (red, blue, red):
            assert (await running.post(path, fields, key)).status == 200
        bodies_sent = [json.loads(r.body) for r in provider.requests]
    for name in FIELDS:
        ours, theirs, again = (b[name] for b in bodies_sent)
        assert ours == again != theirs
        assert len(ours) == 64
        assert "shared" not in (ours, theirs)


async def test_a_caller_field_that_is_no_string_stays(tmp_path: Path):
    async with one_provider(tmp_path) as (running, provider):
        key = await running.key(team="red")
        assert (await running.chat(headers=key, user=None)).status == 200
        assert json.loads(provider.requests[0].body)["user"] is None
