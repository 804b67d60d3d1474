from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from suffice.decision.priors import parse
from suffice.values.task import TASK_TYPES, TaskType

_SPEC = importlib.util.spec_from_file_location("build_priors", Path(__file__).parents[2] / "tools" / "build_priors.py")
assert _SPEC is not None
assert _SPEC.loader is not None
build_priors = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(build_priors)

HEAD = "board,model,edit_format,test_cases,pass_rate_1,pass_rate_2"
LINES = [
    HEAD,
    "polyglot_leaderboard,alpha-1,diff,200,10,50",
    "polyglot_leaderboard,alpha-1 (high),diff,200,10,60",
    "polyglot_leaderboard,alpha-2,diff,200,10,80",
    "polyglot_leaderboard,alpha-2 + beta,architect,200,10,99",
    "edit_leaderboard,gamma-1,whole,100,10,40",
    "refactor_leaderboard,alpha-1,diff,89,50,",
]


def test_scores_become_rows_that_the_product_reads() -> None:
    content = build_priors.build(LINES, "test")
    rows = {(row["family"], tuple(row["version"])): row for row in content["rows"]}
    assert set(rows) == {("alpha", (1,)), ("alpha", (2,)), ("gamma", (1,))}
    assert rows["alpha", (1,)]["n"] == 2
    assert rows["alpha", (1,)]["z"] == pytest.approx(0.2, abs=0.01)
    assert rows["alpha", (1,)]["sd"] < rows["alpha", (2,)]["sd"] < rows["gamma", (1,)]["sd"]
    table = parse(build_priors.render(content).encode())
    assert table.lookup("x/alpha-2", TaskType.BUG_FIX).kind == "score"
    assert json.loads(build_priors.render(content))["rows"] == content["rows"]


def test_a_line_needs_three_pairs_and_is_fitted_by_least_squares() -> None:
    assert build_priors.fit_line([(0, 1), (1, 2)]) == (0.0, 1.0)
    assert build_priors.fit_line([(0, 1), (1, 3), (2, 5)]) == pytest.approx((1.0, 2.0))


def test_every_task_type_is_declared_and_the_extremes_stay_finite() -> None:
    assert set(build_priors.TASK_OFFSETS) == set(build_priors.TASK_SLOPES) == {task.value for task in TASK_TYPES}
    assert build_priors.logit(0, 10) == -build_priors.logit(100, 10)
