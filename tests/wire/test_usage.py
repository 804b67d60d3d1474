import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage
from suffice.wire.usage import from_chat

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
    "prompt_cache_hit_tokens",
    "cached_tokens",
]


@pytest.mark.parametrize(
    ("report", "usage"),
    [
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 80},
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            Usage(input_tokens=20, cache_read_tokens=80, output_tokens=20, reasoning_tokens=30),
        ),
        # DeepSeek
        (
            {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11, "prompt_cache_hit_tokens": 4},
            Usage(input_tokens=6, cache_read_tokens=4, output_tokens=1),
        ),
        # xAI: reasoning comes on top of the completion, and the total tells
        (
            {
                "prompt_tokens": 32,
                "completion_tokens": 2,
                "total_tokens": 374,
                "completion_tokens_details": {"reasoning_tokens": 340},
            },
            Usage(input_tokens=32, output_tokens=2, reasoning_tokens=340),
        ),
        # Moonshot
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "cached_tokens": 9},
            Usage(cache_read_tokens=9, output_tokens=1),
        ),
        # more cached than there was prompt: repaired and flagged
        (
            {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 50}},
            Usage(cache_read_tokens=50, output_tokens=1, suspect=True),
        ),
        # negative and textual numbers count as nothing, and say so
        (
            {"prompt_tokens": -5, "completion_tokens": "7", "total_tokens": 12},
            Usage(output_tokens=12, suspect=True),
        ),
        (None, None),
        ({}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ([1], None),
    ],
)
def test_reports_of_providers(report: object, usage: Usage | None):
    assert from_chat(report) == usage


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_no_report_crashes_or_yields_a_negative_bucket(report: dict[str, object]):
    usage = from_chat(report)
    if usage is not None:
        assert min(usage.input_tokens, usage.cache_read_tokens, usage.output_tokens, usage.reasoning_tokens) >= 0


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_buckets_add_up_to_the_report(prompt: int, cached: int, completion: int, reasoning: int):
    cached, reasoning = min(cached, prompt), min(reasoning, completion)
    usage = from_chat(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }
    )
    if usage is None:
        assert prompt == completion == 0
    else:
        assert (usage.prompt_tokens, usage.completion_tokens, usage.suspect) == (prompt, completion, False)
