from suffice.values.task import TaskType
from suffice.values.verdict import Outcome
from suffice.verify.reading import MAX_EVIDENCE, Reading, verdict
from suffice.verify.view import AnswerView, AskView


def reading(answer, **ask):
    return Reading(AnswerView(text=answer), AskView(**ask))


LONG = "```python\n" + "x = 1\n" * 60 + "```\n"


def test_a_short_excerpt_beside_long_code_is_an_aside():
    found = reading(LONG + "Call it so:\n```python\nf(\n```\n")
    assert found.broken == ()


def test_the_only_piece_is_binding():
    assert len(reading("```python\nf(\n```").broken) == 1


def test_illustrations_of_an_explanation_are_asides():
    assert reading("```python\nf(\n```", task=TaskType.EXPLAIN).broken == ()


def test_the_code_of_the_ask_can_be_continued():
    found = reading("```c\n  return x;\n}\n```", text="Finish:\n```c\nint f(int x) {\n```")
    assert found.broken == () and not found.parses[0].whole


def test_texts_of_a_verdict_are_capped():
    found = verdict("parses", Outcome.REJECT, "r" * 1000, evidence="e" * 5000)
    assert len(found.reason) == 500 and len(found.evidence) == MAX_EVIDENCE


def test_spans_refer_to_the_text():
    found = reading("a\n```python\nx = 1\n```")
    (piece,) = found.code
    assert found.text[piece.start : piece.end] == "x = 1\n"
