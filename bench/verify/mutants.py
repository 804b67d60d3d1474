"""Defects of known kinds, made from reference solutions, each shown to be real by a means that is not the gate under test.

Python is judged by `compile`, shell by `bash -n`, other languages by counting brackets on lines that hold neither strings nor comments.
What cannot be shown to
be a defect (a cut between two functions leaves a valid program) is left out and counted.
"""

from __future__ import annotations

import ast
import random
import re
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_OPEN, _CLOSE = "([{", ")]}"
INVENTED = tuple(
    f"{a}{s}{b}{s}{c}"
    for a, b, c, s in (
        ("quick", "array", "toolset", "_"),
        ("smart", "parse", "engine", "_"),
        ("ultra", "json", "validator", "_"),
        ("fast", "matrix", "kernels", "_"),
        ("auto", "graph", "solver", "_"),
        ("deep", "string", "metrics", "_"),
        ("easy", "interval", "trees", "_"),
        ("hyper", "sort", "kit", "_"),
        ("pure", "money", "formatter", "_"),
        ("tiny", "roman", "numerals", "_"),
        ("safe", "palindrome", "checker", "_"),
        ("super", "prime", "sieve", "_"),
        ("open", "bowling", "score", "_"),
        ("next", "anagram", "finder", "_"),
        ("core", "cipher", "suite", "_"),
        ("mega", "list", "chunker", "_"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A defective version of one reference: `unclosed` when the answer ends inside its fence."""

    kind: str
    code: str
    unclosed: bool = False


def compiles(code: str) -> bool:
    """True when Python compiles `code`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "<mutant>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _shell_faults(code: str) -> bool:
    """True when the shell itself cannot read `code`; False without a shell, too: nothing is shown then."""
    try:
        run = subprocess.run(["bash", "-O", "extglob", "-n"], input=code.encode(), capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    # A here-document that the end of the text closes is a warning only.
    return run.returncode != 0


_HASHES = frozenset(["bash", "ruby", "python", "yaml", "toml", "hcl", "dockerfile", "php"])
# Where a cut or a lost bracket cannot be shown by counting: text, and what ends by words.
_UNCOUNTED = frozenset(["yaml", "markdown", "text", "html", "vue", "svelte", "dockerfile"])


def counts(code: str, language: str = "") -> tuple[int, ...]:
    """How often each bracket is opened more than closed in `code`, comments left out, strings included."""
    code = re.sub(r"/\*[\s\S]*?(?:\*/|\Z)|//[^\n]*", "", code)
    if language in _HASHES:
        code = re.sub(r"(?m)(?:^|(?<=\s))#[^\n]*", "", code)
    if language in {"lua", "sql"}:
        code = re.sub(r"--[^\n]*", "", code)
    return tuple(code.count(a) - code.count(b) for a, b in zip(_OPEN, _CLOSE, strict=True))


def plain_places(code: str, marks: str, language: str = "") -> list[int]:
    """Offsets of `marks` on lines without quotes or comment signs, outside of block comments and strings over lines."""
    places, at, inside = [], 0, False
    for line in code.split("\n"):
        toggles = line.count('"""') + line.count("'''") + ("/*" in line) + ("*/" in line)
        if language == "lua":
            toggles += line.count("[[") + line.count("]]")
        elif language in {"bash", "php", "ruby"}:
            # A string of the shell goes over lines: a quote without its pair opens or closes one.
            toggles += re.sub(r'\\.|"(?:[^"\\]|\\.)*"', "", line).count("'") % 2
        if not inside and not toggles and not re.search(r"[\"'`#]|//|/[^ /=]|--|^\s*\*", line):
            places += [at + i for i, char in enumerate(line) if char in marks]
        inside ^= toggles % 2 == 1
        at += len(line) + 1
    return places


def truncated(code: str, language: str, rng: random.Random) -> Iterator[Mutant | None]:
    """Yield cuts at varied points: as the answer would end (no closing fence), and closed again (None when perhaps
    still valid)."""
    for share in (0.3, 0.55, 0.8, 0.95):
        at = max(1, min(len(code) - 2, int(len(code.rstrip()) * share) + rng.randint(-3, 3)))
        cut = code[:at]
        yield Mutant(kind="truncated", code=cut, unclosed=True)
        broken = (
            not compiles(cut)
            if language == "python"
            else _shell_faults(cut)
            if language == "bash"
            else any(a > b for a, b in zip(counts(cut, language), counts(code, language), strict=True))
            and counts(code, language) == (0, 0, 0)
            and language not in _UNCOUNTED
        )
        yield Mutant(kind="truncated-closed", code=cut) if broken and cut.strip() else None


def syntax(code: str, language: str, rng: random.Random) -> Iterator[Mutant | None]:
    """Yield one missing bracket, one extra bracket, one doubled operator, one broken keyword or colon."""
    balanced = counts(code, language) == (0, 0, 0) and language not in _UNCOUNTED
    brackets = plain_places(code, _OPEN + _CLOSE, language)
    if brackets and balanced:
        at = rng.choice(brackets)
        yield _real(code[:at] + code[at + 1 :], language)
        at = rng.choice(brackets)
        yield _real(code[:at] + rng.choice(_OPEN + _CLOSE) + code[at:], language)
    equals = [at for at in plain_places(code, "=", language) if re.match(r"\w = \w", code[at - 2 : at + 3])]
    if equals:
        at = rng.choice(equals)
        yield _real(code[:at] + "= = " + code[at + 1 :], language)
    if language == "python":
        colons = [m.end() - 1 for m in re.finditer(r"^\s*(?:def|for|if|while|class)\b[^\n\"'#]*:$", code, re.MULTILINE)]
        if colons:
            at = rng.choice(colons)
            yield _real(code[:at] + code[at + 1 :], language)
            lines = code.split("\n")
            row = code[:at].count("\n") + 1
            if row < len(lines):
                lines[row] = "   " * 5 + lines[row].lstrip() + "\n  x = 1"
                yield _real("\n".join(lines), language)


def _real(code: str, language: str) -> Mutant | None:
    if (language == "python" and compiles(code)) or (language == "bash" and not _shell_faults(code)):
        return None
    return Mutant(kind="syntax", code=code)


def invented_import(code: str, language: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield the code with an import that no registry has, written as the language writes it."""
    name = rng.choice(INVENTED)
    dashed, plain = name.replace("_", "-"), name.replace("_", "")
    forms = {
        "python": (f"import {name}\n{code}", f"from {name}.core import Solver\n{code}"),
        "javascript": (f"import tool from '{dashed}';\n{code}", f"const tool = require('{dashed}');\n{code}"),
        "typescript": (f"import {{ tool }} from '{dashed}';\n{code}",),
        "rust": (
            f"use {name}::Solver;\n{code}",
            f"use std::{name}::Solver;\n{code}",
            f"use std::{{fmt, {name}::Solver}};\n{code}",
        ),
        "java": (
            f"import java.util.{plain}.Solver;\n{code}" if "package " not in code else "",
            f"import {plain}.core.Solver;\n{code}" if "package " not in code else "",
        ),
        "cpp": (f"#include <{name}>\n{code}",),
        "c": (f"#include <{name}>\n{code}",),
        "kotlin": (
            _after_package(f"import {plain}.core.Solver", code),
            _after_package(f"import java.util.{plain}.Solver", code),
        ),
        "scala": (
            _after_package(f"import {plain}.core.Solver", code),
            _after_package(f"import java.util.{plain}.Solver", code),
        ),
    }
    for text in forms.get(language, ()):
        if text:
            yield Mutant(kind="invented-import", code=text)
    if language == "go":
        path = rng.choice((f"strings/{plain}", plain))
        with_import = re.sub(r"^(package \w+\n)", rf'\1\nimport "{path}"\n', code, count=1, flags=re.MULTILINE)
        yield Mutant(kind="invented-import", code=with_import if with_import != code else f'import "{path}"\n{code}')


def _after_package(line: str, code: str) -> str:
    """Return `code` with `line` below its package clause, where it has one."""
    clause = re.match(r"(?:\s*(?://[^\n]*|@file:[^\n]*)\n)*\s*package [^\n]+\n", code)
    at = clause.end() if clause else 0
    return f"{code[:at]}{line}\n{code[at:]}"


def wrong_name(code: str, language: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield Python code whose last top-level function has another name, and code that reads a variable that does not exist."""
    if language != "python":
        return
    names = re.findall(r"^def (\w+)\(", code, re.MULTILINE)
    if len(names) == 1:
        yield Mutant(kind="wrong-name", code=re.sub(rf"\b{names[0]}\b", names[0] + "_impl", code))
    returns = list(re.finditer(r"^(\s+)return (?=\w)", code, re.MULTILINE))
    if returns:
        match = rng.choice(returns)
        mutated = code[: match.end()] + "unbound_total or " + code[match.end() :]
        # A `return` inside of a string is no code.
        if compiles(mutated) and any(
            isinstance(n, ast.Name) and n.id == "unbound_total" for n in ast.walk(ast.parse(mutated))
        ):
            yield Mutant(kind="undefined-name", code=mutated)


def wrong_logic(code: str, language: str, rng: random.Random) -> Iterator[Mutant]:
    """Yield code with one operator exchanged: it parses and is wrong. No static gate is expected to see it."""
    pairs = ((" + ", " - "), (" < ", " <= "), (" == ", " != "), (" > ", " >= "), (" and ", " or "))
    for old, new in rng.sample(pairs, len(pairs)):
        if old in code:
            yield Mutant(kind="wrong-logic", code=code.replace(old, new, 1))
            return
