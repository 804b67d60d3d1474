"""A file read one top-level unit at a time, for grammars that lose their way in a whole that they can read in parts.

A generalised parser may settle on a wrong reading of a line because of what stood a hundred lines before it. When each
function or class is read well on its own, nothing of the whole is broken: units stand side by side in every language here.
"""

from __future__ import annotations

import re

from suffice.verify import grammars
from suffice.verify.contexts import SURROUNDINGS

MAX_UNITS = 200
_CONTINUES = re.compile(
    r"[\s})\]{]|(?:end|else|elsif|elif|when|rescue|ensure|catch|finally|in|then|fi|done|esac|where)\b"
)
_PAIRS = (("{", "}"), ("(", ")"), ("[", "]"))


def units(code: str) -> list[str]:
    """Split `code` where a line at the left margin follows an empty one and as many brackets were closed as opened."""
    out: list[str] = []
    current: list[str] = []
    open_ = [0, 0, 0]
    empty = False
    for line in code.split("\n"):
        if empty and line and not _CONTINUES.match(line) and not any(open_):
            out.append("\n".join(current) + "\n")
            current = []
        current.append(line)
        for at, (left, right) in enumerate(_PAIRS):
            open_[at] += line.count(left) - line.count(right)
        empty = not line.strip()
    return [*out, "\n".join(current) + "\n"]


def each_parses(code: str, language: str) -> bool:
    """True when `code` is several units and the grammar reads each of them, as it stands or as the fragment that it is."""
    parts = units(code)
    return 1 < len(parts) <= MAX_UNITS and all(_reads(part, language) for part in parts if part.strip())


def _reads(part: str, language: str) -> bool:
    return grammars.fault(part, language) is None or any(
        grammars.fault(before + part + after.lstrip("\n") + "\n", language) is None
        for before, after in SURROUNDINGS.get(language, ())
    )
