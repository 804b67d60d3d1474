"""Name the task of one isolated ask: an ordered list of rules over the words that people use.

Rules rather than a trained model: each decision is one line that an operator can read in the explanation, and the text of a
task says little about its difficulty anyway. Unsure is an answer: it returns OTHER with a low confidence, never a guess.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from suffice.decision.ask import Ask
from suffice.decision.lexicon import LANGUAGE_OF, PHRASES, PIECES, STEMS, WORDS, words
from suffice.decision.turns import LEADING, OVERRIDING, earliest
from suffice.values.task import TaskType

TOKEN = re.compile(r"[\w+#.'-]*[\w+#]")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_PASS = re.compile(r"\b(?:tests?|suite|build|ci)\b.{0,30}\b(?:pass|green)\b")
_LANGUAGE_TARGET = re.compile(
    r"\b(?:to|in|into|nach|en|em|zu|vers|a|para|на|as)\s+(?:python|java|kotlin|go|golang|rust|c\+\+|c#|c|typescript"
    r"|javascript|"
    r"ruby|php|swift|scala|sql|bash|async|typescript)\b"
)
_VERBS = ("fix", "refactor", "convert", "review", "plan", "explain", "complete", "edit", "create")
# Words that carry little by themselves: they lead only when nothing stronger follows.
_WEAK = words(
    "make need want show give use like does do do's complete design how mean means walk tell continue next haz"
    " faça fais mets mach test document documentation docs doc comment comments wie como comment cómo как me"
)
# "I need a fix", "ich brauche Tests": the noun says what is wanted.
_WANTING = ("i need", "we need", "i want", "we want", "ich ", "j'ai", "necesito", "preciso", "мне")
# A report of a fault, as issue trackers hold them.
_REPORT = (
    "steps to reproduce",
    "to reproduce",
    "minimal reproduc",
    "actual behavior",
    "actual behaviour",
    "actual result",
    "bug report",
)
_HAPPENED = ("actual", " but ", "instead", "however", "currently", "observed")
# Things that are made: an ask that only names one wants it ("dockerfile for a node app").
_THINGS = words(
    "function script program regex query component endpoint class dockerfile makefile hook cli api parser server client bot app"
    " application service module library website page algorithm workflow pipeline middleware decorator macro schema migration"
    " one-liner snippet code template struct interface trait helper sieve game calculator scraper crawler"
)
_HOWTO = words("how wie comment cómo como как")
_WHY = words("why warum pourquoi porque почему qué por")
_STEM_SIZES = tuple(sorted({len(stem) for stem in STEMS}, reverse=True))
_BY_LEAD = {
    "fix": TaskType.BUG_FIX,
    "refactor": TaskType.REFACTOR,
    "convert": TaskType.CONVERT,
    "review": TaskType.REVIEW,
    "plan": TaskType.PLAN,
    "complete": TaskType.COMPLETE,
    "edit": TaskType.EDIT,
    "create": TaskType.GENERATE,
    "explain": TaskType.EXPLAIN,
}


class TaskGuess(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A task with a confidence in [0, 1] and the name of the rule that fired; `follow_up` says that the ask only goes on."""

    task: TaskType
    confidence: float
    rule: str
    follow_up: bool = False


class _Words(msgspec.Struct, frozen=True, gc=False):
    """What was read: the classes of all words, and the leading verb's class, word and place (in words)."""

    tokens: list[str]
    classes: frozenset[str]
    lead: str
    lead_word: str
    lead_at: int = 0


def guess_task(ask: Ask) -> TaskGuess:
    """Return the task of `ask`. Never raises."""
    text = ask.prose.lower()
    if not text:
        return _without_words(ask)
    words = _read(text)
    if _only_goes_on(words, text):
        return TaskGuess(task=TaskType.OTHER, confidence=0.0, rule="goes-on", follow_up=True)
    return (
        _with_report(text, words) or _with_turns(words) or _with_nouns(ask, text, words) or _with_lead(ask, text, words)
    )


def _without_words(ask: Ask) -> TaskGuess:
    if ask.has_trace or ask.has_log:
        return TaskGuess(task=TaskType.BUG_FIX, confidence=0.6, rule="only-a-trace")
    return TaskGuess(task=TaskType.OTHER, confidence=0.0, rule="no-words")


