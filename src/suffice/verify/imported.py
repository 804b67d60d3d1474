"""Reads the imports of a piece of code, per language, and says of each whether the bundled lists know it.

Python through its syntax tree, the others by the few forms that an import can have on a line. No piece is rejected here.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from suffice.verify import packages
from suffice.verify.extract import Code
from suffice.verify.python_code import Parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One imported name. `known` is True (it exists), False (no list has it), or None (there is no list to ask).

    `what` names its kind for people, `near` the well-known name that it resembles, `guarded` that the code copes without it.
    """

    name: str
    known: bool | None
    what: str = "package"
    near: str = ""
    guarded: bool = False
    why: str = ""


def of_python(piece: Code, parsed: Parse) -> tuple[Imported, ...]:
    """Return the top-level modules that Python code imports."""
    if parsed.tree is None:
        return ()
    guarded: set[int] = set()
    found: dict[str, bool] = {}
    for node in ast.walk(parsed.tree):
        if isinstance(node, ast.Try) and any(_catches_import(handler) for handler in node.handlers):
            inside = [*node.body, *(s for h in node.handlers for s in h.body), *node.orelse]
            guarded |= {id(child) for statement in inside for child in ast.walk(statement)}
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            guarded |= {id(child) for statement in node.body for child in ast.walk(statement)}
        for module in _modules(node):
            top = module.split(".")[0]
            found[top] = found.get(top, True) and id(node) in guarded
    return tuple(_python(name, is_guarded) for name, is_guarded in found.items() if name)


