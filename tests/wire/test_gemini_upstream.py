from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.codec import Target
from suffice.wire.gemini_request import decode_request
from suffice.wire.gemini_upstream import FOREIGN_CALL, encode_request
from suffice.wire.neutral import (
    File,
    Image,
    Message,
    Opaque,
    Reasoning,
    Request,
    ServerTool,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    loss_header,
)

TARGET = Target(model="gemini-3-flash-preview", issuer="google-gemini")


def write(*messages: Message, target: Target = TARGET, **more: Any) -> tuple[dict[str, Any], str]:
    encoded = encode_request(Request(**({"dialect": "chat"} | more), messages=messages), target)
    return json.loads(encoded.body), loss_header(encoded.losses)


def _turn(*parts: Any, role: Any = "assistant") -> Message:
    return Message(role=role, parts=parts)


_TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
_ARGS = st.dictionaries(_TEXT, st.integers() | _TEXT, max_size=2).map(
    lambda d: json.dumps(d, separators=(",", ":"), ensure_ascii=False)
)
_NAMES = st.sampled_from(["read", "write", "list"])


@st.composite
def _requests(draw: st.DrawFn) -> Request:
    messages: list[Message] = []
    number = 0
    for _ in range(draw(st.integers(1, 3))):
        messages.append(_turn(Text(text=draw(_TEXT)), role="user"))
        calls = []
        for _ in range(draw(st.integers(0, 3))):
            number += 1
            signed = draw(st.booleans())
            calls.append(
                ToolCall(
                    id=f"id_{number}",
                    name=draw(_NAMES),
                    arguments=draw(_ARGS),
                    signature="c2ln" if signed else "",
                    issuer="gemini" if signed else "",
                )
            )
        said = [Text(text=draw(_TEXT))] if draw(st.booleans()) or not calls else []
        messages.append(_turn(*said, *calls))
        if calls:
            results = [
                ToolResult(call_id=c.id, name=c.name, parts=(Text(text=draw(_TEXT)),), is_error=draw(st.booleans()))
                for c in calls
            ]
            messages.append(_turn(*results, role="tool"))
    tools = (Tool(name="read", description="r", schema={"type": "object", "properties": {"p": {"type": "string"}}}),)
    return Request(dialect="gemini", messages=tuple(messages), tools=tools)


@given(_requests())
def test_a_request_goes_out_and_comes_back_the_same(request: Request) -> None:
    encoded = encode_request(request, Target(model="gemini-2.5-flash", issuer="google-gemini"))
    assert encoded.losses == ()
    back = decode_request(encoded.body)
    assert back.messages == request.messages
    assert [(t.name, t.schema) for t in back.tools if isinstance(t, Tool)] == [("read", request.tools[0].schema)]  # type: ignore[union-attr]


def test_state_goes_back_to_its_issuer_only_and_foreign_calls_get_the_documented_word() -> None:
    own = ToolCall(id="a", name="f", signature="SIG", issuer="google-gemini")
    foreign = ToolCall(id="b", name="f", signature="OTHER", issuer="anthropic")
    second = ToolCall(id="c", name="f")
    body, lost = write(_turn(own, second), _turn(foreign, second))
    rows = [[p.get("thoughtSignature") for p in c["parts"]] for c in body["contents"]]
    assert rows == [["SIG", None], [FOREIGN_CALL, None]]
    assert lost == "dropped=reasoning"
    body, _ = write(_turn(second), target=Target(model="gemini-2.5-flash"))
    assert "thoughtSignature" not in body["contents"][0]["parts"][0]


def test_thinking_of_others_is_taken_out_and_its_own_goes_back() -> None:
    mine = Reasoning(text="t", signature="S", issuer="google-gemini")
    state = Reasoning(signature="S2", issuer="gemini")
    body, lost = write(_turn(mine, Text(text="x"), state, Reasoning(text="no", issuer="anthropic")))
    assert body["contents"][0]["parts"] == [
        {"text": "t", "thought": True, "thoughtSignature": "S"},
        {"text": "x"},
        {"text": "", "thoughtSignature": "S2"},
    ]
    assert lost == "dropped=reasoning"


def test_custom_tools_become_functions_history_included() -> None:
    tool = Tool(name="apply_patch", kind="custom", grammar={"syntax": "lark", "definition": "start: x"})
    call = ToolCall(id="a", name="apply_patch", kind="custom", arguments="*** Begin")
    encoded = encode_request(Request(dialect="responses", tools=(tool,), messages=(_turn(call),)), TARGET)
    body = json.loads(encoded.body)
    declared = body["tools"][0]["functionDeclarations"][0]
    assert declared["parametersJsonSchema"]["required"] == ["input"]
    assert body["contents"][0]["parts"][0]["functionCall"]["args"] == {"input": "*** Begin"}
    assert encoded.emulation.custom == {"apply_patch"}