@lru_cache(maxsize=16_384)
def _classes(token: str) -> frozenset[str]:
    """Return the classes of a word; remembered, because the words of asks repeat and their stems are dear to find."""
    return frozenset(WORDS.get(token) or (_by_parts(token) if "-" in token else _by_stem(token)) or ())


def _read(text: str) -> _Words:
    tokens = TOKEN.findall(text)
    classes: set[str] = set()
    strong = weak = strong_word = weak_word = ""
    strong_at = weak_at = 0
    for at, token in enumerate(tokens):
        found = _classes(token)
        if not found:
            continue
        classes.update(found)
        if strong:
            continue
        verb = next((name for name in _VERBS if name in found), "")
        if verb and token not in _WEAK:
            strong, strong_word, strong_at = verb, token, at
        elif verb and not weak:
            weak, weak_word, weak_at = verb, token, at
    if _WIDE.search(text):
        lead = _read_pieces(text, classes)
        if lead:
            return _Words(tokens, frozenset(classes), lead, lead)
    # Turns of phrase are looked for where asks stand, at both ends: the pattern is dear.
    phrase = PHRASES.search(text, 0, 240) or (PHRASES.search(text, len(text) - 160) if len(text) > 240 else None)
    name = phrase.lastgroup if phrase is not None else None
    if phrase is not None and name is not None:
        classes.add(name)
        # A turn of phrase leads unless a clear verb stands before it.
        if name in _VERBS and (not strong or phrase.start() <= text.find(strong_word)):
            at = len(TOKEN.findall(text, 0, phrase.start()))
            return _Words(tokens, frozenset(classes), name, phrase.group(0), at)
    return _Words(
        tokens, frozenset(classes), strong or weak, strong_word or weak_word, strong_at if strong else weak_at
    )


def _by_parts(token: str) -> tuple[str, ...]:
    return tuple(name for part in token.split("-") for name in WORDS.get(part) or _by_stem(part))


def _by_stem(token: str) -> tuple[str, ...]:
    size = len(token)
    if size > 5:
        for length in _STEM_SIZES:
            if length <= size:
                found = STEMS.get(token[:length])
                if found:
                    return found
    return ()


def _read_pieces(text: str, classes: set[str]) -> str:
    """Chinese leads with the verb, Japanese ends with it."""
    hits = [(at, name) for piece, name in PIECES if (at := text.find(piece)) >= 0]
    classes.update(name for _, name in hits)
    verbs = sorted((at, name) for at, name in hits if name in _VERBS)
    if not verbs:
        return ""
    return verbs[-1][1] if _KANA.search(text) else verbs[0][1]


def _only_goes_on(words: _Words, text: str) -> bool:
    tokens = words.tokens
    if len(tokens) > 6 or len(text) > 60:
        return False
    if not tokens:
        return True
    if _WIDE.search(text):
        return words.classes == {"continue"} and len(text) <= 8
    return all("continue" in WORDS.get(token, ()) for token in tokens)


def _with_report(text: str, words: _Words) -> TaskGuess | None:
    """Issues as trackers hold them: what was expected beside what happened, or how to see it."""
    if any(mark in text for mark in _REPORT) or ("expected" in text and any(mark in text for mark in _HAPPENED)):
        return TaskGuess(task=TaskType.BUG_FIX, confidence=0.8, rule="report")
    return None


def _with_turns(words: _Words) -> TaskGuess | None:
    found = earliest(words.tokens, OVERRIDING)
    if found is None:
        return None
    return TaskGuess(task=found[1], confidence=0.85, rule=f"turn:{found[2]}")


def _led_by_turn(words: _Words) -> TaskGuess | None:
    """Return the task of a leading turn of phrase: one with no clear verb before it."""
    found = earliest(words.tokens, LEADING)
    if found is None:
        return None
    at, task, turn = found
    clear = words.lead and words.lead_word not in _WEAK
    if clear and words.lead_at < at:
        return None
    return TaskGuess(task=task, confidence=0.75, rule=f"turn:{turn}")