def _catches_import(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)}
    return bool(names & {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level and node.module:
        return [node.module]
    return []


def _python(name: str, guarded: bool) -> Imported:
    if name in packages.names("python_stdlib") or name.startswith("_"):
        return Imported(name=name, known=True, what="module")
    known = packages.pypi_has(name)
    near = (
        ""
        if known and name.lower().replace("_", "-") in packages.names("pypi_top")
        else packages.lookalike(name, "pypi_top")
    )
    return Imported(name=name, known=known, what="module", near=near, guarded=guarded)


_JS_IMPORT = re.compile(
    r"(?:^|[;}\s])(?:import|export)\s+(?:type\s+)?(?:[\w$*{][^;'\"`]{0,2000}?\bfrom\s*)?['\"]([^'\"\n]{1,214})['\"]"
    r"|(?<![.\w])(?:require|import)(?:\.resolve)?\s*\(\s*['\"]([^'\"\n]{1,214})['\"]\s*\)"
)
_JS_COMMENT = re.compile(r"/\*[\s\S]*?\*/|^\s*//[^\n]*", re.MULTILINE)


# Packages of well-known libraries whose names begin with no domain.
_FAMOUS = frozenset(
    [
        "akka",
        "android",
        "androidx",
        "antlr",
        "bolts",
        "brave",
        "butterknife",
        "clojure",
        "coil",
        "cucumber",
        "dagger",
        "dalvik",
        "feign",
        "fj",
        "freemarker",
        "gnu",
        "graphql",
        "groovy",
        "hudson",
        "ij",
        "jason",
        "javafx",
        "javassist",
        "jdk",
        "jenkins",
        "jline",
        "junit",
        "jxl",
        "kafka",
        "kotlin",
        "kotlinx",
        "lombok",
        "lucee",
        "microsoft",
        "mockit",
        "netscape",
        "ninja",
        "nu",
        "nz",
        "okhttp3",
        "okio",
        "oracle",
        "oshi",
        "picocli",
        "play",
        "processing",
        "ratpack",
        "reactor",
        "redis",
        "repast",
        "rest",
        "retrofit2",
        "rx",
        "scala",
        "sim",
        "soot",
        "spark",
        "springfox",
        "sun",
        "technology",
        "timber",
        "tools",
        "weblogic",
        "weka",
        "zipkin2",
    ]
)


def of_javascript(piece: Code, parsed: Parse) -> tuple[Imported, ...]:
    """Return the packages that JavaScript or TypeScript imports; relative, aliased and virtual ones are not packages."""
    code = _JS_COMMENT.sub("", piece.text)
    found: dict[str, Imported] = {}
    for match in _JS_IMPORT.finditer(code):
        spec = match.group(1) or match.group(2)
        name = _package(spec)
        if name and name not in found:
            found[name] = _javascript(
                spec,
                name,
                match.group(2) is not None and re.search(r"\btry\s*\{[^{}]*$", code[: match.start()]) is not None,
            )
    return tuple(found.values())


def _package(spec: str) -> str:
    if spec.startswith((".", "/", "#", "~", "@/", "$", "\\")) or "://" in spec or "!" in spec or "?" in spec:
        return ""
    scheme, colon, _ = spec.partition(":")
    if colon:
        return spec.split("/")[0] if scheme == "node" else ""
    if not re.fullmatch(r"@?[A-Za-z0-9][\w.~-]*(?:/.*)?", spec) or re.fullmatch(r"[A-Z0-9_]+(?:/.*)?", spec):
        # A name that no registry would take (`__app/env`, `%NAME%`, `0SERVER`): the build brings it.
        return ""
    parts = spec.split("/")
    return "/".join(parts[:2]) if spec.startswith("@") else parts[0]


def _javascript(spec: str, name: str, guarded: bool) -> Imported:
    if name.startswith("node:") or name in packages.names("node_builtins"):
        plain = spec.removeprefix("node:")
        known = plain.split("/")[0] in packages.names("node_builtins")
        return Imported(name=name, known=known, what="Node module")
    if name.startswith("@") and "/" not in name:
        return Imported(name=name, known=None, why="a path alias")
    if packages.on_registry(name, "npm") or packages.on_registry(
        "@types/" + name.lstrip("@").replace("/", "__"), "npm"
    ):
        return Imported(name=name, known=True)
    if name.startswith("@"):
        # A scope without a known package may be a company's own, or an alias of the build.
        return Imported(name=name, known=None, why="a scoped package that the list does not have")
    return Imported(name=name, known=False, near=packages.lookalike(name, "npm_top"), guarded=guarded)


_GO_GROUP = re.compile(r"^import\s*\(([^)]*)\)", re.MULTILINE)
_GO_ONE = re.compile(r"^import\s+(?:[\w.]+\s+)?\"([^\"\n]+)\"", re.MULTILINE)
_GO_PATH = re.compile(r"^\s*(?:[\w.]+\s+)?\"([^\"\n]+)\"", re.MULTILINE)


def of_go(piece: Code, parsed: Parse) -> tuple[Imported, ...]:
    """Return the import paths of Go code; one without a domain must be of the standard library or of the module itself."""
    paths = [m.group(1) for m in _GO_ONE.finditer(piece.text)]
    paths += [p for group in _GO_GROUP.finditer(piece.text) for p in _GO_PATH.findall(group.group(1))]
    out = []
    for path in paths:
        first = path.split("/")[0]
        if "." in first:
            out.append(Imported(name=path, known=None, why="a module of another host"))
            continue
        std = packages.names("go_std")
        if path in std:
            out.append(Imported(name=path, known=True, what="package of the standard library"))
            continue
        of_std = any(entry.split("/")[0] == first for entry in std)
        out.append(Imported(name=path if of_std else first, known=False, what="package of the standard library"))
    return tuple(out)


_RUST_USE = re.compile(
    r"^\s*(?:pub(?:\([\w:]+\))?\s+)?(?:use\s+(?:::)?|extern\s+crate\s+)(\w+)((?:::\w+)*)", re.MULTILINE
)
_RUST_LOCAL = re.compile(
    r"\b(?:mod|enum|struct|trait|type|fn|union|macro_rules!)\s+(\w+)|\bas\s+(\w+)|[{,:]\s*(\w+)\s*[,};]"
)

_RUST_OWN_GLOB = re.compile(r"^(?:pub(?:\([\w:]+\))?\s+)?use\s+(?:crate|super|self)(?:::\w+)*::\*", re.MULTILINE)


def of_rust(piece: Code, parsed: Parse) -> tuple[Imported, ...]:
    """Return the crates that Rust code uses, and the modules of `std` that it names."""
    local = {name for match in _RUST_LOCAL.findall(piece.text) for name in match if name}
    # A wildcard of the project's own may bring a module of any name.
    described = not _RUST_OWN_GLOB.search(piece.text)
    out: dict[str, Imported] = {}
    for match in _RUST_USE.finditer(piece.text):
        crate, rest = match.group(1), match.group(2).split("::")[1:]
        if crate in {"crate", "self", "super", "Self"} or crate in local or crate[0].isupper():
            continue
        if crate in {"std", "core", "alloc", "proc_macro", "test"}:
            modules = rest[:1] or _grouped(piece.text[match.end() :])
            wrong = [
                m
                for m in modules
                if crate in {"std", "core"} and m[0].islower() and m not in packages.names("rust_std")
            ]
            name = f"{crate}::{wrong[0]}" if wrong else crate
            out[name] = Imported(name=name, known=not wrong, what="module of the standard library")
            continue
        # The list holds the crates in wide use, not the registry: one that is missing may still exist, unless it is of no
        # family and a description in three words or more, as the ones are that nobody has written.
        known = True if crate in packages.names("crates") else False if described and _described(crate) else None
        near = "" if known else packages.lookalike(crate, "crates")
        why = f"did you mean {near!r}?" if near else "a crate that the list does not have"
        out[crate] = Imported(name=crate, known=known, what="crate", near=near, why=why)
    return tuple(out.values())


def _grouped(rest: str) -> list[str]:
    """Return the first words of the paths in a group (`::{collections::{HashMap, HashSet}, fs}`), none when no group follows."""
    if not rest.startswith("::{"):
        return []
    flat = re.sub(r"//[^\n]*|/\*[\s\S]*?\*/", "", rest[3:])
    flat = flat[: max(0, flat.find(";"))]
    while "{" in flat and (plain := re.sub(r"\{[^{}]*\}", "", flat)) != flat:
        flat = plain
    return [found[1] for found in re.finditer(r"(?:^|,)\s*(\w+)", flat) if found[1] != "self"]


_PARTS = frozenset([
    "sys", "derive", "macro", "macros", "core", "rs", "impl", "type", "types", "common", "client", "sdk",
    "api", "util", "utils", "lib", "ffi", "bindings", "proto", "codegen", "test", "tests", "testing",
])  # fmt: skip


def _described(crate: str) -> bool:
    """True when the name is three words or more that neither begin like a family of known crates nor end like a part of one."""
    words = crate.lower().split("_")
    if len(words) < 3 or words[-1] in _PARTS:
        return False
    return packages.families("crates").isdisjoint((words[0], "_".join(words[:2])))


_JAVA = re.compile(r"^\s*import\s+(?:static\s+)?([\w.]+(?:\.[*_])?)\s*(?:;|$|\bas\b|//|\.\{|\{)", re.MULTILINE)
# A root of a package that no domain owns is its project's own, unless it is longer than words are.
_OWN_LENGTH = 13
_LONG_WORDS = frozenset([
    "configuration", "configurations", "infrastructure", "presentation", "authentication", "authorization",
    "administration", "communication", "communications", "notifications", "implementation", "documentation",
    "visualization", "serialization", "representation", "transformation", "transformations",
    "internationalization", "recommendation", "recommendations",
])  # fmt: skip
_DOMAINS = frozenset(
    [
        "com",
        "org",
        "net",
        "io",
        "edu",
        "gov",
        "dev",
        "app",
        "co",
        "ai",
        "me",
        "us",
        "uk",
        "de",
        "fr",
        "eu",
        "ch",
        "nl",
        "ru",
        "cn",
        "jp",
        "br",
        "in",
        "au",
        "ca",
        "se",
        "dk",
        "fi",
        "it",
        "es",
        "pl",
        "cz",
        "at",
        "be",
        "info",
        "biz",
        "tech",
    ]
)


def of_java(piece: Code, parsed: Parse) -> tuple[Imported, ...]:
    """Return the packages that Java, Kotlin or Scala imports; only those of the JDK and those of no domain can be judged."""
    out = []
    own = re.search(r"^\s*package\s+(\w+)", piece.text, re.MULTILINE)
    for path in _JAVA.findall(piece.text):
        parts = path.split(".")
        if not parts[0][0].islower():
            # A name that is in scope already: an object, or a package that a wildcard brought.
            continue
        if parts[0] in {"java", "javax", "jakarta"}:
            known = parts[0] == "jakarta" or ".".join(parts[:2]) in packages.names("java_std")
            if parts[:2] == ["java", "util"] and len(parts) > 3 and parts[2][0].islower():
                known = parts[2] in packages.names("java_util")
            out.append(Imported(name=".".join(parts[:3]), known=known, what="package of the JDK"))
        elif parts[0] in _DOMAINS or len(parts) < 2 or (own and own.group(1) == parts[0]):
            out.append(Imported(name=path, known=None, why="a package outside the JDK"))
        else:
            named = parts[0] in _FAMOUS or None
            invented = len(parts[0]) >= _OWN_LENGTH and parts[0].lower() not in _LONG_WORDS
            known = named if named or not invented else False
            out.append(Imported(name=parts[0], known=known, what="package", why="perhaps a package of the project"))
    return tuple(out)


_INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>\n]+)>", re.MULTILINE)


def of_cpp(piece: Code, parsed: Parse) -> tuple[Imported, ...]:
    """Return the standard headers that C++ includes; a header with a suffix or a folder cannot be judged."""
    out = []
    for header in _INCLUDE.findall(piece.text):
        if "." in header or "/" in header or not header.islower():
            out.append(Imported(name=header, known=None, why="a header of a library or of the system"))
        else:
            out.append(Imported(name=header, known=header in packages.names("cpp_std"), what="standard header"))
    return tuple(out)
