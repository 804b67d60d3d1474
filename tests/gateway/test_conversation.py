import json
from typing import Any

import pytest

from suffice.catalog.providers import Quirks
from suffice.errors import WireError
from suffice.gateway.conversation import PassThroughChat, PassThroughEmbeddings, Target
from suffice.wire.prescan import scan
from suffice.wire.request_view import chat_view

BODY = {"model": "a", "messages": [{"role": "user", "content": "hi"}]}


def sent(target: Target, **fields: Any) -> dict[str, Any]:
    top = scan(json.dumps({**BODY, **fields}).encode())
    made: dict[str, Any] = json.loads(b"".join(PassThroughChat().outbound(top, chat_view(top), target).body))
    return made


def target(quirks: Quirks | None = None, **fields: Any) -> Target:
    return Target(model_name=fields.pop("model_name", "b"), path=b"/x", quirks=quirks or Quirks(), **fields)


def test_the_model_is_spelt_as_the_provider_does():
    assert sent(target(model_name='odd"\\name')) == {**BODY, "model": 'odd"\\name'}


def test_a_stream_asks_for_its_usage_unless_the_provider_cannot():
    assert sent(target(), stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in sent(target(Quirks(stream_options=False)), stream=True)
    assert sent(target(), stream=True, stream_options={"x": 1})["stream_options"] == {"include_usage": True, "x": 1}


@pytest.mark.parametrize(
    ("fields", "name"),
    [({}, "max_completion_tokens"), ({"max_tokens": 9000}, "max_tokens"), ({"max_completion_tokens": 9}, "max_completion_tokens")],
)  # fmt: skip
def test_a_clamp_goes_where_the_caller_put_the_limit(fields: dict[str, int], name: str):
    quirks = Quirks(max_tokens_field="max_completion_tokens")
    made = sent(target(quirks, max_output_tokens=300), **fields)
    assert {k: v for k, v in made.items() if k.startswith("max_")} == {name: 300}


def test_a_namespace_hides_the_callers_names():
    made = sent(target(namespace=b"red"), user="ann", prompt_cache_key="k", safety_identifier=None)
    assert made["user"] != made["prompt_cache_key"]
    assert len(made["user"]) == 64
    assert made["safety_identifier"] is None
    assert sent(target(), user="ann")["user"] == "ann"


def test_the_usage_event_is_hidden_from_who_did_not_ask():
    event = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'
    text = b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    for asked in (False, True):
        options = {"stream_options": {"include_usage": True}} if asked else {}
        top = scan(json.dumps({**BODY, "stream": True, **options}).encode())
        reader = PassThroughChat().reader(top, chat_view(top), target())
        shown = reader.feed(text + event)
        assert (event in shown) == asked
        usage = reader.usage()
        assert usage is not None
        assert usage.output_tokens == 1


def test_embeddings_are_read_for_their_usage_only():
    whole = PassThroughEmbeddings().whole(
        b'{"data":[{"embedding":"not looked at"}],"usage":{"prompt_tokens":7},"model":"e"}'
    )
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.answer.model) == (7, "e")
    with pytest.raises(WireError):
        PassThroughEmbeddings().whole(b"[]")
