"""Gate `parses`: does the code in an answer parse, each piece in its own language.

Python is read by its own parser, JSON and TOML by the standard library, the rest by tree-sitter. A piece is rejected
only when it parses
in no surroundings (a method body, a class member, the ask's own code before it), no reading of its fence helps, and
the place of
the fault is none that the grammar is known to get wrong. Diffs and search/replace blocks are judged by `edits.py`.
"""

from __future__ import annotations

import re

from suffice.verify import (
    contexts,
    documents,
    grammars,
    languages,
    macros,
    markup,
    python_code,
    rewrites,
    shell,
    sketch,
    units,
)
from suffice.verify.extract import Code
from suffice.verify.python_code import Parse, Status
from suffice.verify.scan import Balance, scan

MAX_LARGE = 40_000
# What no language with assignments has, whatever its grammar may not know.
_IMPOSSIBLE = re.compile(r"[\w\])] = =[ \t]+\w")
_TOLERANT = frozenset({"css", "sql", "yaml"})
_TOKENS = frozenset({"ruby"})
_TAG = re.compile(r"\s*<\?php\b")
_UNSURE = Parse(status=Status.UNSURE)


def parse(code: str, language: str) -> Parse:
    """Return how `code` reads as `language`. `UNSURE` when the language has no parser here. Never raises."""
    if "\0" in code or "\ufffd" in code or len(code) > python_code.MAX_CODE:
        return Parse(status=Status.UNSURE, why="binary or too large")
    code = code.removeprefix("\ufeff")
    if not code.strip():
        return Parse(status=Status.UNSURE, why="empty")
    if language == "python":
        return python_code.read(code)
    if language in {"json", "jsonc"}:
        return documents.json_text(code, lax=language == "jsonc")
    if language == "ipynb":
        return documents.notebook(code)
    if language in {"vue", "svelte", "html"}:
        return page(code, language)
    return _templated(code, _dispatch(code, language))


def _dispatch(code: str, language: str) -> Parse:
    if language == "toml":
        return documents.toml(code)
    if language == "dockerfile":
        return documents.dockerfile(code)
    if language == "bash":
        return script_of_shell(code)
    if language == "php" and _TAG.match(code) and "?>" not in code and code.count("<?") == 1:
        # One tag and all of it code: read as such, lest a part of it be taken for text outside of tags.
        return by_grammar(_TAG.sub("", code, count=1), "php_only")
    if language == "php" and "<?" not in code:
        # Templates of a framework go by the name of the language.
        return by_grammar(code, "php_only") if code.lstrip()[:1] not in {"<", "@"} else _UNSURE
    if language in {"javascript", "typescript", "tsx"}:
        return script(code, language)
    if language == "c":
        # A header's suffix does not tell C from C++.
        found = by_grammar(code, "c")
        return found if found.status is not Status.BAD else _better(found, by_grammar(code, "cpp"))
    return by_grammar(code, language) if language in grammars.WHEELS else _UNSURE


def _better(first: Parse, other: Parse) -> Parse:
    return first if other.status is Status.BAD else other


def _templated(code: str, parsed: Parse) -> Parse:
    if parsed.status is Status.BAD and languages.TEMPLATED.search(code):
        return Parse(status=Status.UNSURE, why=f"a template: {parsed.why}", line=parsed.line)
    return parsed


def script(code: str, language: str) -> Parse:
    """Read JavaScript or TypeScript; JSX and types are allowed under any of their names."""
    order = {
        "javascript": ("javascript", "tsx", "typescript"),
        "typescript": ("typescript", "tsx"),
        "tsx": ("tsx", "typescript"),
    }[language]
    first = by_grammar(code, order[0])
    if first.status is not Status.BAD:
        return first
    for other in order[1:]:
        if grammars.fault(code, other) is None:
            return Parse(status=Status.GOOD, why=f"read as {other}")
    return first


# What only a script has: a text without any of it may be output, or another language's session, under the name of the shell.
_SCRIPT = re.compile(
    r"\A#!|^[ \t]*(?:(?:if|elif|for|while|until|case|function|local|declare|readonly|export|set|source|trap|return|exit)[ \t]\S"
    r"|(?:then|else|fi|do|done|esac)\b|[\w-]+[ \t]*\(\)|[A-Za-z_]\w*\+?=(?!>))",
    re.MULTILINE,
)
_ELIDED = re.compile(r"(?:^|\s)(?:\.\.\.|…)(?:\s|$)", re.MULTILINE)
# A test of bats: a function under another name.
_BATS = re.compile(r"^([ \t]*)@test [^\n]*\{[ \t]*$", re.MULTILINE)
# How the rest of a body may have begun.
_SHELL_HEADS = ("if x; then\n", "for x; do\n", "f() {\n", "case x in\n", "case x in x)\n", "(\n", "x && {\n")


