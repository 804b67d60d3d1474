"""Brackets, strings and comments of any language in one linear pass: is something left open, and where.

It knows families of lexical rules, not grammars. Where its rules may mislead it (regular expression literals,
apostrophes in prose
or lifetimes, heredocs) it says `sure=False`. Used to tell a truncated text from a finished one, also where no grammar exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Lexical rules of a family: comment marks, one-line quotes, quotes over lines, and what makes the scan unsure."""

    line: tuple[str, ...] = ("//",)
    block: tuple[tuple[str, str], ...] = (("/*", "*/"),)
    quotes: str = "\"'"
    long: tuple[tuple[str, str], ...] = ()
    unsure: re.Pattern[str] | None = None


_REGEX = re.compile(r"(?:^|[=(,:;!&|?{}\[\n]|return|match|split|replace)\s*/(?![/*\s])[^\n/]*[\[\](){}'\"`/\\]")
_HEREDOC = re.compile(r"<<[-~]?\s*['\"\\]?[A-Za-z_]|<<<")
RULES: dict[str, Rules] = {
    "python": Rules(line=("#",), block=(), long=(('"""', '"""'), ("'''", "'''"))),
    "javascript": Rules(long=(("`", "`"),), unsure=_REGEX),
    "java": Rules(long=(('"""', '"""'),)),
    "kotlin": Rules(long=(('"""', '"""'),)),
    "scala": Rules(quotes='"', long=(('"""', '"""'),), unsure=re.compile(r"'[\[\](){}\"\\]'|<\w+[^>]*>[^<]*</")),
    "swift": Rules(quotes='"', long=(('"""', '"""'),), unsure=re.compile(r"#+\"|#/|=\s*/\S")),
    "go": Rules(long=(("`", "`"),)),
    "rust": Rules(quotes='"', unsure=re.compile(r"\br#*\"|b?'(?:\\.|[\[\](){}\"/])'|\"[^\"\\\n]*\\?\n")),
    "c": Rules(unsure=re.compile(r"^\s*#\s*(?:else|elif)\b|R\"|\d'\d", re.MULTILINE)),
    "csharp": Rules(unsure=re.compile(r"[@$]+\"|\"\"\"|^\s*#(?:else|elif)\b", re.MULTILINE)),
    "php": Rules(line=("//", "#"), unsure=re.compile(r"<<<|\?>|\"[^\"\\\n]*\n|'[^'\\\n]*\n")),
    "ruby": Rules(
        line=("#",),
        block=(("\n=begin", "\n=end"),),
        unsure=re.compile(r"%[qQwWiIrxs]?[\[({<|!/]|<<[-~]?[\"'A-Z]|\?['\"]|/"),
    ),
    "lua": Rules(line=("--",), block=(("--[[", "]]"),), long=(("[[", "]]"),), unsure=re.compile(r"\[=+\[")),
    "css": Rules(line=(), unsure=re.compile(r"url\(\s*[^'\"\s]")),
    "hcl": Rules(line=("#", "//"), unsure=_HEREDOC),
    "json": Rules(line=(), block=(), quotes='"'),
    "sql": Rules(line=("--",), unsure=re.compile(r"\\'|\$\w*\$|#|`")),
    "bash": Rules(line=(), block=(), unsure=re.compile(r"")),
}
RULES |= {
    "typescript": RULES["javascript"],
    "tsx": RULES["javascript"],
    "cpp": RULES["c"],
    "toml": RULES["python"],
    "jsonc": Rules(),
}
RULES |= {name: Rules() for name in ("dart", "groovy", "zig", "solidity", "protobuf", "cuda", "glsl")}
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a scan found: `open` the brackets never closed (outermost first), `extra` the closers that match nothing.

    `inside` is `string`, `comment` or `""`: what the text ends in; `at` is the offset of the first thing wrong, -1 when none.
    """

    open: str = ""
    extra: str = ""
    inside: str = ""
    at: int = -1
    depth: int = 0
    sure: bool = True

    @property
    def balanced(self) -> bool:
        """True when nothing is open and nothing is closed that was not open."""
        return not (self.open or self.extra or self.inside)


def scan(code: str, language: str) -> Balance | None:
    """Return the balance of `code`, or None for a language without rules. Linear time, no recursion."""
    rules = RULES.get(language)
    if rules is None:
        return None
    state = _Scan(code, rules)
    state.run()
    unsure = state.unsure or (rules.unsure is not None and rules.unsure.search(code) is not None)
    return Balance(
        open="".join(mark for mark, _ in state.stack),
        extra="".join(state.extra),
        inside=state.inside,
        at=state.at if state.at >= 0 else (state.stack[0][1] if state.stack else -1),
        depth=state.depth,
        sure=not unsure,
    )


class _Scan:
    def __init__(self, code: str, rules: Rules) -> None:
        self.code = code
        self.rules = rules
        self.stack: list[tuple[str, int]] = []
        self.extra: list[str] = []
        self.inside = ""
        self.at = -1
        self.depth = 0
        self.unsure = False
        marks = [*rules.line, *(a for a, _ in rules.block), *(a for a, _ in rules.long), *rules.quotes, *"()[]{}"]
        self.token = re.compile("|".join(re.escape(mark) for mark in sorted(marks, key=len, reverse=True)))

    def run(self) -> None:
        code, at = self.code, 0
        blocks, long = dict(self.rules.block), dict(self.rules.long)
        while match := self.token.search(code, at):
            mark, at = match.group(), match.end()
            if mark in self.rules.line:
                end = code.find("\n", at)
                at = len(code) if end < 0 else end
            elif mark in blocks:
                at = self._until(blocks[mark], at, "comment", match.start())
            elif mark in long:
                at = self._until(long[mark], at, "string", match.start())
            elif mark in "\"'":
                at = self._quoted(mark, at, match.start())
            elif mark in _PAIRS:
                self._close(mark, match.start())
            else:
                self.stack.append((mark, match.start()))
                self.depth = max(self.depth, len(self.stack))

    def _until(self, end_mark: str, at: int, what: str, start: int) -> int:
        end = self.code.find(end_mark, at)
        while end > 0 and what == "string" and _escaped(self.code, end):
            end = self.code.find(end_mark, end + 1)
        if end < 0:
            self.inside, self.at = what, start
            return len(self.code)
        return end + len(end_mark)

    def _quoted(self, quote: str, at: int, start: int) -> int:
        code = self.code
        while True:
            end = code.find(quote, at)
            line_end = code.find("\n", at)
            if end >= 0 and (line_end < 0 or end < line_end):
                if not _escaped(code, end):
                    return end + 1
                at = end + 1
                continue
            if line_end < 0:
                self.inside, self.at = "string", start
                return len(code)
            if line_end > 0 and code[line_end - 1] == "\\":
                at = line_end + 1
                continue
            # A quote that does not end on its line: an apostrophe, or an error that the grammar will name.
            self.unsure = True
            return line_end

    def _close(self, mark: str, start: int) -> None:
        if self.stack and self.stack[-1][0] == _PAIRS[mark]:
            self.stack.pop()
            return
        if len(self.extra) < 50:
            self.extra.append(mark)
        if self.at < 0:
            self.at = start


def _escaped(code: str, at: int) -> bool:
    slashes = 0
    while at - slashes > 0 and code[at - slashes - 1] == "\\" and slashes < 100:
        slashes += 1
    return slashes % 2 == 1
