"""Formats that the standard library reads better than a grammar: JSON, notebooks, TOML, and the lines of a Dockerfile.

Each function returns a `Parse`; none raises. What only a laxer dialect allows (comments in JSON, TOML 1.1) is `UNSURE`.
"""

from __future__ import annotations

import json
import re
import tomllib

from suffice.verify.python_code import Parse, Status
from suffice.verify.python_code import read as read_python
from suffice.verify.scan import scan

MAX_DEPTH = 200
_LAX = re.compile(
    r"^\s*(?://|/\*|#|\.\.\.)|//|/\*|,\s*[}\]]|\.\.\.|[{,]\s*[A-Za-z_$][\w$]*\s*:|'|\bNaN\b|\bundefined\b|<[^<>\n]+>",
    re.MULTILINE,
)


def json_text(code: str, *, lax: bool = False) -> Parse:
    """Read `code` as JSON, as JSON lines, or as the members of an object; comments and trailing commas are `UNSURE`."""
    balance = scan(code, "json")
    if balance is not None and balance.depth > MAX_DEPTH:
        return Parse(status=Status.UNSURE, why=f"nested {balance.depth} deep")
    error = _json(code)
    if error is None:
        return Parse(status=Status.GOOD)
    if isinstance(error, str):
        return Parse(status=Status.UNSURE, why=error)
    lines = [line for line in code.split("\n") if line.strip()]
    wrapped = code.strip().rstrip(",")
    if len(lines) > 1 and len(lines) <= 2000 and all(_json(line) is None for line in lines):
        return Parse(status=Status.GOOD, why="JSON lines")
    if wrapped.startswith('"') and _json("{" + wrapped + "}") is None:
        return Parse(status=Status.GOOD, whole=False, why="members of an object")
    if wrapped[:1] in {"{", "["} and _json("[" + wrapped + "]") is None:
        return Parse(status=Status.GOOD, whole=False, why="values in a row")
    cut = error.pos >= len(code.rstrip()) or (balance is not None and bool(balance.open or balance.inside))
    # Without strings there are no false comments left in it; a laxer JSON may still be meant.
    bare = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', code)
    laxer = lax or _LAX.search(bare) is not None
    if laxer and balance is not None and balance.balanced:
        return Parse(status=Status.UNSURE, why=f"a laxer JSON: {error.msg}", line=error.lineno)
    if laxer and not cut:
        return Parse(status=Status.UNSURE, why=f"a laxer JSON: {error.msg}", line=error.lineno)
    return Parse(status=Status.BAD, why=f"{error.msg} (line {error.lineno})", line=error.lineno, cut=cut)


def _json(text: str) -> json.JSONDecodeError | str | None:
    try:
        json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        return error
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


def notebook(code: str) -> Parse:
    """Read a Jupyter notebook: JSON with cells, each Python code cell parsed on its own."""
    outer = json_text(code)
    if outer.status is not Status.GOOD:
        return outer
    try:
        value = json.loads(code, strict=False)
    except (ValueError, RecursionError):
        return Parse(status=Status.UNSURE, why="several values")
    if not isinstance(value, dict) or not isinstance(value.get("cells"), list):
        return Parse(status=Status.BAD, why="a notebook without cells", line=1)
    metadata = value.get("metadata")
    kernel = json.dumps(metadata.get("kernelspec", {})) if isinstance(metadata, dict) else ""
    if kernel not in {"", "{}"} and "python" not in kernel.lower():
        return Parse(status=Status.GOOD)
    for number, cell in enumerate(value["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        text = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else str(source)
        parsed = read_python(text)
        if parsed.status is Status.BAD:
            return Parse(status=Status.BAD, why=f"cell {number}: {parsed.why}", line=parsed.line)
    return Parse(status=Status.GOOD)


def toml(code: str) -> Parse:
    """Read TOML 1.0; what tree-sitter reads and the standard library does not is `UNSURE`."""
    try:
        tomllib.loads(code)
    except tomllib.TOMLDecodeError as error:
        balance = scan(code, "toml")
        newer = (
            re.search(r"\{[^{}\n]*\n|,\s*\}|\\[ex]|\d\d:\d\d(?!:)", code) and balance is not None and balance.balanced
        )
        repeated = "overwrite" in str(error) or "twice" in str(error) or "mutate" in str(error)
        if newer or repeated or re.search(r"^\s*(?:\.\.\.|…)\s*$", code, re.MULTILINE):
            return Parse(status=Status.UNSURE, why=str(error))
        return Parse(status=Status.BAD, why=str(error), cut="end of document" in str(error))
    except (RecursionError, ValueError):
        return Parse(status=Status.UNSURE, why="too deep")
    return Parse(status=Status.GOOD)


_WORDS = frozenset(
    [
        "FROM",
        "RUN",
        "CMD",
        "LABEL",
        "MAINTAINER",
        "EXPOSE",
        "ENV",
        "ADD",
        "COPY",
        "ENTRYPOINT",
        "VOLUME",
        "USER",
        "WORKDIR",
        "ARG",
        "ONBUILD",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "SHELL",
    ]
)
_HEREDOC = re.compile(r"<<-?\s*[\"']?(\w+)[\"']?")


def dockerfile(code: str) -> Parse:
    """Read a Dockerfile line by line: known instructions with arguments, ended continuations and heredocs."""
    escape = "`" if re.match(r"#\s*escape\s*=\s*`", code, re.IGNORECASE) else "\\"
    logical, pending, ends = "", False, list[str]()
    for number, line in enumerate(code.split("\n"), 1):
        stripped = line.strip()
        if ends:
            if stripped == ends[0]:
                ends.pop(0)
            continue
        if not stripped or stripped.startswith("#"):
            continue
        logical = f"{logical} {stripped}" if pending else stripped
        pending = stripped.endswith(escape)
        logical = logical.removesuffix(escape).rstrip() if pending else logical
        if pending:
            continue
        word, rest = (*logical.split(None, 1), "")[:2]
        why = _instruction(word, rest)
        if why:
            return Parse(status=Status.BAD, why=f"{why} (line {number})", line=number)
        ends = [m.group(1) for m in _HEREDOC.finditer(rest)] if word.upper() in {"RUN", "COPY", "ADD"} else []
    if pending or ends:
        return Parse(
            status=Status.BAD, why="ends inside a continued line or a heredoc", cut=True, line=code.count("\n") + 1
        )
    return Parse(status=Status.GOOD)


def _instruction(word: str, rest: str) -> str:
    if word in {"...", "…"} or "{{" in word or word.startswith("<"):
        return ""
    if word.upper() not in _WORDS:
        return f"{word[:40]!r} is no instruction"
    if not rest.strip():
        return f"{word.upper()} has no argument"
    opened = rest.lstrip().startswith("[") and word.upper() in {"CMD", "ENTRYPOINT", "SHELL", "VOLUME"}
    if opened and "]" not in rest:
        return f"{word.upper()} opens a list that does not end"
    quotes = word.upper() in {"ENV", "LABEL"} and re.sub(r"\\.|'[^']*'", "", rest).count('"') % 2 == 1
    return f"{word.upper()} ends inside a string" if quotes else ""