def script_of_shell(code: str) -> Parse:
    """Read shell, also as the rest of a body; what is no shell at all (a session, output, a template) is unsure."""
    code = _BATS.sub(r"\1f_() {", code)
    found = shell.read(code)
    if isinstance(found, bool):
        return Parse(status=Status.GOOD) if found else _UNSURE
    if not found.cut and not code.startswith("#!") and any(shell.read(head + code) is True for head in _SHELL_HEADS):
        return Parse(status=Status.GOOD, whole=False, why="the rest of a body")
    rows = code.split("\n")
    around = "\n".join(rows[max(0, found.row - 1) : found.row + 3])
    line, why = found.row + 1, f"line {found.row + 1}: {found.why}"
    if not (found.cut and code.startswith("#!")) and _no_script(code, around, found):
        return Parse(status=Status.UNSURE, why=f"perhaps no script, {why}", line=line, cut=found.cut)
    return Parse(status=Status.BAD, why=why, line=line, cut=found.cut)


def _no_script(code: str, around: str, found: shell.Fault) -> bool:
    """True when the text may be no script of the shell, but a session, output, or an illustration with holes."""
    if contexts.HOLES.search(around) or _ELIDED.search(around) or sketch.is_session(code):
        return True
    # An apostrophe of prose opens a quote as well.
    if not _SCRIPT.search(code) and (not found.cut or "single" in found.why or "back" in found.why):
        return True
    return not found.cut and (
        contexts.GAPS["bash"].search(around) is not None or sketch.is_sketch(code, "bash", around)
    )


def by_grammar(code: str, language: str) -> Parse:
    """Read `code` with its tree-sitter grammar, C and C++ also with the macros in place that the code defines."""
    own = macros.expanded(code) if language in {"c", "cpp"} and len(code) <= MAX_LARGE else code
    if own == code or grammars.fault(code + "\n", language) is None:
        return _by_grammar(code, language)
    read = _by_grammar(own, language)
    if read.status is Status.GOOD:
        return read
    found = _by_grammar(code, language)
    # A fault in both readings is told where it shows without the noise of the macros.
    return read if found.status is read.status else found


def _by_grammar(code: str, language: str) -> Parse:
    """Read `code` as it is, in the surroundings of a fragment, in parts and in plainer words."""
    text, whole = code if code.endswith("\n") else code + "\n", sketch.is_file(code)
    first = grammars.fault(text, language)
    if first is not None and language in {"c", "cpp", "csharp"} and "#" in code:
        code = contexts.preprocessed(code)
        text = code + "\n"
        first = grammars.fault(text, language)
    if first is None:
        return _scanned(code, language)
    if isinstance(first, bool):
        return _UNSURE
    balance = scan(code, "php" if language == "php_only" else language)
    other = _otherwise(code, text, language, balance, whole=whole)
    return other if other is not None else _fault(code, language, first, balance, whole=whole)


def _otherwise(code: str, text: str, language: str, balance: Balance | None, *, whole: bool) -> Parse | None:
    """Return the reading in which `code` is right although its grammar cannot read it as it stands, or None."""
    if len(code) <= MAX_LARGE:
        plain = rewrites.plainer(text, language)
        if plain != text and grammars.fault(plain, language) is None:
            return Parse(status=Status.GOOD, why="read in plainer words")
        surroundings = contexts.SURROUNDINGS.get(language, ())
        # What includes headers is no member of a class: each try costs as much as reading the file.
        for before, after in surroundings[:1] if whole and language in {"c", "cpp"} else surroundings:
            if grammars.fault(before + text + after.lstrip("\n") + "\n", language) is None:
                return Parse(status=Status.GOOD, whole=False, why="a fragment")
        if units.each_parses(code, language):
            return Parse(status=Status.GOOD, why="read in parts")
        if plain != text and units.each_parses(plain, language):
            return Parse(status=Status.GOOD, why="read in plainer words, in parts")
    if (
        balance is not None
        and not whole
        and balance.extra
        and not balance.open
        and not balance.inside
        and any(
            grammars.fault(head + text, language) is None
            for head in contexts.heads_of_body(code, language, balance.extra)
        )
    ):
        return Parse(status=Status.GOOD, whole=False, why="the rest of a body")
    return None


def _fault(code: str, language: str, first: grammars.Fault, balance: Balance | None, *, whole: bool) -> Parse:
    line = first.row + 1
    why = f"line {line}: " + (f"{first.missing!r} is missing" if first.missing else "this does not parse")
    cut = first.at_end
    if balance is not None and balance.sure and (balance.open or balance.inside) and not sketch.is_session(code):
        what = f"ends inside a {balance.inside}" if balance.inside else f"{balance.open[-1]!r} is never closed"
        return Parse(status=Status.BAD, why=f"{why}; {what}", line=line, cut=True)
    if balance is not None and language in _TOKENS and not sketch.is_session(code):
        # Patterns and quotes make the count of brackets unsure; what the grammar's own tokens say as well is.
        left_open, extra = grammars.brackets(code, language)
        if balance.open and left_open:
            return Parse(status=Status.BAD, why=f"{why}; {left_open[-1]!r} is never closed", line=line, cut=True)
        if balance.extra and extra and whole:
            return Parse(status=Status.BAD, why=f"{why}; {extra[0]!r} closes nothing", line=line)
    gaps = contexts.whole_file_gap(code, language)
    if balance is not None and balance.sure and balance.extra and not gaps and whole:
        return Parse(status=Status.BAD, why=f"{why}; {balance.extra[0]!r} closes nothing", line=line)
    if language not in _TOLERANT and _IMPOSSIBLE.search(sketch.without_asides(code)):
        return Parse(status=Status.BAD, why=why, line=line)
    gap = contexts.GAPS.get(language)
    if (gap is not None and gap.search(first.around)) or contexts.HOLES.search(first.around) or gaps:
        return Parse(status=Status.UNSURE, why=f"perhaps newer than the grammar, {why}", line=line, cut=cut)
    if (balance is None or balance.balanced) and sketch.is_sketch(code, language, first.around):
        return Parse(status=Status.UNSURE, why=f"perhaps an illustration, {why}", line=line, cut=cut)
    return Parse(status=Status.BAD, why=why, line=line, cut=cut)


