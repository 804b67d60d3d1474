"""The part of a long Python file around an edit: from the last top-level definition before it to the first one behind it.

Parsing a hundred kilobytes takes longer than a held tool call may wait. Where the region of a changed file parses by itself,
the file is as whole as it was; where it does not, nobody knows yet, and the whole file is to be parsed. Invariant: a region is
never the reason of a rejection.
"""

from __future__ import annotations

import re
from itertools import takewhile

# Below this many characters the whole is parsed in a few milliseconds.
LONG = 16_000
_STARTS = re.compile(r"(?:@|def |class |async def |import |from )")


def region(before: str, after: str) -> str:
    """Return the lines of `after` around what differs from `before`, "" when they are not much less than all of it."""
    if len(after) < LONG:
        return ""
    old, new = before.split("\n"), after.split("\n")
    head = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    most = min(len(old), len(new)) - head
    tail = sum(
        1
        for _ in takewhile(
            lambda pair: pair[0] == pair[1], zip(old[: -most - 1 : -1], new[: -most - 1 : -1], strict=False)
        )
    )
    start = head
    while start > 0 and not (_begins(new, start) and start < head):
        start -= 1
    end = len(new) - tail
    while end < len(new) and not _begins(new, end):
        end += 1
    found = "\n".join(new[start:end]) + "\n"
    return found if len(found) * 2 < len(after) else ""


def _begins(lines: list[str], at: int) -> bool:
    """True where a top-level statement begins that is not the continuation of decorators."""
    return at < len(lines) and _STARTS.match(lines[at]) is not None and not (at > 0 and lines[at - 1].startswith("@"))
