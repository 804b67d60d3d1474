"""What the tool results of an agent's run say: tests, builds, types, lint, edits that did not apply, and errors.

Agents send back the output of what they ran. Only lines in the form that the tools themselves print count; a word in
prose or in a source file is no event. Pure: text in, events out. It never raises and never keeps a text, only a short
signature of an error that two turns can be compared by.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What happened in one run of a tool."""

    TESTS_PASSED = "tests_passed"
    TESTS_FAILED = "tests_failed"
    BUILD_PASSED = "build_passed"
    BUILD_FAILED = "build_failed"
    LINT_FAILED = "lint_failed"
    EDIT_FAILED = "edit_failed"
    ERROR = "error"


FAILURES = frozenset({Kind.TESTS_FAILED, Kind.BUILD_FAILED, Kind.LINT_FAILED, Kind.EDIT_FAILED, Kind.ERROR})


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: `tool` names who said so, `signature` is the error in comparable form, empty when none."""

    kind: Kind
    tool: str
    signature: str = ""


# Characters of one result that are looked at: test runners print their summary last, compilers their first error first.
_HEAD, _TAIL = 8_000, 8_000
_EDIT_REPLY = 4_000
_SIGNATURE = 160

# A sign is words of which one stands in every text that the pattern matches, and the pattern: looking for the words first is
# what keeps sixteen thousand characters of source code cheap. (tool, failed, passed); either may be None.
_Sign = tuple[tuple[str, ...], str]
_Table = tuple[tuple[str, _Sign | None, _Sign | None], ...]
_TESTS: _Table = (
    (
        "pytest",
        ((" failed", " error"), r"^=*[ ]?(?:\d+ \w+, )*\d+ (?:failed|errors?)\b(?:, \d+ \w+)* in [\d.]+s"),
        (
            (" passed",),
            r"^=*[ ]?(?:\d+ (?:skipped|deselected|xfailed|xpassed), )*\d+ passed(?:, \d+ (?!failed|error)\w+)* in [\d.]+s",
        ),
    ),
    (
        "unittest",
        (("FAILED (",), r"^FAILED \((?:failures|errors)=\d+"),
        (("\nOK",), r"^Ran \d+ tests? in [\d.]+s\n+OK\b"),
    ),
    (
        "jest",
        (("Tests:",), r"^Tests:[ ]+\d+ failed"),
        (("Tests:",), r"^Tests:[ ]+(?:\d+ (?:skipped|todo), )*\d+ passed, \d+ total"),
    ),
    (
        "vitest",
        (("Tests ",), r"^[ ]*Tests[ ]+\d+ failed"),
        (("Tests ",), r"^[ ]*Tests[ ]+\d+ passed(?: \| \d+ \w+)* \(\d+\)"),
    ),
    ("mocha", ((" failing",), r"^[ ]*\d+ failing$"), ((" passing (",), r"^[ ]*\d+ passing \(\d+\w+\)$")),
    ("go test", (("--- FAIL: ", "FAIL\t"), r"^(?:--- FAIL: |FAIL\t)"), ((" \t",), r"^ok[ ]+\t\S+\t")),
    (
        "cargo test",
        (("test result: FAILED.",), r"^test result: FAILED\."),
        (("test result: ok.",), r"^test result: ok\. \d+ passed"),
    ),
    (
        "maven",
        (("Tests run: ",), r"Tests run: \d+, (?:Failures: [1-9]\d*|Failures: \d+, Errors: [1-9]\d*)"),
        (("Tests run: ",), r"Tests run: [1-9]\d*, Failures: 0, Errors: 0"),
    ),
    ("gradle", ((" tests completed, ",), r"^\d+ tests completed, [1-9]\d* failed"), None),
)
_BUILDS: _Table = (
    (
        "tsc",
        (("error TS",), r"^\S+(?:\(\d+,\d+\)| ?:\d+:\d+ -): error TS\d+:|^\S+:\d+:\d+ - error TS\d+:"),
        None,
    ),
    (
        "mypy",
        (("Found ",), r"^Found \d+ errors? in \d+ files?"),
        (("Success: no issues found in ",), r"^Success: no issues found in \d+ source files?"),
    ),
    (
        "cargo",
        (("error: could not compile ",), r"^error: could not compile "),
        (("target(s) in ",), r"^[ ]*Finished `?\w+`? .*target\(s\) in "),
    ),
    ("go", (("[build failed]", ".go:"), r"\[build failed\]$|^\./\S+\.go:\d+:\d+: "), None),
    (
        "maven",
        (("COMPILATION ERROR", "BUILD FAILURE"), r"^(?:\[ERROR\] )?COMPILATION ERROR|^\[INFO\] BUILD FAILURE"),
        (("BUILD SUCCESS",), r"^\[INFO\] BUILD SUCCESS"),
    ),
    (
        "gradle",
        (("BUILD FAILED in ",), r"^BUILD FAILED in \d"),
        (("BUILD SUCCESSFUL in ",), r"^BUILD SUCCESSFUL in \d"),
    ),
    ("javac", ((".java:",), r"^\S+\.java:\d+: error: "), None),
    ("compiler", (("error: ",), r"^\S+:\d+:\d+: (?:fatal )?error: "), None),
    ("dotnet", (("error CS",), r"error CS\d{4}: "), None),
)
_LINTS: _Table = (
    ("ruff", (("Found ",), r"^Found \d+ errors?\.$"), None),
    ("eslint", (("✖ ",), r"^✖ \d+ problems? \([1-9]\d* errors?"), None),
)
_ERRORS: _Table = (
    ("python", (("Traceback (most",), r"^Traceback \(most recent call last\):$"), None),
    ("javascript", (("Error",), r"^(?:Uncaught )?\w*Error(?: \[\w+\])?: [^\n]*\n[ ]+at "), None),
    (
        "java",
        (("Exception in thread", "Caused by: "), r"^Exception in thread \"|^Caused by: [\w.]+(?:Exception|Error)\b"),
        None,
    ),
    ("go", (("panic: ",), r"^panic: [^\n]*\n(?:\[signal [^\n]*\n)?\n?goroutine \d+ "), None),
    ("rust", (("panicked at ",), r"^thread '[^']*' (?:\(\d+\) )?panicked at "), None),
)
_EDITS = re.compile(
    r"\A[^\n]{0,300}\b(?:(?:old_str|old_string|search (?:block|text|string)|string to replace|oldText|target text)\b[^\n]{0,160}"
    r"\b(?:not found|not match|no match|did not appear|does not exist|not unique|multiple)"
    r"|no (?:exact )?match(?:es)? (?:was |were )?found for (?:the )?(?:edit|search|replacement|old)"
    r"|failed to (?:apply (?:the )?(?:patch|diff|edit)|find (?:expected lines|context)))"
    r"|^error: patch (?:failed: |does not apply)|^error: [^\n]{1,200}: patch does not apply$|^Hunk #\d+ FAILED at ",
    re.IGNORECASE | re.MULTILINE,
)
_CULPRIT = re.compile(
    r"^E {3,}(\S[^\n]*)|^((?:\w+\.)*\w*(?:Error|Exception)\b:[^\n]*)|^(--- FAIL: [^\n]*)|^(FAILED [^\n(]{4,})"
    r"|^([^\n]*\berror(?:\[E\d+\]| TS\d+| CS\d+)?: [^\n]*)|^(panic: [^\n]*)",
    re.MULTILINE,
)
_VARYING = re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?")


class _Looked(msgspec.Struct, frozen=True):
    """One sign of one tool, ready to be looked for."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def within(self, text: str) -> bool:
        """Return whether `text` shows the sign."""
        return any(map(text.__contains__, self.hints)) and self.pattern.search(text) is not None


