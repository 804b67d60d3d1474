from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage
from suffice.wire import usage
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


@given(st.integers(0, 10**14))
def test_a_providers_own_price_is_read_to_the_last_digit_and_never_rounded_down(nano: int):
    whole, part = divmod(nano, 10**9)
    written = json.loads(f"{whole}.{part:09d}")
    exact = Decimal(repr(written)) * 10**9
    counts = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    found = usage.from_chat(counts | {"cost": written})
    assert found is not None and found.stated_nano is not None
    assert exact <= found.stated_nano < exact + 1
    if nano < 10**12:
        assert found.stated_nano == nano  # what fits into a float's digits is exact
    ticks = usage.from_responses({"input_tokens": 3, "output_tokens": 4, "cost_in_usd_ticks": nano})
    assert ticks is not None and ticks.stated_nano == -(-nano // 10)


@pytest.mark.parametrize("amount", [None, True, -1, -0.1, 1e6, 1e300, "0.1", [], {}, 2**80])
def test_an_odd_price_is_none(amount: object):
    found = usage.from_chat({"prompt_tokens": 3, "completion_tokens": 4, "cost": amount, "cost_in_usd_ticks": amount})
    assert found is not None and found.stated_nano is None and not found.suspect


def test_the_price_of_a_call_under_the_callers_own_key_has_two_parts():
    counts = {"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.001, "is_byok": True}
    both = usage.from_chat(counts | {"cost_details": {"upstream_inference_cost": 0.02}})
    assert both is not None and both.stated_nano == 21_000_000
    fee = usage.from_chat(counts)
    assert fee is not None and fee.stated_nano is None
