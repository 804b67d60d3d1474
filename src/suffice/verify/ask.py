"""Builds the views of a conversation in OpenAI's chat format: what was asked, which files it shows, what was already done.

It is generous in reading and careful in claiming: a file is known in full only when the conversation shows it so and
nothing after that
can have changed it. Never raises on what a client sends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from suffice.values.task import TaskType
from suffice.verify.conversation import Files, shown_files, tool_result
from suffice.verify.requests import language_of, requested
from suffice.verify.view import AnswerView, AskView, ResponseFormat, TokenLogprob, Tool, ToolCall

MAX_CONTEXT = 2_000_000


def ask_from_chat(
    body: Mapping[str, Any], *, task: TaskType = TaskType.OTHER, language: str = "", whole_code: bool = False
) -> AskView:
    """Return the view of an OpenAI chat request `body` (`messages`, `tools`, `response_format`, `stop`)."""
    messages = [m for m in _list(body.get("messages")) if isinstance(m, Mapping)]
    texts = [(str(m.get("role", "")), text_of(m.get("content"))) for m in messages]
    last = max((i for i, (role, text) in enumerate(texts) if role == "user" and text.strip()), default=-1)
    text = texts[last][1] if last >= 0 else ""
    files, calls = _files_and_calls(messages, last)
    prefill = texts[-1][1] if texts and texts[-1][0] == "assistant" and not messages[-1].get("tool_calls") else ""
    context = "\n".join(part for _, part in texts)
    arguments = "\n".join(call.arguments for call in calls)
    stop = body.get("stop")
    language = language or language_of(text)
    return AskView(
        text=text,
        context=(context + "\n" + arguments)[:MAX_CONTEXT],
        context_whole=len(context) + len(arguments) < MAX_CONTEXT,
        task=task,
        language=language,
        tools=tools_of(body.get("tools")),
        files=files.full | files.part,
        partial=frozenset(files.part),
        previous_calls=tuple(calls),
        response_format=_format(body.get("response_format")),
        requested=requested(text, language, task),
        prefill=prefill,
        stop=(stop,) if isinstance(stop, str) else tuple(s for s in _list(stop) if isinstance(s, str)),
        whole_code=whole_code,
    )


def answer_from_chat(choice: Mapping[str, Any]) -> AnswerView:
    """Return the view of one choice of an OpenAI chat completion."""
    message = choice.get("message")
    message = message if isinstance(message, Mapping) else {}
    logprobs = choice.get("logprobs")
    tokens = _list(logprobs.get("content")) if isinstance(logprobs, Mapping) else []
    return AnswerView(
        text=text_of(message.get("content")),
        finish_reason=str(choice.get("finish_reason") or ""),
        tool_calls=tuple(_calls(message)),
        logprobs=tuple(
            TokenLogprob(token=str(t.get("token", "")), logprob=float(t["logprob"]))
            for t in tokens
            if isinstance(t, Mapping) and isinstance(t.get("logprob"), int | float)
        ),
    )


def text_of(content: Any) -> str:
    """Return the text of a message's content: a string, or a list of parts of which the text ones count."""
    if isinstance(content, str):
        return content
    parts = [p for p in _list(content) if isinstance(p, Mapping)]
    return "\n".join(str(p["text"]) for p in parts if isinstance(p.get("text"), str))


def tools_of(tools: Any) -> tuple[Tool, ...]:
    """Return the tools of a request; custom tools that take free text have no schema."""
    out = []
    for tool in _list(tools):
        if not isinstance(tool, Mapping):
            continue
        inner = tool.get("function") if isinstance(tool.get("function"), Mapping) else tool.get("custom", tool)
        if isinstance(inner, Mapping) and isinstance(inner.get("name"), str):
            schema = inner.get("parameters", inner.get("input_schema"))
            free = tool.get("type") == "custom"
            out.append(Tool(name=inner["name"], schema=None if free or not isinstance(schema, Mapping) else schema))
    return tuple(out)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _format(value: Any) -> ResponseFormat:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(kind, str) or kind not in {"json_object", "json_schema"}:
        return ResponseFormat()
    inner = value.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, Mapping) else None
    return ResponseFormat(kind=kind, schema=schema if isinstance(schema, Mapping) else None)


def _calls(message: Mapping[str, Any]) -> Iterable[ToolCall]:
    for call in _list(message.get("tool_calls")):
        function = call.get("function", call.get("custom")) if isinstance(call, Mapping) else None
        if isinstance(function, Mapping) and isinstance(function.get("name"), str):
            arguments = function.get("arguments", function.get("input", ""))
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            yield ToolCall(id=str(call.get("id", "")), name=function["name"], arguments=text)


def _files_and_calls(messages: Sequence[Mapping[str, Any]], last: int) -> tuple[Files, list[ToolCall]]:
    files = Files()
    open_calls: dict[str, ToolCall] = {}
    since: list[ToolCall] = []
    for index, message in enumerate(messages):
        role, text = str(message.get("role", "")), text_of(message.get("content"))
        if role == "tool":
            call = open_calls.pop(str(message.get("tool_call_id", "")), None)
            if call is not None:
                tool_result(files, call, text)
        elif role in {"user", "system", "developer"}:
            shown_files(files, text)
        for call in _calls(message):
            open_calls[call.id] = call
            if index > last:
                # A repeated call is a loop only within one turn: a new word of the user may ask for it again.
                since.append(call)
    return files, since
