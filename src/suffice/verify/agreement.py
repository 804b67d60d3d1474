"""Gate `agreement`: do two samples of the same ask say the same, whatever their names and comments are.

Python is compared by its syntax tree, other languages by their tokens; names are replaced by the order of their
appearance. It never
rejects: two good answers may differ.
"""

from __future__ import annotations

import ast
import re
from collections import Counter

from suffice.values.verdict import Outcome, Verdict
from suffice.verify.reading import Reading, verdict

GATE = "agreement"
SAME = 0.9
_MAX_TOKENS = 20_000
_TOKEN = re.compile(r"[A-Za-z_$][\w$]*|\d[\w.]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`|\S")
_COMMENTS = re.compile(r"/\*[\s\S]*?\*/|//[^\n]*|^\s*#[^\n]*|\s--[^\n]*", re.MULTILINE)
_WORDS = frozenset(
    [
        "if",
        "else",
        "for",
        "while",
        "do",
        "switch",
        "case",
        "break",
        "continue",
        "return",
        "function",
        "class",
        "struct",
        "enum",
        "interface",
        "impl",
        "trait",
        "fn",
        "func",
        "fun",
        "def",
        "let",
        "const",
        "var",
        "public",
        "private",
        "protected",
        "static",
        "void",
        "int",
        "float",
        "double",
        "bool",
        "boolean",
        "string",
        "char",
        "long",
        "short",
        "unsigned",
        "new",
        "delete",
        "try",
        "catch",
        "finally",
        "throw",
        "throws",
        "import",
        "from",
        "export",
        "package",
        "use",
        "mod",
        "pub",
        "self",
        "this",
        "super",
        "match",
        "where",
        "async",
        "await",
        "yield",
        "in",
        "of",
        "not",
        "and",
        "or",
        "is",
        "None",
        "True",
        "False",
        "null",
        "true",
        "false",
        "nil",
        "undefined",
        "lambda",
        "with",
        "as",
        "pass",
        "raise",
        "except",
        "mut",
        "ref",
        "type",
        "end",
        "then",
        "elif",
        "local",
        "print",
        "len",
        "range",
    ]
)


def check(first: Reading, second: Reading) -> Verdict:
    """Return ACCEPT when the code of two answers to one ask is the same in structure, else UNKNOWN with how much they share."""
    if not first.code or not second.code:
        return verdict(GATE, Outcome.UNKNOWN, "there are not two samples of code")
    mine = max(first.code, key=lambda piece: len(piece.text))
    other = max(second.code, key=lambda piece: len(piece.text))
    share = similarity(mine.text, other.text, mine.language)
    outcome = Outcome.ACCEPT if share >= SAME else Outcome.UNKNOWN
    return verdict(GATE, outcome, f"the samples share {share:.0%} of their structure", piece=mine)


def similarity(one: str, other: str, language: str) -> float:
    """Return the share of common 4-grams of the normalised token streams, in [0, 1]; 1 when both are equal. Never raises."""
    left, right = normalised(one, language), normalised(other, language)
    if left == right:
        return 1.0
    a, b = _grams(left), _grams(right)
    union = sum((a | b).values())
    return sum((a & b).values()) / union if union else 0.0


def normalised(code: str, language: str) -> tuple[str, ...]:
    """Return `code` as tokens without comments, its own names numbered by first appearance."""
    if language == "python":
        try:
            code = ast.unparse(_Bare().visit(ast.parse(code)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    tokens = _TOKEN.findall(_COMMENTS.sub(" ", code))[:_MAX_TOKENS]
    numbers: dict[str, str] = {}
    out = []
    for at, token in enumerate(tokens):
        named = (token[0].isalpha() or token[0] in "_$") and token not in _WORDS
        # What follows a dot belongs to somebody else's interface and keeps its name.
        out.append(
            numbers.setdefault(token, f"v{len(numbers)}") if named and (at == 0 or tokens[at - 1] != ".") else token
        )
    return tuple(out)


class _Bare(ast.NodeTransformer):
    """Drops docstrings and annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            node.body = node.body[1:]
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node


def _grams(tokens: tuple[str, ...]) -> Counter[tuple[str, ...]]:
    return Counter(tokens[i : i + 4] for i in range(max(1, len(tokens) - 3)))
