"""What an ask wants by name: the functions that its stubs and tests name, and the language that it speaks of.

Only plain signs count; a guess here could reject a good answer.
"""

from __future__ import annotations

import ast
import builtins
import re

from suffice.values.task import TaskType
from suffice.verify import languages, python_code
from suffice.verify.extract import normalise
from suffice.verify.fences import fences
from suffice.verify.view import Requested

_SPOKEN = {
    name: canonical
    for canonical, words in {
        "python": "Python",
        "javascript": "JavaScript|Node.js",
        "typescript": "TypeScript",
        "go": "Golang|Go",
        "rust": "Rust",
        "java": "Java",
        "kotlin": "Kotlin",
        "swift": "Swift",
        "cpp": r"C\+\+",
        "csharp": "C#",
        "ruby": "Ruby",
        "php": "PHP",
        "scala": "Scala",
        "lua": "Lua",
    }.items()
    for name in words.split("|")
}
_IN = re.compile(rf"\b(?:in|using|into|to|with) (?:idiomatic |modern |plain |pure )?({'|'.join(_SPOKEN)})(?![\w+#])")
_NAMED = re.compile(r"\b(?:function|method|class)\s+(?:named|called)\s+[`\"']?([A-Za-z_]\w*)")
_CODE = re.compile(
    r"^(?:from \w|import \w|def \w|class \w|#include|package \w|func \w|fn \w|pub \w|using \w|public \w|const \w|function \w)",
    re.MULTILINE,
)
_ASKING = frozenset({TaskType.GENERATE, TaskType.COMPLETE, TaskType.OTHER, TaskType.BUG_FIX, TaskType.REFACTOR})


def language_of(text: str) -> str:
    """Return the one language that the ask names ("in Go") or fences its code in, `""` when it names none or several."""
    spoken = {_SPOKEN.get(word, "cpp" if word == "C++" else "") for word in _IN.findall(text[:20_000])}
    fenced = {
        languages.canonical(fence.info.split()[0]) for fence in fences(normalise(text[:200_000])) if fence.info.split()
    } - {"", "text", "diff"}
    shown = fenced or {languages.of_content(code) for code in _shown(text) if languages.unmistakable(code)}
    # A language that is spoken of while another one is shown may be mentioned for any reason.
    found = spoken | shown
    return found.pop() if len(found) == 1 else ""


def demanded(text: str) -> str:
    """Return the language that `text` itself wants its answer in: the one it names ("in Go"), or whose code it begins with.

    Code that is only shown says nothing: a page for it, its translation or its configuration may be what is wanted.
    """
    spoken = {_SPOKEN.get(word, "cpp" if word == "C++" else "") for word in _IN.findall(text[:20_000])}
    if spoken:
        return spoken.pop() if len(spoken) == 1 else ""
    code = text.lstrip()
    return languages.of_content(code) if _CODE.match(code) and languages.unmistakable(code) else ""


def _shown(text: str) -> list[str]:
    found = _CODE.search(text)
    return [text[found.start() :]] if found else []


def requested(text: str, language: str, task: TaskType) -> tuple[Requested, ...]:
    """Return the names that `text` asks for."""
    if task not in _ASKING or len(text) > 60_000:
        return ()
    text = normalise(text)
    out = [Requested(name=name, language=language) for name in dict.fromkeys(_NAMED.findall(text))][:3]
    if language in {"", "python"}:
        if task in {TaskType.BUG_FIX, TaskType.REFACTOR}:
            out += _given(text)
        out += [r for r in (*_stubs(text), *_tested(text)) if r.name not in {o.name for o in out}]
    return tuple(out[:5])


def _given(text: str) -> list[Requested]:
    """The one top-level function of the code that the ask wants mended: it keeps its name."""
    names = {name for code in _codes(text) for name in re.findall(r"^def (\w+)\(", code, re.MULTILINE)}
    return [Requested(name=names.pop(), language="python")] if len(names) == 1 else []


def _codes(text: str) -> list[str]:
    return [text[f.start : f.end] for f in fences(text)] or [
        text[at.start() :] for at in [re.search(r"^(?:from|import|def|class|@)\b", text, re.MULTILINE)] if at
    ]


def _stubs(text: str) -> tuple[Requested, ...]:
    """Python functions whose body is only a docstring, `pass`, `...` or nothing: they are to be written."""
    codes = _codes(text)
    out = []
    for code in codes:
        parsed = python_code.read(code)
        if parsed.tree is None:
            parsed = python_code.read(code.rstrip() + "\n    pass\n")
        if parsed.tree is None:
            continue
        stubs = [
            node
            for node in parsed.tree.body
            if isinstance(node, ast.FunctionDef) and all(_nothing(s) for s in node.body)
        ]
        out += [_of_stub(stub) for stub in stubs]
    return tuple(out) if len(out) == 1 else ()


def _nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def _of_stub(stub: ast.FunctionDef) -> Requested:
    plain = not (stub.args.vararg or stub.args.kwarg or stub.args.kwonlyargs)
    names = tuple(a.arg for a in (*stub.args.posonlyargs, *stub.args.args))
    return Requested(name=stub.name, parameters=names if plain else None, language="python")


def _tested(text: str) -> tuple[Requested, ...]:
    """The one function that the ask's `assert` lines call and nothing in the ask defines."""
    called: set[str] = set()
    for line in re.findall(r"(?:^|[\s:])(assert [^\n]+)", text):
        try:
            tree = ast.parse(line.strip())
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ()
        called |= {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    called -= set(dir(builtins))
    called = {name for name in called if not re.search(rf"\b(?:def|class|import)\s[^\n]*\b{name}\b", text)}
    return (Requested(name=called.pop(), language="python"),) if len(called) == 1 else ()