def _scanned(code: str, language: str) -> Parse:
    # A tolerant grammar may read a cut text to its end (an open comment, an implicit end).
    balance = scan(code, language)
    if balance is not None and balance.sure and balance.inside == "comment" and language in {"css", "c", "cpp", "sql"}:
        return Parse(status=Status.BAD, why="ends inside a comment", cut=True)
    return Parse(status=Status.GOOD)


def page(code: str, language: str) -> Parse:
    """Read HTML, a Vue or a Svelte component: its parts in their languages, its elements closed."""
    if language == "html" and languages.TEMPLATED.search(code):
        return Parse(status=Status.UNSURE, why="a template")
    for part in markup.parts(code):
        if not part.closed:
            return Parse(status=Status.BAD, why="ends inside a script or style", cut=True)
        parsed = (
            parse(part.text, part.language)
            if part.text.strip() and part.language in {"javascript", "typescript", "tsx", "css", "json"}
            else _UNSURE
        )
        if parsed.status is Status.BAD:
            return Parse(status=Status.BAD, why=f"in the {part.language} part, {parsed.why}", line=parsed.line)
    left = markup.unclosed(code, strict=language != "html")
    if left or markup.broken_tail(code.rstrip()):
        return Parse(status=Status.BAD, why=f"ends before </{left[-1]}>" if left else "ends inside a tag", cut=True)
    if language == "svelte" and markup.open_blocks(code):
        return Parse(status=Status.BAD, why="ends before a block is closed", cut=True)
    return Parse(status=Status.GOOD)


def _continues(piece: Code, before: tuple[str, ...], after: str) -> bool:
    for head in before:
        balance = scan(head, piece.language)
        # A head that is whole has nothing to be continued, but for Python, whose blocks have no brackets.
        if piece.language != "python" and balance is not None and balance.balanced and not after:
            continue
        last = head.rstrip().rsplit("\n", 1)[-1].strip()
        if len(last) > 3 and last in piece.text:
            # The piece repeats the head: it is no continuation of it.
            continue
        for joint in ("", "\n"):
            joined = head + joint + piece.text + after
            if len(joined) > MAX_LARGE * 2:
                continue
            if piece.language in grammars.WHEELS and piece.language != "toml":
                if grammars.fault(joined, piece.language) is None:
                    return True
            elif parse(joined, piece.language).status is Status.GOOD:
                return True
    return False


def parse_piece(piece: Code, before: tuple[str, ...] = (), after: str = "") -> Parse:
    """Read one piece of an answer, also as the continuation of `before` (code of the ask) and ahead of `after`."""
    first = parse(piece.text, piece.language)
    if first.status is not Status.BAD:
        return first
    for text in piece.wider:
        if parse(text, piece.language).status is Status.GOOD:
            return Parse(status=Status.GOOD, why="with a fence line inside")
    if len(piece.text) <= MAX_LARGE and _continues(piece, before, after):
        return Parse(status=Status.GOOD, whole=False, why="as the continuation of the asked code")
    other = languages.of_content(piece.text)
    if other == piece.language or not other or parse(piece.text, other).status is not Status.GOOD:
        other = _likelier(piece) if piece.guessed else ""
    if other:
        return Parse(status=Status.UNSURE, why=f"not {piece.language} but {other}", line=first.line)
    return first


# What a guess may be mistaken for. Grammars that read almost anything (shell, markup, YAML) would excuse every fault.
_GUESSES = (
    "java", "csharp", "kotlin", "scala", "swift", "typescript", "tsx", "javascript", "go", "rust", "c", "cpp", "php_only",
    "ruby", "lua",
)  # fmt: skip


def _likelier(piece: Code) -> str:
    """Return a language that reads a piece of guessed language better than the guess does, or `""`."""
    if len(piece.text) > MAX_LARGE:
        return "something else"
    guess = "php_only" if piece.language == "php" and "<?" not in piece.text else piece.language
    least = grammars.damage(piece.text, guess)
    for other in _GUESSES:
        if other != guess:
            found = grammars.damage(piece.text, other)
            if found is not None and (found == 0 or (least is not None and found < least)):
                return other
    return ""
