"""One turn of a coding agent, for clients of every dialect: a file was read, and an edit of it is asked for."""

from __future__ import annotations

import json
from typing import Any

from suffice.testing.script import Behaviour, ToolCall

SOURCE = "def add(a, b):\n    return a - b\n"
ASK = "Fix the bug in calc.py."
RIGHT = {"path": "calc.py", "old_str": "    return a - b", "new_str": "    return a + b"}
TEXT = {"type": "string"}


def _schema(*names: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict.fromkeys(names, TEXT),
        "required": list(names),
        "additionalProperties": False,
    }


TOOLS = {
    "read_file": _schema("path"),
    "write_file": _schema("path", "content"),
    "str_replace": _schema("path", "old_str", "new_str"),
}


def call(name: str, arguments: object) -> ToolCall:
    return ToolCall(name=name, arguments=arguments if isinstance(arguments, str) else json.dumps(arguments))


GOOD = Behaviour(text="Mending it.", tool_calls=(call("str_replace", RIGHT),))
# What a cheap model gets wrong, by its name; `truncated` is cut by its output limit inside the arguments.
MISTAKES: dict[str, ToolCall] = {
    "truncated": call("str_replace", json.dumps(RIGHT)[:-30]),
    "broken JSON": call("str_replace", json.dumps(RIGHT)[:-1] + ",}"),
    "syntax error": call("write_file", {"path": "calc.py", "content": "def add(a, b):\n    return (a +\n"}),
    "invented import": call(
        "write_file",
        {
            "path": "calc.py",
            "content": "import numpi_fastmath_zz\n\n\ndef add(a, b):\n    return numpi_fastmath_zz.add(a, b)\n",
        },
    ),
    "unknown tool": call("edit_the_file", RIGHT),
    "bad schema": call("str_replace", {**RIGHT, "count": 3}),
    "an edit that does not apply": call("str_replace", {**RIGHT, "old_str": "    return a * b"}),
    "repeated call": call("read_file", {"path": "calc.py"}),
}


def bad(mistake: str, text: str = "Let me look.") -> Behaviour:
    """The answer of a cheap model that makes `mistake`."""
    finish = "length" if mistake == "truncated" else ""
    return Behaviour(text=text, tool_calls=(MISTAKES[mistake],), finish_reason=finish)


def body(dialect: str, model: str = "one") -> dict[str, Any]:
    """Return the streamed request of an agent that speaks `dialect`."""
    return _BODIES[dialect](model)


def _chat(model: str) -> dict[str, Any]:
    function = {"name": "read_file", "arguments": '{"path": "calc.py"}'}
    return {
        "model": model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [{"type": "function", "function": {"name": n, "parameters": s}} for n, s in TOOLS.items()],
        "messages": [
            {"role": "user", "content": ASK},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "r1", "type": "function", "function": function}],
            },
            {"role": "tool", "tool_call_id": "r1", "content": SOURCE},
        ],
    }


def _messages(model: str) -> dict[str, Any]:
    return {
        "model": model,
        "stream": True,
        "max_tokens": 4000,
        "tools": [{"name": n, "input_schema": s} for n, s in TOOLS.items()],
        "messages": [
            {"role": "user", "content": ASK},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "r1", "name": "read_file", "input": {"path": "calc.py"}}],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "r1", "content": SOURCE}]},
        ],
    }


def _responses(model: str) -> dict[str, Any]:
    return {
        "model": model,
        "stream": True,
        "tools": [{"type": "function", "name": n, "parameters": s, "strict": True} for n, s in TOOLS.items()],
        "input": [
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": ASK}]},
            {"type": "function_call", "call_id": "r1", "name": "read_file", "arguments": '{"path": "calc.py"}'},
            {"type": "function_call_output", "call_id": "r1", "output": SOURCE},
        ],
    }


def _gemini(model: str) -> dict[str, Any]:
    declared = [{"name": n, "parametersJsonSchema": s} for n, s in TOOLS.items()]
    return {
        "tools": [{"functionDeclarations": declared}],
        "contents": [
            {"role": "user", "parts": [{"text": ASK}]},
            {"role": "model", "parts": [{"functionCall": {"name": "read_file", "args": {"path": "calc.py"}}}]},
            {
                "role": "user",
                "parts": [{"functionResponse": {"name": "read_file", "response": {"output": SOURCE}}}],
            },
        ],
    }


_BODIES = {"chat": _chat, "messages": _messages, "responses": _responses, "gemini": _gemini}


def path(dialect: str, model: str = "one") -> str:
    """Return where the request goes."""
    paths = {"chat": "/chat/completions", "messages": "/messages", "responses": "/responses"}
    return paths.get(dialect, f"v1beta/models/{model}:streamGenerateContent?alt=sse")


def conversation(dialect: str, sent: dict[str, Any]) -> list[Any]:
    """Return the messages of a request in `dialect`."""
    return list(sent[{"responses": "input", "gemini": "contents"}.get(dialect, "messages")])
