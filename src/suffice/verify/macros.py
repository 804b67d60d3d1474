"""C and C++ with the macros that the code itself defines put in, for a grammar that knows none.

Does: what a preprocessor does with `#define` in one file (parameters, `#`, `##`, variable arguments, no name within itself), so that
`rep(i, n) x += i;` is read as the loop that it is. Does not: include files, choose between `#if`, judge. Lines keep their numbers.
Invariant: never raises, and what would grow without bound comes back as it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST = 200_000
_DEPTH = 40
_DEFINE = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+(?P<name>\w+)(?:\((?P<parameters>[\w\s,.]*)\))?(?P<body>(?:[^\n\\]|\\.|\\\n)*)$",
    re.MULTILINE,
)
_TOKEN = re.compile(
    r"R\"(?P<raw>[^()\\\s]{0,16})\(.*?\)(?P=raw)\"|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|//[^\n]*|/\*.*?\*/|[A-Za-z_]\w*|\d[\w.']*"
    r"|[^\"'/A-Za-z_0-9(),]+|.",
    re.DOTALL,
)
_SPACE = re.compile(r"\s*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Macro:
    parameters: tuple[str, ...] | None
    body: str


class _TooMuch(Exception):
    """The text grows beyond what is worth reading."""


def expanded(code: str) -> str:
    """Return `code` with its own macros put in and their definitions taken out; `code` itself when it defines none."""
    macros: dict[str, _Macro] = {}
    for found in _DEFINE.finditer(code):
        body = _COMMENT.sub(" ", found["body"].replace("\\\n", " ")).strip()
        parameters = found["parameters"]
        names = None if parameters is None else tuple(p.strip() for p in parameters.split(",") if p.strip())
        macros[found["name"]] = _Macro(names, body)
    if not macros:
        return code
    rest = _DEFINE.sub(lambda found: "\n" * found[0].count("\n"), code)
    try:
        return _put_in(rest, macros, frozenset(), 0)
    except (_TooMuch, RecursionError):
        return code


def _put_in(text: str, macros: dict[str, _Macro], within: frozenset[str], depth: int) -> str:
    if depth > _DEPTH:
        raise _TooMuch
    out: list[str] = []
    at, size = 0, 0
    while token := _TOKEN.match(text, at):
        word, at = token[0], token.end()
        macro = macros.get(word)
        if macro is not None and word not in within:
            arguments, end = _arguments(text, at) if macro.parameters is not None else ([], at)
            if arguments is not None:
                at = end
                given = [_put_in(one, macros, within, depth + 1) for one in arguments]
                word = _put_in(_filled(macro, arguments, given), macros, within | {word}, depth + 1)
        out.append(word)
        size += len(word)
        if size > MOST:
            raise _TooMuch
    return "".join(out)


def _arguments(text: str, at: int) -> tuple[list[str] | None, int]:
    """Return what stands between the brackets that open at `at`, and where they end; None when none open, or none close."""
    space = _SPACE.match(text, at)
    begin = space.end() if space else at
    if text[begin : begin + 1] != "(":
        return None, at
    found: list[str] = []
    depth, piece = 0, begin + 1
    at = begin
    while token := _TOKEN.match(text, at):
        word, at = token[0], token.end()
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
            if not depth:
                return [*found, text[piece : token.start()].strip()], at
        elif word == "," and depth == 1:
            found.append(text[piece : token.start()].strip())
            piece = at
    return None, begin


def _filled(macro: _Macro, raw: list[str], given: list[str]) -> str:
    """Return the body with the arguments in their places, `raw` where they are pasted or quoted."""
    names = macro.parameters or ()
    if names and names[-1].endswith("..."):
        last = len(names) - 1
        names = (*names[:-1], names[-1][:-3] or "__VA_ARGS__")
        raw = [*raw[:last], ", ".join(raw[last:])]
        given = [*given[:last], ", ".join(given[last:])]
    plain = dict(zip(names, raw, strict=False))
    full = dict(zip(names, given, strict=False))
    body = re.sub(r"(?<!#)#\s*(\w+)", lambda m: '""' if m[1] in plain else m[0], macro.body)
    if "##" in body:
        body = re.sub(
            r"\w+(?:\s*##\s*\w+)+", lambda m: "".join(plain.get(w, w) for w in re.split(r"\s*##\s*", m[0])), body
        )
        body = body.replace("##", " ")
    return "".join(full.get(token[0], token[0]) for token in _TOKEN.finditer(body))
