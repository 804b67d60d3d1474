"""What a review makes of a draft: approved as it is, repaired by search/replace blocks, or nothing that can be used.

Strict on purpose, for the reviewer was told the form: a word beside it, a block whose lines are not in the draft exactly once, or
one that cuts through marks of an edit in the draft makes the whole review useless. It never guesses and never raises.
"""

from __future__ import annotations

import re

from suffice.verify.extract import normalise
from suffice.verify.hunks import MalformedError, blocks

APPROVED = "APPROVED"
_BLOCK = re.compile(r"^<<<<<<< SEARCH\n.*?^>>>>>>> REPLACE[ \t]*$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"^(?:<{5,9}|={5,9}|>{5,9})", re.MULTILINE)
MOST_BLOCKS = 100


def revised(draft: str, review: str) -> str | None:
    """Return the draft as `review` leaves it: itself when approved, repaired by blocks, None when the review says anything else."""
    said = normalise(review).strip()
    if said == APPROVED:
        return draft
    around = [line for line in _BLOCK.sub("", said).split("\n") if line.strip()]
    if any(not line.startswith("```") for line in around):
        return None
    try:
        edits = blocks(said)
    except MalformedError:
        return None
    if not 0 < len(edits) <= MOST_BLOCKS:
        return None
    text = normalise(draft)
    for edit in edits:
        old, new = ("\n".join(lines) for lines in (edit.hunks[0].old, edit.hunks[0].new))
        if not old.strip() or _MARK.search(old) or _MARK.search(new):
            return None
        found = _lines(text, old)
        if found is None:
            return None
        # Without lines in their place the line end goes as well.
        end = found + len(old) + (1 if not edit.hunks[0].new else 0)
        text = text[:found] + new + text[end:]
    return text if text != normalise(draft) else None


def _lines(text: str, old: str) -> int | None:
    """Return where `old` stands in `text` as whole lines, None when it does not or does more than once."""
    places = [m.start() for m in re.finditer(f"(?=^{re.escape(old)}$)", text, re.MULTILINE)]
    return places[0] if len(places) == 1 else None
