"""The scripted model: what it answers depends on the conversation alone, so that a client may retry, title and loop as it likes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from suffice.testing.script import Behaviour, Call, ToolCall

FINAL = "Done: add returns the sum now."
ASIDE = "Fix add in calc.py"
Step = ToolCall | str


def tools_of(parsed: dict[str, Any]) -> set[str]:
    """Return the names of the tools that a request of any dialect offers."""
    names: set[str] = set()
    for tool in parsed.get("tools") or []:
        inner = tool.get("functionDeclarations") or [tool.get("function") or tool.get("custom") or tool]
        names |= {str(one.get("name") or one.get("type")) for one in inner}
    return names


def done_of(parsed: dict[str, Any]) -> int:
    """Return how many tool results a request of any dialect carries."""
    count = 0
    for item in [*_list(parsed, "messages"), *_list(parsed, "input"), *_list(parsed, "contents")]:
        count += item.get("role") == "tool"
        count += item.get("type") in ("function_call_output", "custom_tool_call_output")
        content = item.get("content")
        blocks = content if isinstance(content, list) else item.get("parts") or []
        count += sum(block.get("type") == "tool_result" or "functionResponse" in block for block in blocks)
    return count


def _list(parsed: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = parsed.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


class Model:
    """Answers the turn with as many tool results as it has steps behind it with the next step, then with a last text.

    `steps` are tool calls, or texts for a client that has no tools. A request without tools is an aside (a title, a commit
    message) unless the steps are texts. `odd` changes the answer of a turn: it gets the number of the turn's request among those
    that were no asides (from 0), the answer as it would be, and the request. `turns` are the numbers of steps done, as seen.
    """

    def __init__(
        self, steps: Sequence[Step], odd: Callable[[int, Behaviour, Call], Behaviour] | None = None, final: str = FINAL
    ) -> None:
        self.steps = tuple(steps)
        self.final = final
        self.turns: list[int] = []
        self.offered: set[str] = set()
        self._odd = odd
        self._spoilt_at: int | None = None
        self._lost = 0

    def __call__(self, index: int, call: Call) -> Behaviour:
        """Choose an answer."""
        parsed = call.parsed or {}
        offered = tools_of(parsed)
        texts = isinstance(self.steps[0], str)
        if not offered and not texts:
            return Behaviour(text=ASIDE)
        self.offered |= offered
        done = len(self.turns) if texts else self._done(parsed)
        number = len(self.turns)
        self.turns.append(done)
        step = self.steps[done] if done < len(self.steps) else self.final
        plain = Behaviour(text=step) if isinstance(step, str) else Behaviour(text="", tool_calls=(step,))
        said = self._odd(number, plain, call) if self._odd else plain
        self._spoilt_at = done if said.tool_calls and said.tool_calls != plain.tool_calls else None
        return said

    def _done(self, parsed: dict[str, Any]) -> int:
        """Return how many steps were done; the result of a call that was spoilt is none."""
        done = done_of(parsed) - self._lost
        if self._spoilt_at is not None and done > self._spoilt_at:
            self._lost, self._spoilt_at, done = self._lost + 1, None, done - 1
        return done


def call(name: str, **arguments: object) -> ToolCall:
    """Return a call of a tool."""
    return ToolCall(name=name, arguments=json.dumps(arguments))
