"""HTML, Vue and Svelte: the parts that are another language, and the elements that were opened and never closed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from suffice.verify import languages

_RAW = re.compile(r"<(script|style|pre|textarea|title|code)\b([^<>]*)>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--")
_TAG = re.compile(r"<(/?)([A-Za-z][\w.:-]*)((?:\"[^\"]*\"|'[^']*'|\{[^{}]*\}|=>|[^<>\"'])*?)(/?)>")
# Elements whose end tag the standard requires; the others may be left open.
_NEEDED = frozenset(
    [
        "div",
        "span",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "nav",
        "aside",
        "form",
        "table",
        "ul",
        "ol",
        "select",
        "button",
        "label",
        "a",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "template",
        "script",
        "style",
        "fieldset",
        "figure",
        "details",
        "dialog",
        "video",
        "audio",
        "canvas",
        "iframe",
        "strong",
        "em",
        "b",
        "i",
        "code",
        "pre",
        "svg",
        "textarea",
    ]
)
_LANG = re.compile(r"\b(?:lang|type)\s*=\s*[\"']?([\w/+.-]+)")
_SVELTE = re.compile(r"\{([#/])(if|each|await|key|snippet)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a page that is code of another language; `closed` is False when its end tag is missing."""

    language: str
    text: str
    closed: bool = True


def parts(page: str) -> tuple[Part, ...]:
    """Return the scripts and styles of `page`, in order."""
    out: list[Part] = []
    at = 0
    while match := _RAW.search(page, at):
        name = match.group(1).lower()
        if match.group(2).endswith("/"):
            at = match.end()
            continue
        end = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(page, match.end())
        stop = end.start() if end else len(page)
        if name in {"script", "style"}:
            out.append(
                Part(
                    language=_part_language(name, match.group(2)), text=page[match.end() : stop], closed=end is not None
                )
            )
        at = end.end() if end else len(page)
    return tuple(out)


def _part_language(name: str, attributes: str) -> str:
    said = _LANG.search(attributes)
    if said is None or said.group(1) in {"module", "text/javascript", "text/css", "application/javascript"}:
        return "javascript" if name == "script" else "css"
    word = said.group(1)
    return languages.canonical(
        {"text/typescript": "ts", "application/json": "json", "importmap": "json", "application/ld+json": "json"}.get(
            word, word
        )
    )


def unclosed(page: str, *, strict: bool = False) -> tuple[str, ...]:
    """Return the names of elements that were opened and are still open at the end, outermost first; comments as `!--`.

    `strict` also counts those that only the end of an outer element closed: an error in a component, not in a page.
    """
    stack: list[str] = []
    at = 0
    page = _blank(page)
    while at < len(page):
        at = page.find("<", at)
        if at < 0:
            break
        if page.startswith("<!--", at):
            end = page.find("-->", at)
            if end < 0:
                return (*stack, "!--")
            at = end + 3
            continue
        match = _TAG.match(page, at)
        if match is None:
            at += 1
            continue
        left = _step(stack, match)
        if strict and left:
            return (left,)
        at = match.end()
    return tuple(stack)


def _blank(page: str) -> str:
    """Empty the scripts and styles: what looks like a tag there is a string."""
    return re.sub(r"(<(script|style)\b[^<>]*>)(.*?)(</\2\s*>)", r"\1\4", page, flags=re.IGNORECASE | re.DOTALL)


def _step(stack: list[str], match: re.Match[str]) -> str:
    """Follow one tag; return the innermost element that an end tag of an outer one has closed, or `""`."""
    name = match.group(2).lower()
    if match.group(4) or name not in _NEEDED or match.group(2)[0].isupper():
        return ""
    if not match.group(1):
        stack.append(name)
    elif name in stack:
        inner = stack[-1] if stack[-1] != name else ""
        while stack.pop() != name:
            pass
        return inner
    return ""


def open_blocks(page: str) -> bool:
    """True when a Svelte block (`{#if}`, `{#each}`, ...) is opened more often than closed."""
    marks = [mark for mark, _ in _SVELTE.findall(page)]
    return marks.count("#") > marks.count("/")


def broken_tail(page: str) -> bool:
    """True when the page ends inside a tag: a `<name` after which no `>` comes."""
    tail = page[page.rfind("<") :] if "<" in page else ""
    return bool(re.match(r"</?[A-Za-z][\w-]*(?:\s+[^<>]*)?$", tail)) and tail.count('"') % 2 in (0, 1)
