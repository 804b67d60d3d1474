from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage

FIELDS = [
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "cache_write_12h_tokens",
    "output_tokens",
    "reasoning_tokens",
]


@given(st.lists(st.integers(0, 10**6), min_size=7, max_size=7))
def test_buckets_are_disjoint_and_complete(values: list[int]):
    usage = Usage(**dict(zip(FIELDS, values, strict=True)))
    assert usage.prompt_tokens + usage.completion_tokens == sum(values)


def test_a_doubtful_part_makes_the_sum_doubtful():
    total = Usage(input_tokens=1) + Usage(input_tokens=2, estimated=True) + Usage(suspect=True)
    assert (total.input_tokens, total.estimated, total.suspect) == (3, True, True)
