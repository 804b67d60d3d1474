"""Gate `names`: a self-contained Python answer uses no name that is defined nowhere in it.

Only what is sure is rejected: whole modules, no star imports, no `exec`, no names injected by a session or a
framework, and a name that
neither the ask nor the rest of the answer mentions. Scopes are those of Python's own `symtable`.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import re
import symtable
import warnings

from suffice.values.task import TaskType
from suffice.values.verdict import Outcome, Verdict
from suffice.verify import packages
from suffice.verify.extract import Code
from suffice.verify.python_code import Parse, Status
from suffice.verify.reading import Reading, verdict

GATE = "names"
_KNOWN = frozenset(dir(builtins)) | frozenset(
    [
        "__file__",
        "__name__",
        "__doc__",
        "__path__",
        "__annotations__",
        "__class__",
        "__module__",
        "__qualname__",
        "__builtins__",
        "__spec__",
        "__loader__",
        "__package__",
        "__dict__",
        "__conditional_annotations__",
        "__debug__",
        "WindowsError",
        "reveal_type",
        "reveal_locals",
        "_",
        "__",
        "___",
        "In",
        "Out",
        "display",
        "get_ipython",
        "exit",
        "quit",
        "copyright",
        "credits",
        "license",
        "help",
        "unicode",
        "xrange",
        "raw_input",
        "basestring",
        "long",
        "reduce",
        "unichr",
        "file",
        "cmp",
        "execfile",
        "reload",
        "buffer",
        "spark",
        "sc",
        "sqlContext",
        "dbutils",
        "pythoncom",
        "profile",
        "ExceptionGroup",
        "BaseExceptionGroup",
        "aiter",
        "anext",
        "EncodingWarning",
        "PythonFinalizationError",
    ]
)
_DYNAMIC = re.compile(
    r"\b(?:exec|eval|globals|locals|vars|setattr|__import__|getattr)\s*\(|\bimport \*|__getattr__|\bctypes\b.*\bwintypes\b"
)


def check(reading: Reading) -> Verdict:
    """Return whether every name that the Python code uses is defined somewhere."""
    judged, loose = False, ""
    for piece, parsed in zip(reading.code, reading.parses, strict=True):
        if piece.language != "python" or parsed.status is not Status.GOOD or not reading.binding(piece):
            continue
        missing = _missing(piece, parsed)
        if missing is None:
            continue
        judged = True
        for name in missing:
            if _importable(name) or not _self_contained(name, reading) or _judge_has(name, piece, reading):
                # The tests, the notebook, the judge or the file around the answer may have it.
                loose = loose or name
            elif not _elsewhere(name, piece, reading):
                reason = f"The name {name!r} is used, but defined nowhere in the answer."
                return verdict(GATE, Outcome.REJECT, reason, kind="undefined-name", piece=piece)
    if loose:
        return verdict(
            GATE, Outcome.UNKNOWN, f"{loose!r} is used without being imported", kind="missing-import", language="python"
        )
    if not judged:
        return verdict(GATE, Outcome.UNKNOWN, "no self-contained Python to judge")
    return verdict(GATE, Outcome.ACCEPT, "every name is defined", language="python")


_WHOLE = frozenset({TaskType.GENERATE, TaskType.CONVERT, TaskType.COMPLETE, TaskType.TEST_GEN, TaskType.BUG_FIX})
_IMPORTS = re.compile(r"^\s*(?:import|from)\s+\w", re.MULTILINE)


def _self_contained(name: str, reading: Reading) -> bool:
    """True when the answer has to bring `name` itself: code was asked for, and it is no class of a library that an excerpt
    without any import takes for granted."""
    if not (reading.ask.whole_code or reading.ask.task in _WHOLE):
        return False
    return not name[:1].isupper() or any(_IMPORTS.search(piece.text) for piece in reading.code)


_ALIASES = frozenset(
    [
        "np",
        "pd",
        "plt",
        "sns",
        "tf",
        "sp",
        "sm",
        "nx",
        "px",
        "go",
        "st",
        "sa",
        "mp",
        "mpl",
        "cv",
        "dt",
        "ET",
        "bs",
        "op",
        "ic",
        "Path",
        "datetime",
        "date",
        "timedelta",
        "Decimal",
        "Counter",
        "defaultdict",
        "deque",
        "reduce",
        "partial",
    ]
)


def _importable(name: str) -> bool:
    return name in _ALIASES or name in packages.names("python_stdlib") or name in packages.names("import_names")


# What programs that judge a class for its methods have imported before it, with a star.
_PRELUDE = (
    "bisect", "collections", "copy", "datetime", "functools", "heapq", "itertools", "math", "operator", "re", "statistics", "string",
    "typing",
)  # fmt: skip


@functools.cache
def _prelude() -> frozenset[str]:
    return frozenset(name for module in _PRELUDE for name in dir(importlib.import_module(module)))


def _judge_has(name: str, piece: Code, reading: Reading) -> bool:
    """True when the answer is the form that judges of algorithms ask for, a class alone without any import, and `name` is one
    that they provide."""
    alone = not re.search(r"^(?:async )?def |^if __name__", piece.text, re.MULTILINE)
    return alone and name in _prelude() and not any(_IMPORTS.search(one.text) for one in reading.code)


def undefined(code: str) -> tuple[str, ...] | None:
    """Return the names that `code` reads and nothing in it defines, in order of first use; None when that cannot be known."""
    if _DYNAMIC.search(code):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = symtable.symtable(code, "<answer>", "exec")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
        return None
    bound: set[str] = set()
    free: set[str] = set()
    _collect(table, bound, free, top=True)
    wanted = free - bound - _KNOWN
    if not wanted:
        return ()
    annotations = _annotation_names(tree)
    used = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in wanted and id(n) not in annotations]
    used.sort(key=lambda n: (n.lineno, n.col_offset))
    return tuple(dict.fromkeys(n.id for n in used))


def _collect(table: symtable.SymbolTable, bound: set[str], free: set[str], *, top: bool) -> None:
    stack = [(table, top)]
    while stack:
        scope, is_top = stack.pop()
        for symbol in scope.get_symbols():
            name = symbol.get_name()
            # A name bound at module level, or declared global anywhere, is defined for all scopes.
            if (
                is_top and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace())
            ) or symbol.is_declared_global():
                bound.add(name)
            elif symbol.is_referenced() and (is_top or (symbol.is_global() and not _bound_here(symbol))):
                free.add(name)
        stack.extend((child, False) for child in scope.get_children())


def _bound_here(symbol: symtable.Symbol) -> bool:
    """True for what a function itself binds. `symtable` calls it global where the function is named `top`, as it names modules."""
    return symbol.is_assigned() or symbol.is_parameter() or symbol.is_imported() or symbol.is_namespace()


def _annotation_names(tree: ast.Module) -> set[int]:
    """Names inside annotations: they may be forward references or be left unevaluated."""
    out: set[int] = set()
    for node in ast.walk(tree):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(part, ast.AST):
                out |= {id(child) for child in ast.walk(part)}
    return out


def _missing(piece: Code, parsed: Parse) -> tuple[str, ...] | None:
    # A fragment, a session or an edit of a file relies on what is around it.
    if (
        not parsed.whole
        or parsed.why
        or not re.search(r"^(?:async )?def |^class |^import |^from ", piece.text, re.MULTILINE)
    ):
        return None
    return undefined(piece.text)


def _elsewhere(name: str, piece: Code, reading: Reading) -> bool:
    word = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    if word.search(reading.ask.text) or word.search(reading.ask.context) or word.search(reading.ask.prefill):
        return True
    if any(word.search(text) for text in reading.ask.files.values()):
        return True
    return any(other is not piece and word.search(other.text) for other in reading.pieces)
