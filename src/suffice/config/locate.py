"""Where each key of a TOML document stands.

`tomllib` gives values without places. This scanner reads the same (already accepted) document again and notes, for each
key path, the line and column of the key and of its value. It interprets no value; it must be given text that `tomllib`
accepted, with line ends as `\\n`. Invariant (property-tested): its paths are exactly those of the parsed document.
"""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]

_BARE_END = frozenset(" \t.=]}\n,#")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\", "e": "\x1b"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Line and column, counted from 1, of a key (`line`, `column`) and of its value (`value_line`, `value_column`)."""

    line: int
    column: int
    value_line: int
    value_column: int


class _Scanner:
    """One pass over the document; `found` grows as keys are met."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, Place] = {}
        self.arrays: dict[Path, int] = {}
        self.starts = [0]
        for index, char in enumerate(text):
            if char == "\n":
                self.starts.append(index + 1)
        self.row = 0

    def position(self, index: int) -> tuple[int, int]:
        """Return line and column of an index; indices are asked for in nearly rising order."""
        while self.row + 1 < len(self.starts) and self.starts[self.row + 1] <= index:
            self.row += 1
        while self.starts[self.row] > index:
            self.row -= 1
        return self.row + 1, index - self.starts[self.row] + 1

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self, chars: str) -> None:
        while self.at < len(self.text) and self.text[self.at] in chars:
            self.at += 1

    def skip_blank(self) -> None:
        """Skip spaces, line ends and comments."""
        while True:
            self.skip(" \t\n")
            if self.peek() != "#":
                return
            self.skip_line()

    def skip_line(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end

    def note(self, path: Path, key_at: int, value_at: int) -> None:
        """Record a place; the first mention of a path counts."""
        if path not in self.found:
            line, column = self.position(key_at)
            value_line, value_column = self.position(value_at)
            self.found[path] = Place(line=line, column=column, value_line=value_line, value_column=value_column)

    def string(self) -> str:
        """Read a one-line string used as a key, or skip any string value; return its text (exact for keys only)."""
        quote = self.peek()
        triple = self.text.startswith(quote * 3, self.at)
        if triple:
            return self.long_string(quote * 3)
        self.at += 1
        parts: list[str] = []
        while self.peek() != quote:
            if quote == '"' and self.peek() == "\\":
                parts.append(self.escape())
            else:
                parts.append(self.peek())
                self.at += 1
        self.at += 1
        return "".join(parts)

    def escape(self) -> str:
        kind = self.text[self.at + 1]
        width = {"x": 2, "u": 4, "U": 8}.get(kind, 0)
        digits = self.text[self.at + 2 : self.at + 2 + width]
        self.at += 2 + width
        return chr(int(digits, 16)) if width else _ESCAPES.get(kind, kind)

    def long_string(self, quotes: str) -> str:
        """Skip a multi-line string; up to two more quotes belong to the text before its end."""
        self.at += 3
        while not self.text.startswith(quotes, self.at):
            self.at += 2 if quotes[0] == '"' and self.peek() == "\\" else 1
        self.at += 3
        for _ in range(2):
            if self.peek() == quotes[0]:
                self.at += 1
        return ""

    def key(self) -> list[tuple[str, int]]:
        """Read a possibly dotted key: its parts, each with the index where it starts."""
        parts = []
        while True:
            self.skip(" \t")
            start = self.at
            if self.peek() in ('"', "'"):
                parts.append((self.string(), start))
            else:
                while self.at < len(self.text) and self.text[self.at] not in _BARE_END:
                    self.at += 1
                parts.append((self.text[start : self.at], start))
            self.skip(" \t")
            if self.peek() != ".":
                return parts
            self.at += 1

    def header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]` and return the path that the following keys belong to."""
        array = self.text.startswith("[[", self.at)
        bracket = self.at
        self.at += 2 if array else 1
        parts = self.key()
        self.at += 2 if array else 1
        path: Path = ()
        for index, (name, start) in enumerate(parts):
            path = (*path, name)
            self.note(path, start, start)
            last = index == len(parts) - 1
            if last and array:
                self.arrays[path] = self.arrays.get(path, -1) + 1
            if path in self.arrays:
                path = (*path, self.arrays[path])
                self.note(path, bracket, bracket)
        return path

    def pair(self, table: Path) -> None:
        """Read `key = value` inside the table at `table`."""
        parts = self.key()
        self.at += 1
        self.skip(" \t")
        path = table
        for name, start in parts:
            path = (*path, name)
            self.note(path, start, self.at)
        self.value(path)

    def value(self, path: Path) -> None:
        """Skip a value, noting what is inside arrays and inline tables."""
        first = self.peek()
        if first in ('"', "'"):
            self.string()
        elif first == "[":
            self.array(path)
        elif first == "{":
            self.inline(path)
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}\n#":
                self.at += 1

    def array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self.skip_blank()
            if self.peek() == "]":
                self.at += 1
                return
            self.note((*path, index), self.at, self.at)
            self.value((*path, index))
            index += 1
            self.skip_blank()
            if self.peek() == ",":
                self.at += 1

    def inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self.skip_blank()
            if self.peek() == "}":
                self.at += 1
                return
            self.pair(path)
            self.skip_blank()
            if self.peek() == ",":
                self.at += 1

    def run(self) -> dict[Path, Place]:
        table: Path = ()
        while True:
            self.skip_blank()
            if self.at >= len(self.text):
                return self.found
            if self.peek() == "[":
                table = self.header()
            else:
                self.pair(table)
            self.skip_line()


def locate(text: str) -> dict[Path, Place]:
    """Return the place of every key path of the TOML document `text`; list elements have their index in the path.

    `text` must be accepted by `tomllib`. A table named by several headers has the place of its first mention.
    """
    return _Scanner(text).run()