def _denies(word: str) -> bool:
    """True for words of a complaint: a negation, an exception by its name."""
    return word.endswith(("n't", "exception", "error")) or word == "not"


def _to_a_language(words: _Words) -> bool:
    """ "make this a TypeScript file", "upgrade from Python 2 to Python 3": a language that the code is to be in."""
    before = ("a", "to", "into")
    return any(t in LANGUAGE_OF and words.tokens[n - 1] in before for n, t in enumerate(words.tokens) if n)


def _with_nouns(ask: Ask, text: str, words: _Words) -> TaskGuess | None:
    """Rules in which a thing (a test, a comment, a failure) outweighs the verb, or says which task the verb means."""
    has, lead, word = words.classes, words.lead, words.lead_word
    broken = "bug" in has or ask.has_trace or (word in _WHY and any(map(_denies, words.tokens)))
    weak = not lead or word in _WEAK or (lead == "create" and word.startswith(_WANTING))
    if _PASS.search(text) and lead in ("", "create", "fix", "edit"):
        return TaskGuess(task=TaskType.BUG_FIX, confidence=0.9, rule="make-it-pass")
    if (
        lead == "convert"
        and word in ("rewrite", "перепиши", "porte", "port", "porta")
        and not _LANGUAGE_TARGET.search(text)
    ):
        return TaskGuess(task=TaskType.REFACTOR, confidence=0.6, rule="rewrite-in-place")
    if "test" in has and (lead == "create" or (weak and not broken)) and lead != "explain":
        return TaskGuess(task=TaskType.TEST_GEN, confidence=0.9, rule="write-tests")
    if "test" in has and lead == "edit" and word in ("insert", "extend", "increase"):
        return TaskGuess(task=TaskType.TEST_GEN, confidence=0.8, rule="extend-tests")
    if "doc" in has and (lead in ("create", "complete", "") or weak) and not (broken and weak):
        return TaskGuess(task=TaskType.DOCSTRING, confidence=0.9, rule="write-docs")
    if "plan" in has and lead == "create" and ("plan" in text or "roadmap" in text or "architect" in text):
        return TaskGuess(task=TaskType.PLAN, confidence=0.8, rule="write-a-plan")
    if broken and (weak or (lead == "explain" and (word in _WHY or ask.has_trace))):
        return TaskGuess(task=TaskType.BUG_FIX, confidence=0.8, rule="it-is-broken")
    if "review" in has and lead == "create":
        return TaskGuess(task=TaskType.REVIEW, confidence=0.7, rule="give-a-review")
    return None


def _with_lead(ask: Ask, text: str, words: _Words) -> TaskGuess:
    lead, word = words.lead, words.lead_word
    turn = _led_by_turn(words)
    if lead == "edit" and not word.startswith("use") and _to_a_language(words):
        return TaskGuess(task=TaskType.CONVERT, confidence=0.7, rule="to-a-language")
    if turn is not None:
        return turn
    if "->" in text and len(words.tokens) < 10 and not lead:
        return TaskGuess(task=TaskType.CONVERT, confidence=0.6, rule="arrow")
    if lead:
        if word in _HOWTO:
            return TaskGuess(task=TaskType.EXPLAIN, confidence=0.7, rule="how")
        confidence = 0.6 if word in _WEAK else 0.9
        return TaskGuess(task=_BY_LEAD[lead], confidence=confidence, rule=f"lead:{word}")
    if ask.has_trace or "bug" in words.classes:
        return TaskGuess(task=TaskType.BUG_FIX, confidence=0.7, rule="broken")
    if text.rstrip().endswith(("?", "？")) and len(words.tokens) > 2:
        return TaskGuess(task=TaskType.EXPLAIN, confidence=0.6, rule="question")
    if _THINGS.intersection(words.tokens[:4]):
        return TaskGuess(task=TaskType.GENERATE, confidence=0.55, rule="thing")
    if len(words.tokens) > 3 and text.isascii() and "continue" not in words.classes:
        # A statement without a wish: people tell what happens when it should not.
        return TaskGuess(task=TaskType.BUG_FIX, confidence=0.5, rule="statement")
    return TaskGuess(task=TaskType.OTHER, confidence=0.0, rule="unsure")
