import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage
from suffice.wire import usage

READERS = [
    usage.from_chat,
    usage.from_anthropic,
    usage.from_responses,
    usage.from_gemini,
    usage.from_bedrock,
    usage.from_cohere,
]


@pytest.mark.parametrize(
    ("read", "report", "want"),
    [
        (
            usage.from_anthropic,
            {
                "input_tokens": 5,
                "cache_read_input_tokens": 7,
                "cache_creation_input_tokens": 4,
                "output_tokens": 9,
                "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 3},
                "output_tokens_details": {"thinking_tokens": 6},
            },
            Usage(
                input_tokens=5,
                cache_read_tokens=7,
                cache_write_tokens=1,
                cache_write_1h_tokens=3,
                output_tokens=3,
                reasoning_tokens=6,
            ),
        ),
        (
            usage.from_anthropic,
            {"input_tokens": 5, "cache_creation_input_tokens": 4, "output_tokens": 1},
            Usage(input_tokens=5, cache_write_tokens=4, output_tokens=1),
        ),
        (
            usage.from_responses,
            {
                "input_tokens": 9,
                "output_tokens": 8,
                "total_tokens": 17,
                "input_tokens_details": {"cached_tokens": 4},
                "output_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(input_tokens=5, cache_read_tokens=4, output_tokens=5, reasoning_tokens=3),
        ),
        (
            usage.from_gemini,
            {
                "promptTokenCount": 9,
                "cachedContentTokenCount": 4,
                "candidatesTokenCount": 2,
                "thoughtsTokenCount": 3,
                "totalTokenCount": 14,
            },
            Usage(input_tokens=5, cache_read_tokens=4, output_tokens=2, reasoning_tokens=3),
        ),
        (
            usage.from_gemini,
            {"promptTokenCount": 9, "totalTokenCount": 12},
            Usage(input_tokens=9, output_tokens=3),
        ),
        (
            usage.from_bedrock,
            {
                "inputTokens": 5,
                "cacheReadInputTokens": 4,
                "cacheWriteInputTokens": 3,
                "outputTokens": 2,
                "totalTokens": 14,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 1}],
            },
            Usage(input_tokens=5, cache_read_tokens=4, cache_write_tokens=2, cache_write_1h_tokens=1, output_tokens=2),
        ),
        (
            usage.from_cohere,
            {
                "billed_units": {"input_tokens": 5, "output_tokens": 2},
                "tokens": {"input_tokens": 90, "output_tokens": 20},
                "cached_tokens": 80,
            },
            Usage(input_tokens=5, output_tokens=2),
        ),
        (
            usage.from_cohere,
            {"tokens": {"input_tokens": 9, "output_tokens": 2}, "cached_tokens": 8},
            Usage(input_tokens=1, cache_read_tokens=8, output_tokens=2),
        ),
    ],
)
def test_each_providers_form(read, report, want):
    assert read(report) == want


@pytest.mark.parametrize(
    ("read", "report"),
    [
        (usage.from_anthropic, {"input_tokens": -1, "output_tokens": 2}),
        (
            usage.from_anthropic,
            {"input_tokens": 1, "output_tokens": 2, "output_tokens_details": {"thinking_tokens": 3}},
        ),
        (
            usage.from_anthropic,
            {"input_tokens": 1, "cache_creation_input_tokens": 1, "cache_creation": {"ephemeral_1h_input_tokens": 2}},
        ),
        (usage.from_responses, {"input_tokens": 1, "output_tokens": 10**15}),
        (usage.from_gemini, {"promptTokenCount": 9, "candidatesTokenCount": 9, "totalTokenCount": 3}),
        (usage.from_gemini, {"promptTokenCount": 1, "cachedContentTokenCount": 9, "candidatesTokenCount": 1}),
        (usage.from_bedrock, {"inputTokens": 1, "outputTokens": 1, "totalTokens": 50}),
    ],
)
def test_contradictions_are_flagged(read, report):
    assert read(report).suspect


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("report", [None, {}, [1, 2], "x", 0])
def test_an_absent_report_is_none(read, report):
    assert read(report) is None


KEYS = (
    "input_tokens output_tokens total_tokens prompt_tokens completion_tokens cache_creation cached_tokens tokens billed_units "
    "promptTokenCount candidatesTokenCount totalTokenCount inputTokens outputTokens totalTokens cacheDetails ttl"
)
keys = st.sampled_from(KEYS.split())
values = st.recursive(
    st.one_of(st.none(), st.integers(-5, 10**16), st.floats(), st.text(max_size=3), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=6,
)


@pytest.mark.parametrize("read", READERS)
@given(report=st.dictionaries(keys, values, max_size=6))
def test_nonsense_gives_no_crash_and_no_negative_count(read, report):
    found = read(report)
    if found is not None:
        counts = [getattr(found, f) for f in Usage.__slots__ if f.endswith("_tokens")]
        assert all(isinstance(c, int) and 0 <= c <= 10**11 for c in counts)
