"""Counts of byte classes, from which tokens are estimated: what they are, in which order. Linear, and done by C code.

A byte-pair tokenizer cuts where kinds of characters meet, so the features count characters of each kind and the places where
two kinds meet. `tools/fit_tokens.py` and `wire.tokens` must agree on them: `VERSION` is written into the coefficients.
"""

from __future__ import annotations

VERSION = 1
NAMES = (
    "lower",
    "upper",
    "digit",
    "space",
    "newline",
    "tab",
    "bracket",
    "operator",
    "quote",
    "two_byte",
    "three_byte",
    "four_byte",
    "word_after_space",
    "camel",
    "space_run",
    "letter_operator",
    "operator_operator",
    "line_indent",
)


def _table() -> bytes:
    kinds = bytearray(b"o" * 256)
    for byte in range(256):
        char = chr(byte)
        if "a" <= char <= "z":
            kinds[byte] = ord("l")
        elif "A" <= char <= "Z":
            kinds[byte] = ord("u")
        elif "0" <= char <= "9":
            kinds[byte] = ord("d")
        elif char in "()[]{}<>":
            kinds[byte] = ord("b")
        elif char in "\"'`\\":
            kinds[byte] = ord("q")
        elif byte >= 0xF0:
            kinds[byte] = ord("4")
        elif byte >= 0xE0:
            kinds[byte] = ord("3")
        elif byte >= 0xC0:
            kinds[byte] = ord("2")
        elif byte >= 0x80:
            kinds[byte] = ord("c")
    for byte, kind in ((0x20, "s"), (0x0A, "n"), (0x0D, "n"), (0x09, "t")):
        kinds[byte] = ord(kind)
    return bytes(kinds)


_TABLE = _table()


def features(data: bytes) -> tuple[int, ...]:
    """Return the counts of `NAMES` for `data`, in that order."""
    kinds = data.translate(_TABLE)
    count = kinds.count
    return (
        count(b"l"),
        count(b"u"),
        count(b"d"),
        count(b"s"),
        count(b"n"),
        count(b"t"),
        count(b"b"),
        count(b"o"),
        count(b"q"),
        count(b"2"),
        count(b"3"),
        count(b"4"),
        count(b"sl") + count(b"su"),
        count(b"lu"),
        count(b"ss"),
        count(b"lo"),
        count(b"oo"),
        count(b"ns"),
    )
