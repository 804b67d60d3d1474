from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from suffice.errors import RequestError
from suffice.wire import gemini_seal
from suffice.wire.gemini_request import decode_request
from suffice.wire.neutral import File, Image, Message, Reasoning, ServerTool, Text, Tool, ToolCall, ToolResult

SHARED = Path(os.environ.get("SUFFICE_SHARED", Path(__file__).parents[2].parent / "shared"))


def read(**body: Any) -> Any:
    return decode_request(json.dumps(body).encode())


def test_a_conversation_with_parallel_calls_and_no_ids() -> None:
    request = read(
        systemInstruction={"role": "user", "parts": [{"text": "be brief"}]},
        contents=[
            {"parts": [{"text": "go"}]},
            {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
                    {"functionCall": {"name": "read", "args": {"p": 1}}, "thoughtSignature": "eA=="},
                    {"functionCall": {"name": "read", "args": {}}},
                    {"functionCall": {"name": "list"}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"name": "list", "response": {"output": "L"}}},
                    {"functionResponse": {"name": "read", "response": {"error": "E"}}},
                    {"functionResponse": {"name": "read", "response": {"a": 1}}},
                    {"text": "and now"},
                ],
            },
        ],
    )
    assert request.system == (Message(role="system", parts=(Text(text="be brief"),)),)
    assert request.messages[1].parts == (
        Reasoning(text="hm", signature="c2ln", issuer="gemini", summary=True),
        ToolCall(id="call_1", name="read", arguments='{"p":1}', signature="eA==", issuer="gemini"),
        ToolCall(id="call_2", name="read", arguments="{}"),
        ToolCall(id="call_3", name="list", arguments="{}"),
    )
    assert request.messages[2] == Message(
        role="tool",
        parts=(
            ToolResult(call_id="call_3", name="list", parts=(Text(text="L"),)),
            ToolResult(call_id="call_1", name="read", parts=(Text(text="E"),), is_error=True),
            ToolResult(call_id="call_2", name="read", parts=(Text(text='{"a":1}', extra={"gemini": {"a": 1}}),)),
        ),
    )
    assert request.messages[3] == Message(role="user", parts=(Text(text="and now"),))


def test_an_id_that_the_client_dropped_comes_back_in_the_seal() -> None:
    sealed = gemini_seal.pack("anthropic", "state", "toolu_7")
    call = {"functionCall": {"name": "read", "args": {}}, "thoughtSignature": sealed}
    answer = {"functionResponse": {"name": "read", "response": {"name": "read", "content": "ok"}}}
    request = read(contents=[{"role": "model", "parts": [call]}, {"role": "user", "parts": [answer]}])
    found = request.messages[0].parts[0]
    assert (found.id, found.signature, found.issuer) == ("toolu_7", "state", "anthropic")
    assert request.messages[1].parts[0].call_id == "toolu_7"
    assert request.messages[1].parts[0].parts[0].text == "ok"


def test_the_pieces_of_a_thought_come_together_under_their_issuer() -> None:
    sealed = gemini_seal.pack("anthropic", "T")
    thoughts = [{"text": "a", "thought": True}, {"text": "b", "thought": True}, {"text": "", "thought": True}]
    thoughts[2]["thoughtSignature"] = sealed
    parts = [*thoughts, {"text": "said"}, {"text": "c", "thought": True, "thoughtSignature": "c2ln"}]
    found = read(contents=[{"role": "model", "parts": parts}]).messages[0].parts
    assert found == (
        Reasoning(text="ab", signature="T", issuer="anthropic", summary=True),
        Text(text="said"),
        Reasoning(text="c", signature="c2ln", issuer="gemini", summary=True),
    )


def test_tools_in_every_spelling() -> None:
    request = read(
        contents=[],
        tools=[
            {"functionDeclarations": [{"name": "a", "parametersJsonSchema": {"type": "object", "x": 1}}]},
            {
                "function_declarations": [
                    {"name": "b", "parameters_json_schema": {"type": "object"}, "behavior": "BLOCKING"}
                ]
            },
            {
                "functionDeclarations": [{"name": "c", "parameters": {"type": "OBJECT"}}, {"name": "d"}],
                "googleSearch": {},
            },
        ],
    )
    assert request.tools == (
        Tool(name="a", schema={"type": "object", "x": 1}),
        Tool(name="b", schema={"type": "object"}, extra={"behavior": "BLOCKING"}),
        Tool(name="c", schema={"type": "object"}, extra={"parameters": {"type": "OBJECT"}}),
        Tool(name="d"),
        ServerTool(dialect="gemini", value={"googleSearch": {}}, name="googleSearch"),
    )


def test_media_and_unknown_fields_are_kept() -> None:
    request = read(
        cachedContent="cachedContents/1",
        safetySettings=[1],
        contents=[
            {
                "role": "user",
                "parts": [
                    {"inline_data": {"mime_type": "image/png", "data": "AA=="}},
                    {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://x"}},
                ],
            }
        ],
    )
    assert request.messages[0].parts == (
        Image(data="AA==", media_type="image/png"),
        File(url="gs://x", media_type="application/pdf"),
    )
    assert request.extra == {"cachedContent": "cachedContents/1", "safetySettings": [1]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contents": 1}, "contents"),
        ({"contents": [{"role": "assistant", "parts": []}]}, "contents.role"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents.parts.text"),
        (
            {"contents": [{"role": "model", "parts": [{"functionCall": {"args": {}}}]}]},
            "contents.parts.functionCall.name",
        ),
        ({"tools": [{"functionDeclarations": [{}]}]}, "tools.functionDeclarations.name"),
        ({"generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}, "toolConfig.functionCallingConfig.mode"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(**body)
    assert caught.value.param == field


@pytest.mark.skipif(not (SHARED / "captures").is_dir(), reason="captures are not here")
@pytest.mark.parametrize("client", ["gemini-cli", "opencode-google", "sdk-google-genai", "sdk-vercel-google"])
def test_what_real_clients_send_is_read(client: str) -> None:
    capture = json.loads((SHARED / "captures" / f"{client}.json").read_text())
    for row in capture["requests"]:
        request = read(**row["body"])
        assert request.messages
        declared = [d for t in row["body"].get("tools", ()) if isinstance(t, dict) for d in t["functionDeclarations"]]
        assert len(request.tools) >= len([d for d in declared if isinstance(d, dict) and "description" in d])
