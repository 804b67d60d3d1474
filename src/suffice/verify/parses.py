"""Gate `parses`: every piece of code that the answer stands on is a program, or a part of one, of its language.

It accepts when all that could be read is good, rejects on the first binding piece that is not, and says UNKNOWN otherwise.
"""

from __future__ import annotations

from suffice.values.task import TaskType
from suffice.values.verdict import Outcome, Verdict
from suffice.verify import languages
from suffice.verify.extract import Code
from suffice.verify.python_code import Parse, Status
from suffice.verify.reading import Reading, verdict
from suffice.verify.region import region
from suffice.verify.syntax import parse

GATE = "parses"


def check(reading: Reading) -> Verdict:
    """Return whether the code of the answer parses."""
    after = _after_edits(reading)
    if after is not None and (after.rejected or not reading.code):
        return after
    if not reading.code:
        return verdict(GATE, Outcome.UNKNOWN, "no code to parse")
    for piece, parsed in reading.broken:
        if reading.ask.task is TaskType.COMPLETE and (reading.ask.suffix or not parsed.cut):
            continue
        return _rejected(piece, parsed)
    read = list(zip(reading.code, reading.parses, strict=True))
    bad = [(piece, parsed) for piece, parsed in read if parsed.status is not Status.GOOD and reading.binding(piece)]
    if bad:
        return verdict(GATE, Outcome.UNKNOWN, bad[0][1].why or "no parser for this language", piece=bad[0][0])
    good = [piece for piece, parsed in read if parsed.status is Status.GOOD]
    if not good:
        return verdict(GATE, Outcome.UNKNOWN, "no piece could be judged", piece=reading.code[0])
    return verdict(GATE, Outcome.ACCEPT, "the code parses", piece=good[0])


def _after_edits(reading: Reading) -> Verdict | None:
    """Judge the files that the edits changed: one that parsed before must parse after."""
    if reading.applied.problems:
        return None
    good = ""
    for path, text in reading.applied.after.items():
        before, language = reading.ask.files.get(path), languages.of_path(path)
        if before is None or path in reading.ask.partial or not language or before == text:
            continue
        near = region(before, text) if language == "python" else ""
        if near and parse(near, language).status is Status.GOOD:
            good = path
            continue
        parsed = parse(text, language)
        if parsed.status is Status.BAD and parse(before, language).status is Status.GOOD:
            reason = f"After the edit, {path} does not parse any more: {parsed.why}."
            return verdict(GATE, Outcome.REJECT, reason, kind="syntax", language=language)
        good = path if parsed.status is Status.GOOD else good
    return (
        verdict(GATE, Outcome.ACCEPT, f"{good} parses after the edit", language=languages.of_path(good))
        if good
        else None
    )


def _rejected(piece: Code, parsed: Parse) -> Verdict:
    place = f" in {piece.path}" if piece.path else ""
    reason = f"The {piece.language} code{place} does not parse: {parsed.why}."
    lines = piece.text.split("\n")
    shown = "\n".join(lines[max(0, parsed.line - 3) : parsed.line + 1])[:600] if parsed.line else ""
    evidence = f"{reason}\n{shown}" if shown else reason
    return verdict(
        GATE, Outcome.REJECT, reason, kind="truncated" if parsed.cut else "syntax", evidence=evidence, piece=piece
    )
