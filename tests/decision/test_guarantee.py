from dataclasses import replace

import numpy as np
import pytest

from suffice.decision.guarantee import (
    LIFETIME_S,
    STATEMENT,
    certify,
    feasible,
    learn_then_test,
    p_value,
    told,
    valid,
    watch,
)  # fmt: skip
from suffice.errors import DecisionError


def test_violations_stay_below_delta() -> None:
    rng = np.random.default_rng(5)
    risks = np.linspace(0.02, 0.25, 12)
    violated = 0
    for _ in range(500):
        losses = (rng.random((150, 1)) < risks).astype(float)
        rung = learn_then_test(losses, 0.1, 0.1)
        violated += rung >= 0 and risks[rung] > 0.1
    assert violated <= 50


def test_p_values_fall_with_evidence_and_bad_input_is_refused() -> None:
    assert p_value(0.0, 500, 0.05) < p_value(0.0, 50, 0.05) < 1
    assert p_value(0.2, 100, 0.1) == 1.0
    for args in ((0.1, 0, 0.1), (1.2, 10, 0.1), (0.1, 10, 0.0)):
        with pytest.raises(DecisionError):
            p_value(*args)
    for losses in (np.zeros((0, 2)), np.full((5, 2), np.nan), np.full((5, 2), 2.0)):
        with pytest.raises(DecisionError):
            learn_then_test(losses, 0.1, 0.1)


def test_a_certificate_lives_until_it_expires_is_revoked_or_the_catalogue_changes() -> None:
    losses = np.zeros((200, 3))
    made = certify(losses, np.array([0.9, 0.8, 0.7]), family="f", epsilon=0.05, delta=0.1, catalog="c1", now_s=1e6)
    assert made.rung == 2 and made.threshold == 0.7
    assert valid(made, 1e6 + 1, "c1") == (True, "")
    assert "expired" in valid(made, 1e6 + LIFETIME_S + 1, "c1")[1]
    assert "clock" in valid(made, 0.0, "c1")[1] and "catalogue" in valid(made, 1e6, "c2")[1]
    few = certify(losses[:50], np.array([0.9, 0.8, 0.7]), family="f", epsilon=0.05, delta=0.1, catalog="c", now_s=0)
    assert few.rung == 0
    bad = made
    for _ in range(20):
        bad = watch(bad, 1.0)
    assert bad.revoked and "revoked" in valid(bad, 1e6, "c1")[1]
    assert watch(made, float("nan")) is made
    assert "not cover" in STATEMENT


def test_false_revocations_are_rare() -> None:
    rng = np.random.default_rng(7)
    base = certify(np.zeros((200, 1)), np.ones(1), family="f", epsilon=0.1, delta=0.1, catalog="c", now_s=0.0)
    revoked = 0
    for _ in range(200):
        one = replace(base)
        for loss in rng.random(200) < 0.1:
            one = watch(one, float(loss))
        revoked += one.revoked
    assert revoked <= 20


def test_the_least_share_to_escalate() -> None:
    assert feasible(0.3, 0.1) == pytest.approx(0.2 / 0.9)
    assert feasible(0.05, 0.1) == 0.0


def test_what_is_in_force_is_told_in_words() -> None:
    made = certify(
        np.zeros((200, 2)), np.array([0.9, 0.5]), family="edit", epsilon=0.1, delta=0.1, catalog="c1", now_s=10.0
    )
    assert told((), 0.0, "c1") == ("none in force: no success rate is promised",)
    assert told((made,), 11.0, "c1")[0].startswith("edit: in force, loss at most 0.1 with confidence 0.9 (200 labels)")
    assert "not in force (the catalogue has changed" in told((made,), 11.0, "c2")[0]
