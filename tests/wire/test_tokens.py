from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.tokens import Anchor, Correction, Estimator, anchored, exact_counters, family_of

ESTIMATOR = Estimator()
CODE = b"def add(first, second):\n    # adds two numbers\n    return first + second\n" * 40


def test_every_family_of_a_model_name_has_coefficients() -> None:
    names = ["claude-sonnet-5", "gemini-3-pro", "gpt-5.5", "gpt-4-turbo", "o3-mini", "qwen3-coder", "deepseek-chat"]
    found = [family_of(name) for name in [*names, "mistralai/codestral-2508", "llama-4"]]
    assert found == ["claude", "gemini", "o200k", "cl100k", "o200k", "qwen", "deepseek", "tekken", "other"]
    assert set(found) <= set(ESTIMATOR.families)


@pytest.mark.parametrize(
    ("family", "real"), [("o200k", 720), ("cl100k", 720), ("qwen", 760), ("deepseek", 720), ("tekken", 720)]
)
def test_plain_code_is_estimated_well(family: str, real: int) -> None:
    """The real counts were taken with the tokenizers that tools/fit_tokens.py names."""
    assert ESTIMATOR.estimate(CODE, family) == pytest.approx(real, rel=0.15)


def test_the_measured_error_is_told_and_guesses_are_not() -> None:
    for family in ("o200k", "cl100k", "qwen", "deepseek", "tekken"):
        error = ESTIMATOR.measured_error(family)
        assert error is not None
        assert 0 < error[0] < 0.08 and error[0] < error[1] < 0.2
    assert ESTIMATOR.measured_error("claude") is None
    assert ESTIMATOR.measured_error("unknown") is None


@given(st.binary(max_size=300), st.sampled_from([*ESTIMATOR.families, "unknown"]))
def test_estimates_are_bounded_by_the_bytes(data: bytes, family: str) -> None:
    tokens = ESTIMATOR.estimate(data, family)
    assert (tokens == 0) == (not data)
    assert tokens <= len(data)


@given(st.lists(st.tuples(st.integers(-5, 10**7), st.integers(-5, 10**7)), max_size=40))
def test_a_correction_stays_within_its_bounds(pairs: list[tuple[int, int]]) -> None:
    correction = Correction()
    for estimated, real in pairs:
        correction = correction.observe(estimated, real)
    assert 0.5 <= correction.ratio <= 2.0


def test_a_correction_learns_and_one_outlier_moves_it_little() -> None:
    correction = Correction()
    for _ in range(30):
        correction = correction.observe(1000, 1300)
    assert correction.ratio == pytest.approx(1.3, abs=0.01)
    assert correction.apply(1000) == 1300
    assert correction.observe(1000, 2000).ratio < 1.45
    assert correction.observe(1000, 90_000) == correction
    assert correction.observe(10, 20) == correction


def test_an_anchor_leaves_only_the_new_text_to_be_estimated() -> None:
    anchor = Anchor(prompt_tokens=5000, prompt_bytes=len(CODE))
    new = b"and now fix the test"
    fresh = ESTIMATOR.estimate(new, "o200k")
    assert anchored(ESTIMATOR, CODE + new, "o200k", anchor, Correction()) == 5000 + fresh
    assert anchored(ESTIMATOR, CODE, "o200k", anchor, Correction(ratio=2.0)) == 5000
    whole = ESTIMATOR.estimate(CODE[:500], "o200k")
    assert anchored(ESTIMATOR, CODE[:500], "o200k", anchor, Correction()) == whole
    assert anchored(ESTIMATOR, CODE[:500], "o200k", None, Correction(ratio=2.0)) == 2 * whole


def test_an_exact_counter_is_preferred_where_there_is_one() -> None:
    exact = Estimator({"o200k": lambda text: len(text) * 2})
    assert exact.estimate(b"abc", "o200k") == 6
    assert exact.estimate(b"\xff", "o200k") == 2
    assert exact.estimate(CODE, "qwen") == ESTIMATOR.estimate(CODE, "qwen")
    assert set(exact_counters()) in (set(), {"o200k", "cl100k"})
