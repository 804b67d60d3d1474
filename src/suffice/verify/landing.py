"""What an answer makes of a repository: the files that it changes, by their paths there, for a check to look at.

Edits are applied to the files that the conversation shows, else to those that `read` gives; agents name files by paths of
their own machine, of which the tail that the repository knows counts. It reads nothing itself. Invariant: only files whose
whole new content is known come out; an edit of an unknown file is left out, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from suffice.verify.apply import apply, touched
from suffice.verify.extract import Code, Form, Source, extract
from suffice.verify.view import AnswerView, AskView

# Gives the text of the file at a path relative to the repository, None when there is none.
Read = Callable[[str], str | None]
MOST_TAILS = 12


def changed_files(answer: AnswerView, ask: AskView, read: Read) -> dict[str, str]:
    """Return the new content of every file that the edits of `answer` change; relative paths, empty when it edits nothing."""
    pieces = extract(answer, ask)
    known = dict(ask.files)
    places: dict[str, str] = {}
    for path in touched(pieces):
        found = _known(path, known)
        place, text = _place(path, read)
        if found is None or found in ask.partial:
            if text is None:
                continue
            known.pop(found or "", None)
            known[place] = text
            found = place
        places[found] = place or found
    applied = apply(pieces, known, frozenset())
    roots = {_root(path, place) for path, place in places.items() if place and path != place}
    out: dict[str, str] = {}
    for path, text in applied.after.items():
        relative = _relative(places.get(path, path), roots)
        if relative:
            out[relative] = text
    return out


def plain_files(answer: AnswerView, ask: AskView) -> dict[str, str]:
    """Return the code of an answer that edits nothing: by path where it names one, else the largest piece under ""."""
    pieces = [c for c in extract(answer, ask) if _is_code(c)]
    named = {c.path: c.text for c in pieces if c.path}
    if named:
        return named
    largest = max(pieces, key=lambda c: len(c.text), default=None)
    return {"": largest.text} if largest is not None else {}


def _is_code(piece: Code) -> bool:
    return piece.form is Form.CODE and piece.source is not Source.TOOL


def _known(path: str, known: Mapping[str, str]) -> str | None:
    """Return the key of the known file that `path` means; paths match when one is the tail of the other."""
    path = path.replace("\\", "/").removeprefix("./")
    tails = [k for k in known if k == path or k.endswith("/" + path) or path.endswith("/" + k.removeprefix("./"))]
    return tails[0] if len(tails) == 1 else None


def _place(path: str, read: Read) -> tuple[str, str | None]:
    """Return where the repository has the file that `path` means, by its longest tail there, and its text."""
    parts = PurePosixPath(path.replace("\\", "/").removeprefix("./")).parts
    for start in range(min(len(parts), MOST_TAILS)):
        tail = "/".join(part for part in parts[start:] if part != "/")
        text = read(tail) if tail and ".." not in parts[start:] else None
        if text is not None:
            return tail, text
    return "", None


def _root(path: str, place: str) -> str:
    """Return what stands before the repository's own path, where an agent calls `place` by `path`."""
    return path[: -len(place)] if path.endswith(place) else ""


def _relative(path: str, roots: set[str]) -> str:
    """Return a path without the root that other files showed, "" for one that lies somewhere unknown."""
    path = path.replace("\\", "/").removeprefix("./")
    if not path.startswith(("/", "~")) and ":" not in path[:3]:
        return path
    root = max((one for one in roots if one and path.startswith(one)), key=len, default="")
    return path[len(root) :].lstrip("/") if root else ""
