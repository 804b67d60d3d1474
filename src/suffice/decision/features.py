"""Recognise what a request is: task, languages, what raises the floor. docs/features.md says how, with measured accuracy.

It reads the ask, not the environment around it; agents' tool loops are told by the conversation's shape, not by words. It must
not decide on a model. Unsure means OTHER (or an agent's step), which routing treats as capable, never as cheap.
"""

from __future__ import annotations

import re

from suffice.decision.ask import Ask, isolate
from suffice.decision.lexicon import EXTENSIONS, LANGUAGE_OF, SECURITY, SECURITY_PIECES, STOPWORDS, words
from suffice.decision.task_rules import TOKEN, TaskGuess, guess_task
from suffice.values.task import Features, TaskType
from suffice.wire.request_view import RequestView

# Below this the ask alone does not name a task.
SURE = 0.5
# Measured on agents' bodies: bytes of JSON per token, between 3.3 and 4.2; the ledger corrects it with real counts.
BYTES_PER_TOKEN = 3.6

_FIM_MARK = re.compile(
    r"<\|?\s?(?:fim[_▁](?:prefix|begin|suffix|hole|middle)|fim-prefix)\s?\|?>|<PRE> |<｜fim▁begin｜>|\[SUFFIX\]|<"
    r"\|code_suffix\|>"
)
_AGENT_TOOLS = words(
    "bash shell exec exec_command run_command run_commands run_terminal_cmd run_shell_command execute_command"
    " terminal edit write write_file edit_file editor str_replace str_replace_editor"
    " str_replace_based_edit_tool apply_patch apply_diff replace replace_in_file multiedit create_file"
    " insert_edit_into_file update_file powershell read read_file view run write_to_file local_shell"
    " container.exec unified_exec run_in_terminal search_replace"
)
# The literal dot stands first so that the engine can leap to it.
_EXTENSION = re.compile(r"\.(?<=[\w/\\-]\.)([a-zA-Z][a-zA-Z0-9]{0,4})\b(?!\()")
_SHORT_NAMES = re.compile(
    r"\b(?:in|to|into|from|an?|the|nach|en|auf|на)\s+(Go|C|R)\b|\b(Go) (?:function|code|program|struct|service"
    r"|module|test)"
)
_SHORT_HINTS = (" Go", "Go ", " C", " R")
# Prose without any of these characters holds no code that a shape could find.
_CODE_MARKS = frozenset("(){};=<>$#@:")
_SHAPES = (
    (
        "python",
        re.compile(r"^[ \t]*(?:def \w+\([^\n]{0,200}:|class \w+.*:|from [\w.]+ import |import \w+$|elif |@\w+)", re.M),
    ),
    ("rust", re.compile(r"\bfn \w+\(|\blet mut |\bimpl \w|println!|::new\(")),
    ("go", re.compile(r"^func |^package \w+$|:= |\bfmt\.", re.M)),
    ("typescript", re.compile(r"\binterface \w+ \{|: (?:string|number|boolean)\b|\bas const\b")),
    ("javascript", re.compile(r"\bconst \w+ =|\bfunction \w*\(|=> \{|console\.log|require\(")),
    ("java", re.compile(r"\bpublic (?:static |final )?(?:class|void|int|String)\b|System\.out\.")),
    ("cpp", re.compile(r"#include <\w+>|std::|\btemplate\s?<")),
    ("c", re.compile(r"#include [<\"]\w+\.h[>\"]|\bprintf\(|\bmalloc\(")),
    ("sql", re.compile(r"\bSELECT\b.{1,200}\bFROM\b|\bCREATE TABLE\b|\bINSERT INTO\b", re.I | re.S)),
    ("php", re.compile(r"<\?php|\$\w+->")),
    ("ruby", re.compile(r"^[ \t]*end$|\bputs |\.each do\b|^require '", re.M)),
    ("shell", re.compile(r"^#!/bin/(?:ba)?sh|\$\(|^[ \t]*(?:fi|done|esac)$", re.M)),
)
_UNFAMILIAR = re.compile(
    r"(?:(?<!\w)(?=\w)|(?=[内社]))(?:"
    r"\b(?:in-?house|internal|proprietary|private|custom|our own|unreleased|brand[- ]new|niche|obscure"
    r"|undocumented)\s+(?:\w+\s){0,2}"
    r"(?:librar(?:y|ies)|sdk|package|framework|crate|module|api|client|dsl|bibliothek|paket)\b"
    r"|\b(?:never used|not familiar with|unfamiliar with|just released|newly released|latest (?:beta|alpha|version"
    r"|release) of)\b"
    r"|\bv?\d+\.\d+(?:\.\d+)?[.-]?(?:alpha|beta|rc)\d*\b"
    r"|\b(?:interne[ns]?|hauseigene[ns]?)\s+(?:\w+\s)?(?:bibliothek|framework|sdk)\b|\b(?:biblioth[eè]que|librería"
    r"|biblioteca) (?:interne|interna)\b"
    r"|内部(?:库|框架|SDK)|社内(?:ライブラリ|フレームワーク)|внутренн\w+ (?:библиотек|фреймворк))",
    re.I,
)
_UNFAMILIAR_HINTS = words(
    "house intern proprietary private custom our unreleased brand niche obscure undocumented never familiar released"
    " latest alpha beta rc hauseigen 内部 社内 внутренн"
)
_TESTS_SEEN = re.compile(
    r"\btest_\w+|_test\.\w+|\.(?:spec|test)\.\w+|\btests?/|\bpytest\b|\bunittest\b|\bjest\b|\bcargo test\b"
    r"|\bgo test\b"
)
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ru", _CYRILLIC),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)


