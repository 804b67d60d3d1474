"""Requests of the benchmark: 1 KB and 16 KB chats, a 400 KB agent's turn, streams. Eight digits of each vary per request."""

from __future__ import annotations

import json
from typing import NamedTuple

CODE = (
    "def parse(text):\n    out = []\n    i = 0\n    while i < len(text):\n        if text[i] == '\"':\n"
    "            j = text.index('\"', i + 1)\n            out.append(text[i + 1:j])\n            i = j\n        i += 1\n    return out\n"
)
ASK = "Please fix the bug in the parser where quoted strings with escapes are cut off at the first backslash.\n"
MARK = "@@@@@@@@"


class Case(NamedTuple):
    """One measured situation. `chunks` per stream is 0 for whole answers; `automatic` routes by `auto` where there is such a thing."""

    name: str
    size: int
    automatic: bool = False
    chunks: int = 0
    paced: bool = False
    concurrency: int = 32


CASES = (
    Case("1 KB chat, pinned", 1_000),
    Case("1 KB chat, automatic", 1_000, automatic=True),
    Case("16 KB chat, pinned", 16_000),
    Case("400 KB agent turn, automatic", 400_000, automatic=True, concurrency=8),
    Case("stream, 200 chunks in a burst", 1_000, chunks=200, concurrency=16),
    Case("stream, 100 chunks 10 ms apart", 1_000, chunks=100, paced=True, concurrency=64),
)


def body(case: Case, model: str) -> tuple[bytes, bytes]:
    """Return the request body before and after the place of its eight digits."""
    kind = "paced" if case.paced else "burst" if case.chunks else "whole"
    if case.size >= 100_000:
        messages, tools = _agent(case.size)
    else:
        filler = (ASK + "```python\n" + CODE + "```\n") * (1 + case.size // 400)
        text = f"{MARK} mode={kind} {filler}"[: case.size - 180]
        messages = [{"role": "system", "content": "You are a coding assistant."}, {"role": "user", "content": text}]
        tools = []
    request = {"model": model, "messages": messages, **({"tools": tools} if tools else {})}
    if case.chunks:
        request |= {"stream": True, "stream_options": {"include_usage": True}}
    # Compact, as the SDKs and agents send it: white space between the fields makes the depth check look at every byte.
    head, _, tail = json.dumps(request, separators=(",", ":")).partition(MARK)
    return head.encode(), tail.encode()


def _agent(size: int) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    properties = {f"argument_{n}": {"type": "string", "description": "What to do. " * 12} for n in range(8)}
    tools: list[dict[str, object]] = [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": "Use it with care. " * 30,
                "parameters": {"type": "object", "properties": properties},
            },
        }
        for name in ("bash", "read_file", "edit", "grep", "glob", "write_file", "web_fetch", "todo", "notebook", "task")
    ]
    messages: list[dict[str, object]] = [
        {"role": "system", "content": "You are a coding agent. " + "Follow the rules of the house. " * 300},
        {"role": "user", "content": f"{MARK} mode=whole {ASK}"},
    ]
    turn = 0
    room = size - len(json.dumps(tools)) - len(json.dumps(messages))
    while room > 0:
        turn += 1
        call = {"id": f"call_{turn}", "type": "function"}
        call |= {"function": {"name": "read_file", "arguments": json.dumps({"path": f"src/part_{turn}.py"})}}  # type: ignore[dict-item]
        pair = [
            {"role": "assistant", "content": "Let me look at the next file.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{turn}", "content": CODE * 20},
        ]
        messages += pair  # type: ignore[arg-type]
        room -= len(json.dumps(pair))
    return messages, tools
