import math

import pytest

from suffice.values.verdict import Outcome
from suffice.verify import logprobs
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView, TokenLogprob


def reading(*tokens):
    return Reading(
        AnswerView(
            text="".join(t for t, _ in tokens), logprobs=tuple(TokenLogprob(token=t, logprob=p) for t, p in tokens)
        ),
        AskView(),
    )


def test_only_the_code_counts():
    found = logprobs.confidence(
        reading(("Well ", -9.0), ("then:\n```py\n", -9.0), ("x = ", -0.1), ("1\n", -1.1), ("```", -5.0))
    )
    assert found is not None and found.tokens == 2 and found.mean == pytest.approx(-0.6)
    assert found.doubtful_share == 0.5 and found.worst_window == pytest.approx(-0.6)


def test_the_worst_window():
    tokens = [("```py\n", 0.0), *[("a ", -0.1)] * 20, *[("b ", -2.0)] * 16, *[("c ", -0.1)] * 20, ("\n```", 0.0)]
    found = logprobs.confidence(reading(*tokens))
    assert found is not None and found.worst_window == pytest.approx(-2.0, abs=0.15)


def test_none_without_logprobs_code_or_finite_values():
    assert logprobs.confidence(reading(("hello", -0.1))) is None
    assert logprobs.confidence(Reading(AnswerView(text="```py\nx\n```"), AskView())) is None
    assert logprobs.confidence(reading(("```py\n", 0.0), ("x\n", -math.inf), ("```", 0.0))) is None


def test_the_gate_only_reports():
    found = logprobs.check(reading(("```py\n", 0.0), ("x\n", -0.2), ("```", 0.0)))
    assert found.outcome is Outcome.UNKNOWN and "-0.200" in found.reason
