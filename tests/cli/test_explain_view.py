import pytest

from suffice.cli.explain_view import render
from suffice.ledger.queries import Story
from suffice.ledger.records import AttemptIntent, DecisionRecord, Opened


@pytest.mark.parametrize("width", [10, 80, 100, 120, 500])
def test_lines_fit_and_no_word_is_lost(width):
    signals = tuple(f"signal-{n}" for n in range(80))
    record = DecisionRecord(request_id="r", at_ms=0, model_requested="auto", signals=signals, note="why " * 60)
    opened = Opened("r", 1, 0, 5_000_000, (), "k", AttemptIntent(model="a/b", endpoint="e"))
    story = Story(request_id="r", decision=record, attempts=(), open=(opened,), outcomes=())
    lines = render(story, width)
    assert max(map(len, lines)) <= min(max(width, 80), 120)
    text = " ".join(lines)
    assert all(signal in text for signal in signals) and text.count("why") == 60
    assert "attempt 1 is running: a/b at e, $0.0050 reserved" in text


def test_a_run_that_was_handed_over_says_from_whom_and_what_it_lost():
    signals = ("same_error", "handed-over-from:groq/m", "cache-tokens-lost:12345")
    record = DecisionRecord(request_id="r", at_ms=0, model_requested="auto", signals=signals)
    text = "\n".join(render(Story(request_id="r", decision=record, attempts=(), open=(), outcomes=()), 120))
    assert "from groq/m, with a brief; 12,345 cached prompt tokens lost" in text
    assert "recognised by: same_error" in " ".join(text.split())
    assert "cache-tokens-lost" not in text
