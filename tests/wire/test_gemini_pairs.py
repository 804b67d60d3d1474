"""The properties of every pair of dialects, with Gemini on either side: meaning survives, nothing false is said."""

import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.errors import RequestError, WireError
from suffice.wire import anthropic_messages, gemini, openai_chat
from suffice.wire.codec import Target

from . import test_translate_properties as properties

CODECS = {
    "chat": openai_chat.CODEC,
    "messages": anthropic_messages.CODEC,
    "gemini": gemini.CODEC,
    "array": gemini.ARRAY_CODEC,
}
PAIRS = [(a, b) for a in CODECS for b in CODECS if {a, b} & {"gemini", "array"}]


@pytest.fixture(autouse=True)
def four_codecs():
    with mock.patch.object(properties, "CODECS", CODECS):
        yield


def meaning(request):
    """Return what must survive: model and streaming stand in the path, and no parameters are an object without any."""
    system, messages, tools, (choice, limit, sampling, output, _) = properties.meaning(request)
    tools = [
        (name, said, None if schema == {"type": "object", "properties": {}} else schema) for name, said, schema in tools
    ]
    return system, messages, tools, (choice, limit, sampling, output)


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(request=properties.requests)
@settings(max_examples=30)
def test_a_request_keeps_its_meaning_through_both_dialects(a, b, request):
    through = request
    for dialect in (a, b):
        encoded = CODECS[dialect].encode_request(through, Target(model="m", **properties.FULL))
        through = CODECS[dialect].decode_request(encoded.body)
    _system, *rest = meaning(through)
    wanted, *more = meaning(request)
    # Gemini has one instruction of several parts, others have several.
    assert rest == more
    assert "".join(p.text for m in through.system for p in m.parts).replace("\n", "") == "".join(wanted).replace(
        "\n", ""
    )


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(events=properties.answers(), step=st.integers(1, 60))
@settings(max_examples=25)
def test_an_answer_keeps_its_meaning_however_it_is_split(a, b, events, step):
    check = properties.test_an_answer_keeps_its_meaning_however_it_is_split.hypothesis.inner_test
    check(a=a, b=b, events=events, step=step)


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(events=properties.answers(), data=st.data())
@settings(max_examples=25)
def test_a_cut_stream_says_no_success_and_shows_no_call(a, b, events, data):
    stream = b"".join(properties.upstream(a, events))
    marks = {
        "chat": b'"finish_reason":"',
        "messages": b"message_stop",
        "gemini": b"finishReason",
        "array": b"finishReason",
    }
    end = stream.rindex(marks[a])
    cut = data.draw(st.integers(0, end))
    one = properties.reader(a, b)
    out = one.feed(stream[:cut])
    try:
        out += one.close()
    except WireError:
        pass
    assert not one.done
    assert marks[b] not in out and b"[DONE]" not in out
    assert not any(word in out for word in (b'"tool_use"', b'"tool_calls"', b"functionCall"))


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(chunks=properties.noise)
@settings(max_examples=40)
def test_noise_is_refused_or_read_and_never_crashes(a, b, chunks):
    properties.test_noise_is_refused_or_read_and_never_crashes.hypothesis.inner_test(a=a, b=b, chunks=chunks)


WORDS = [
    "role",
    "parts",
    "text",
    "functionCall",
    "functionResponse",
    "name",
    "args",
    "id",
    "response",
    "type",
    "thought",
    "functionDeclarations",
    "parameters",
    "items",
    "properties",
    "mode",
    "thinkingBudget",
    "responseSchema",
    "temperature",
    "anyOf",
    "enum",
    "nullable",
    "mimeType",
    "data",
    "fileUri",
]
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "user", "AUTO", "c2Z4MS4u", "STRING"])
)
json_values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)),
    max_leaves=8,
)


def near(*names):
    """Objects with these fields, most of them nearly right."""
    return st.dictionaries(st.sampled_from(names), json_values, max_size=3)


parts = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["a", "", 3]),
        "thought": st.booleans(),
        "thoughtSignature": st.sampled_from(["c2ln", "c2Z4MS4u", 4]),
        "functionCall": near("name", "args", "id") | st.just({"name": "f", "args": {}}),
        "functionResponse": near("name", "response", "id", "parts") | st.just({"name": "f", "response": {}}),
        "inline_data": near("mime_type", "data"),
        "fileData": near("mimeType", "fileUri"),
        "executableCode": json_values,
    },
)
contents = st.lists(
    st.fixed_dictionaries(
        {"parts": st.lists(parts, max_size=3)}, optional={"role": st.sampled_from(["user", "model"])}
    ),
    max_size=4,
)
declared = st.fixed_dictionaries(
    {"name": st.just("f")}, optional={"parameters": near("type", "properties", "items", "anyOf")}
)
bodies = st.fixed_dictionaries(
    {"contents": contents},
    optional={
        "systemInstruction": near("parts", "role"),
        "tools": st.lists(st.fixed_dictionaries({"functionDeclarations": st.lists(declared, max_size=2)}), max_size=2),
        "toolConfig": st.fixed_dictionaries({"functionCallingConfig": near("mode", "allowedFunctionNames")}),
        "generationConfig": near("temperature", "topK", "thinkingConfig", "responseSchema", "stopSequences", "seed"),
        "x": json_values,
    },
)


@pytest.mark.parametrize("b", ["chat", "messages", "gemini"])
@given(body=bodies)
@settings(max_examples=150)
def test_any_request_is_translated_or_refused(b, body):
    try:
        request = gemini.CODEC.decode_request(json.dumps(body).encode())
    except RequestError as error:
        assert error.param
        return
    encoded = CODECS[b].encode_request(
        request, Target(model="gemini-3-flash", cache_breakpoints=4, add_breakpoints=True)
    )
    assert isinstance(json.loads(encoded.body), dict)
