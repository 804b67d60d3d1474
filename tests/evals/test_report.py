import numpy as np
import pytest

from suffice.evals.baselines import Judged
from suffice.evals.predictions import Scores
from suffice.evals.replay import Setting, Tally
from suffice.evals.report import Yardstick, predictions, rows, table

FIELDS = {
    "pool", "policy", "verifier", "errors", "H", "n", "accuracy", "cost_per_task_usd", "cost_per_success_usd", "j_usd", "regret",
    "accuracy_minus_best_single_pp", "cost_vs_best_single",
}  # fmt: skip


def test_rows_have_the_fields_intervals_and_paired_differences() -> None:
    n = 200
    rng = np.random.default_rng(0)
    right = (rng.random(n) < 0.8).astype(float)
    tally = Tally(n=n, yardstick=0)
    for repair in ("3", "iso"):
        for policy, cost in (("ours", 0.25), ("best-single", 1.0)):
            setting = Setting(policy=policy, verifier="perfect", errors="independent", repair=repair)
            tally.add(setting, np.arange(n), Judged(cost=np.full(n, cost), right=right, loss=1 - right))
    for half in (0.1, 0.3):
        tally.predictions.append(Scores(brier=half, ece=half / 2, brier_one_outcome=half / 4, ece_one_outcome=half / 8))
    made = rows("p", tally, Yardstick(name="m", cost=np.ones(n), right=right), 1)
    ours = next(r for r in made if r["policy"] == "ours" and r["H"] == 3.0)
    assert set(ours) >= FIELDS and ours["n"] == n
    assert ours["cost_vs_best_single"] == pytest.approx(-0.75) and ours["cost_vs_best_single_ci95"] == [-0.75, -0.75]
    assert ours["accuracy_minus_best_single_pp_ci95"] == [0.0, 0.0]  # paired: the same tasks, so no noise at all
    assert ours["j_usd"] == pytest.approx(0.25 + 3 * (1 - right.mean())) and ours["regret"] == 0.0
    single = 1.0 + 3.0 * (1 - right.mean())
    assert ours["j_vs_best_single"] == pytest.approx(ours["j_usd"] / single - 1.0, abs=1e-5)
    assert ours["j_vs_oracle"] is None and ours["j_vs_fixed_cascade"] is None  # neither was run
    assert ours["brier"] == pytest.approx(0.2) and ours["ece_one_outcome"] == pytest.approx(0.025)
    assert not any("brier" in r for r in made if r["policy"] == "best-single")
    assert "0.200   0.100" in predictions(made)
    low, high = ours["accuracy_ci95"]
    assert low < right.mean() < high
    iso = next(r for r in made if r["policy"] == "ours" and r["H"] == "iso")
    assert iso["j_usd"] is None and iso["regret"] is None
    assert "ours" in table(made) and "regret" in table(made, 3.0)
