"""Gate `complete`: the answer ended by itself, nothing in it is left open, nothing was left out, and it is an answer.

It looks at form alone. A text whose code parses is never called truncated for its brackets.
"""

from __future__ import annotations

import re

from suffice.values.task import TaskType
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.extract import MAX_TEXT, Code, Form, Source
from suffice.verify.fences import fences
from suffice.verify.python_code import Status
from suffice.verify.reading import Reading, verdict
from suffice.verify.scan import scan

GATE = "complete"
_CUT = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "incomplete", "model_context_window_exceeded"}
)
_FILTERED = frozenset({"content_filter", "safety", "refusal", "recitation", "blocklist", "prohibited_content", "spii"})
_REFUSAL = re.compile(
    r"\A\W*(?:I(?:['’]m| am) (?:really |very |so )?(?:sorry|afraid)\b[^.\n]{0,80}(?:can(?:no|['’])t|unable|not able"
    r"|won['’]t)|sorry,? (?:but )?I (?:can(?:no|['’])t|am unable)"
    r"|I(?:['’]m| am) (?:unable|not able) to (?:help|assist|comply|fulfil|provide|create|write|generate|do)"
    r"|I (?:can(?:no|['’])t|won['’]t|must decline to) (?:help|assist|comply|fulfil|provide|create|write|generate|do)\b"
    r"|As an AI(?: language)? model, I (?:can(?:no|['’])t|am unable))",
    re.IGNORECASE,
)
_COMMENT = r"(?:#|//|/\*+|--|<!--|\{/\*|;;?|%|\*)"
_DOTS = r"(?:\.\.\.|…)"
_END = r"[ \t]*(?:\.\.\.|…|[.)\]])?[ \t]*(?:\*/\}?|-->)?[ \t]*$"
_PART = (
    r"(?:code|file|class|function|method|implementation|component|module|methods|functions|imports?|script|logic"
    r"|fields|content|props|routes"
    r"|tests?|cases)"
)
_KEPT = (
    r"(?:here|remains?(?: the same| unchanged| as is)?|stays? (?:the same|unchanged)|unchanged|goes here|as before"
    r"|(?:is|are) (?:the same|unchanged)|omitted)"
)
# A comment that stands for code: it is nothing else, and says so by dots or by a word for "as it was". A comment about
# the rest is prose.
_ELISION = re.compile(
    r"^[ \t]*"
    + _COMMENT
    + r"[ \t]*[(\[]?(?:"
    # dots first: "... existing code ...", "... rest of the code", "... (unchanged)"
    + _DOTS
    + r"[ \t]*[(\[]?(?:[\w ,'`()/-]{0,60}"
    + _DOTS
    + r"|(?:the )?(?:rest|remainder|remaining|existing|other|previous|same|unchanged|omitted|your)\b[\w ,'`()/-]{0,60})"
    # a part, then what happens to it: "rest of the function remains the same", "existing code here"
    + r"|(?:(?:the )?(?:rest|remainder) of (?:the |your )?(?:\w+ ){0,3}|(?:the )?(?:existing|other|remaining|previous"
    r"|original) (?:\w+ ){0,2})"
    + _PART
    + r"(?: "
    + _KEPT
    + r"|[ \t]*"
    + _DOTS
    + r")"
    + r"|same as (?:before|above|previous)|unchanged(?: code)?[ \t]*"
    + _DOTS
    + r"|(?:code|implementation) (?:omitted"
    r"|unchanged|continues|truncated)(?: "
    r"for brevity)?"
    + r"|(?:add|put|insert|implement|write) (?:your|the rest of) (?:\w+ ){0,3}(?:code|logic|implementation) here|your "
    r"(?:code|logic|implementation) (?:goes )?here" + r")" + _END,
    re.IGNORECASE | re.MULTILINE,
)
_WANTS_WHOLE = frozenset({TaskType.GENERATE, TaskType.CONVERT, TaskType.TEST_GEN})


def check(reading: Reading) -> Verdict:
    """Return whether the answer is whole."""
    answer = reading.answer
    if len(answer.text) > MAX_TEXT:
        return verdict(GATE, Outcome.UNKNOWN, "the answer is too large to judge")
    return (
        _ended(reading) or _open(reading) or _left_out(reading) or verdict(GATE, Outcome.ACCEPT, "the answer is whole")
    )


