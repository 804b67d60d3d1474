"""Properties of every pair of dialects: meaning survives, splits do not matter, nothing crashes, nothing false is said."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.errors import RequestError, WireError
from suffice.values.usage import Usage
from suffice.wire import anthropic_messages, openai_chat, translate
from suffice.wire.codec import ClientContext, Emulation, Target
from suffice.wire.neutral import (
    Done,
    Image,
    Message,
    OutputFormat,
    ReasoningDelta,
    ReasoningEnd,
    ReasoningRequest,
    Request,
    Sampling,
    Start,
    Stop,
    Text,
    TextDelta,
    Tool,
    ToolCall,
    ToolChoice,
    ToolReady,
    ToolResult,
    UsageReport,
)
from suffice.wire.openai_responses import OpenAIResponses
from suffice.wire.sealed import HmacSealer

CODECS = {
    "chat": openai_chat.CODEC,
    "messages": anthropic_messages.CODEC,
    "responses": OpenAIResponses(HmacSealer(b"0123456789abcdef")),
}
PAIRS = [(a, b) for a in CODECS for b in CODECS]
FULL = {"custom_tools": True, "developer_role": True}

word = st.text(alphabet='abc é"\\\n💡{', min_size=1, max_size=8).filter(str.strip).map(lambda s: s.strip() or "x")
name = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
arguments = st.dictionaries(name, st.one_of(word, st.integers(-5, 5), st.booleans()), max_size=3).map(
    lambda d: json.dumps(d, separators=(",", ":"), ensure_ascii=False)
)
text = word.map(lambda s: Text(text=s))
image = st.just(Image(data="AA==", media_type="image/png"))


@st.composite
def conversations(draw):
    turns = []
    for turn in range(draw(st.integers(1, 3))):
        turns.append(Message(role="user", parts=tuple(draw(st.lists(st.one_of(text, image), min_size=1, max_size=2)))))
        calls = tuple(
            ToolCall(id=f"call_{turn}_{i}", name=draw(name), arguments=draw(arguments))
            for i in range(draw(st.integers(0, 2)))
        )
        turns.append(Message(role="assistant", parts=(draw(text), *calls)))
        if calls:
            results = tuple(ToolResult(call_id=c.id, name=c.name, parts=(draw(text),)) for c in calls)
            turns.append(Message(role="tool", parts=results))
    return (*turns, Message(role="user", parts=(draw(text),)))


requests = st.builds(
    Request,
    dialect=st.just("elsewhere"),
    model=st.just("m"),
    system=st.lists(text.map(lambda t: Message(role="system", parts=(t,))), max_size=2).map(tuple),
    messages=conversations(),
    tools=st.lists(name, unique=True, min_size=1, max_size=3).map(
        lambda names: tuple(Tool(name=n, description="d", schema={"type": "object", "properties": {}}) for n in names)
    ),
    tool_choice=st.sampled_from([None, ToolChoice(mode="auto"), ToolChoice(mode="required"), ToolChoice(mode="none")]),
    max_output_tokens=st.integers(1, 9000),
    sampling=st.builds(Sampling, temperature=st.sampled_from([None, 0, 0.5, 1]), stop=st.sampled_from([(), ("x",)])),
    output=st.sampled_from([None, OutputFormat(kind="schema", schema={"type": "object"})]),
    stream=st.booleans(),
)


def meaning(request):
    """Return what must survive a translation: texts joined as the model reads them, calls, results, parameters."""

    def flat(message):
        out = []
        for part in message.parts:
            if isinstance(part, Text) and out and isinstance(out[-1], str):
                out[-1] += "\n\n" + part.text
            elif isinstance(part, Text):
                out.append(part.text)
            elif isinstance(part, ToolCall):
                out.append((part.id, part.name, json.loads(part.arguments)))
            elif isinstance(part, ToolResult):
                out.append((part.call_id, flat(part)))
            else:
                out.append(part)
        return out

    output = request.output and request.output.schema
    choice = request.tool_choice and request.tool_choice.mode
    return (
        [m.parts[0].text for m in request.system],
        [(m.role, flat(m)) for m in request.messages],
        [(t.name, t.description, t.schema) for t in request.tools],
        (choice, request.max_output_tokens, request.sampling, output, request.stream),
    )


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(request=requests)
@settings(max_examples=40)
def test_a_request_keeps_its_meaning_through_both_dialects(a, b, request):
    through = request
    for dialect in (a, b):
        encoded = CODECS[dialect].encode_request(through, Target(model="m", **FULL))
        assert not [loss for loss in encoded.losses if loss.kind == "refused"]
        through = CODECS[dialect].decode_request(encoded.body)
    if "responses" in (a, b):  # it has no stop sequences, and says so
        sampling = msgspec.structs.replace(request.sampling, stop=())
        request = msgspec.structs.replace(request, sampling=sampling)
    assert meaning(through) == meaning(request)


@st.composite
def answers(draw):
    events = [Start(id="resp1", model="up", created_s=7)]
    if draw(st.booleans()):
        events += [ReasoningDelta(text=draw(word), issuer="p"), ReasoningEnd(issuer="p")]
    events += [TextDelta(text=t) for t in draw(st.lists(word, max_size=3))]
    calls = draw(st.lists(st.tuples(name, arguments), max_size=2))
    events += [ToolReady(index=i, call=ToolCall(id=f"c{i}", name=n, arguments=a)) for i, (n, a) in enumerate(calls)]
    usage = Usage(input_tokens=draw(st.integers(1, 99)), cache_read_tokens=draw(st.integers(0, 9)), output_tokens=5)
    reason = "tool_calls" if calls else draw(st.sampled_from(["end", "length"]))
    return [*events, UsageReport(usage=usage), Stop(reason=reason), Done()]


def context(dialect, *, stream=True):
    thinking = ReasoningRequest(effort="low", summary="auto")
    request = Request(dialect=dialect, model="m", stream=stream, include_usage=True, reasoning=thinking)
    return ClientContext(request=request, response_id="r", created_s=7)


def upstream(dialect, events):
    """Return the stream that a provider of `dialect` would send for `events`, one bytes object for each event."""
    encoder = CODECS[dialect].stream_encoder(context(dialect))
    return [piece for event in events if (piece := encoder.feed(event))]


def reader(a, b):
    return translate.stream(CODECS[a], CODECS[b], Target(model="m", issuer="p"), context(b), Emulation())


def told(answer, usage, done):
    calls = [(i, n, json.loads(x)) for i, n, x in answer.tool_calls]
    return answer.text, answer.reasoning, calls, answer.finish_reason, usage, done


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(events=answers(), step=st.integers(1, 60))
@settings(max_examples=30)
def test_an_answer_keeps_its_meaning_however_it_is_split(a, b, events, step):
    stream = b"".join(upstream(a, events))
    first = reader(a, b)
    out = first.feed(stream) + first.close()
    split = reader(a, b)
    pieces = [split.feed(stream[i : i + step]) for i in range(0, len(stream), step)] + [split.close()]
    assert b"".join(pieces) == out
    again = reader(b, a)
    again.feed(out)
    again.close()
    want = told(first.answer(), first.usage(), True)
    assert told(split.answer(), split.usage(), split.done) == want == told(again.answer(), again.usage(), again.done)
    assert first.answer().text == "".join(e.text for e in events if isinstance(e, TextDelta))
    assert len(first.answer().tool_calls) == sum(isinstance(e, ToolReady) for e in events)
    whole = CODECS[a].encode_response(events, context(a, stream=False))
    body, failure, pump = translate.whole(
        CODECS[a], CODECS[b], whole, Target(model="m", issuer="p"), context(b, stream=False), Emulation()
    )
    assert failure is None and msgspec.json.decode(body)
    assert told(pump.answer(), pump.usage(), True) == want


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_every_split_in_two(a, b):
    call = ToolReady(index=0, call=ToolCall(id="c", name="f", arguments='{"é":"💡"}'))
    events = [Start(id="i", model="up"), TextDelta(text="é💡"), call, Stop(reason="tool_calls"), Done()]
    stream = b"".join(upstream(a, events)).replace(b"\n", b"\r\n")
    one = reader(a, b)
    want = one.feed(stream) + one.close()
    for cut in range(len(stream)):
        two = reader(a, b)
        assert two.feed(stream[:cut]) + two.feed(stream[cut:]) + two.close() == want


SUCCESS = {
    "chat": (b"[DONE]", b'"finish_reason":"'),
    "messages": (b"message_stop", b'"stop_reason":"'),
    "responses": (b'"usage":{"input_tokens"', b"event: response.completed"),
}


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(events=answers())
@settings(max_examples=25)
def test_a_cut_stream_says_no_success_and_shows_no_call(a, b, events):
    frames = b"".join(upstream(a, events)).split(b"\n\n")[:-1]
    # Chat streams may leave out [DONE]: there the stop itself completes the answer.
    ends = next(i for i, f in enumerate(frames) if SUCCESS[a][0] in f or (a == "chat" and SUCCESS[a][1] in f))
    for cut in range(ends):
        cut_short = reader(a, b)
        out = b"".join(cut_short.feed(f + b"\n\n") for f in frames[:cut]) + cut_short.close()
        assert not cut_short.done and not any(mark in out for mark in SUCCESS[b])
        assert b'"tool_use"' not in out and b'"tool_calls"' not in out and b'"function_call"' not in out


pieces = st.sampled_from(
    [
        b"data: ", b"event: x\n", b"\n\n", b"\r\n", b"[DONE]", b"{", b"}", b'"', b"\xff", b"\xc3", b":", b"null",
        b'{"choices":[{"delta":{"content":"a"}}]}', b'{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f"}}]}}]}',
        b'{"choices":[{"delta":null,"finish_reason":7}]}', b'{"usage":{"prompt_tokens":-1}}',
        b'{"type":"message_start","message":{}}', b'{"type":"content_block_start","content_block":{"type":"tool_use"}}',
        b'{"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"x"}}',
        b'{"type":"content_block_stop"}', b'{"type":"message_stop"}', b'{"type":"message_delta","delta":{"stop_reason":[]}}',
    ]
)  # fmt: skip
noise = st.lists(st.one_of(pieces, st.binary(max_size=12)), max_size=14)


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(chunks=noise)
@settings(max_examples=80)
def test_noise_is_refused_or_read_and_never_crashes(a, b, chunks):
    one = reader(a, b)
    try:
        for chunk in chunks:
            one.feed(chunk)
        one.close()
    except WireError:
        pass
    try:
        CODECS[a].decode_response(b"".join(chunks), Target(model="m"))
    except WireError:
        pass


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "user", "text", "tool", "function", "auto"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["type", "role", "content", "text", "name", "function", "custom", "source", "input", "id", "tool_calls",
                 "image_url", "file", "format", "schema", "tools", "thinking", "signature", "is_error", "tool_use_id"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)  # fmt: skip
FIELDS = [
    "messages",
    "system",
    "tools",
    "tool_choice",
    "thinking",
    "response_format",
    "output_config",
    "stop",
    "metadata",
    "stream_options",
]


@pytest.mark.parametrize(("a", "b"), PAIRS)
@given(
    body=st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=4), messages=st.lists(json_values, max_size=3)
)
@settings(max_examples=80)
def test_any_request_is_translated_or_refused(a, b, body, messages):
    body = {"messages": messages} | body
    try:
        request = CODECS[a].decode_request(json.dumps(body).encode())
    except RequestError:
        return
    encoded = CODECS[b].encode_request(request, Target(model="m", cache_breakpoints=4, add_breakpoints=True))
    assert json.loads(encoded.body)["model"] == "m"
