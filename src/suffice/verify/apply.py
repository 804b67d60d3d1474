"""Do the edits of an answer fit the files that the conversation contains, and what do the files become.

Edits are applied in order to a working copy. A file that is not known, or known in part, is never held against an
edit. What does
not fit exactly but would with other blanks is `sure=False` where the tools that apply it forgive blanks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from suffice.verify.extract import Code, Form, Source, arguments_of, normalise
from suffice.verify.hunks import FileEdit, Hunk, MalformedError, blocks, envelope, unified

# Tools that refuse a text which occurs more than once.
_UNIQUE = frozenset(
    {
        "edit",
        "multiedit",
        "str_replace",
        "str_replace_editor",
        "str_replace_based_edit_tool",
        "edit_file",
        "strreplace",
        "search_replace",
    }
)
MAX_EDITS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An edit that does not fit (`sure`) or of which nobody can tell (not `sure`)."""

    piece: Code
    path: str
    why: str
    sure: bool
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What became of the edits: `after` the changed files, `fitting` how many edits fit, `problems` the others."""

    after: Mapping[str, str]
    fitting: int
    problems: tuple[Problem, ...]


class Workspace:
    """A working copy of the known files; paths match when one is the tail of the other."""

    def __init__(self, files: Mapping[str, str], partial: frozenset[str]) -> None:
        self.files = {path: normalise(text) for path, text in files.items()}
        self.partial = set(partial)
        self.changed: set[str] = set()

    def find(self, path: str) -> str | None:
        """Return the key of the one known file that `path` means, or None."""
        path = path.replace("\\", "/").removeprefix("./")
        if path in self.files:
            return path
        tails = [
            key
            for key in self.files
            if key.replace("\\", "/").endswith("/" + path)
            or path.endswith("/" + key.replace("\\", "/").removeprefix("./"))
        ]
        return tails[0] if len(tails) == 1 else None

    def write(self, key: str, text: str) -> None:
        """Replace the content of `key`."""
        self.files[key] = text
        self.changed.add(key)


def apply(pieces: tuple[Code, ...], files: Mapping[str, str], partial: frozenset[str]) -> Applied:
    """Apply the edits among `pieces` to `files` and say what fits. Never raises."""
    space = Workspace(files, partial)
    problems: list[Problem] = []
    fitting = 0
    for piece in pieces[:MAX_EDITS]:
        try:
            edits = _edits(piece)
        except MalformedError as error:
            problems.append(Problem(piece=piece, path=piece.path, why=str(error), sure=piece.form is not Form.DIFF))
            continue
        for edit in edits[:MAX_EDITS]:
            problem = _one(edit, piece, space)
            if problem is None:
                fitting += 1
            else:
                problems.append(problem)
    after = {path: space.files[path] for path in space.changed}
    return Applied(after=after, fitting=fitting, problems=tuple(problems))


def touched(pieces: tuple[Code, ...]) -> tuple[str, ...]:
    """Return the paths that the edits among `pieces` name, in order, once each. Never raises."""
    paths: dict[str, None] = {}
    for piece in pieces[:MAX_EDITS]:
        try:
            paths.update((edit.path, None) for edit in _edits(piece)[:MAX_EDITS] if edit.path)
        except MalformedError:
            continue
    return tuple(paths)


def _edits(piece: Code) -> tuple[FileEdit, ...]:
    if piece.form is Form.PATCH:
        return envelope(piece.text)
    if piece.form is Form.BLOCKS:
        return blocks(piece.text, piece.path)
    if piece.form is Form.DIFF:
        found = unified(piece.text)
        return tuple(FileEdit(path=e.path or piece.path, hunks=e.hunks, action=e.action) for e in found)
    if piece.replaces is not None:
        hunk = Hunk(old=tuple(normalise(piece.replaces).split("\n")), new=tuple(normalise(piece.text).split("\n")))
        return (FileEdit(path=piece.path, hunks=(hunk,)),)
    if piece.form is Form.CODE and piece.source is Source.TOOL and piece.certain and piece.path:
        return (FileEdit(path=piece.path, action="add", hunks=(Hunk(old=(), new=tuple(piece.text.split("\n"))),)),)
    return ()


def _one(edit: FileEdit, piece: Code, space: Workspace) -> Problem | None:
    if edit.action == "add":
        space.write(space.find(edit.path) or edit.path, "\n".join(edit.hunks[0].new) if edit.hunks else "")
        return None
    key = space.find(edit.path) if edit.path else None
    if (
        key is None
        and not edit.path
        and len(space.files) == 1
        and (piece.form is not Form.DIFF or any(h.line for h in edit.hunks))
    ):
        key = next(iter(space.files))
    if key is None:
        made = [h for h in edit.hunks if not any(line.strip() for line in h.old)]
        if made and len(made) == len(edit.hunks) and edit.path:
            space.write(edit.path, "\n".join(made[0].new))
            return None
        return Problem(piece=piece, path=edit.path, why="the conversation does not contain this file", sure=False)
    if edit.action == "delete":
        del space.files[key]
        space.changed.discard(key)
        return None
    if piece.replaces is not None:
        return _replace_text(edit, piece, space, key)
    return _hunks(edit, piece, space, key)


def _replace_text(edit: FileEdit, piece: Code, space: Workspace, key: str) -> Problem | None:
    old, new, text = "\n".join(edit.hunks[0].old), "\n".join(edit.hunks[0].new), space.files[key]
    whole = key not in space.partial
    if not old:
        if text.strip() and whole and (piece.call is None or piece.call.name.lower() in _UNIQUE):
            return Problem(piece=piece, path=key, why="the text to replace is empty, but the file is not", sure=True)
        space.write(key, new if not text.strip() else text)
        return None
    if old == new:
        return Problem(
            piece=piece, path=key, why="the text and its replacement are the same", sure=piece.call is not None
        )
    count = text.count(old)
    if count == 0:
        return Problem(
            piece=piece,
            path=key,
            why="the text to replace is not in the file",
            sure=whole,
            evidence=_nearest(old, text),
        )
    arguments = arguments_of(piece.call) if piece.call is not None else None
    everywhere = (
        any(bool(arguments.get(k)) for k in ("replace_all", "replaceAll", "all", "expected_replacements"))
        if arguments
        else False
    )
    if count > 1 and not everywhere and piece.call is not None and piece.call.name.lower() in _UNIQUE:
        return Problem(piece=piece, path=key, why=f"the text to replace occurs {count} times in the file", sure=whole)
    space.write(key, text.replace(old, new) if everywhere else text.replace(old, new, 1))
    return None


def _hunks(edit: FileEdit, piece: Code, space: Workspace, key: str) -> Problem | None:
    lines = space.files[key].split("\n")
    cursor, sloppy = 0, False
    for hunk in edit.hunks:
        place, exact, start = _place(hunk, lines, cursor, piece.form)
        if place is None:
            whole = key not in space.partial
            elided = any(line.strip() in {"...", "…"} for line in hunk.old)
            why = (
                "the lines to replace are not in the file"
                if start is not None
                else "a line that should come before is not in the file"
            )
            evidence = _nearest("\n".join(hunk.old), space.files[key])
            return Problem(piece=piece, path=key, why=why, sure=whole and not elided, evidence=evidence)
        sloppy = sloppy or not exact
        lines[place : place + len(hunk.old)] = hunk.new
        cursor = place + len(hunk.new)
    if sloppy:
        return Problem(piece=piece, path=key, why="it fits only with other blanks", sure=False)
    space.write(key, "\n".join(lines))
    return None


def _place(hunk: Hunk, lines: list[str], cursor: int, form: Form) -> tuple[int | None, bool, int | None]:
    """Return (index where the hunk fits or None, whether exactly, where the search began or None when an anchor is missing)."""
    start = cursor
    for anchor in hunk.anchors:
        found = _line(lines, anchor, start)
        if found is None:
            found = _line(lines, anchor, 0)
        if found is None:
            return None, False, None
        start = found + 1
    old = list(hunk.old)
    if not old or not any(line.strip() for line in old):
        at = min(max(hunk.line, start), len(lines)) if hunk.line else (start if hunk.anchors else len(lines))
        return at, True, start
    hint = max(hunk.line - 1, 0)
    exact = _sequence(lines, old, start, hint)
    if exact is None:
        exact = _sequence(lines, old, 0, hint)
    if exact is not None:
        return exact, True, start
    for forgiven in _forgiving(form):
        loose = [forgiven(line) for line in lines]
        wanted = [forgiven(line) for line in old]
        place = _sequence(loose, wanted, 0, hint)
        if place is not None:
            # apply_patch itself forgives blanks; other tools differ.
            return place, form is Form.PATCH, start
    return None, False, start


def _forgiving(form: Form) -> tuple[Callable[[str], str], ...]:
    # Diffs: blanks at the end of a line; blocks and patches are also found at another indentation.
    return (str.rstrip,) if form is Form.DIFF else (str.rstrip, str.strip)


def _line(lines: list[str], anchor: str, start: int) -> int | None:
    wanted = anchor.strip()
    exact = next((i for i in range(start, len(lines)) if lines[i].strip() == wanted), None)
    if exact is not None:
        return exact
    return next((i for i in range(start, len(lines)) if wanted in lines[i]), None)


def _sequence(lines: list[str], wanted: list[str], start: int, hint: int) -> int | None:
    """Return the index from `start` on at which `wanted` stands in `lines`, the nearest to `hint` when it stands there
    often."""
    first, size = wanted[0], len(wanted)
    places = [i for i in range(start, len(lines) - size + 1) if lines[i] == first and lines[i : i + size] == wanted]
    if not places:
        return None
    return min(places, key=lambda place: abs(place - hint)) if hint else places[0]


def _nearest(old: str, text: str) -> str:
    """Return the place in `text` that begins like `old`, for the evidence; cheap and capped."""
    first = next((line.strip() for line in old.split("\n") if line.strip()), "")
    if not first:
        return ""
    rows = text.split("\n")
    at = next((i for i, row in enumerate(rows) if row.strip() == first), None)
    if at is None:
        return f"No line of the file is {first[:200]!r}."
    return "The file has:\n" + "\n".join(rows[at : at + min(12, old.count("\n") + 2)])[:1000]
