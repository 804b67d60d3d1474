"""Edits of a reference solution in each notation: one that applies, and one whose old text is not in the file."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from suffice.verify.view import AnswerView, AskView, Tool, ToolCall

_SCHEMA = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "old_str": {"type": "string"}, "new_str": {"type": "string"}},
    "required": ["path", "old_str", "new_str"],
    "additionalProperties": False,
}
TOOL = Tool(name="str_replace", schema=_SCHEMA)


def cases(path: str, text: str, rng: random.Random) -> Iterator[tuple[str, bool, AskView, AnswerView]]:
    """Yield (notation, whether it applies, ask, answer) for an edit of three lines of `text`."""
    lines = text.rstrip("\n").split("\n")
    starts = [i for i in range(len(lines) - 3) if lines[i + 1].strip() and text.count("\n".join(lines[i : i + 3])) == 1]
    if not starts:
        return
    at = rng.choice(starts)
    good = lines[at : at + 3]
    broken = [good[0], good[1].replace(good[1].strip(), "value_that_was_never_here = 17"), good[2]]
    files = {path: text}
    for applies, old in ((True, good), (False, broken)):
        new = [old[0], *old[1:2], old[2], ""]
        ask = AskView(text="Change it.", files=files, tools=(TOOL,))
        block = (
            f"{path}\n```\n<<<<<<< SEARCH\n"
            + "\n".join(old)
            + "\n=======\n"
            + "\n".join(new)
            + "\n>>>>>>> REPLACE\n```"
        )
        yield "search-replace", applies, ask, AnswerView(text=block, finish_reason="stop")
        body = "".join(f" {line}\n" for line in old) + "+\n"
        diff = f"```diff\n--- a/{path}\n+++ b/{path}\n@@ -{at + 1 + rng.randint(0, 4)},3 +{at + 1},4 @@\n{body}```"
        yield "unified-diff", applies, ask, AnswerView(text=diff, finish_reason="stop")
        patch = f"*** Begin Patch\n*** Update File: {path}\n@@\n{body}*** End Patch"
        yield "apply-patch", applies, ask, AnswerView(text=patch, finish_reason="stop")
        arguments = json.dumps({"path": path, "old_str": "\n".join(old), "new_str": "\n".join(new)})
        call = ToolCall(id="c1", name="str_replace", arguments=arguments)
        yield "replace-text-tool", applies, ask, AnswerView(tool_calls=(call,), finish_reason="tool_calls")


def tool_mutants(call: ToolCall) -> Iterator[tuple[str, ToolCall]]:
    """Yield calls that no tool can carry out: cut, a field missing, an unknown tool."""
    yield (
        "tool-truncated",
        ToolCall(id=call.id, name=call.name, arguments=call.arguments[: len(call.arguments) * 2 // 3]),
    )
    value = json.loads(call.arguments)
    value.pop("new_str")
    yield "tool-schema", ToolCall(id=call.id, name=call.name, arguments=json.dumps(value))
    yield "tool-unknown", ToolCall(id=call.id, name="apply_change", arguments=call.arguments)
