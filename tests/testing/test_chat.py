from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.testing import chat
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Frames, ToolCall, Usage

ID = Identity("fake-0-000001", 7, "m")
TWO = (ToolCall(name="f", arguments='{"a": 1}'), ToolCall(name="g", arguments="{}"))


def call(path: str = "/v1/chat/completions", **parsed: Any) -> Call:
    return Call(method="POST", path=path, model="m", stream=True, body=b"x" * 10, parsed=parsed)


def streamed(behaviour: Behaviour, asked: Call | None = None) -> list[Any]:
    return [json.loads(c.payload) for c in chat.stream(behaviour, asked or call(), ID)]


def joined(chunks: list[Any]) -> tuple[str, str, list[tuple[str, str]], str | None]:
    """Put a stream together the way an SDK does."""
    text, reasoning, calls, finish = "", "", {}, None
    for chunk in chunks:
        for choice in chunk["choices"]:
            delta = choice["delta"]
            text += delta.get("content") or ""
            reasoning += delta.get("reasoning_content") or ""
            for part in delta.get("tool_calls", []):
                name, arguments = calls.get(part["index"], ("", ""))
                function = part["function"]
                calls[part["index"]] = (name + function.get("name", ""), arguments + function["arguments"])
            finish = choice["finish_reason"] or finish
    return text, reasoning, [calls[i] for i in sorted(calls)], finish


@given(st.text(max_size=60), st.text(max_size=20), st.booleans(), st.sampled_from(["deltas", "whole", "one_chunk"]))
def test_streamed_and_whole_answers_say_the_same(text: str, reasoning: str, tools: bool, how: Any) -> None:
    behaviour = Behaviour(
        text=text, reasoning=reasoning, tool_calls=TWO if tools else (), frames=Frames(tools=how), prompt_tokens=3
    )
    chunks = list(chat.stream(behaviour, call(), ID))
    whole = json.loads(chat.body(behaviour, call(), ID))
    message = whole["choices"][0]["message"]
    got = joined([json.loads(c.payload) for c in chunks])
    assert got[0] == (message["content"] or "")
    assert got[1] == message.get("reasoning_content", "")
    assert got[2] == [(c["function"]["name"], c["function"]["arguments"]) for c in message.get("tool_calls", [])]
    assert got[3] == whole["choices"][0]["finish_reason"]
    assert sum(c.tokens for c in chunks) == whole["usage"]["completion_tokens"]


def usages(where: str, *, asked: bool) -> list[Any]:
    options = {"stream_options": {"include_usage": True}} if asked else {}
    return [c.get("usage", "no") for c in streamed(Behaviour(usage=Usage(where=where)), call(**options))]  # type: ignore[arg-type]


def test_where_usage_stands() -> None:
    assert set(usages("separate", asked=False)) == {"no"}
    separate = usages("separate", asked=True)
    assert separate[:-1] == [None] * (len(separate) - 1)
    assert separate[-1]["completion_tokens"] == 8
    assert usages("always", asked=False)[-1]["completion_tokens"] == 8
    assert usages("last", asked=False)[-1]["completion_tokens"] == 8
    assert usages("last", asked=False)[-2] == "no"
    assert [u["completion_tokens"] for u in usages("every", asked=False)] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert usages("doubled", asked=False)[-1] == usages("doubled", asked=False)[-2]
    assert set(usages("none", asked=True)) == {"no"}


def test_the_separate_chunk_has_no_choices_and_groq_says_it_twice() -> None:
    last = streamed(Behaviour(usage=Usage(where="always", shape="groq")))[-1]
    assert last["choices"] == []
    assert last["x_groq"]["usage"] == last["usage"]


def test_oddities_of_tool_calls() -> None:
    base = Behaviour(text="", tool_calls=TWO)
    for chunk in streamed(msgspec.structs.replace(base, frames=Frames(no_index=True))):
        assert all("index" not in part for part in chunk["choices"][0]["delta"].get("tool_calls", []))
    parts = [
        part
        for chunk in streamed(msgspec.structs.replace(base, frames=Frames(repeat_ids=True)))
        for part in chunk["choices"][0]["delta"].get("tool_calls", [])
    ]
    assert all(part["id"] for part in parts)
    one = streamed(msgspec.structs.replace(base, frames=Frames(tools="one_chunk")))
    assert len(one) == 2
    assert one[1]["choices"][0]["finish_reason"] == "tool_calls"
    assert joined(streamed(msgspec.structs.replace(base, frames=Frames(finish_stop=True))))[3] == "stop"


def test_no_terminal_has_no_finish_reason() -> None:
    chunks = streamed(Behaviour(frames=Frames(no_terminal=True)))
    assert joined(chunks)[3] is None
    assert joined(chunks)[0] == Behaviour().text


def test_text_completions_stream_text() -> None:
    chunks = streamed(Behaviour(text="abcdef"), call("/v1/completions"))
    assert "".join(c["choices"][0]["text"] for c in chunks) == "abcdef"
    assert {c["object"] for c in chunks} == {"text_completion"}


@pytest.mark.parametrize(("tokens", "expected"), [(None, 3), (77, 77)])
def test_prompt_tokens(tokens: int | None, expected: int) -> None:
    assert chat.prompt_count(Behaviour(prompt_tokens=tokens), call()) == expected
