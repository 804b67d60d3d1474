"""Tree-sitter grammars, loaded when first needed. A wheel that is not installed means that nothing is said.

Only wheels that carry their parser are used: nothing is fetched at run time. A parse is bounded by the size of its input
(100 KB of the worst garbage takes half a second, of code some milliseconds).
"""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_BYTES = 100_000
# language: (module, function that returns the grammar)
WHEELS = {
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
    "css": ("tree_sitter_css", "language"),
    "go": ("tree_sitter_go", "language"),
    "hcl": ("tree_sitter_hcl", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "kotlin": ("tree_sitter_kotlin", "language"),
    "lua": ("tree_sitter_lua", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "php_only": ("tree_sitter_php", "language_php_only"),
    "ruby": ("tree_sitter_ruby", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "scala": ("tree_sitter_scala", "language"),
    "sql": ("tree_sitter_sql", "language"),
    "swift": ("tree_sitter_swift", "language"),
    "toml": ("tree_sitter_toml", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "yaml": ("tree_sitter_yaml", "language"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first place that a grammar could not read: 0-based rows, the text around it, and what was missing, if that
    is known."""

    row: int
    last_row: int
    around: str
    missing: str = ""
    at_end: bool = False


@lru_cache(maxsize=64)
def parser(language: str) -> Any | None:
    """Return the tree-sitter parser of `language`, or None when its wheel is missing or does not fit."""
    if language not in WHEELS:
        return None
    module_name, function = WHEELS[language]
    try:
        tree_sitter = importlib.import_module("tree_sitter")
        module = importlib.import_module(module_name)
        with warnings.catch_warnings():
            # Some wheels still hand the grammar over as an integer, which tree-sitter calls deprecated.
            warnings.simplefilter("ignore")
            return tree_sitter.Parser(tree_sitter.Language(getattr(module, function)()))
    except (ImportError, AttributeError, ValueError, TypeError, OSError):
        return None


def tree(code: str, language: str) -> Any | None:
    """Return the tree-sitter tree of `code`, or None when there is no grammar or the code is too large or not encodable."""
    found = parser(language)
    if found is None or len(code) > MAX_BYTES:
        return None
    data = code.encode("utf-8", "replace")
    return found.parse(data) if len(data) <= MAX_BYTES * 2 else None


def fault(code: str, language: str) -> Fault | bool | None:
    """Return None when `code` parses, its first `Fault` when it does not, False when nobody can tell."""
    found = tree(code, language)
    if found is None:
        return False
    root = found.root_node
    if not root.has_error:
        return None
    node = _first_error(root)
    rows = code.split("\n")
    row, last = node.start_point[0], node.end_point[0]
    filled = len(code.rstrip().split("\n"))
    # These grammars lose their way far before they notice: all of the fault counts.
    around = "\n".join(rows[max(0, row - 1) : min(last, row + (400 if language == "css" else 6)) + 2])
    at_end = last >= filled - 1 or row >= filled - 1
    return Fault(row=row, last_row=last, around=around, missing=node.type if node.is_missing else "", at_end=at_end)


def _first_error(node: Any) -> Any:
    while not node.is_missing:
        below = [child for child in node.children if child.has_error or child.is_missing]
        if not below:
            break
        if node.type == "ERROR" and all(child.type != "ERROR" and not child.is_missing for child in below):
            break
        node = below[0]
    return node


def damage(code: str, language: str) -> int | None:
    """Return how many bytes of `code` the grammar could not place, each missing token counted as one; None when nobody can tell.

    Of two grammars the one with less damage is the likelier language.
    """
    found = tree(code, language)
    if found is None:
        return None
    total, below = 0, [found.root_node]
    while below:
        node = below.pop()
        if node.is_missing:
            total += 1
        elif node.type == "ERROR":
            total += max(1, node.end_byte - node.start_byte)
        elif node.has_error:
            below.extend(node.children)
    return total


_CLOSERS = {")": "(", "]": "[", "}": "{"}


def brackets(code: str, language: str) -> tuple[str, str]:
    """Return the brackets that are never closed and those that close nothing, by the tokens of the grammar, which knows what
    lies in strings, patterns and comments; empty where there is no grammar."""
    found = tree(code, language)
    still_open: list[str] = []
    extra: list[str] = []
    below = [found.root_node] if found is not None else []
    while below:
        node = below.pop()
        below.extend(reversed(node.children))
        mark = node.type[-1:] if node.type in {"#{", "${", "%w(", "%i("} else node.type
        if node.children or node.is_missing or len(mark) != 1:
            continue
        if mark in "([{":
            still_open.append(mark)
        elif mark in _CLOSERS:
            if still_open and still_open[-1] == _CLOSERS[mark]:
                still_open.pop()
            else:
                extra.append(mark)
    return "".join(still_open), "".join(extra)
