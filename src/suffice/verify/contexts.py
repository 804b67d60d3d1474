"""In which surroundings a fragment of each language is right, and where each grammar is known to lag behind its language.

A fragment that parses in one of its surroundings is good. A fault on a line that `GAPS` knows is not held against the code: the
grammar, not the code, is likely wrong (each entry was seen on real, compiling code or is newer than the grammar's release).
"""

from __future__ import annotations

import re

_BRACES = (("class X_ {\n", "\n}"), ("void f_() {\n", "\n}"))
SURROUNDINGS: dict[str, tuple[tuple[str, str], ...]] = {
    "javascript": (
        ("class X_ {\n", "\n}"),
        ("async function* f_() {\n", "\n}"),
        ("({\n", "\n})"),
        ("x_ =\n", ""),
        ("for (;;) { switch (1) {\n", "\n} }"),
        ("x_\n", "\n;"),
        ("x_([\n", "\n]);"),
    ),
    "java": (
        ("class X_ {\n", "\n}"),
        ("class X_ { void f_() {\n", "\n} }"),
        ("class X_ { void f_() { for (;;) {\n", "\n} } }"),
        ("class X_ { void f_() { switch (1) {\n", "\n} } }"),
        ("class X_ { Object f_() { return x_\n", "\n; } }"),
        ("class X_ { Object f_() { return\n", "\n; } }"),
        ("enum X_ {\n", "\n}"),
        ("", "\nclass X_ {}"),
        ("class X_ { void f_() {\n", "; } }"),
    ),
    "csharp": (
        ("class X_ {\n", "\n}"),
        ("class X_ { void F_() {\n", "\n} }"),
        ("class X_ { object F_() { return x_\n", "\n; } }"),
        ("class X_ { object F_() { return\n", "\n; } }"),
        ("class X_ { void F_() { switch (1) {\n", "\n} } }"),
        ("", "\nclass X_ {}"),
        ("class X_ { void F_() {\n", "; } }"),
    ),
    "kotlin": (
        ("class X_ {\n", "\n}"),
        ("fun f_() {\n", "\n}"),
        ("fun f_() { when (1) {\n", "\n} }"),
        ("fun f_() = x_\n", ""),
        ("fun f_() = x_(\n", "\n)"),
        ("", "\nclass X_"),
    ),
    "go": (
        ("func f_() {\n", "\n}"),
        ("package p_\nfunc f_() { switch x_ {\n", "\n} }"),
        ("type x_ struct {\n", "\n}"),
        ("var x_ = \n", ""),
    ),
    "rust": (
        ("fn f_() {\n", "\n}"),
        ("impl X_ {\n", "\n}"),
        ("fn f_() { match x_ {\n", "\n} }"),
        ("struct X_ {\n", "\n}"),
        ("fn f_() { x_\n", "\n}"),
        ("enum X_ {\n", "\n}"),
    ),
    "c": (("void f_() {\n", "\n}"), ("struct X_ {\n", "\n};"), ("int x_[] =\n", "\n;")),
    "swift": (
        ("class X_ {\n", "\n}"),
        ("func f_() {\n", "\n}"),
        ("struct X_: View { var body: some View {\n", "\n} }"),
        ("func f_() { switch 1 {\n", "\n} }"),
        ("let x_ = x_\n", ""),
        ("", "\nfunc f_() {}"),
    ),
    "scala": (
        ("object X_ {\n", "\n}"),
        ("object X_ { def f_ = {\n", "\n} }"),
        ("object X_ { def f_ = 1 match {\n", "\n} }"),
        ("object X_ { def f_ = x_\n", "\n}"),
        ("", "\nclass X_"),
    ),
    "php_only": (
        ("class X_ {\n", "\n}"),
        ("function f_() {\n", "\n}"),
        ("$x_ = [\n", "\n];"),
        ("$x_ = $x_\n", "\n;"),
        ("return\n", "\n;"),
        ("return match (1) {\n", "\n};"),
        ("", ";"),
    ),
    "ruby": (("def f_\n", "\nend"), ("class X_\n", "\nend")),
    "lua": (("local x_ = {\n", "\n}"), ("while true do\n", "\nend")),
    "css": (("a {\n", "\n}"), ("@media all {\n", "\n}")),
    "hcl": (("x_ = \n", "\n"), ("a {\n", "\n}")),
    "sql": (("SELECT 1 WHERE ", ""), ("SELECT ", "")),
    "yaml": (),
}
SURROUNDINGS["typescript"] = (
    *SURROUNDINGS["javascript"][:3],
    SURROUNDINGS["javascript"][4],
    ("interface X_ {\n", "\n}"),
    ("type X_ =\n", ""),
)
SURROUNDINGS["tsx"] = (*SURROUNDINGS["javascript"], ("interface X_ {\n", "\n}"), ("x_ = <>\n", "\n</>"))
SURROUNDINGS["cpp"] = (*SURROUNDINGS["c"], ("class X_ {\n", "\n};"), ("template <typename T_> struct X_ {\n", "\n};"))

