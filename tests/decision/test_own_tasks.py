import numpy as np
import pytest

from suffice.decision.core import Core, cell_of
from suffice.decision.grid import GRID, sigmoid
from suffice.decision.own_tasks import Tried, difficulties, standing, taught
from suffice.decision.priors import fixed
from suffice.errors import DecisionError
from suffice.values.task import TaskType

CELL = cell_of(TaskType.BUG_FIX, "python")


def post():
    core = Core(fixed({"a/small-1": -0.5, "b/large-1": 2.0}))
    for model in ("a/small-1", "b/large-1", "c/new-1"):
        core.know(model, None)
    return core.holder.current.skill


def test_a_task_that_others_failed_is_harder_and_strangers_say_nothing() -> None:
    rows = difficulties(
        post(), CELL, [{}, {"b/large-1": False}, {"b/large-1": True, "a/small-1": True}, {"x/stranger": False}]
    )
    none, hard, easy, stranger = (float(row @ GRID) for row in rows)
    assert easy < none < hard and stranger == none
    assert np.allclose(rows.sum(axis=1), 1.0)


def results(rng: np.random.Generator, ability: float, n: int, start: int = 0) -> list[Tried]:
    out = []
    for number in range(start, start + n):
        hard = float(rng.normal(0, 1.5))
        small, large, new = (bool(rng.random() < sigmoid(np.array(b - hard))) for b in (-0.5, 2.0, ability))
        out.append(
            Tried(task=f"t{number}", right=new, others={"a/small-1": small, "b/large-1": large, "c/new-1": not new})
        )
    return out


def test_results_move_the_new_model_alone_to_where_it_is_and_make_it_surer() -> None:
    before = post()
    for ability in (-2.0, 2.0):
        after, new = taught(before, "c/new-1", CELL, results(np.random.default_rng(1), ability, 40))
        was, now = standing(before, "c/new-1", CELL), standing(after, "c/new-1", CELL)
        assert new == 40 and now.sd < 0.5 * was.sd and now.p_sd < was.p_sd
        assert now.ability == pytest.approx(ability, abs=1.0)
        assert standing(after, "b/large-1", CELL) == standing(before, "b/large-1", CELL)
        assert np.array_equal(after.cell_mean, before.cell_mean)


def test_a_result_counts_once_and_batches_in_any_order_come_to_about_the_same() -> None:
    before = post()
    rows = results(np.random.default_rng(2), 1.0, 30)
    whole, _ = taught(before, "c/new-1", CELL, rows)
    again, new = taught(whole, "c/new-1", CELL, rows[:7])
    assert new == 0 and again is whole
    first, one = taught(before, "c/new-1", CELL, rows[20:])
    both, two = taught(first, "c/new-1", CELL, rows)
    assert (one, two) == (10, 20)
    assert standing(both, "c/new-1", CELL).ability == pytest.approx(standing(whole, "c/new-1", CELL).ability, abs=0.15)


def test_a_model_that_is_not_known_is_refused() -> None:
    with pytest.raises(DecisionError, match="unknown model"):
        taught(post(), "x/stranger", CELL, [])
