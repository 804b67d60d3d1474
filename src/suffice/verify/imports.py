"""Gate `imports`: what the code imports exists: in a standard library, on the registry, in the conversation, or in the answer.

It rejects a name only when it is nowhere: not in the dated lists of `packages.py`, not a word of the conversation, not
a file or
a name of the answer itself, not guarded against its absence, and not a placeholder that stands for the reader's own code.
Ecosystems without a list here (Java archives, Go modules with a domain, gems, ...) are UNKNOWN.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from suffice.values.verdict import Outcome, Verdict
from suffice.verify import packages
from suffice.verify.extract import Code
from suffice.verify.imported import Imported, of_cpp, of_go, of_java, of_javascript, of_python, of_rust
from suffice.verify.python_code import Parse, Status
from suffice.verify.reading import Reading, verdict

GATE = "imports"
_READERS: dict[str, Callable[[Code, Parse], tuple[Imported, ...]]] = {
    "python": of_python,
    "javascript": of_javascript,
    "typescript": of_javascript,
    "tsx": of_javascript,
    "vue": of_javascript,
    "svelte": of_javascript,
    "go": of_go,
    "rust": of_rust,
    "java": of_java,
    "kotlin": of_java,
    "scala": of_java,
    "c": of_cpp,
    "cpp": of_cpp,
}
# Names with which snippets stand for the reader's own code.
_OWN = re.compile(
    r"(?i)^@?(?:(?:.*[-_.])?(?:tests?|e2e|internal|local|private|shared|workspace)(?:[-_.].*)?|.*[-_.]?(?:your|my|our|example|sample|demo|placeholder|foo|bar|baz|dummy|some|custom)[-_.]?.*|src|lib"
    r"|libs|app|apps|main|utils?|helpers?|common|core|"
    r"config|configs|settings|constants?|models?|views?|schemas?|types?|services?|components?|modules?|module|pages?"
    r"|hooks?|store|stores|"
    r"api|routes?|routers?|controllers?|middlewares?|database|db|tests?|conftest|server|client|project|package"
    r"|packages|internal|pkg|cmd|"
    r"assets|styles|public|features?|shared|domain|entities|interfaces|exceptions|errors|validators?|forms?"
    r"|serializers?|tasks?|handlers?|"
    r"solution|program|functions?|classes|data|dataset|train|evaluate|generated|\$\w*|~|virtual|vite|next|code|script"
    r"|file|root|base)$"
)


def check(reading: Reading) -> Verdict:
    """Return whether what the code imports exists."""
    judged, doubts = 0, list[tuple[Code, Imported, str]]()
    for piece, parsed in zip(reading.code, reading.parses, strict=True):
        reader = _READERS.get(piece.language)
        if reader is None or parsed.status is Status.BAD or (piece.guessed and parsed.status is not Status.GOOD):
            continue
        for item in reader(piece, parsed)[:200]:
            outcome, why = _judge(item, piece, reading)
            if outcome is Outcome.REJECT and piece.certain:
                return _rejected(piece, item, why)
            judged += outcome is Outcome.ACCEPT
            if outcome is not Outcome.ACCEPT:
                doubts.append((piece, item, why))
    if doubts:
        piece, item, why = doubts[0]
        return verdict(
            GATE, Outcome.UNKNOWN, f"{item.name}: {why or 'nobody can tell here'}", kind="unseen-import", piece=piece
        )
    if not judged:
        return verdict(GATE, Outcome.UNKNOWN, "nothing is imported that could be checked")
    return verdict(GATE, Outcome.ACCEPT, f"{judged} imports exist", piece=reading.code[0])


def _rejected(piece: Code, item: Imported, why: str) -> Verdict:
    near = why if why.startswith("did you mean") else ""
    date = packages.facts()["date"]
    reason = (
        f"{item.name!r} is imported, but no such {item.what} is known (lists of {date}){'; ' + near if near else ''}."
    )
    return verdict(GATE, Outcome.REJECT, reason, kind="lookalike" if near else "invented-import", piece=piece)


def _judge(item: Imported, piece: Code, reading: Reading) -> tuple[Outcome, str]:
    if item.known:
        return Outcome.ACCEPT, ""
    if item.known is None:
        return Outcome.UNKNOWN, item.why
    if _mentioned(item.name, reading) or _in_answer(item.name, piece, reading):
        return Outcome.ACCEPT, ""
    if not reading.ask.context_whole:
        return Outcome.UNKNOWN, "the conversation is longer than what was looked at"
    if item.guarded:
        return Outcome.UNKNOWN, "guarded against its absence"
    if _OWN.match(item.name):
        return Outcome.UNKNOWN, "perhaps the reader's own code"
    return Outcome.REJECT, f"did you mean {item.near!r}?" if item.near else ""


def _mentioned(name: str, reading: Reading) -> bool:
    """True when the conversation has the name, as a word or as a part of a path."""
    ask = reading.ask
    # "The Word Count exercise" is where a crate or a module `word_count` comes from.
    loose = r"[\s_-]?".join(re.escape(word) for word in re.split(r"[_-]", name))
    pattern = re.compile(rf"(?<![A-Za-z0-9_]){loose}(?![A-Za-z0-9_])", re.IGNORECASE)
    dashed = name.replace("_", "-")
    return bool(
        pattern.search(ask.text)
        or pattern.search(ask.context)
        or any(pattern.search(path) for path in ask.files)
        or any(pattern.search(text) for text in ask.files.values())
        or (dashed != name and (dashed in ask.context or dashed in ask.text))
    )


def _in_answer(name: str, piece: Code, reading: Reading) -> bool:
    """True when the answer itself writes the module, or tells the reader of the package outside of its code."""
    stems = {re.split(r"[/\\]", p.path)[-1].split(".")[0] for p in reading.pieces if p.path}
    folders = {part for p in reading.pieces for part in re.split(r"[/\\]", p.path)[:-1]}
    if name in stems | folders:
        return True
    outside = reading.text
    for other in sorted(reading.code, key=lambda p: -p.start):
        if other.start >= 0 and other.language == piece.language:
            outside = outside[: other.start] + outside[other.end :]
    # Words of prose about a module do not make it exist; a command that installs it, or a file of its name, may.
    command = (
        rf"(?:install|add|get|require)[^\n]*(?<![\w-]){re.escape(name)}(?![\w-])"
        rf"|^\s*(?:name\s*=\s*[\"'])?{re.escape(name).replace('_', '[_-]')}\b[\"']?\s*(?:=|$)"
        rf"|`[\w/.-]*\b{re.escape(name)}\.\w+`|^[\s│├└─|`]*{re.escape(name)}(?:/|\.\w+)"
    )
    return bool(re.search(command, outside, re.MULTILINE)) and packages.lookalike(name, "pypi_top") == ""