def _ended(reading: Reading) -> Verdict | None:
    answer = reading.answer
    reason = answer.finish_reason.strip().lower()
    if reason in _FILTERED:
        return verdict(GATE, Outcome.REJECT, f"The provider withheld the answer ({reason}).", kind="refusal")
    if not answer.text.strip() and not answer.tool_calls:
        if reading.ask.suffix or reading.ask.task is TaskType.COMPLETE:
            return verdict(GATE, Outcome.UNKNOWN, "an empty completion may be right")
        return verdict(GATE, Outcome.REJECT, "The answer is empty.", kind="empty")
    if reason in _CUT:
        return verdict(GATE, Outcome.REJECT, f"The answer was cut off ({reason}).", kind="truncated")
    if not answer.tool_calls and not reading.code and len(answer.text) < 2000 and _REFUSAL.search(reading.text):
        return verdict(GATE, Outcome.REJECT, "The model refuses.", kind="refusal")
    return None


def _open(reading: Reading) -> Verdict | None:
    stops = any("```" in stop or "~~~" in stop for stop in reading.ask.stop)
    if not stops:
        found = fences(reading.text)
        if found and not found[-1].closed and not reading.ask.suffix:
            return verdict(GATE, Outcome.REJECT, "The answer ends inside a code fence.", kind="truncated")
    for piece, parsed in reading.broken:
        if parsed.cut and not reading.ask.suffix and _left_open(piece):
            return verdict(
                GATE,
                Outcome.REJECT,
                f"The {piece.language} code ends too early: {parsed.why}.",
                kind="truncated",
                piece=piece,
            )
    for piece in reading.pieces:
        if piece.form in {Form.PATCH, Form.BLOCKS} and _cut_edit(piece):
            return verdict(GATE, Outcome.REJECT, "The edit ends before its last mark.", kind="truncated", piece=piece)
    for piece, parsed in zip(reading.code, reading.parses, strict=True):
        # No parser for the language: brackets alone, where the rules are sure and a fence says what it is.
        if (
            parsed.status is Status.UNSURE
            and piece.source is not Source.BARE
            and reading.binding(piece)
            and not reading.ask.suffix
        ):
            balance = scan(piece.text, piece.language)
            if (
                balance is not None
                and balance.sure
                and not balance.extra
                and len(balance.open) + bool(balance.inside) > 0
                and not parsed.why
            ):
                return verdict(
                    GATE,
                    Outcome.REJECT,
                    f"The {piece.language} code ends with {balance.open or balance.inside!r} open.",
                    kind="truncated",
                    piece=piece,
                )
    return None


def _left_open(piece: Code) -> bool:
    balance = scan(piece.text, piece.language)
    return balance is None or bool(balance.open or balance.inside) or not piece.text.endswith("\n")


def _cut_edit(piece: Code) -> bool:
    if piece.form is Form.PATCH:
        return "*** End Patch" not in piece.text
    opened = len(re.findall(r"^(?:<{5,9}|-{5,9}) ?(?:SEARCH|ORIGINAL)>?\s*$", piece.text, re.MULTILINE))
    return opened > len(re.findall(r"^(?:>{5,9}|\+{5,9}) ?(?:REPLACE|UPDATED)\s*$", piece.text, re.MULTILINE))


def _left_out(reading: Reading) -> Verdict | None:
    whole_wanted = reading.ask.whole_code or reading.ask.task in _WANTS_WHOLE
    for piece in reading.code:
        writes_file = piece.source is Source.TOOL and piece.certain
        known = bool(piece.path) and piece.path in reading.ask.files
        if not (writes_file or known or (whole_wanted and reading.binding(piece))):
            continue
        match = _ELISION.search(piece.text)
        # A comment that the file already had is not an omission.
        if (
            match
            and match.group().strip() not in reading.ask.files.get(piece.path, "")
            and match.group().strip() not in reading.ask.context
        ):
            line = match.group().strip()[:120]
            return verdict(
                GATE,
                Outcome.REJECT,
                f"Code was left out where whole code was asked for: {line!r}.",
                kind="elided",
                piece=piece,
            )
    return None
