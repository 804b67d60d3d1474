import numpy as np
import pytest

from suffice.decision.gates import GatePosterior, correlation, error_states, rates
from suffice.decision.hindsight import Judged, learn, right_given
from suffice.errors import DecisionError

GATE = "check:related-tests"


def test_a_verdict_that_turned_out_right_or_wrong_moves_the_rate_it_belongs_to() -> None:
    start, one = GatePosterior(), (Judged(attempt=1, p=0.5, accepted=True),)
    wrong = learn(start, gate=GATE, cell="c", judged=one, given=1, right=False, reliability=1.0)
    right = learn(start, gate=GATE, cell="c", judged=one, given=1, right=True, reliability=1.0)
    before = rates(start, GATE, "c")
    assert rates(wrong, GATE, "c").fpr > before.fpr and rates(wrong, GATE, "c").tpr == before.tpr
    assert rates(right, GATE, "c").tpr > before.tpr and rates(right, GATE, "c").fpr == before.fpr
    with pytest.raises(DecisionError):
        learn(start, gate=GATE, cell="c", judged=one, given=1, right=True, reliability=2.0)


def test_what_the_check_did_not_judge_says_nothing_of_it() -> None:
    start = GatePosterior()
    assert learn(start, gate=GATE, cell="c", judged=(), given=1, right=False, reliability=1.0) is start
    other = (Judged(attempt=1, p=0.5, accepted=False),)
    assert learn(start, gate=GATE, cell="c", judged=other, given=2, right=False, reliability=1.0) is start


def test_rates_and_correlation_come_out_of_reports_on_given_answers_alone() -> None:
    """Two models in a row behind a check, the answer that it accepts is given, and only of that one the truth is reported."""
    rng = np.random.default_rng(7)
    t, f, rho, post = 0.8, 0.25, 0.6, GatePosterior()
    weight, true, false = error_states(t, f, rho)
    for _ in range(6000):
        state = rng.choice(weight.size, p=weight / weight.sum())
        judged: list[Judged] = []
        right = False
        for attempt in (1, 2):
            right = bool(rng.random() < 0.5)
            passed = bool(rng.random() < (true if right else false)[state])
            judged.append(Judged(attempt=attempt, p=0.5, accepted=passed))
            if passed:
                break
        post = learn(post, gate=GATE, cell="c", judged=judged, given=len(judged), right=right, reliability=1.0)
    found = rates(post, GATE, "c")
    assert found.fpr == pytest.approx(f, abs=0.06) and found.tpr == pytest.approx(t, abs=0.06)
    assert correlation(post, GATE, "c") == pytest.approx(rho, abs=0.15)


def test_a_rejection_leaves_a_chance_that_follows_from_the_rates() -> None:
    known = rates(GatePosterior(), GATE)
    low, high = (right_given(Judged(attempt=1, p=0.5, accepted=a), known) for a in (False, True))
    assert low < 0.2 < 0.7 < high
