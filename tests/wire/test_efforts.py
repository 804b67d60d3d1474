import pytest

from suffice.wire.efforts import EFFORTS, budget_of, effort_of
from suffice.wire.neutral import ReasoningRequest


@pytest.mark.parametrize("effort", EFFORTS)
def test_an_effort_survives_as_a_budget(effort):
    budget = budget_of(ReasoningRequest(effort=effort))
    assert effort_of(ReasoningRequest(budget_tokens=budget)) == effort


def test_what_a_provider_does_not_know_becomes_the_nearest():
    assert effort_of(ReasoningRequest(effort="max"), ("low", "high")) == "high"
    assert effort_of(ReasoningRequest(effort="minimal"), ("low", "high")) == "low"
    assert effort_of(ReasoningRequest(), ("low", "high")) == ""
    assert effort_of(ReasoningRequest(effort="turbo"), ("low", "high")) == ""
    assert budget_of(ReasoningRequest(effort="low", budget_tokens=5)) == 5