# A macro that stands where a statement, a declaration or an attribute would: only a preprocessor can read it.
_MACRO = (
    r"^\s*[A-Z][A-Z0-9_]{2,}\s*(?:\([^;{}\n]*\))?\s*(?:$|//|/\*)"
    r"|^\s*[A-Z][A-Z0-9_]{3,}(?:\([^()\n]*\))?\s+(?:[a-z_]\w*[\s*&<:]|[A-Z]\w*\s)"
    r"|\)\s*(?:const\s*)?[A-Z_]{4,}(?:\([^()]*\))?\s*[;{]|^\s*#\s*(?:if|else|elif)|\b(?:class"
    r"|struct)\s+[A-Z_]{4,}(?:\(.*\))?\s+\w"
    r"|\bQ_\w+|\bslots\s*:|\bsignals\s*:|^\s*[A-Z]\w+\([^;{}]*\)\s*\{?\s*$|_FOREACH\b|\b(?:for_?each|foreach)\w*\s*\("
)
# A name of capitals that is neither a member nor has members: perhaps a macro. Constants of the standard library are none.
_ANY_MACRO = (
    r"|(?<![:.>\w])(?!NULL\b|U?INT|SIZE_|EOF\b|U?LLONG|U?LONG|DBL_|FLT_|EXIT_|RAND_|BUFSIZ|CHAR_)"
    r"[A-Z][A-Z0-9_]{3,}\b(?!\s*(?:\.|->|::|\[))"
)

