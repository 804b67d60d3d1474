from suffice.values.verdict import Outcome
from suffice.verify import agreement
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView

ONE = (
    'def f(items: list) -> int:\n    """Sum."""\n    total = 0  # start\n    for item in items:\n        total += '
    "item.size\n    return total\n"
)
TWO = "def g(xs):\n    s = 0\n    for x in xs:\n        s += x.size\n    return s\n"
OTHER = "def f(items):\n    return sum(map(len, sorted(set(items), key=str)))\n"


def reading(code, language="python"):
    return Reading(AnswerView(text=f"```{language}\n{code}\n```"), AskView())


def test_names_and_comments_do_not_matter():
    assert agreement.similarity(ONE, TWO, "python") == 1.0
    assert agreement.similarity("let a = 1; // x\nf(a.b)", "let z = 1;\ng(z.b)", "javascript") == 1.0


def test_operators_and_members_do():
    assert agreement.similarity(TWO, TWO.replace("+=", "-="), "python") < 1
    assert agreement.similarity("a.b", "a.c", "go") < 1


def test_the_gate_never_rejects():
    assert agreement.check(reading(ONE), reading(TWO)).outcome is Outcome.ACCEPT
    assert agreement.check(reading(ONE), reading(OTHER)).outcome is Outcome.UNKNOWN
    assert agreement.check(reading(ONE), Reading(AnswerView(text="no"), AskView())).outcome is Outcome.UNKNOWN


def test_broken_code_is_compared_by_tokens():
    assert agreement.similarity("x = (", "y = (", "python") == 1.0
