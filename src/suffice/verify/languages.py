"""Names of languages: from info strings, from paths, and, when neither is there, from the code itself.

A canonical name is lower case. A guess from content is made only on a pattern that is typical of one language; no guess
is better than a wrong one, because a wrong one may reject a good answer.
"""

from __future__ import annotations

import re

_ALIASES = {
    "python": "python py python3 py3 python2 py2 ipython sage pycon python-repl pyi",
    "javascript": "javascript js node nodejs mjs cjs ecmascript es6 es2015 jsx javascriptreact",
    "typescript": "typescript ts mts cts",
    "tsx": "tsx typescriptreact",
    "go": "go golang",
    "rust": "rust rs",
    "java": "java",
    "kotlin": "kotlin kt kts",
    "swift": "swift",
    "c": "c h",
    "cpp": "cpp c++ cc cxx hpp hxx hh h++ cplusplus ino arduino",
    "csharp": "csharp c# cs dotnet",
    "ruby": "ruby rb",
    "php": "php php8 php7 phtml",
    "scala": "scala sc sbt",
    "lua": "lua",
    "html": "html htm xhtml",
    "css": "css",
    "vue": "vue",
    "svelte": "svelte",
    "hcl": "hcl terraform tf tfvars",
    "dockerfile": "dockerfile docker containerfile",
    "sql": "sql mysql postgresql postgres psql plsql tsql sqlite pgsql",
    "json": "json",
    "jsonc": "jsonc json5 jsonl ndjson",
    "ipynb": "ipynb",
    "yaml": "yaml yml",
    "toml": "toml",
    "zsh": "zsh",
    "bash": "bash sh shell ksh shellscript shell-script",
    "diff": "diff patch udiff",
    "markdown": "markdown md mdx",
    "text": "text txt plain plaintext output console log terminal shell-session stdout none",
    "scss": "scss sass less stylus",
    "xml": "xml svg xsd xslt plist",
    "perl": "perl pl pm",
    "r": "r rscript",
    "julia": "julia jl",
    "haskell": "haskell hs",
    "ocaml": "ocaml ml mli",
    "fsharp": "fsharp fs f#",
    "elixir": "elixir ex exs",
    "erlang": "erlang erl",
    "clojure": "clojure clj cljs cljc edn",
    "lisp": "lisp commonlisp elisp emacs-lisp scheme racket rkt scm",
    "dart": "dart",
    "zig": "zig",
    "nim": "nim",
    "crystal": "crystal cr",
    "groovy": "groovy gradle",
    "objc": "objc objective-c objectivec m mm",
    "matlab": "matlab octave",
    "fortran": "fortran f90 f95",
    "cobol": "cobol cob",
    "pascal": "pascal delphi pas",
    "ada": "ada adb ads",
    "vb": "vb vbnet vb.net vba visualbasic",
    "powershell": "powershell ps1 pwsh ps",
    "batch": "batch bat cmd dos",
    "make": "make makefile mk",
    "cmake": "cmake",
    "nginx": "nginx",
    "ini": "ini cfg conf properties dotenv env",
    "graphql": "graphql gql",
    "protobuf": "protobuf proto proto3",
    "solidity": "solidity sol",
    "verilog": "verilog systemverilog sv v",
    "vhdl": "vhdl vhd",
    "asm": "asm assembly nasm x86asm s",
    "wasm": "wasm wat",
    "latex": "latex tex",
    "mermaid": "mermaid",
    "nix": "nix",
    "prolog": "prolog",
    "tcl": "tcl",
    "glsl": "glsl hlsl wgsl",
    "cuda": "cuda cu",
    "regex": "regex regexp",
    "http": "http",
    "jinja": "jinja jinja2 j2 django handlebars hbs mustache ejs erb twig liquid pug",
}
CANONICAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split()}
_NAMED_FILES = {
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "makefile": "make",
    "gnumakefile": "make",
    "cmakelists.txt": "cmake",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "podfile": "ruby",
    "vagrantfile": "ruby",
    ".bashrc": "bash",
    "cargo.lock": "toml",
    "poetry.lock": "toml",
    "jenkinsfile": "groovy",
    "tsconfig.json": "jsonc",
    "go.mod": "",
}
# A suffix that is an alias of a language but does not say so as a suffix.
_NOT_A_SUFFIX = {"m", "v", "s", "ps", "ml", "docker", "none", "output", "text", "console", "env", "django", "scheme"}
TEMPLATED = re.compile(r"\{%-?\s|<%[=\-#]?\s|\{\{\{|\{\{[-~]?\s*[#/>]|\$\{\{")


