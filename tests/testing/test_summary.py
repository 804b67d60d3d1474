from decimal import Decimal

from suffice.testing.demo import Answered, PolicyResult
from suffice.testing.summary import compare


def result(policy: str, accepted: list[bool], cost: str, attempts: int = 1) -> PolicyResult:
    return PolicyResult(
        policy=policy,
        answers=tuple(
            Answered(task=str(n), accepted=ok, cost_usd=Decimal(cost), attempts=attempts, model=policy)
            for n, ok in enumerate(accepted)
        ),
    )


CHEAP = result("cheap", [True, False] * 20, "0.001")
BEST = result("best", [True] * 38 + [False] * 2, "0.01")
OURS = result("auto", [True] * 38 + [False] * 2, "0.004", attempts=2)


def test_the_baseline_is_the_best_single_model_and_differences_are_paired():
    found = compare([CHEAP, BEST, OURS], "auto")
    assert found.best_single == "best"
    best = found.against("best")
    assert round(best.saving, 6) == 0.6
    assert best.saving_low <= best.saving <= best.saving_high
    assert (best.points, best.points_low, best.points_high) == (0.0, 0.0, 0.0)
    assert found.against("cheap").points == 45.0
    assert OURS.escalated == 40
    assert "saves 60%" in found.sentences()[0]


def test_the_sign_of_the_saving_is_told():
    dear = result("auto", [True] * 40, "0.02")
    found = compare([CHEAP, BEST, dear], "auto")
    assert found.against("best").saving == -1.0
    assert "costs more by 100%" in found.sentences()[0]
    assert found.as_dict()["versus"]["best"]["saving"] == -1.0


def test_of_equal_models_the_cheaper_is_the_best_single():
    assert (
        compare(
            [result("dear", [True], "2"), result("cheap", [True], "1"), result("auto", [True], "1")], "auto"
        ).best_single
        == "cheap"
    )


def test_the_same_results_give_the_same_intervals():
    assert compare([CHEAP, BEST, OURS], "auto") == compare([CHEAP, BEST, OURS], "auto")


def test_a_request_without_an_answer_is_told_and_its_unknown_cost_is_never_nothing():
    lost = Answered(task="0", accepted=False, cost_usd=None, attempts=1, model="", failed="504: too late")
    ours = PolicyResult(policy="auto", answers=(lost, *OURS.answers[1:]))
    found = compare([CHEAP, BEST, ours], "auto")
    assert (ours.unpriced, len(ours.failures)) == (1, 1)
    assert round(found.against("best").saving, 6) == 0.6  # of the 39 tasks whose cost is known on both sides
    assert "1 of 40 requests got no answer" in found.sentences()[-1]
    assert "unknown" in found.sentences()[-1]


def test_each_price_of_a_failure_has_its_own_best_policy():
    """Trying again costs; what it is worth depends on what a failure costs."""
    frugal = PolicyResult(policy="auto", answers=CHEAP.answers, repair_usd=Decimal("0.001"))
    found = compare([CHEAP, BEST, OURS, frugal], "auto")
    assert found.best_single == "best" and [v.policy for v in found.versus] == ["cheap", "best"]
    assert found.repairs_usd == (Decimal("0.6"), Decimal("0.001"))
    assert OURS.burden_usd(Decimal("0.6")) == 40 * Decimal("0.004") + 2 * Decimal("0.6")
    assert frugal.burden_usd(Decimal("0.001")) == 40 * Decimal("0.001") + 20 * Decimal("0.001")
    (told,) = [line for line in found.sentences() if line.startswith("J,")]
    # Of equals the simpler one.
    assert told.endswith("It is least at $0.6 a failure for Suffice told $0.6, at $0.001 a failure for always cheap.")
    assert found.as_dict()["policies"]["auto, failure at $0.001"]["j_usd"] == {"0.6": "12.040", "0.001": "0.060"}
