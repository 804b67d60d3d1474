"""Reads shell scripts by their grammar: lists, compound commands, redirections, here-documents.

The grammar wheel for shells reads a lost `fi` or `]]` over and misreads arithmetic and patterns; this reader knows only where each
construct has to end, which is what a fault is about. It asks for what every shell of the Bourne family asks for and no more. Must not:
run anything, or look at what commands mean. Invariant: one pass, linear but for the tries at `((`; `read` never raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from suffice.verify.shell_words import ShellDoubtError, ShellFault, Words

_DEPTH, _DOCUMENTS = 80, 200
_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)*(?:#[^\n]*)?")
_RESERVED = re.compile(
    r"(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|select|function|coproc|time|!|\[\[|\{|\})(?=[\s;&|<>()]|\Z)"
)
_CLOSERS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_COMPOUND = frozenset({"if", "for", "while", "until", "case", "select", "{", "[["})
_REDIRECTION = re.compile(r"(?:\d+|\{[A-Za-z_]\w*\})?(?:<<<|<<-?|<>|<&|>&|>>|>\||[<>](?!\())|&>>?")
_ENDS = re.compile(r";;&?|;&")
_SEPARATOR = re.compile(r";(?![;&])|&(?!&)")
_JOINT = re.compile(r"&&|\|\||\|&|\|")
_IN = re.compile(r"in(?=[\s;]|\Z)")
_NAMED = re.compile(r"\w+[ \t]+(?=[({])")
_EMPTY = re.compile(r"\([ \t]*\)")
_REGEX_RUN = re.compile(r"[^\s()'\"`$\\]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where the text is no shell: 0-based `row`, why, and whether it only ends too early."""

    row: int
    why: str
    cut: bool


def read(code: str) -> Fault | bool:
    """Return True when `code` reads as shell, its `Fault` when it does not, False when nobody can tell."""
    reader = _Reader(code)
    try:
        ended = reader.commands()
        if ended:
            raise ShellFault(f"{ended!r} closes nothing", reader.at)
    except ShellFault as fault:
        at = min(fault.at, len(code))
        return Fault(row=code.count("\n", 0, at), why=fault.why, cut=fault.cut)
    except (ShellDoubtError, RecursionError):
        return False
    return True


