"""Words for how much a model should think, and budgets of thinking tokens, turned into each other.

The budgets are this project's choice within the ranges that providers accept; a budget and the effort next to it map back
to each other, so that a round trip keeps the meaning.
"""

from __future__ import annotations

from suffice.wire.neutral import ReasoningRequest

_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576, "max": 32000}
EFFORTS = tuple(_BUDGETS)


def budget_of(asked: ReasoningRequest) -> int:
    """Return the thinking tokens that `asked` means."""
    if asked.budget_tokens is not None:
        return asked.budget_tokens
    return _BUDGETS.get(asked.effort, _BUDGETS["medium"])


def effort_of(asked: ReasoningRequest, known: tuple[str, ...] = EFFORTS) -> str:
    """Return the effort that `asked` means, the nearest one of `known`; "" when it says nothing about how much."""
    effort = asked.effort
    if not effort and asked.budget_tokens is not None:
        effort = min(_BUDGETS, key=lambda name: abs(_BUDGETS[name] - (asked.budget_tokens or 0)))
    if effort in known or effort not in _BUDGETS:
        return effort if effort in known else ""
    return min(known, key=lambda name: abs(_BUDGETS.get(name, 0) - _BUDGETS[effort]))
