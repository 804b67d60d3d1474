"""A script that answers as a willing model would: it calls the tool it is given, fills the schema it is shown, counts, thinks.

For suites that judge an API by its answers and need a model that does what they ask. It reads the request in whichever dialect
it came, on its own (no codec of the gateway has a part in it). Invariant: the same request gets the same answer.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from suffice.testing import embeddings
from suffice.testing.chat import Identity, prompt_count
from suffice.testing.script import Behaviour, Call, ToolCall

_COUNT = re.compile(r"count from (\d+) to (\d+)", re.IGNORECASE)
_EXACTLY = re.compile(r"reply with(?: exactly:)? ([\w ]+)", re.IGNORECASE)
_CALLED = re.compile(r"(?:my name|code word)(?: is|:) (\w+)", re.IGNORECASE)
_MOST = 200


class Asked(NamedTuple):
    """What a request asks for.

    `said` are the texts of the conversation, `tools` name -> schema of the tools that may be called, `answered` true when the
    last turn is a tool's result, `wanted` the schema of a structured answer, `thinking` whether reasoning was asked for.
    """

    said: list[str]
    tools: dict[str, dict[str, Any]]
    answered: bool
    wanted: dict[str, Any] | None
    thinking: bool


def cooperate(index: int, call: Call) -> Behaviour:
    """Return the answer to one request; a script for `FakeProvider`."""
    if call.path.endswith("/embeddings"):
        # As servers do that know floats only: suites look for a list, whatever their client asked for.
        plain = msgspec.structs.replace(call, parsed=(call.parsed or {}) | {"encoding_format": "float"})
        made = embeddings.body(Behaviour(), plain, Identity("fake", 0, call.model), prompt_count(Behaviour(), call))
        return Behaviour(body=made.decode())
    asked = _ask(call.parsed or {})
    thought = "Let me think about it step by step." if asked.thinking else ""
    if asked.tools and not asked.answered:
        name, schema = next(iter(asked.tools.items()))
        arguments = msgspec.json.encode(sample(schema)).decode()
        return Behaviour(text="", reasoning=thought, tool_calls=(ToolCall(name=name, arguments=arguments),))
    if asked.wanted is not None:
        return Behaviour(text=msgspec.json.encode(sample(asked.wanted)).decode(), reasoning=thought)
    return Behaviour(text=_speak(asked.said), reasoning=thought)


def sample(schema: Any, root: dict[str, Any] | None = None, depth: int = 0) -> Any:
    """Return a value that `schema` (JSON Schema, or Gemini's form of it) describes; only what tests need is understood."""
    if not isinstance(schema, dict) or depth > 8:
        return "text"
    root = schema if root is None else root
    if "$ref" in schema:
        found: Any = root
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, dict) else {}
        return sample(found, root, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return sample(schema[key][0], root, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = str(kind[0] if isinstance(kind, list) and kind else kind).lower()
    if kind == "object":
        rows = schema.get("properties")
        return {name: sample(row, root, depth + 1) for name, row in rows.items()} if isinstance(rows, dict) else {}
    if kind == "array":
        return [sample(schema.get("items"), root, depth + 1)]
    plain: dict[str, Any] = {"integer": schema.get("minimum", 1), "number": schema.get("minimum", 1.5)}
    return {**plain, "boolean": True, "null": None}.get(kind, "text")


def _speak(said: list[str]) -> str:
    last = said[-1] if said else ""
    counted = _COUNT.search(last)
    if counted:
        first, final = int(counted[1]), int(counted[2])
        return ", ".join(str(n) for n in range(first, min(final, first + _MOST) + 1))
    if "?" in last and ("my name" in last or "code word" in last):
        for text in said[:-1]:
            if named := _CALLED.search(text):
                return named[1]
    exactly = _EXACTLY.search(last)
    return exactly[1].strip() if exactly else "Hello there, friend."


def _ask(body: dict[str, Any]) -> Asked:
    """Read any dialect: the names of the fields do not collide."""
    turns = body.get("messages") or body.get("input") or body.get("contents") or []
    if isinstance(turns, str):
        turns = [turns]
    forced = _forced(body)
    tools = {} if forced is None else {n: s for n, s in _tools(body).items() if forced in ("", n)}
    generation = _object(body.get("generationConfig"))
    thinking = any(body.get(k) for k in ("reasoning_effort", "reasoning")) or bool(generation.get("thinkingConfig"))
    thinking = thinking or _object(body.get("thinking")).get("type") in ("enabled", "adaptive")
    return Asked(
        said=[text for turn in turns for text in _texts(turn)],
        tools=tools,
        answered=bool(turns) and _is_result(turns[-1]),
        wanted=_wanted(body, generation),
        thinking=thinking,
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(turn: Any) -> list[str]:
    if isinstance(turn, str):
        return [turn]
    if isinstance(turn, list):
        return [text for part in turn for text in _texts(part)]
    row = _object(turn)
    own = [row["text"]] if isinstance(row.get("text"), str) else []
    return own + _texts(row.get("content") or row.get("parts") or [])


def _is_result(turn: Any) -> bool:
    row = _object(turn)
    if row.get("role") in ("tool", "function") or str(row.get("type")).endswith("_call_output"):
        return True
    parts = row.get("content") or row.get("parts") or []
    return any(
        p.get("type") == "tool_result" or "functionResponse" in p
        for p in (parts if isinstance(parts, list) else [])
        if isinstance(p, dict)
    )


def _tools(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in body.get("tools") or []:
        tool = _object(row)
        inner = tool.get("function") if tool.get("type") == "function" and "function" in tool else tool
        for each in [inner, *(tool.get("functionDeclarations") or [])]:
            one = _object(each)
            schema = one.get("parameters") or one.get("input_schema") or one.get("parametersJsonSchema")
            if isinstance(one.get("name"), str) and (schema is not None or one.get("type") == "function"):
                found[one["name"]] = _object(schema)
    return found


def _forced(body: dict[str, Any]) -> str | None:
    """Return the name of the tool that must be called, "" when any may be, None when none may."""
    choice = body.get("tool_choice")
    config = _object(body.get("toolConfig") or body.get("tool_config"))
    calling = _object(config.get("functionCallingConfig") or config.get("function_calling_config"))
    if choice == "none" or _object(choice).get("type") == "none" or calling.get("mode") == "NONE":
        return None
    one = _object(choice)
    return str(one.get("name") or _object(one.get("function")).get("name") or "")


def _wanted(body: dict[str, Any], generation: dict[str, Any]) -> dict[str, Any] | None:
    chat, text = _object(body.get("response_format")), _object(_object(body.get("text")).get("format"))
    output = _object(_object(body.get("output_config")).get("format") or body.get("output_format"))
    for schema in (
        _object(chat.get("json_schema")).get("schema"),
        text.get("schema"),
        output.get("schema"),
        generation.get("responseJsonSchema"),
        generation.get("responseSchema"),
    ):
        if isinstance(schema, dict):
            return schema
    if chat.get("type") == "json_object" or text.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    return None
