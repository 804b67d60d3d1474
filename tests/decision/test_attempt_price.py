from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from suffice.decision.attempt_price import OUTPUT_TOKENS, Warmth, attempt_cost, output_tokens
from suffice.values.money import Rates
from suffice.values.task import TASK_TYPES, Features, TaskType

RATES = Rates(
    input=3_000_000, output=15_000_000, cache_read=300_000, cache_write=3_750_000, cache_write_1h=0, cache_write_12h=0
)
CHEAP = Rates(input=300_000, output=600_000, cache_read=30_000, cache_write=0, cache_write_1h=0, cache_write_12h=0)
FEATURES = Features(task=TaskType.EDIT, prompt_tokens=10_000)


def test_the_parts_add_up() -> None:
    cost = attempt_cost(FEATURES, RATES, warm_tokens=8000, moved_from=None)
    assert (cost.fresh, cost.cached, cost.output) == (6_000_000, 2_400_000, 7_500_000)
    assert cost.switch == 0


def test_output_is_capped_by_the_callers_limit() -> None:
    assert set(OUTPUT_TOKENS) == set(TASK_TYPES)
    assert output_tokens(replace(FEATURES, max_output_tokens=40)) == 40
    assert output_tokens(replace(FEATURES, max_output_tokens=40_000)) == OUTPUT_TOKENS[TaskType.EDIT]


def test_moving_to_a_cheaper_model_has_a_negative_switch_and_to_a_dearer_one_a_positive() -> None:
    agent = replace(FEATURES, needs_tools=True)
    down = attempt_cost(agent, CHEAP, warm_tokens=0, moved_from=Warmth(prefix_tokens=9000, rates=RATES))
    up = attempt_cost(agent, RATES, warm_tokens=0, moved_from=Warmth(prefix_tokens=9000, rates=CHEAP))
    assert down.switch < 0 < up.switch


@given(st.integers(0, 10**6), st.integers(-5, 10**6))
def test_warmth_never_costs_and_never_exceeds_the_prompt(prompt: int, warm: int) -> None:
    features = replace(FEATURES, prompt_tokens=prompt)
    cold = attempt_cost(features, RATES, warm_tokens=0, moved_from=None)
    assert attempt_cost(features, RATES, warm_tokens=warm, moved_from=None).total <= cold.total + 1