def canonical(name: str) -> str:
    """Return the canonical language of an info word or hint, or `""` when it names none that is known."""
    return CANONICAL.get(name.strip().lower().lstrip("{.").rstrip("}"), "")


def of_path(path: str) -> str:
    """Return the language that `path` says, or `""`."""
    name = path.replace("\\", "/").rsplit("/", 1)[-1].strip().lower()
    if name in _NAMED_FILES:
        return _NAMED_FILES[name]
    if name.startswith(("dockerfile.", "dockerfile-")):
        return "dockerfile"
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or suffix in _NOT_A_SUFFIX:
        return ""
    return CANONICAL.get(suffix, "")


# Tried in order on the first 4,000 characters; each is typical of one language and of no other in the list above it.
_CONTENT: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (language, re.compile(pattern, re.MULTILINE))
    for language, pattern in (
        ("php", r"\A\s*<\?php"),
        ("python", r"\A#!.*\bpython"),
        ("bash", r"\A#!.*\b(?:ba|k|da)?sh\b"),
        ("ruby", r"\A#!.*\bruby"),
        ("javascript", r"\A#!.*\bnode"),
        ("html", r"\A\s*<!DOCTYPE html|\A\s*<html[\s>]"),
        ("xml", r"\A\s*<\?xml"),
        ("svelte", r"\A\s*<script(?: lang=\"ts\")?>[\s\S]*\{#(?:if|each|await)"),
        ("vue", r"\A\s*<(?:template|script setup)[\s>]"),
        ("go", r"^package [a-z_]\w*\s*$|^func (?:\(\w+ \*?\w+\) )?\w+\("),
        (
            "rust",
            r"^\s*(?:pub(?:\(crate\))? )?(?:fn \w+\s*(?:<[^>]*>)?\([^)]*\)\s*(?:->|\{)|impl(?:<[^>]*>)? \w|use (?:std"
            r"|crate)::)",
        ),
        (
            "cpp",
            r"^#include\s*<(?:iostream|vector|string|map|algorithm|memory|bits/stdc\+\+\.h|unordered_map)>|^using "
            r"namespace \w+;|\bstd::\w",
        ),
        ("c", r"^#include\s*[<\"]\w+(?:/\w+)*\.h[>\"]"),
        ("csharp", r"^using System(?:\.\w+)*;|^namespace [\w.]+;"),
        (
            "kotlin",
            r"^\s*(?:(?:private|public|internal|override|suspend|inline|data|open) )*fun (?:<[^>]+> )?[\w.<>?]+\(",
        ),
        (
            "scala",
            r"^\s*(?:case class \w|object \w+(?: extends [^{]+)?\s*\{|(?:override )?def "
            r"\w+(?:\[[^\]\n]*\])?\([^)\n]*\)[ ]?:[ ]*[A-Z][^=\n]*=)",
        ),
        (
            "swift",
            r"^import (?:Foundation|SwiftUI|UIKit)\b|^\s*(?:public |private )?func \w+(?:<[^>]+>)?\([^)]*\)(?: throws)? -> ",
        ),
        (
            "java",
            r"^\s*(?:public|private|protected) (?:(?:static|final|abstract|sealed) )*(?:class|interface|enum|record"
            r"|void|int|boolean|String|double|List<)\b|^import java",
        ),
        (
            "python",
            r"^(?:async )?def \w+\((?:.*\)\s*(?:->.*)?:\s*(?:#.*)?)?$|^from [\w.]+ import |^import \w+(?: as \w+)?\s*$|^class "
            r"\w+(?:\([^)]*\))?:",
        ),
        (
            "typescript",
            r"^\s*(?:export )?(?:interface \w+(?:<[^>]*>)?(?: extends [\w, <>]+)?\s*\{|type \w+(?:<[^>]*>)?\s*="
            r"|(?:const|let) \w+\s*:\s*\w)",
        ),
        ("typescript", r"^\s*(?:export )?(?:default )?(?:async )?function \w+\([^)]*\w\??:\s*\w[^)]*\)"),
        (
            "javascript",
            r"^\s*(?:export )?(?:default )?(?:async )?(?:function\*? \w+\(|const [\w{\[]|let \w+\s*=|class \w+ "
            r"(?:extends \w+ )?\{)|\bmodule\.exports\b|=>\s*\{|\brequire\(",
        ),
        ("ruby", r"^\s*def [\w.?!]+(?:\(.*\))?\s*$|^require ['\"]|\bdo \|\w"),
        (
            "lua",
            r"^\s*(?:local )?function [\w.:]+\(|^local \w+\s*=|^\s*(?:return )?require[ (]*[\"'][\w.]+[\"']\)?\s*$",
        ),
        ("dockerfile", r"\A\s*(?:#.*\n\s*)*(?:ARG .*\n\s*)*FROM [\w./:${}-]+"),
        ("hcl", r"^(?:resource|data|variable|output|module|provider) \"[\w-]+\"(?: \"[\w-]+\")?\s*\{|^terraform \{"),
        (
            "sql",
            r"\A\s*(?:--.*\n\s*)*(?i:select|insert into|update \w+ set|create (?:table|index|view)|with \w+ as|alter "
            r"table|delete from)\b",
        ),
        ("json", r"\A\s*(?:\{\s*\"[^\"\n]*\"\s*:|\[\s*\{\s*\")"),
        (
            "css",
            r"\A\s*(?:/\*.*\*/\s*)?(?:@(?:media|import|charset)|[.#]?[\w-]+(?:[:,\s>.#][\w\-:()>.# "
            r"]*)?\s*\{\s*\n?\s*[\w-]+\s*:)",
        ),
    )
)