class _Reader(Words):
    """Reads commands. `heredocs` waits for the next line end; `deep` counts what is open."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._heredocs: list[tuple[str, int]] = []
        self._deep = 0
        self._documents_left = _DOCUMENTS

    def blank(self, *, lines: bool) -> None:
        """Skip blanks, comments and joined lines; with `lines` line ends too, and the here-documents that follow them."""
        while True:
            found = _BLANK.match(self.text, self.at)
            self.at = found.end() if found else self.at
            if not lines or self.peek() != "\n":
                return
            self.at += 1
            self._documents()

    def _documents(self) -> None:
        for mark, opened in self._heredocs:
            # A mark that is indented, or that something follows, is taken for one: the text may have been indented as a whole.
            closes = re.compile(rf"^[ \t]*{re.escape(mark)}(?!\w)[^\n]*(?:\n|\Z)", re.MULTILINE)
            exact = re.compile(rf"^\t*{re.escape(mark)}(?:\n|\Z)", re.MULTILINE)
            found = exact.search(self.text, self.at) or closes.search(self.text, self.at)
            if found is None:
                raise ShellFault(f"the here-document up to {mark!r} is never closed", opened, cut=True)
            line = found[0].strip()
            self.at = found.end() if line == mark else found.start() + found[0].index(mark) + len(mark)
        self._heredocs = []

    def substituted(self) -> None:
        """Read the commands of a substitution, and the parenthesis that closes it."""
        self._until("(", ")")

    def _until(self, opener: str, *closers: str) -> str:
        """Read commands up to one of `closers`, go past it and return it."""
        opened = self.at
        self._deep += 1
        if self._deep > _DEPTH:
            raise ShellDoubtError
        ended = self.commands()
        self._deep -= 1
        if ended not in closers:
            if ended:
                raise ShellFault(f"{ended!r} where {closers[0]!r} has to close {opener!r}", self.at)
            raise ShellFault(f"{opener!r} is never closed", opened, cut=True)
        self.at += len(ended)
        return ended

    def commands(self) -> str:
        """Read commands up to what may close them, and return that: "" at the end of the text."""
        while True:
            self.blank(lines=True)
            ended = self._ended()
            if ended is not None:
                return ended
            self._joined()
            self.blank(lines=False)
            separator = _SEPARATOR.match(self.text, self.at)
            if separator:
                self.at = separator.end()
            elif self.peek() != "\n" and self._ended() is None:
                raise ShellFault(f"{self._shown()!r} is not expected here", self.at)

    def _shown(self) -> str:
        return self.text[self.at : self.at + 20].split("\n")[0]

    def _ended(self) -> str | None:
        if self.at >= len(self.text):
            if self._heredocs:
                raise ShellFault("a here-document is never closed", self.at, cut=True)
            return ""
        if self.peek() == ")":
            return ")"
        ends = _ENDS.match(self.text, self.at)
        if ends:
            return ends[0]
        word = self._reserved()
        return word if word in _CLOSERS else None

    def _reserved(self) -> str:
        found = _RESERVED.match(self.text, self.at)
        return found[0] if found else ""

    def _joined(self) -> None:
        """Read commands joined by `&&`, `||` and pipes."""
        while True:
            while (word := self._reserved()) in {"!", "time"}:
                self.at += len(word)
                self.blank(lines=False)
            if self.peek() in {"", "\n", ";", ")"}:
                return
            self._command()
            self.blank(lines=False)
            joint = _JOINT.match(self.text, self.at)
            if joint is None:
                return
            self.at = joint.end()
            self.blank(lines=True)
            if self.at >= len(self.text):
                raise ShellFault(f"ends after {joint[0]!r}", joint.start(), cut=True)
            if self._ended() is not None or _SEPARATOR.match(self.text, self.at) or _JOINT.match(self.text, self.at):
                raise ShellFault(f"no command follows {joint[0]!r}", joint.start())

    def _command(self) -> None:
        word = self._reserved()
        if self.peek() == "(" or word in _COMPOUND:
            self._compound(word)
        elif word == "function":
            self.at += len(word)
            self.blank(lines=False)
            self.word()
            self._parentheses()
            self._body()
        elif word == "coproc":
            self.at += len(word)
            self.blank(lines=False)
            named = _NAMED.match(self.text, self.at)
            self.at = named.end() if named else self.at
            self._command()
        else:
            self._simple()

    def _parentheses(self) -> bool:
        """Go past `()` where it stands."""
        self.blank(lines=False)
        found = _EMPTY.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def _body(self) -> None:
        self.blank(lines=True)
        word = self._reserved()
        if self.peek() != "(" and word not in _COMPOUND:
            raise ShellFault("a function has no body", self.at, cut=self.at >= len(self.text))
        self._compound(word)

    def _compound(self, word: str) -> None:
        start = self.at
        self.at += len(word)
        if word == "if":
            self._if()
        elif word in {"while", "until"}:
            self._until(word, "do")
            self._until("do", "done")
        elif word in {"for", "select"}:
            self._for()
        elif word == "case":
            self._case()
        elif word == "{":
            self._until("{", "}")
        elif word == "[[":
            self._condition(start)
        elif not (self.text.startswith("((", start) and self._arithmetic(start)):
            self.at = start + 1
            self._until("(", ")")
        while self._redirected():
            pass

    def _arithmetic(self, start: int) -> bool:
        # Commands in two pairs of parentheses begin alike; what ends with no `))` is those.
        try:
            return self.arithmetic(start + 2)
        except ShellFault:
            self.at = start + 1
            try:
                self._until("(", ")")
            except ShellFault:
                raise ShellFault("'((' is never closed", start, cut=True) from None
            return True

    def _if(self) -> None:
        self._until("if", "then")
        while (ended := self._until("then", "fi", "elif", "else")) != "fi":
            if ended == "else":
                self._until("else", "fi")
                return
            self._until("elif", "then")

    def _for(self) -> None:
        self.blank(lines=False)
        if self.text.startswith("((", self.at):
            if not self.arithmetic(self.at + 2):
                raise ShellFault("'))' is missing", self.at)
        elif not self.word():
            raise ShellFault("'for' has no name", self.at)
        self.blank(lines=True)
        found = _IN.match(self.text, self.at)
        if found:
            self.at = found.end()
            self.blank(lines=False)
            while self.word():
                self.blank(lines=False)
        self.blank(lines=False)
        self.at += self.peek() == ";"
        self.blank(lines=True)
        word = self._reserved()
        if word not in {"do", "{"}:
            raise ShellFault("'do' is missing", self.at, cut=self.at >= len(self.text))
        self.at += len(word)
        self._until(word, "done" if word == "do" else "}")

    def _case(self) -> None:
        opened = self.at
        self.blank(lines=False)
        self.word()
        self.blank(lines=True)
        found = _IN.match(self.text, self.at)
        if found is None:
            raise ShellFault("'in' is missing", self.at, cut=self.at >= len(self.text))
        self.at = found.end()
        while True:
            self.blank(lines=True)
            if self._reserved() == "esac":
                self.at += 4
                return
            if self.at >= len(self.text):
                raise ShellFault("'case' is never closed", opened, cut=True)
            self._patterns()
            ended = self.commands()
            if not ended:
                raise ShellFault("'case' is never closed", opened, cut=True)
            if ended != "esac" and not _ENDS.fullmatch(ended):
                raise ShellFault(f"{ended!r} where ';;' or 'esac' has to end a case", self.at)
            self.at += 0 if ended == "esac" else len(ended)

    def _patterns(self) -> None:
        self.at += self.peek() == "("
        while True:
            self.blank(lines=True)
            if not self.word():
                raise ShellFault("a pattern is missing", self.at)
            self.blank(lines=False)
            mark = self.peek()
            if mark not in {"|", ")"}:
                raise ShellFault("')' is missing behind a pattern", self.at, cut=not mark)
            self.at += 1
            if mark == ")":
                return

    def _condition(self, opened: int) -> None:
        """Read up to `]]`. What follows a whole operand on a new line joins it or closes."""
        open_end, depth = True, 0
        while True:
            line = self.at
            self.blank(lines=True)
            rest = self.text[self.at : self.at + 3]
            if not rest:
                raise ShellFault("'[[' is never closed", opened, cut=True)
            closes = rest.startswith("]]") and not rest[2:].strip("; \t\n&|)<>")
            joins = rest[:2] in {"&&", "||"}
            if (rest[0] in ";&|" and not joins) or (
                not (open_end or closes or joins or rest[0] == ")") and "\n" in self.text[line : self.at]
            ):
                raise ShellFault("']]' is missing", line)
            if closes:
                if depth:
                    raise ShellFault("'(' is never closed", self.at)
                self.at += 2
                return
            open_end = joins or rest[0] in "(!"
            if joins:
                self.at += 2
            elif rest[0] in "()":
                depth += 1 if rest[0] == "(" else -1
                self.at += 1
                if depth < 0:
                    raise ShellFault("')' closes nothing", self.at)
            elif rest[0] in "<>" and not rest.startswith(("<(", ">(")):
                self.at += 1
            elif self.word() == "=~":
                self._regex()

    def _regex(self) -> None:
        self.blank(lines=False)
        while True:
            self._past(_REGEX_RUN)
            mark = self.peek()
            if mark == "(":
                self.group()
            elif mark in {"'", '"', "`", "$", "\\"} and mark:
                self.quoted()
            else:
                return

    def _redirected(self) -> bool:
        """Read one redirection; False where none begins."""
        self.blank(lines=False)
        found = _REDIRECTION.match(self.text, self.at)
        if found is None:
            return False
        self.at = found.end()
        self.blank(lines=False)
        start = self.at
        word = self.word()
        if not word:
            raise ShellFault(f"{found[0]!r} has no target", start, cut=self.at >= len(self.text))
        if found[0].lstrip("0123456789") in {"<<", "<<-"}:
            self._heredocs.append((re.sub(r"['\"\\]", "", word), start))
            self._documents_left -= 1
            if not self._documents_left:
                raise ShellDoubtError
        return True

    def _simple(self) -> None:
        start, words = self.at, list[str]()
        while True:
            if self._redirected():
                continue
            if self.peek() == "(":
                if len(words) != 1 or not self._parentheses():
                    raise ShellFault("'(' is not expected here", self.at)
                self._body()
                return
            word = self.word()
            if not word:
                break
            words.append(word)
        if self.at == start:
            raise ShellFault(f"{self._shown()!r} is not expected here", self.at)
        if words and words[0] == "[" and words[-1].strip("'\"") != "]":
            raise ShellFault("'[' has no ']'", start, cut=self.at >= len(self.text))
