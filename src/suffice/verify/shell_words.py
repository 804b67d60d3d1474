"""Words of the shell: quotes, expansions, patterns and arithmetic, from where they begin to where they end.

Must not: know commands; what stands inside `$( )` is read by who reads those. Invariant: the place only moves forward, and a word
that the text ends in raises `ShellFault` with `cut`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

_RUN = re.compile(r"[^ \t\n;&|<>()'\"`$\\]+")
_TICKS = re.compile(r"`(?:[^`\\]|\\[\s\S])*`")
_DOUBLE = re.compile(r'(?:[^"\\$`]|\\[\s\S])+')
_ANSI = re.compile(r"'(?:[^'\\]|\\[\s\S])*'")
_ASSIGNED = re.compile(r"[A-Za-z_]\w*(?:\[[^\n]*\])?\+?=\Z")
_LONGEST_ELEMENT = 200
_ELEMENT = re.compile(r"[A-Za-z_]\w*\[")
_IN_BRACES = re.compile(r"[^}\\'\"`$]+")
_PARAMETER = re.compile(r"[!#]?(?:[A-Za-z_]\w*|\d+|[@*#?$!-])?")
_IN_SUBSCRIPT = re.compile(r"[^\[\]'\"`$\\]+")
_MATCHED = re.compile(r"[^()'\"`$\\]+")


class ShellFault(Exception):
    """The text is no shell at `at`, for the reason `why`; `cut`: it only ends too early."""

    def __init__(self, why: str, at: int, *, cut: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.at = at
        self.cut = cut


class ShellDoubtError(Exception):
    """Nobody can tell here: too deep, or a form that only some shells have."""


class Words(ABC):
    """Reads words of `text` from the place `at`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @abstractmethod
    def substituted(self) -> None:
        """Read the commands of a substitution, and the parenthesis that closes it."""

    @abstractmethod
    def blank(self, *, lines: bool) -> None:
        """Skip what separates words, with `lines` also line ends."""

    def peek(self) -> str:
        """Return the character at the place, "" at the end."""
        return self.text[self.at : self.at + 1]

    def word(self) -> str:
        """Read one word and return it as it stands; "" where none begins."""
        start, text = self.at, self.text
        element = _ELEMENT.match(text, start)
        if element:
            self._element(element.end())
        while True:
            run = _RUN.match(text, self.at)
            if run:
                self.at = run.end()
            mark = text[self.at : self.at + 1]
            if mark in {"<", ">"} and text.startswith("(", self.at + 1):
                self.at += 2
                self.substituted()
            elif mark == "(" and self.at > start and text[self.at - 1] in "?*+@!":
                self.group()
            elif mark == "(" and _ASSIGNED.match(text[start : self.at]):
                self._array()
            elif mark in {"'", '"', "`", "$", "\\"} and mark:
                self.quoted()
            else:
                return text[start : self.at]

    def _element(self, inside: int) -> None:
        """Go past `name[...]` of an assignment, whose brackets may hold blanks; stay where it is none."""
        before, depth = self.at, 1
        self.at = inside
        while depth and self.peek() not in {"", "\n"} and self.at < before + _LONGEST_ELEMENT:
            if self.peek() in {"'", '"', "`", "$", "\\"}:
                self.quoted()
                continue
            depth += {"[": 1, "]": -1}.get(self.peek(), 0)
            self.at += 1
        if depth or not self.text.startswith(("=", "+="), self.at):
            self.at = before

    def _array(self) -> None:
        opened = self.at
        self.at += 1
        while True:
            self.blank(lines=True)
            if self.peek() == ")":
                self.at += 1
                return
            if self.peek() == "[":
                self._subscript()
            elif not self.word():
                raise ShellFault("an array is never closed", opened, cut=not self.peek())

    def group(self) -> None:
        """Read a pattern in parentheses."""
        self._balanced("()", _MATCHED)

    def _balanced(self, pair: str, run: re.Pattern[str]) -> None:
        """Read from an opening mark of `pair` past the one that closes it; `run` is text that holds neither of them nor a quote."""
        opened, depth = self.at, 0
        while True:
            self._past(run)
            mark = self.peek()
            if not mark:
                raise ShellFault(f"{pair[0]!r} is never closed", opened, cut=True)
            if mark not in pair:
                self.quoted()
                continue
            depth += 1 if mark == pair[0] else -1
            self.at += 1
            if not depth:
                return

    def _past(self, run: re.Pattern[str]) -> None:
        found = run.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def quoted(self) -> None:
        """Read what begins with a quote, a dollar or a backslash."""
        mark, start = self.peek(), self.at
        if mark == "\\":
            self.at += 2
        elif mark == "'":
            end = self.text.find("'", start + 1)
            if end < 0:
                raise ShellFault("a single quote is never closed", start, cut=True)
            self.at = end + 1
        elif mark == "`":
            self._to(_TICKS.match(self.text, start), "a backquote is never closed")
        elif mark == '"':
            self._double()
        else:
            self._dollar(in_double=False)

    def _to(self, found: re.Match[str] | None, why: str) -> None:
        if found is None:
            raise ShellFault(why, self.at, cut=True)
        self.at = found.end()

    def _double(self) -> None:
        opened = self.at
        self.at += 1
        while True:
            self._past(_DOUBLE)
            mark = self.peek()
            if mark == '"':
                self.at += 1
                return
            if mark == "$":
                self._dollar(in_double=True)
            elif mark == "`":
                self.quoted()
            else:
                raise ShellFault("a quote is never closed", opened, cut=True)

    def _dollar(self, *, in_double: bool) -> None:
        text, start = self.text, self.at
        if text.startswith("$((", start):
            if not self.arithmetic(start + 3):
                self.at = start + 2
                self.substituted()
        elif text.startswith("$(", start):
            self.at += 2
            self.substituted()
        elif text.startswith("${", start):
            self.at += 2
            self._braces(start, in_double=in_double)
        elif text.startswith("$[", start):
            end = text.find("]", start)
            self.at = end + 1 if end > 0 else start + 2
        elif text.startswith("$'", start) and not in_double:
            self.at += 1
            self._to(_ANSI.match(text, self.at), "a single quote is never closed")
        else:
            # `$$((`: the number of the process, and nothing that opens.
            self.at += 1 + (text[start + 1 : start + 2] in set("$!?#@*-"))

    def _braces(self, opened: int, *, in_double: bool) -> None:
        if self.peek() in {" ", "\t", "\n", "|", "("}:
            # `${ command; }` of newer shells, `${(flags)name}` of zsh.
            raise ShellDoubtError
        self.at = found.end() if (found := _PARAMETER.match(self.text, self.at)) else self.at
        if self.peek() == "[" and not in_double:
            self._subscript()
        # Between double quotes a single one is only a character, but for patterns.
        literal = in_double and self.peek() not in {"#", "%", "/", "^", ","}
        while True:
            self._past(_IN_BRACES)
            mark = self.peek()
            if mark == "}":
                self.at += 1
                return
            if not mark:
                raise ShellFault("'${' is never closed", opened, cut=True)
            if mark == "'" and literal:
                self.at += 1
            elif mark == "$":
                self._dollar(in_double=in_double)
            else:
                self.quoted()

    def _subscript(self) -> None:
        self._balanced("[]", _IN_SUBSCRIPT)

    def arithmetic(self, inside: int) -> bool:
        """Read up to the `))` that closes the arithmetic which begins at `inside`; False when it is no arithmetic."""
        self.at, depth = inside, 0
        while True:
            self._past(_MATCHED)
            mark = self.peek()
            if mark == "(":
                depth += 1
                self.at += 1
            elif mark == ")" and depth:
                depth -= 1
                self.at += 1
            elif mark == ")":
                self.at += 2
                return self.text.startswith(")", self.at - 1)
            elif mark:
                self.quoted()
            else:
                raise ShellFault("'((' is never closed", inside, cut=True)