def extract(view: RequestView, *, prompt_tokens: int = 0) -> Features:
    """Return the features of a request. `prompt_tokens` overrides the estimate by size. Never raises."""
    task, ask, signals = _task(view)
    code = ask.code[:2000]
    text = f"{ask.prose}\n{code}" if code else ask.prose
    lower = ask.prose.lower()
    tokens = TOKEN.findall(lower)
    security = next(filter(SECURITY.__contains__, tokens), "") or next(filter(lower.__contains__, SECURITY_PIECES), "")
    unfamiliar = _UNFAMILIAR.search(ask.prose) if any(map(lower.__contains__, _UNFAMILIAR_HINTS)) else None
    if security:
        signals.append(f"security:{security}")
    if unfamiliar is not None:
        signals.append(f"unfamiliar:{unfamiliar.group(0)[:40]}")
    results = view.tool_result_texts
    return Features(
        task=task,
        language=_language(ask, tokens, code, view),
        natural_language=_natural(ask.prose, tokens),
        security_sensitive=bool(security),
        unfamiliar_library=unfamiliar is not None,
        prompt_tokens=prompt_tokens or int(view.total_bytes / BYTES_PER_TOKEN) + 1,
        max_output_tokens=view.max_output_tokens,
        turn=view.n_assistant,
        needs_tools=bool(view.tool_names),
        needs_vision=view.has_images,
        needs_structured=view.structured,
        has_tests=_tests_in(text) or any(_tests_in(result[:2000]) for result in results[-2:]),
        stream=view.stream,
        signals=tuple(signals),
    )


def shape(view: RequestView) -> Features:
    """Return what a request's shape tells without reading its words: sizes, needs, and the task where the shape names it.

    For requests whose route does not depend on the words (a pinned model): tens of microseconds are saved on each.
    """
    task = TaskType.OTHER
    if view.n_messages == 0:
        task = TaskType.COMPLETE
    elif (view.last_roles and view.last_roles[-1] in ("tool", "function")) or (
        view.tool_names and any(name.lower() in _AGENT_TOOLS for name in view.tool_names)
    ):
        task = TaskType.AGENTIC_STEP
    return Features(
        task=task,
        prompt_tokens=int(view.total_bytes / BYTES_PER_TOKEN) + 1,
        max_output_tokens=view.max_output_tokens,
        turn=view.n_assistant,
        needs_tools=bool(view.tool_names),
        needs_vision=view.has_images,
        needs_structured=view.structured,
        stream=view.stream,
        signals=("pinned",),
    )


