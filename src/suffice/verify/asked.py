"""Gate `asked-for`: the answer defines the name that was asked for, with its parameters, in the language, or is the
JSON asked for.

A name counts as missing only when whole code came back that defines other names; a body that continues the asked code does not.
"""

from __future__ import annotations

import ast
import json
import re

from suffice.values.task import TaskType
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.python_code import Status
from suffice.verify.reading import Reading, verdict
from suffice.verify.requests import demanded
from suffice.verify.schemas import violation
from suffice.verify.view import Requested

GATE = "asked-for"
_WRITING = frozenset(
    {
        TaskType.GENERATE,
        TaskType.CONVERT,
        TaskType.COMPLETE,
        TaskType.BUG_FIX,
        TaskType.REFACTOR,
        TaskType.TEST_GEN,
        TaskType.OTHER,
    }
)
_PROGRAMMING = frozenset(
    [
        "python",
        "javascript",
        "typescript",
        "tsx",
        "go",
        "rust",
        "java",
        "kotlin",
        "swift",
        "c",
        "cpp",
        "csharp",
        "ruby",
        "php",
        "scala",
        "lua",
    ]
)
_FAMILIES = ({"javascript", "typescript", "tsx"}, {"c", "cpp"})
_DEFINES = re.compile(
    r"\b(?:def|function|func|fn|fun|class|struct|interface|object|trait|impl|const|let|var|public|private|static|void|int)\b"
)


def check(reading: Reading) -> Verdict:
    """Return whether the answer has what was asked for by name, language and form."""
    found = [
        v
        for v in (_json(reading), _language(reading), *(_name(reading, r) for r in reading.ask.requested))
        if v is not None
    ]
    for outcome in (Outcome.REJECT, Outcome.UNKNOWN, Outcome.ACCEPT):
        for item in found:
            if item.outcome is outcome:
                return item
    return verdict(GATE, Outcome.UNKNOWN, "nothing that can be checked was asked for")


def _json(reading: Reading) -> Verdict | None:
    form = reading.ask.response_format
    if form.kind not in {"json_object", "json_schema"}:
        return None
    text = reading.text.strip()
    if not text or (reading.answer.tool_calls and not text):
        return verdict(GATE, Outcome.UNKNOWN, "no text to judge")
    try:
        value = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        if "```" in text:
            return verdict(GATE, Outcome.UNKNOWN, "the JSON is inside a fence")
        return verdict(
            GATE, Outcome.REJECT, f"JSON was asked for, this is none: {error}.", kind="invalid-json", language="json"
        )
    except (ValueError, RecursionError):
        return verdict(GATE, Outcome.UNKNOWN, "the JSON is too deep to judge")
    if form.schema is not None:
        wrong = violation(value, form.schema)
        if wrong:
            return verdict(
                GATE,
                Outcome.REJECT,
                f"The JSON does not fit the schema asked for: {wrong}.",
                kind="schema",
                language="json",
            )
        if wrong is None:
            return verdict(GATE, Outcome.UNKNOWN, "the schema cannot be judged here")
    elif form.kind == "json_object" and not isinstance(value, dict):
        return verdict(
            GATE,
            Outcome.REJECT,
            "A JSON object was asked for, this is another value.",
            kind="invalid-json",
            language="json",
        )
    return verdict(GATE, Outcome.ACCEPT, "the JSON is as asked for", language="json")


def _language(reading: Reading) -> Verdict | None:
    wanted = reading.ask.language
    if wanted not in _PROGRAMMING or reading.ask.task not in _WRITING:
        return None
    binding = [piece for piece in reading.code if reading.binding(piece) and piece.language in _PROGRAMMING]
    if not binding or any(_related(piece.language, wanted) for piece in reading.code):
        return None
    if any(piece.path for piece in binding) or len(reading.ask.files) > 0:
        # A repository may well have files of another language.
        return None
    if not _related(demanded(reading.ask.text), wanted):
        return verdict(GATE, Outcome.UNKNOWN, f"the code is {binding[0].language}, and nobody said that it must not be")
    first = binding[0]
    return verdict(
        GATE,
        Outcome.REJECT,
        f"{wanted} was asked for, the code is {first.language}.",
        kind="wrong-language",
        piece=first,
    )


def _related(one: str, other: str) -> bool:
    return one == other or any(one in family and other in family for family in _FAMILIES)


def _name(reading: Reading, wanted: Requested) -> Verdict | None:
    if reading.ask.task not in _WRITING or not reading.code or reading.applied.problems or reading.applied.fitting:
        return None
    language = wanted.language or reading.ask.language
    pieces = [
        (p, r)
        for p, r in zip(reading.code, reading.parses, strict=True)
        if not language or _related(p.language, language)
    ]
    if not pieces or any(r.status is not Status.GOOD for _, r in pieces):
        return None
    if language == "python":
        trees = [r.tree for _, r in pieces if r.tree is not None]
        whole = any(r.whole and not r.why for _, r in pieces)
        return _python_name(wanted, trees, whole=whole)
    code = "\n".join(piece.text for piece, _ in pieces)
    if re.search(rf"(?<![\w$]){re.escape(wanted.name)}(?![\w$])", code):
        return verdict(GATE, Outcome.ACCEPT, f"{wanted.name} is there", language=language)
    if any(not r.whole for _, r in pieces) or not _DEFINES.search(code):
        return verdict(GATE, Outcome.UNKNOWN, f"{wanted.name} may be around the code")
    reason = f"{wanted.name!r} was asked for and is not in the answer."
    return verdict(GATE, Outcome.REJECT, reason, kind="missing-name", language=language)


def _python_name(wanted: Requested, trees: list[ast.Module], *, whole: bool) -> Verdict | None:
    defined: dict[str, ast.AST] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                defined.setdefault(node.name, node)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                defined.setdefault(node.id, node)
            elif isinstance(node, ast.alias):
                defined.setdefault((node.asname or node.name).split(".")[0], node)
    found = defined.get(wanted.name)
    if found is None:
        others = [
            name
            for name, other in defined.items()
            if isinstance(other, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        ]
        if not others or not whole:
            return verdict(GATE, Outcome.UNKNOWN, f"{wanted.name} may be around the code")
        reason = f"{wanted.name!r} was asked for; the answer defines {', '.join(others[:5])}."
        return verdict(GATE, Outcome.REJECT, reason, kind="missing-name", language="python")
    if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) and wanted.parameters is not None:
        wrong = _signature(found, wanted.parameters)
        if wrong:
            return verdict(GATE, Outcome.REJECT, wrong, kind="wrong-signature", language="python")
    return verdict(GATE, Outcome.ACCEPT, f"{wanted.name} is defined", language="python")


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, wanted: tuple[str, ...]) -> str:
    arguments = node.args
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    if positional[:1] in (["self"], ["cls"]) and wanted[:1] != ("self",):
        positional = positional[1:]
    needed = len(positional) - len(arguments.defaults)
    most = float("inf") if arguments.vararg else len(positional) + len(arguments.kwonlyargs)
    if needed <= len(wanted) <= most:
        return ""
    return f"{node.name} takes {len(positional)} parameters, asked for were {len(wanted)} ({', '.join(wanted)})."