_Compiled = tuple[str, _Looked | None, _Looked | None]


def _looked(sign: _Sign | None) -> _Looked | None:
    return None if sign is None else _Looked(sign[0], re.compile(sign[1], re.MULTILINE))


def _compiled(table: _Table) -> tuple[_Compiled, ...]:
    return tuple((tool, _looked(failed), _looked(passed)) for tool, failed, passed in table)


_GROUPS: tuple[tuple[tuple[_Compiled, ...], Kind, Kind | None], ...] = (
    (_compiled(_TESTS), Kind.TESTS_FAILED, Kind.TESTS_PASSED),
    (_compiled(_BUILDS), Kind.BUILD_FAILED, Kind.BUILD_PASSED),
    (_compiled(_LINTS), Kind.LINT_FAILED, None),
)
_TRACES = _compiled(_ERRORS)


def read(text: str) -> tuple[Event, ...]:
    """Return the events of one tool result: at most one per kind, and a bare error only when nothing else explains it."""
    seen = text if len(text) <= _HEAD + _TAIL else text[:_HEAD] + "\n" + text[-_TAIL:]
    if "\r" in seen:
        seen = seen.replace("\r\n", "\n")
    found: list[Event] = []
    for table, bad, good in _GROUPS:
        event = _first(table, seen, bad, good)
        if event is not None:
            found.append(event)
    if len(text) <= _EDIT_REPLY and _EDITS.search(seen) is not None:
        found.append(Event(kind=Kind.EDIT_FAILED, tool="edit", signature=signature(seen)))
    if not found:
        event = _first(_TRACES, seen, Kind.ERROR, None)
        if event is not None:
            found.append(event)
    return tuple(found)


def read_all(texts: Sequence[str]) -> tuple[Event, ...]:
    """Return the events of all results of one turn, in their order."""
    return tuple(event for text in texts for event in read(text))


def culprit(text: str) -> str:
    """Return the line of a tool's output that says what went wrong, as it stands there; the first line where none does."""
    found = _CULPRIT.search(text)
    if found is None:
        return text.strip().partition("\n")[0]
    return next((group for group in found.groups() if group), "")


def signature(text: str) -> str:
    """Return the error that a text is about, without the numbers that vary between two runs of the same failure."""
    return _VARYING.sub("#", " ".join(culprit(text).lower().split()))[:_SIGNATURE]


def _first(table: tuple[_Compiled, ...], text: str, bad: Kind, good: Kind | None) -> Event | None:
    """Return what a group of tools says: one failure weighs more than any success."""
    for tool, failed, _ in table:
        if failed is not None and failed.within(text):
            return Event(kind=bad, tool=tool, signature=signature(text))
    if good is not None:
        for tool, _, passed in table:
            if passed is not None and passed.within(text):
                return Event(kind=good, tool=tool)
    return None