def of_content(code: str) -> str:
    """Return the language that `code` is typical of, or `""`."""
    head = code[:4000]
    for language, pattern in _CONTENT:
        if pattern.search(head):
            return language
    return ""


_ONE = {"typescript": "javascript", "tsx": "javascript", "c": "cpp"}


def unmistakable(code: str) -> bool:
    """True when `code` bears the marks of exactly one language."""
    head = code[:4000]
    return len({_ONE.get(language, language) for language, pattern in _CONTENT if pattern.search(head)}) == 1


# Languages that no pattern above tells: by words for them that are words of nothing else, or by what stands beside the word.
_UNTOLD = re.compile(
    r"(?<![\w.-])(?:perl|haskell|ocaml|f#|f-sharp|fsharp|elixir|erlang|clojure|lisp|racket|flutter|zig|groovy|gradle|objective-c|matlab"
    r"|fortran|cobol|pascal|delphi|visual basic|vb\.net|vba|powershell|solidity|verilog|vhdl|prolog|tcl|cuda|glsl|hlsl|gdscript|gleam|awk"
    r"|(?:in|into|to|using|with|an?) (?:julia|scheme|dart|nim|crystal|octave|ada|batch|apl|d)"
    r"|(?:julia|scheme|dart|nim|crystal|octave|ada|batch|apl) (?:code|program|script|function|class|module|file|solution"
    r"|version))(?![\w+#-])",
    re.IGNORECASE,
)


def asks_untold(text: str) -> bool:
    """True when `text`, an ask, names a language that no code is recognised as: code without a name may be of that one."""
    return bool(_UNTOLD.search(text[:20_000]))
