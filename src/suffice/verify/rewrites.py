"""Right code in words that an older grammar knows: what it misreads is replaced by something plain of the same kind.

Where `GAPS` in `contexts.py` can only say "perhaps", a text that parses once its known stumbling blocks are taken away is
read: a fault elsewhere in it is still a fault. Each entry was seen to be misread in code that runs.
"""

from __future__ import annotations

import re

# Words that are keywords only in some places, and names everywhere else.
_NAMES_TS = (
    "unique|infer|asserts|is|out|accessor|override|abstract|declare|module|namespace|global|type|async|get|set|of|static"
    "|readonly|satisfies|keyof|any"
)
_NAMES_SWIFT = (
    "each|some|any|actor|macro|package|copy|consume|borrowing|consuming|repeat|discard|operator|prefix|postfix"
)
_TYPESCRIPT = (
    (rf"(?<![.\w$])(?:{_NAMES_TS})(?=\s*(?:[.\[),;+\-*/<>!&|?%]|=[^>]|$))", "x_"),
    (r"\bimport\((['\"])[^'\"\n]*\1\)(?=[.\[<>|&,;)\s])", "X_"),
)
# A lone ampersand in the text of an element; in code the replacement reads as well.
_JSX = ((r"(?<!&)&(?!&)", "|"),)
_BRACKETS = r"\((?:[^(){};\n]|\((?:[^(){};\n]|\([^(){};\n]*\))*\))*\)"
_TYPE_ARGUMENTS = r"<[^<>;{}]*(?:<[^<>;{}]*(?:<[^<>;{}]*(?:<[^<>;{}]*>[^<>;{}]*)*>[^<>;{}]*)*>[^<>;{}]*)*>"
_REWRITES: dict[str, tuple[tuple[str, str], ...]] = {
    "typescript": _TYPESCRIPT,
    "tsx": (*_TYPESCRIPT, *_JSX),
    "javascript": _JSX,
    "swift": (
        (r"\b(associatedtype\s+\w+\s*:\s*[\w.]+)(?:\s*,\s*[\w.]+)+", r"\1"),
        (rf"(?<![.\w])(?:{_NAMES_SWIFT})(?=\s*(?:[.\[),;:+\-*/<>!&|?%=]|in\b|$))", "x_"),
    ),
    "ruby": ((r"^(\s*)def [\w.?!]+(?:\([^()\n]*\))? = ", r"\1x_ = "),),
    # Arguments of a type behind `::` are read in expressions only, and there no negative number among them.
    "rust": ((r"^# ?(?=[^!\[]|#\[)", ""), (rf"::{_TYPE_ARGUMENTS}", "")),
    "kotlin": ((r"\b\w+@[ \t]*(?=(?:for|while|do|\{)\b)", ""), (r"\b(va[lr] )\[([^\]\n]*)\](?= =)", r"\1(\2)")),
    "csharp": (
        (r"\bfrom _ in\b", "from x_ in"),
        (r"(\bis(?: not)? |\{\s*|,\s*)\[[^\[\]\n]*\](?=\s*(?:[);&|?]|when\b|=>))", r"\1null"),
        (r"^(\s*)\*\(\w+\s*\*+\)\s*(?=\w[\w.]*\s*[-+*/|&^]?=[^=])", r"\1"),
        (r"\bdelegate\*(?:\s+\w+)?<[^;{}()\n]*>", "X_"),
        (r"\{(\w+):[^{}\n]*\}", r"{\1}"),
    ),
    "scala": ((r"([(,]\s*)\[[\w, ]+\]\s*=>\s*", r"\1"),),
    # A new value of an expression.
    "go": ((r"\bnew\((?=[-+!\"'`\d])", "x_("),),
    "hcl": ((r"= \$\w+", "= 1"),),
    "yaml": ((r'(:\s+)"[^"\\]*"\s*$', r"\1x"),),
    # Arrays of pointers, and arrays whose length their list says; an operator called by its name.
    "cpp": (
        (rf"\bdecltype\s*{_BRACKETS}", "X_"),
        (r"[<>]\?=", "="),
        (r"(\bcase\s+)('[^'\n]+'|\w+)\s*\.\.\.\s*('[^'\n]+'|\w+)", r"\1\2"),
        (r"\bsizeof (\w+)<", r"sizeof \1 <"),
        (r"\bnew\s+(?:const\s+)?([\w:]+(?:<[^;{}()\n]*>)?)(?:\s+const)?(?:\s*\*)+(?=\s*[\[({;,)])", r"new \1"),
        (r"\b(new\s+[\w:<>]+\s*)\[\](?=\s*\{)", r"\1[1]"),
        (r"((?:->|::|\.)\s*)operator\s*(?:\(\)|\[\]|[-+*/%<>=!&|^]{1,3})(?=\s*\()", r"\1x_"),
    ),
    "c": (
        (r",\s*:\s*\d+(?=\s*[,;])", ""),
        (r"\bfor \(\w+\([^;()\n]*\)\)", "for (;;)"),
        # What is called as loops by custom, defined out of sight.
        (
            rf"\b(?:rep|REP|FOR|F0R|per|PER|rrep|RREP|trav)\w*\s*{_BRACKETS}(?=\s*[^;\s)])",
            "for (;;)",
        ),
        (r"^(\s*)\w*(?i:foreach|for_each)\w*\s*\([^;{}\n]*\)[ \t]*$", r"\1for (;;)"),
    ),
}
REWRITES = {
    language: tuple((re.compile(old, re.MULTILINE), new) for old, new in pairs) for language, pairs in _REWRITES.items()
}
REWRITES["cpp"] += REWRITES["c"]


def plainer(code: str, language: str) -> str:
    """Return `code` without what the grammar of `language` is known to misread; `code` itself when there is nothing."""
    for pattern, plain in REWRITES.get(language, ()):
        code = pattern.sub(plain, code)
    return code