def _task(view: RequestView) -> tuple[TaskType, Ask, list[str]]:
    signals: list[str] = []
    if view.n_messages == 0:
        marked = "fim-suffix" if view.suffix else "completions"
        return TaskType.COMPLETE, Ask(code=f"{view.prompt[-2000:]}\n{view.suffix[:2000]}"), [marked]
    if _FIM_MARK.search(view.last_user_text):
        return TaskType.COMPLETE, Ask(code=view.last_user_text), ["fim-mark"]
    agent = any(name.lower() in _AGENT_TOOLS for name in view.tool_names)
    if agent:
        signals.append("agent-tools")
    ask, guess = _newest_ask(view, signals)
    if view.last_roles and view.last_roles[-1] in ("tool", "function"):
        signals.append("tool-result-last")
        return TaskType.AGENTIC_STEP, ask, signals
    if not agent and auxiliary(view.system_text):
        return TaskType.OTHER, ask, [*signals, "auxiliary"]
    signals.append(guess.rule)
    if guess.confidence >= SURE:
        return guess.task, ask, signals
    if agent:
        return TaskType.AGENTIC_STEP, ask, signals
    return TaskType.OTHER, ask, signals


def _newest_ask(view: RequestView, signals: list[str]) -> tuple[Ask, TaskGuess]:
    """Take the newest text that holds an ask; one that only says "go on" inherits the task of the ask before it."""
    ask, guess = Ask(), TaskGuess(task=TaskType.OTHER, confidence=0.0, rule="no-ask")
    inherited = False
    for text in dict.fromkeys((*view.asks, view.first_user_text)):
        found = isolate(text)
        signals.extend(f"stripped:{name}" for name in found.stripped[:3])
        if not found.prose and not found.code:
            continue
        here = guess_task(found)
        if not inherited:
            ask, guess = found, here
        if here.follow_up:
            inherited = True
            continue
        if inherited and here.confidence >= SURE:
            signals.append("inherited")
            return found, here
        break
    return ask, guess


def _tests_in(text: str) -> bool:
    """Look for tests around the few places where one of their marks stands, not at every character."""
    for mark in ("test", "spec.", "jest"):
        at = text.find(mark)
        for _ in range(6):
            if at < 0:
                break
            if _TESTS_SEEN.search(text, max(0, at - 9), at + 24) is not None:
                return True
            at = text.find(mark, at + 1)
    return False


def auxiliary(system: str) -> bool:
    """Tell a request for a title or a commit message, which clients make by themselves, by its system prompt."""
    head = system[:600].lower()
    return ("title" in head and ("generat" in head or "conversation" in head)) or "commit message" in head


def _language(ask: Ask, tokens: list[str], code: str, view: RequestView) -> str:
    for name in ask.fences:
        known = LANGUAGE_OF.get(name) or EXTENSIONS.get(name)
        if known:
            return known
    named = [LANGUAGE_OF[t] for t in tokens if t in LANGUAGE_OF]
    if named:
        # "from Java to Kotlin": the answer is written in the last one.
        return named[-1]
    short = _SHORT_NAMES.search(ask.prose) if any(n in ask.prose for n in _SHORT_HINTS) else None
    if short is not None:
        return (short.group(1) or short.group(2)).lower()
    for text in (ask.prose, code[:1000], view.first_user_text[:2000], *(r[:1000] for r in view.tool_result_texts[-1:])):
        for match in _EXTENSION.finditer(text):
            known = EXTENSIONS.get(match.group(1).lower())
            if known:
                return known
    for text in (code, "" if code or _CODE_MARKS.isdisjoint(ask.prose) else ask.prose[:2000]):
        if text:
            for name, shape in _SHAPES:
                if shape.search(text):
                    return name
    return ""


def _natural(prose: str, tokens: list[str]) -> str:
    if not prose.isascii():
        for name, script in _SCRIPTS:
            if script.search(prose):
                return name
    votes: dict[str, int] = {}
    for token in tokens[:60]:
        for name in STOPWORDS.get(token, ()):
            votes[name] = votes.get(name, 0) + 1
    if not votes:
        return "en" if tokens and prose.isascii() else ""
    best = max(votes.values())
    if votes.get("en", 0) == best:
        return "en"
    return next(name for name, count in votes.items() if count == best)
