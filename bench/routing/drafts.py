"""How often a draft and a review would beat the plan, by the catalogue's prices and the bundled priors; nothing is sent.

    python bench/routing/drafts.py

Fleets: each cheap model with each dear one, and all of them together. No label is used: this counts decisions, not successes.
"""

from __future__ import annotations

import time

from suffice.catalog.load import load
from suffice.decision.attempt_price import rates_of
from suffice.decision.core import STATIC, Core
from suffice.decision.draft import Pair, pair_of
from suffice.decision.policy import ArmFacts
from suffice.decision.priors import bundled
from suffice.decision.router import Offer, Router, RouteRequest
from suffice.decision.virtual import Rule, Target
from suffice.values.money import NanoUsd, Price
from suffice.values.plan import Arm
from suffice.values.task import Features, TaskType

CHEAP = (
    "openai/gpt-5-mini", "openai/gpt-5-nano", "google-gemini/gemini-2.5-flash", "deepseek/deepseek-chat",
    "anthropic/claude-haiku-4-5", "openai/gpt-4.1-mini",
)  # fmt: skip
DEAR = (
    "anthropic/claude-opus-4-1", "anthropic/claude-sonnet-4-5", "openai/gpt-5", "anthropic/claude-opus-4-5",
    "openai/gpt-5-pro", "google-gemini/gemini-2.5-pro",
)  # fmt: skip
# Task and repair cost in dollars: the defaults, then lower ones.
ASKS = (
    (TaskType.GENERATE, 0.6), (TaskType.TEST_GEN, 0.6), (TaskType.BUG_FIX, 3.0), (TaskType.REFACTOR, 3.0),
    (TaskType.GENERATE, 0.1), (TaskType.TEST_GEN, 0.1), (TaskType.GENERATE, 0.02), (TaskType.TEST_GEN, 0.02),
)  # fmt: skip
PROMPTS = (300, 20_000)


def chosen(
    fleet: tuple[str, ...], prices: dict[str, Price], core: Core, task: TaskType, usd: float, prompt: int
) -> Pair | None:
    """Return the pair that goes before the plan over `fleet`, None where the plan stands."""
    offers = [Offer(facts=_facts(name), price=prices[name]) for name in fleet]
    features = Features(task=task, language="python", prompt_tokens=prompt)
    target = Target(name="auto", rule=Rule.AUTO)
    request = RouteRequest(
        features=features, target=target, repair=NanoUsd(round(usd * 1e9)), gate=STATIC, attempts=3
    )  # fmt: skip
    plan = Router(offers, bundled(), core).plan(request)
    return pair_of(plan, features, core, lambda arm: rates_of(prices[arm.model]), 0.0)


def _facts(name: str) -> ArmFacts:
    return ArmFacts(
        arm=Arm(model=name, endpoint="one"), capabilities=frozenset(), context_tokens=200_000, max_output_tokens=64_000
    )


def main() -> None:
    """Print one line for each ask."""
    catalog, core, now_s = load(), Core(bundled()), time.time()
    for prompt in PROMPTS:
        prices = {name: catalog.price(name, now_s, prompt) for name in (*CHEAP, *DEAR)}
        for task, usd in ASKS:
            two = [chosen((a, b), prices, core, task, usd, prompt) for a in CHEAP for b in DEAR]
            reviewers = sorted({pair.review.model for pair in two if pair is not None})
            every = chosen((*CHEAP, *DEAR), prices, core, task, usd, prompt)
            told = f"{every.draft.model} and {every.review.model}" if every is not None else "none"
            print(
                f"{task.value} H ${usd} prompt {prompt}: {sum(p is not None for p in two)} of {len(two)} fleets of two "
                f"(reviewers: {', '.join(reviewers) or 'none'}); all twelve: {told}"
            )


if __name__ == "__main__":
    main()
