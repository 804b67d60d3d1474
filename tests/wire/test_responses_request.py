import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    Opaque,
    Reasoning,
    ReasoningRequest,
    Request,
    Text,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from suffice.wire.responses_request import decode_request
from suffice.wire.sealed import HmacSealer

SEALER = HmacSealer(b"0123456789abcdef")


def read(**body: Any) -> Request:
    return decode_request(json.dumps({"model": "m", **body}).encode(), SEALER)


def test_a_text_is_a_user_message_and_instructions_lead() -> None:
    request = read(input="hi", instructions="Be kind.")
    assert request.messages == (Message(role="user", parts=(Text(text="hi"),)),)
    assert request.system[0].role == "system"
    assert request.system[0].parts == (Text(text="Be kind."),)


def test_the_items_of_a_coding_agent_become_turns() -> None:
    request = read(
        input=[
            {
                "type": "message",
                "id": "msg_1",
                "role": "developer",
                "content": [{"type": "input_text", "text": "Rules."}],
            },
            {"role": "user", "content": [{"type": "input_text", "text": "Fix it."}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "ENC"},
            {"type": "message", "role": "assistant", "phase": "commentary", "content": "On it."},
            {
                "type": "custom_tool_call",
                "id": "ctc_1",
                "status": "completed",
                "call_id": "c1",
                "name": "apply_patch",
                "input": "+x\n",
            },
            {"type": "function_call", "call_id": "c2", "name": "run", "namespace": "shell", "arguments": "{}"},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
            {
                "type": "function_call_output",
                "call_id": "c2",
                "output": [{"type": "input_image", "image_url": "http://x/i.png"}],
            },
        ]
    )
    assert [m.role for m in request.system] == ["developer"]
    assert [m.role for m in request.messages] == ["user", "assistant", "tool"]
    assert request.messages[1].parts == (
        Reasoning(encrypted="ENC", issuer="responses", item_id="rs_1"),
        Text(text="On it.", extra={"phase": "commentary"}),
        ToolCall(id="c1", name="apply_patch", arguments="+x\n", kind="custom"),
        ToolCall(id="c2", name="run", arguments="{}", namespace="shell"),
    )
    assert request.messages[2].parts == (
        ToolResult(call_id="c1", parts=(Text(text="ok"),), name="apply_patch", kind="custom"),
        ToolResult(call_id="c2", parts=(Image(url="http://x/i.png"),), name="run"),
    )


def test_sealed_reasoning_is_opened_and_foreign_state_keeps_no_issuer() -> None:
    block = Reasoning(text="I think", signature="sig", issuer="anthropic")
    rows = [
        {"type": "reasoning", "summary": [], "encrypted_content": SEALER.seal(block)},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "gAAA"},
    ]
    request = read(input=[{"role": "user", "content": "x"}, *rows])
    assert request.messages[1].parts == (
        block,
        Reasoning(text="s", encrypted="gAAA", issuer="responses", summary=True),
    )


def test_parts_keep_their_data() -> None:
    parts = [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": {"data": "CCCC", "format": "mp3"}},
        {"type": "input_video", "video_url": "http://x"},
    ]
    request = read(input=[{"role": "user", "content": parts}])
    assert request.messages[0].parts == (
        Image(data="AAAA", media_type="image/png", detail="low"),
        File(name="a.pdf", data="BBBB", media_type="application/pdf"),
        File(file_id="file_1", issuer="responses"),
        File(data="CCCC", media_type="audio/mp3"),
        Opaque(dialect="responses", value=parts[4]),
    )


def test_a_tool_search_brings_its_tools() -> None:
    search = {"type": "tool_search", "execution": "client", "parameters": {"type": "object"}}
    rows = [{"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "spawn", "parameters": {}}]}]
    request = read(
        tools=[search],
        input=[
            {"type": "tool_search_call", "call_id": "c", "execution": "client", "arguments": {"query": "q"}},
            {"type": "tool_search_output", "call_id": "c", "tools": rows},
        ],
    )
    call, result = request.messages[0].parts[0], request.messages[1].parts[0]
    assert call == ToolCall(id="c", name="tool_search", arguments='{"query":"q"}')
    assert isinstance(result, ToolResult)
    assert [getattr(t, "namespace", "") + t.name for t in request.tools] == ["tool_search", "nsspawn"]


def test_parameters_find_their_places() -> None:
    request = read(
        input="x",
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
        text={
            "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
            "verbosity": "low",
        },
        max_output_tokens=99,
        tool_choice="required",
        store=False,
        prompt_cache_key="k",
        client_metadata={"a": "b"},
        unknown_field=[1],
    )
    assert request.reasoning == ReasoningRequest(effort="high", summary="auto", include_encrypted=True)
    assert request.output is not None
    assert request.output.strict is True
    assert (request.verbosity, request.max_output_tokens, request.logprobs, request.cache.key) == ("low", 99, 0, "k")
    assert request.tool_choice == ToolChoice(mode="required")
    assert request.extra["store"] is False
    assert request.extra["unknown_field"] == [1]
    assert read(input="x", reasoning={"effort": "none"}).reasoning == ReasoningRequest(mode="off")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": 7}, "input"),
        ({"input": ["x"]}, "input"),
        ({"input": [{"role": "boss", "content": "x"}]}, "input[0].role"),
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, "input[0].call_id"),
        ({"input": [{"type": "item_reference", "id": "msg_9"}]}, "input[0]"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        ({"input": "x", "max_output_tokens": "many"}, "max_output_tokens"),
        ({"input": "x", "store": "no"}, "store"),
        ({"input": "x", "tools": [{"type": "function"}]}, "tools[0].name"),
        ({"input": "x", "tool_choice": "sometimes"}, "tool_choice"),
        ({"input": "x", "text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
    ],
)
def test_bad_fields_are_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(**body)
    assert caught.value.status == 400
    assert caught.value.param == param


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
KINDS = st.sampled_from(
    [
        "message",
        "reasoning",
        "function_call",
        "custom_tool_call",
        "function_call_output",
        "tool_search_call",
        "tool_search_output",
        "compaction",
        "x",
    ]
)
ITEM = st.fixed_dictionaries(
    {"type": KINDS | JSON},
    optional=dict.fromkeys(
        [
            "role",
            "content",
            "call_id",
            "id",
            "name",
            "arguments",
            "input",
            "output",
            "tools",
            "summary",
            "encrypted_content",
            "namespace",
            "status",
        ],
        JSON,
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(ITEM, max_size=4) | JSON,
    st.dictionaries(
        st.sampled_from(
            [
                "tools",
                "tool_choice",
                "text",
                "reasoning",
                "include",
            ]
        ),
        JSON,
    ),
)
def test_any_json_is_read_or_refused(items: Any, more: dict[str, Any]) -> None:
    try:
        read(input=items, **more)
    except RequestError as error:
        assert error.status == 400
