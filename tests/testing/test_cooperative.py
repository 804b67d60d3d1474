"""The willing model reads every dialect the same way."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from suffice.testing.cooperative import cooperate, sample
from suffice.testing.script import Behaviour, Call

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
TOOLS: dict[str, dict[str, Any]] = {
    "chat": {"tools": [CHAT_TOOL]},
    "messages": {
        "tools": [{"name": "weather", "input_schema": SCHEMA}, {"type": "web_search_1", "name": "web_search"}]
    },
    "responses": {"tools": [{"type": "function", "name": "weather", "parameters": SCHEMA}]},
    "gemini": {"tools": [{"functionDeclarations": [{"name": "weather", "parameters": SCHEMA}]}]},
}
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}


def said(dialect: str, *texts: str) -> dict[str, Any]:
    if dialect == "gemini":
        return {"contents": [{"role": "user", "parts": [{"text": text}]} for text in texts]}
    return {"input" if dialect == "responses" else "messages": [{"role": "user", "content": text} for text in texts]}


def ask(dialect: str, body: dict[str, Any], path: str = "") -> Behaviour:
    path = path or PATHS.get(dialect, "/v1beta/models/m:generateContent")
    raw = msgspec.json.encode(body)
    return cooperate(0, Call(method="POST", path=path, model="m", stream=False, body=raw, parsed=body))


@pytest.mark.parametrize("dialect", list(TOOLS))
def test_a_tool_is_called_once_and_its_result_is_answered(dialect: str) -> None:
    (call,) = ask(dialect, said(dialect, "Weather?") | TOOLS[dialect]).tool_calls
    assert (call.name, call.arguments) == ("weather", '{"city":"text"}')
    results: dict[str, dict[str, Any]] = {
        "chat": {"messages": [{"role": "tool", "content": "rain"}]},
        "messages": {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "rain"}]}]},
        "responses": {"input": [{"type": "function_call_output", "output": "rain"}]},
        "gemini": {"contents": [{"role": "user", "parts": [{"functionResponse": {"name": "weather"}}]}]},
    }
    told = ask(dialect, results[dialect] | TOOLS[dialect])
    assert told.text and not told.tool_calls


def test_a_choice_of_tool_is_obeyed() -> None:
    other = {"type": "function", "function": {"name": "other"}}
    body = said("chat", "x") | {"tools": [other, CHAT_TOOL]}
    named = {"type": "function", "function": {"name": "weather"}}
    assert ask("chat", body | {"tool_choice": named}).tool_calls[0].name == "weather"
    assert not ask("chat", body | {"tool_choice": "none"}).tool_calls


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        ("chat", {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}}),
        ("messages", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        ("responses", {"text": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
        ("gemini", {"generationConfig": {"responseSchema": SCHEMA}}),
    ],
)
def test_a_schema_is_filled(dialect: str, field: dict[str, Any]) -> None:
    assert ask(dialect, said(dialect, "x") | field).text == '{"city":"text"}'


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        ("chat", {"reasoning_effort": "low"}),
        ("messages", {"thinking": {"type": "enabled"}}),
        ("responses", {"reasoning": {"effort": "low"}}),
        ("gemini", {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}),
    ],
)
def test_it_thinks_when_asked(dialect: str, field: dict[str, Any]) -> None:
    assert ask(dialect, said(dialect, "x") | field).reasoning
    assert not ask(dialect, said(dialect, "x")).reasoning


def test_it_counts_remembers_and_repeats() -> None:
    assert ask("chat", said("chat", "Count from 1 to 4.")).text == "1, 2, 3, 4"
    assert ask("gemini", said("gemini", "My name is Ada.", "What is my name?")).text == "Ada"
    assert ask("responses", said("responses", "Reply with exactly: first")).text == "first"
    assert ask("responses", {"input": "Count from 2 to 3"}).text == "2, 3"


def test_embeddings_are_floats_whatever_is_asked() -> None:
    told = ask("chat", {"input": "x", "encoding_format": "base64", "dimensions": 2}, "/v1/embeddings")
    assert len(msgspec.json.decode(told.body or "")["data"][0]["embedding"]) == 2


def test_samples() -> None:
    schema = {
        "$defs": {"n": {"type": "integer", "minimum": 3}},
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"$ref": "#/$defs/n"}},
            "b": {"anyOf": [{"enum": ["x", "y"]}, {"type": "null"}]},
            "c": {"type": ["boolean", "null"]},
            "d": {"const": 7},
        },
    }
    assert sample(schema) == {"a": [3], "b": "x", "c": True, "d": 7}
    loop: dict[str, Any] = {"$ref": "#"}
    assert sample(loop) == "text"