_GAP_PATTERNS = {
    "typescript": r"^\s*<\w[^>\n]*>?\s*\(|\btypeof\s+import\(|[<,]\s*(?:in|out|const)\s+\w|^\s*(?:in|out"
    r"|const)\s+\w+\s*=\s*\w+,|\busing\s+\w+\s*=|\baccessor\s"
    r"|\bimport\s+(?:defer|source)\b",
    "javascript": r"\busing\s+\w+\s*=|\baccessor\s|\|>|\bimport\s+(?:defer|source)\b|/[dgimsuy]*v[dgimsuy]*\b",
    "bash": r"^\s*\{\{|<\w[\w .:,|/-]*[\w.]>|=\([^()\n]*\)\w",
    "csharp": r"^\s*#:|\bdelegate\s*\*|\bfield\b|\bextension\s*[(<]|\?\s*\w+\(|\bscoped\b|\ballows\b|\bpartial\b|\?\.\w+.*=|\$\$",
    "cpp": _MACRO
    + _ANY_MACRO
    + r"|=\s*\{\s*\}\s*[,)]|\bva_arg\b|\boffsetof\b|\b(?:co_await|co_yield|co_return|requires|concept|module|import"
    r"|export|consteval"
    r"|constinit)\b|<=>|\btypeid\b"
    r"|\btemplate\s*<>",
    "c": _MACRO + _ANY_MACRO + r"|\bva_arg\b|\boffsetof\b|\bcontainer_of\b|\blist_entry\b|\b__\w+|\bconstexpr\b"
    r"|\btypeof\b|\b_Generic\b|#embed|\basm\b",
    "kotlin": r"\}\s*(?!else|catch|finally|while)[a-z]\w*\s*\{|^\s*(?:get|set)\(|=\s*\[|\]\?\.|\bconstructor\s*\("
    r"|^\s*\)\s*:|\bcontext\s*\(|\bdata "
    r"object\b|\bfun interface\b|\b(?:by|get|set|field"
    r"|value|init|where|data|inner)\.|\$\$|\bclass\b.*\($",
    "swift": r"\(\(\)|&[<>]{2}|&[+\-*]|:\s*\(\)|\.\.\.\s*[:)\],]|\bconsume\b|\bcopy\b|~Copyable|\brepeat\b|^\s*#|#\w+"
    r"|\bborrowing\b"
    r"|\bnonisolated"
    r"|/[^/\n]+/|throws\(",
    # What a browser cannot read it skips, and grammars know little of what it can: only what is left open is a fault.
    "css": r".",
    "lua": r"---@|\[=+\[|<\s*(?:const|close)\s*>|\bcontinue\b|[+\-*/.]=",
    "rust": r"\bgen\b|\buse<|\bsafe\b|&raw\b|\bconst\s*\{|\bif\s+let\b.*&&|&&\s*let\b|[?~]const",
    "java": r"\bSTR\.|\b_\b|\bimport module\b|\bvoid main\(",
    "go": r"\btype\s+\w+\[.*=",
    "php": r"\|>|\bclone\s*\(|\b(?:get|set)\s*(?:\{|=>)|<<<|\b\w+\(set\)",
    "ruby": r"<<[-~]?|%[qQwWiIrx]?[^\w\s]|\bdef\s+\w+.*\)\s*=|\?\w\b|__END__|&\)|\*\)",
    "scala": r"\bgiven\b|\busing\b|\bextension\b|\benum\b|\bthen\b|\bderives\b|\binline\b|\bend\b|:\s*$|\bopaque\b"
    r"|<\w+>|'\{|=>>|\?=>|\b(?:match|yield|do|catch|try|else|return|throw)\s*$|=\s*$",
    "hcl": r"%\{|provider::",
    "sql": r".",
    "yaml": r"\{\{|!\w|^\s*\w+:\s+%",
}
_GAP_PATTERNS["tsx"] = _GAP_PATTERNS["typescript"]
_GAP_PATTERNS["php_only"] = _GAP_PATTERNS["php"]
GAPS = {language: re.compile(pattern, re.MULTILINE) for language, pattern in _GAP_PATTERNS.items()}
HOLES = re.compile(
    r"^\s*(?:\.\.\.|…)[,;]?\s*$|\{\s*(?:\.\.\.|…)\s*\}|\(\s*…\s*\)|<[a-z]+(?:[ _-][a-z]+)+>|<[A-Z]+(?:_[A-Z]+)+>|\.\.\.\s*(?:existing|rest"
    r"|other|more)|\[\s*…\s*\]|^\s*\.\.\.\s+\w",
    re.MULTILINE,
)

_MACROS_ANYWHERE = re.compile(
    r"^\s*[A-Z][A-Z0-9_]{3,}\s*(?:\([^;{}\n]*\))?\s*$|^\s*[A-Z][A-Z0-9_]{3,}(?:\([^()\n]*\))?\s+(?:[a-z_]\w*[\s*&<:]"
    r"|[A-Z]\w*\s)"
    r"|\)\s*[A-Z][A-Z0-9_]{3,}(?:\([^()]*\))?\s*[;{]|\b(?:class|struct)\s+[A-Z_]{4,}(?:\([^)]*\))?\s+\w|\bQ_OBJECT\b",
    re.MULTILINE,
)


