"""Verdicts on an answer: the static gates of `verify`, and the operator's named check in the sandbox.

Clients name a check; they never send a command. A checker that fails says UNKNOWN and costs nobody a good answer.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from suffice.gateway.exchange import exchange_of
from suffice.gateway.named_check import plain_name
from suffice.gateway.speech import CONVERSATIONS
from suffice.gateway.translation import PROVIDERS
from suffice.gateway.turn import Turn
from suffice.values.task import TaskType
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.ask import ask_from_chat
from suffice.verify.judge import judge, overall
from suffice.verify.view import AnswerView, AskView, ToolCall
from suffice.wire.chat_relay import Answer
from suffice.wire.codec import Target as WireTarget

log = logging.getLogger("suffice.verify")

_PROSE = (Verdict(gate="complete", outcome=Outcome.ACCEPT, reason="finished, and prose only"),)
# How an answer begins that is code without a fence, a diff, a search/replace block or JSON.
_CODE_START = re.compile(
    r"\s*(?:[<{\[#@/*]|(?:def|class|import|from|async|package|func|fn|function|const|let|var|public|private|use|using|select|with"
    r"|diff|---|\*\*\*|if|for|while|return|type|interface|export|module|struct|enum|pub|impl|namespace|require|puts)\b)",
    re.IGNORECASE,
)

# A line that begins an edit which stands in prose without a fence.
_EDIT_LINE = re.compile(r"^(?:\*{3} Begin Patch|<{5,9} ?SEARCH|diff --git |--- (?:a/|/))", re.MULTILINE)

# Runs the named check on an answer to an ask; returns its verdict. Built by the composition root from sandbox and settings.
RunCheck = Callable[[str, AnswerView, AskView], Awaitable[Verdict]]


class Judging:
    """Judges answers. `run_check` is None when no sandbox may be used."""

    def __init__(self, *, enabled: bool, run_check: RunCheck | None) -> None:
        self.enabled = enabled
        self._run_check = run_check

    async def judge(self, turn: Turn, answer: Answer, left_s: float = math.inf) -> tuple[Verdict, ...]:
        """Return the verdicts on a complete answer; the named check runs only when no static gate has rejected it."""
        verdicts = self.static(turn)(answer)
        if overall(verdicts) is Outcome.REJECT:
            return verdicts
        return (*verdicts, *await self.checked(turn, answer, left_s))

    async def checked(self, turn: Turn, answer: Answer, left_s: float = math.inf) -> tuple[Verdict, ...]:
        """Return what the turn's named check says, nothing when there is none; UNKNOWN when it does not end in `left_s`."""
        if not turn.check:
            return ()
        if self._run_check is None:
            return (_unknown(turn.check, "no sandbox is available"),)
        try:
            async with asyncio.timeout(None if left_s == math.inf else max(0.0, left_s)):
                return (await self._run_check(turn.check, _answer_view(answer), self._ask(turn, answer)),)
        except TimeoutError:
            return (_unknown(turn.check, "it did not end before the deadline of the request"),)
        except Exception as error:
            log.exception("the check %s failed", turn.check)
            return (_unknown(turn.check, f"the check could not run: {type(error).__name__}"),)

    def static(self, turn: Turn) -> Callable[[Answer], tuple[Verdict, ...]]:
        """Return the judge of a finished stream: static gates only, milliseconds, never raises."""
        if not self.enabled or turn.operation == "embeddings":
            return lambda answer: ()

        def run(answer: Answer) -> tuple[Verdict, ...]:
            if turn.features.task is not TaskType.COMPLETE and is_plain_prose(answer):
                return _PROSE
            try:
                said = judge(_answer_view(answer), self._ask(turn, answer))
            except Exception:
                log.exception("the gates failed")
                return ()
            return tuple(v for v in said if v.outcome is not Outcome.UNKNOWN)

        return run

    def _ask(self, turn: Turn, answer: Answer) -> AskView:
        features = turn.features
        if turn.operation not in CONVERSATIONS:
            # The code around the place is what the language was read from.
            return AskView(task=features.task, language=features.language, suffix=turn.view.suffix)
        if not (
            answer.tool_calls
            or "```" in answer.text
            or features.needs_structured
            or _EDIT_LINE.search(answer.text) is not None
            or _CODE_START.match(answer.text) is not None
        ):
            # Prose needs no look at the conversation, which may be hundreds of kilobytes.
            return AskView(task=features.task)
        # The language that routing goes by is a guess, from the name of a file for instance: good code of another would be rejected.
        return ask_from_chat(chat_body(turn), task=features.task)


def chat_body(turn: Turn) -> dict[str, Any]:
    """Return the request as a decoded chat body, the form that the gates read; written in it when it came in another dialect."""
    body = turn.call.body
    if turn.operation != "chat":
        request = (turn.exchange or exchange_of(turn.operation, turn.call)).request
        body = PROVIDERS["chat"].encode_request(request, WireTarget(model="", custom_tools=True)).body
    decoded: dict[str, Any] = msgspec.json.decode(body)
    return decoded


def is_plain_prose(answer: Answer) -> bool:
    """True for a finished answer without code or tool calls: no gate but completeness has anything to say about it."""
    text = answer.text
    return (
        answer.finish_reason == "stop"
        and not answer.tool_calls
        and "```" not in text
        and "~~~" not in text
        and _EDIT_LINE.search(text) is None
        and _CODE_START.match(text) is None
        and bool(text.strip())
    )


def _answer_view(answer: Answer) -> AnswerView:
    calls = tuple(ToolCall(id=i, name=n, arguments=a) for i, n, a in answer.tool_calls)
    return AnswerView(text=answer.text, finish_reason=answer.finish_reason, tool_calls=calls)


def _unknown(check: str, reason: str) -> Verdict:
    return Verdict(gate=f"check:{plain_name(check)}", outcome=Outcome.UNKNOWN, reason=reason)
