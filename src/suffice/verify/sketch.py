"""Text in a fence of code that was never meant to be compiled: a session with its output, code with holes, marked-up excerpts.

Only asked about text that its grammar cannot read. It looks at signs, not at grammars, and errs towards "a sketch": a fault
in what was only an illustration is nobody's fault. A text whose brackets are left open is never excused by this module.
"""

from __future__ import annotations

import re

_SESSION = re.compile(
    r"\s*(?:[\w.-]{0,20}[>#%$](?:\s|$)|\((?:\w+)\)\s|In \[\d*\]:|PS [A-Z]:|[\w.-]+@[\w.-]+[:~ ]|(?:\w+\.)+\w*(?:Exception|Error):)"
)
_MARKED = re.compile(
    # "..." where no spread, range or list of arguments can be meant; "…" anywhere
    r"(?<![.\w)\]\"])\.\.\.(?![.\w\[({\"'$@&*<])|…"
    # marks of a diff or of a documentation tool, columns pointed at
    r"|^[ \t]*(?:\+\+\+|---)\S|\[tl! |\[!code |^[ \t]*[\^~]+(?:[ \t]*[\^~]+)*[ \t]*$|^[ \t]*-{3,}(?:[ \t]+-{3,})*[ \t]*$"
    # what a program printed
    r"|^[ \t]+at [\w.$<>]+\(.*\)$|^Traceback \(most recent|^\w[\w/.-]*:\d+(?::\d+)?: (?:error|warning)|^(?:error|warning)(?:\[\w+\])?: ",
    re.MULTILINE,
)
# A comment where an expression has to stand.
_COMMENTED = re.compile(
    r"(?:=|=>|->|\(|\breturn|\bin|\bclass|\bcase)[ \t]*(?:/\*[^*\n]*\*/[ \t]*[;,)\]}]*|//[^\n]*)$|\([ \t]*/\*[^*\n]*\*/[ \t]*\)",
    re.MULTILINE,
)
_NO_VALUE = re.compile(r"[\w\])>?] =[ \t]*//[^\n]*$", re.MULTILINE)
_ASIDES = re.compile(
    r"/\*[\s\S]*?\*/|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|(?<![:\w])//[^\n]*"
    r"|^[ \t]*#(?![!\[])[^\n]*|^[ \t]*--[ \t][^\n]*",
    re.MULTILINE,
)
# How a program, a declaration or a statement of the language begins; anything else is a part whose surroundings nobody knows.
_COMMON = (
    r"import|from|package|module|namespace|using|use|require|include|class|abstract|final|sealed|open|data|static|public"
    r"|private|protected|internal|override|async|await|const|let|var|val|def|fun|func|fn|function|type|typealias|typedef|struct"
    r"|enum|union|record|interface|trait|impl|object|protocol|extension|extern|export|declare|template|inline|if|for|while|do"
    r"|switch|match|return|try|throw|with|unsafe|pub|mod|macro_rules|local|begin|end|module_exports|resource|variable|output"
    r"|provider|data|terraform|locals|SELECT|WITH|CREATE|INSERT|UPDATE|DELETE|ALTER|DROP|BEGIN|int|void|char|bool|long|double"
    r"|float|unsigned|signed|size_t|auto|delegate|event|partial|file|global|readonly|mutating|nonisolated|actor|lazy|implicit"
    r"|given|suspend|operator|tailrec|infix|annotation|companion|init|deinit|lateinit|print\w*|echo|set|exports|describe|it"
    r"|test|case|guard|defer|go|select|foreach|loop|until|unless|alias|attr_\w+|raise|fail|puts|new|this|self|super|yield"
    r"|template|concept|constexpr|static_assert|volatile|register|goto|break|continue|elif|else|catch|finally|native"
)
_BEGINS = re.compile(
    rf"(?:(?:{_COMMON})\b|[#@\[]|<\?php|<[A-Za-z!]|\w+\(\)\s*\{{|[\w.]+\s*=[^=>]|[A-Za-z_][\w:<>,.*&\[\]? ]*\s[*&]*\w+\s*[({{=;]"
    r"|\$\w|[\w.$:]+\(|\w+!)"
)
_DATA = frozenset({"yaml", "toml", "json", "hcl", "sql", "css", "bash"})
_FILE = re.compile(
    r"\s*(?:(?:(?:public|internal|abstract|sealed|final|static|open|data|case|export|default|declare|partial)\s+)*"
    r"(?:class|interface|enum|struct|record|object|trait|extension|protocol|namespace)\s+\w|#\s*(?:include|ifndef|pragma\s+once)\b"
    r"|(?:import|package|using|from|namespace|use|require\w*)[ \t(]|<\?php)"
)
_COMMENT = re.compile(r"\s*(?://.*|#(?![!\[\w]).*|--.*|/\*[\s\S]*?\*/|\"\"\"[\s\S]*?\"\"\"|;.*|\n)")


def is_session(code: str) -> bool:
    """True when `code` begins with a prompt or with what a program printed."""
    return _SESSION.match(code) is not None


def is_sketch(code: str, language: str, around: str) -> bool:
    """True when `code` bears the signs of an illustration rather than of a program of `language`; `around` is where it fails."""
    if is_session(code) or _COMMENTED.search(around) or _NO_VALUE.search(code):
        return True
    return _MARKED.search(without_asides(code)) is not None or (language not in _DATA and not _begins(code))


def without_asides(code: str) -> str:
    """Return `code` with its comments and strings emptied, as far as any language's look alike."""
    return _ASIDES.sub('""', code)


def is_file(code: str) -> bool:
    """True when `code` opens as only a whole file does: what it imports, where it belongs."""
    return _FILE.match(code[_after_comments(code) :]) is not None


def _begins(code: str) -> bool:
    at = _after_comments(code)
    return _BEGINS.match(code[at : at + 400].lstrip()) is not None


def _after_comments(code: str) -> int:
    at = 0
    while match := _COMMENT.match(code, at):
        if match.end() == at:
            break
        at = match.end()
    return at