def whole_file_gap(code: str, language: str) -> bool:
    """True when C or C++ code uses macros that only a preprocessor can read: the fault may show far from its cause."""
    return language in {"c", "cpp"} and _MACROS_ANYWHERE.search(code) is not None


_DIRECTIVE = re.compile(r"^\s*#\s*(if|ifdef|ifndef|else|elif|elifdef|elifndef|endif|\w*)")


def preprocessed(code: str) -> str:
    """Return C or C++ code without directives, of each conditional only the first branch; the number of lines stays."""
    out: list[str] = []
    skipping: list[bool] = []
    continued = False
    for line in code.split("\n"):
        match = None if continued else _DIRECTIVE.match(line)
        if match is None:
            out.append("" if continued or any(skipping) else line)
            continued = continued and line.rstrip().endswith("\\")
            continue
        word = match.group(1)
        if word in {"if", "ifdef", "ifndef"}:
            skipping.append(False)
        elif word in {"else", "elif", "elifdef", "elifndef"} and skipping:
            skipping[-1] = True
        elif word == "endif" and skipping:
            skipping.pop()
        continued = line.rstrip().endswith("\\")
        out.append("")
    return "\n".join(out)


_OPENERS = {
    "java": ("class X_ {", "void f_() {"),
    "csharp": ("class X_ {", "void F_() {"),
    "kotlin": ("class X_ {", "fun f_() {"),
    "swift": ("class X_ {", "func f_() {"),
    "scala": ("object X_ {", "def f_ = {"),
    "go": ("func f_() {",),
    "rust": ("impl X_ {", "fn f_() {"),
    "c": ("void f_() {",),
    "cpp": ("class X_ {", "void f_() {"),
    "javascript": ("class X_ {", "f_() {"),
    "php_only": ("class X_ {", "function f_() {"),
}
_OPENERS |= {"typescript": _OPENERS["javascript"], "tsx": _OPENERS["javascript"]}
_DEFINITION = re.compile(
    r"(?:pub|fn|func|fun|function|class|struct|enum|impl|trait|interface|object|public|private|protected|static"
    r"|package|import|use|using|#|const \w+ = \(|export)\b"
)


_STATEMENT = re.compile(r"(?:let|var|return|if|for|while|match|switch|auto|int|double|self|this)\b")


def heads_of_body(code: str, language: str, extra: str) -> tuple[str, ...]:
    """Return what may have stood before `code` when it is the rest of a body: it begins indented and ends by closing
    more than it opened."""
    first = next((line for line in code.split("\n") if line.strip()), "")
    openers = _OPENERS.get(language, ())
    if (
        not openers
        or not (first[:1].isspace() or _STATEMENT.match(first))
        or _DEFINITION.match(first.strip())
        or not 0 < len(extra) <= 3
        or set(extra) != {"}"}
    ):
        return ()
    tail = code[code.rstrip("};\n\t ").__len__() :]
    if tail.count("}") < len(extra):
        return ()
    blocks = ["if (x_) {"] * (len(extra) - 1)
    function, plain = openers[-1], [openers[-1], *blocks]
    nested = [*openers[:1], function, *blocks[1:]] if len(extra) > 1 else [function]
    inside = "while (x_) {" if len(extra) == 1 else ""
    out = ["\n".join(plain) + "\n", "\n".join(nested) + "\n"]
    if language == "javascript" or language in {"typescript", "tsx"}:
        out = [
            "function f_() {\n" + "\n".join(blocks) + "\n",
            "class X_ {\nf_() {\n" if len(extra) > 1 else "const f_ = () => {\n",
        ]
    return tuple(dict.fromkeys([*out, inside + "\n"] if inside and language not in {"rust", "go", "scala"} else out))