def test_a_schema_that_the_form_cannot_hold_goes_as_json_schema_or_with_declared_losses() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {}}}
    body, lost = write(tools=(Tool(name="f", schema=schema), Tool(name="g", schema={"type": "object"}), Tool(name="h")))
    assert body["tools"][0]["functionDeclarations"] == [
        {"name": "f", "parametersJsonSchema": schema},
        {"name": "g"},
        {"name": "h"},
    ]
    assert lost == ""
    old = Target(model="gemini-2.5-flash", unsupported=("parametersJsonSchema",))
    body, lost = write(tools=(Tool(name="f", schema=schema),), target=old)
    assert body["tools"][0]["functionDeclarations"][0]["parameters"] == {"type": "OBJECT", "properties": {"a": {}}}
    assert lost == "dropped=tools.f.$defs, dropped=tools.f.$ref"


def test_results_find_their_names_and_images_go_beside_them() -> None:
    call = ToolCall(id="a", name="shot")
    result = ToolResult(call_id="a", parts=(Text(text="ok"), Image(data="AA==", media_type="image/png")))
    body, lost = write(_turn(call), _turn(result, role="tool"))
    assert body["contents"][1] == {
        "role": "user",
        "parts": [
            {"functionResponse": {"name": "shot", "response": {"output": "ok"}, "id": "a"}},
            {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
        ],
    }
    assert lost == "emulated=tool_result.image"


def test_broken_arguments_of_an_earlier_turn_do_not_block_the_session() -> None:
    body, lost = write(_turn(ToolCall(id="a", name="f", arguments="{oops")))
    assert body["contents"][0]["parts"][0]["functionCall"]["args"] == {"arguments": "{oops"}
    assert lost == "emulated=tool_calls.arguments"


@pytest.mark.parametrize(
    ("more", "lost"),
    [
        ({"user": "u"}, "dropped=user"),
        ({"metadata": {"a": 1}}, "dropped=metadata"),
        ({"extra": {"x": 1}}, "dropped=x"),
        ({"tools": (ServerTool(dialect="responses", value={}, name="web_search"),)}, "dropped=tools.web_search"),
        ({"tools": (Tool(name="a"),), "parallel_tools": False}, "dropped=parallel_tool_calls"),
    ],
)
def test_losses_are_declared(more: dict[str, Any], lost: str) -> None:
    assert write(_turn(Text(text="x"), role="user"), **more)[1] == lost


def test_parts_of_every_kind() -> None:
    parts = (
        Image(url="https://x/y.webp"),
        File(text="body", name="n"),
        File(data="AA==", media_type="application/pdf"),
        File(file_id="f", issuer="openai"),
        Opaque(dialect="messages", value={"type": "search_result"}),
        Opaque(dialect="gemini", value={"videoMetadata": {}}),
        Text(text=""),
    )
    body, lost = write(_turn(*parts, role="user"), _turn(), _turn(Text(text="s"), role="system"))
    assert body["contents"] == [
        {
            "role": "user",
            "parts": [
                {"fileData": {"mimeType": "image/webp", "fileUri": "https://x/y.webp"}},
                {"text": "<document name='n'>\nbody\n</document>"},
                {"inlineData": {"mimeType": "application/pdf", "data": "AA=="}},
                {"videoMetadata": {}},
            ],
        },
        {"role": "user", "parts": [{"text": "s"}]},
    ]
    assert lost == (
        "emulated=messages.file, dropped=messages.file, dropped=messages.search_result, emulated=messages.system"
    )


def test_own_fields_go_out_again() -> None:
    given_body = {
        "contents": [{"role": "user", "parts": [{"text": "x"}]}],
        "cachedContent": "cachedContents/1",
        "safetySettings": [{"category": "A"}],
        "tools": [{"functionDeclarations": [{"name": "c", "parameters": {"type": "OBJECT"}}]}, {"googleSearch": {}}],
        "generationConfig": {"responseModalities": ["TEXT"], "topK": 3},
    }
    encoded = encode_request(decode_request(json.dumps(given_body).encode()), TARGET)
    assert json.loads(encoded.body) == given_body
    assert encoded.losses == ()
