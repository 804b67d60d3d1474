import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.belief import Shown
from suffice.decision.calibration import Tracked, tracked
from suffice.decision.core import CELLS, CHECKS, Core, cell_of
from suffice.decision.grid import mean_sd
from suffice.decision.guarantee import told
from suffice.decision.plan import STOP
from suffice.decision.priors import fixed
from suffice.values.task import TASK_TYPES, TaskType

PRIORS = fixed({"a/small-1": -0.5, "b/large-1": 2.0})
CELL = cell_of(TaskType.BUG_FIX, "python")


def core() -> tuple[Core, list[int]]:
    made = Core(PRIORS)
    return made, [made.know("a/small-1", 0.4), made.know("b/large-1", 25.0)]


def test_every_task_and_language_has_a_cell():
    found = {cell_of(task, language) for task in TASK_TYPES for language in ("python", "cobol", "")}
    assert max(found) < len(CELLS)
    assert cell_of(TaskType.EDIT, "cobol") == cell_of(TaskType.EDIT, "")
    assert CELLS[CELL] == "bug-fix/python"


def test_a_new_model_enters_with_just_its_prior():
    made, rows = core()
    belief = made.believe(rows, CELL, None)
    for at, model in enumerate(("a/small-1", "b/large-1")):
        assert belief.mean[at] == pytest.approx(PRIORS.lookup(model, TaskType.BUG_FIX).p, abs=0.04)
        assert belief.low[at] < belief.mean[at]


def test_knowing_twice_is_one_row():
    made, rows = core()
    assert made.know("a/small-1", 0.4) == rows[0]


def test_a_rejection_makes_the_task_harder_for_everybody():
    made, rows = core()
    before = made.believe(rows, CELL, None)
    after = made.believe(rows, CELL, made.rejected(None, "a/small-1", CELL, CHECKS["decides"]))
    assert mean_sd(after.weights)[0] > mean_sd(before.weights)[0]
    assert (after.mean < before.mean).all()
    assert np.isclose(after.weights.sum(), 1.0)


def test_a_rejection_of_an_unknown_model_teaches_nothing():
    made, rows = core()
    weights = made.believe(rows, CELL, None).weights
    assert made.rejected(weights, "x/unknown", CELL, CHECKS["decides"]) is weights


@given(st.floats(0.0001, 1.0), st.floats(0.0001, 1.0), st.floats(0.01, 50.0), st.integers(1, 3))
def test_a_plan_is_never_dearer_than_going_straight_to_either(small: float, large: float, repair: float, attempts: int):
    made, rows = core()
    belief = made.believe(rows, CELL, None)
    cost = np.array([small, large])
    staged = made.plan(belief, (0, 1), cost, repair, gate=CHECKS["decides"], attempts=attempts)
    assert staged.value <= min(repair, float(staged.first.min())) + 1e-9


def test_without_a_gate_it_is_the_plug_in_rule():
    made, rows = core()
    belief = made.believe(rows, CELL, None)
    cost = np.array([0.001, 0.05])
    solved = made.plan(belief, (0, 1), cost, 3.0, gate="", attempts=3)
    assert solved.first == pytest.approx(cost + (1 - belief.mean) * 3.0)


def test_a_plan_follows_what_was_learned_although_its_tables_are_kept():
    made, rows = core()
    cost = np.array([0.001, 0.05])

    def plan():
        return made.plan(made.believe(rows, CELL, None), (0, 1), cost, 3.0, gate=CHECKS["decides"], attempts=2)

    before = plan()
    assert (plan().first == before.first).all()
    for number in range(40):
        made.learn(
            label_id=str(number), model="a/small-1", cell=CELL, success=True, reliability=1.0, at_s=float(number)
        )
    assert plan().first[0] < before.first[0]
    one = made.plan(made.believe(rows, CELL, None), (1,), cost[1:], 3.0, gate=CHECKS["decides"], attempts=2)
    assert one.first.shape == (1,)


def test_labels_teach_once_and_bills_teach_length():
    made, rows = core()
    before = made.believe(rows, CELL, None).mean[0]
    for number in range(20):
        note = made.learn(label_id=str(number), model="a/small-1", cell=CELL, success=True, reliability=1.0, at_s=1.0)
        made.bill(model="a/small-1", cell=CELL, output_tokens=900)
        assert note == ""
    assert made.believe(rows, CELL, None).mean[0] > before
    assert 500 < (made.output_tokens("a/small-1", CELL) or 0) < 1500
    assert made.output_tokens("b/large-1", CELL) is None
    version = made.version
    assert (
        made.learn(label_id="3", model="a/small-1", cell=CELL, success=False, reliability=1.0, at_s=2.0) == "repeated"
    )
    assert made.version == version


def test_after_a_rejection_the_larger_model_follows_and_a_useless_one_does_not():
    made, rows = core()
    belief = made.believe(rows, CELL, None)
    tried = (Shown(arm=0, model="a/small-1", accepted=False),)
    done = made.after(belief, np.array([0.001, 0.02]), 3.0, gate=CHECKS["decides"], tried=tried, attempts=1)
    assert done.arm == 1 and done.continue_usd < done.stop_usd
    assert done.p_right[0] < belief.mean[0]
    dear = made.after(belief, np.array([0.001, 9.0]), 3.0, gate=CHECKS["decides"], tried=tried, attempts=1)
    assert dear.arm == STOP and dear.continue_usd == dear.stop_usd


def test_what_grows_with_an_answer_is_dearer_after_a_rejection_than_on_the_average_task():
    made, rows = core()
    belief = made.believe(rows, CELL, None)
    assert np.allclose(belief.length @ belief.weights, 1.0) and (np.diff(belief.length) > 0).all()
    cost, tried = np.array([0.001, 1.0]), (Shown(arm=0, model="a/small-1", accepted=False),)
    gate = CHECKS["decides"]
    flat = made.after(belief, cost, 30.0, gate=gate, tried=tried, attempts=1)
    long = made.after(belief, cost, 30.0, gate=gate, tried=tried, attempts=1, output_usd=cost)
    assert 0.05 < long.continue_usd - flat.continue_usd < 0.5
    small, both = (
        made.plan(belief, (0, 1), cost.tolist(), 30.0, gate=gate, attempts=2, output_usd=part)
        for part in (None, cost.tolist())
    )
    assert both.first[0] > small.first[0]  # the large one comes after the small one's rejection


def test_an_answer_of_a_length_that_failures_have_is_believed_less():
    made, rows = core()
    belief = made.believe(rows, CELL, None)
    for at in range(60):
        failed = at % 2 == 0
        made.bill(model="a/small-1", cell=CELL, output_tokens=900 if failed else 200, success=not failed)

    def right(tokens: int) -> float:
        tried = (Shown(arm=0, model="a/small-1", accepted=True, output_tokens=tokens),)
        return made.after(
            belief, np.array([0.001, 0.02]), 3.0, gate=CHECKS["related"], tried=tried, attempts=1
        ).p_right[0]

    assert right(4000) < right(0) < right(100)


def test_the_correlation_of_a_check_reaches_the_plan():
    made, rows = core()
    belief, cost = made.believe(rows, CELL, None), np.array([0.001, 0.02])
    before = made.plan(belief, (0, 1), cost, 3.0, gate=CHECKS["related"], attempts=3)
    post = made.holder.current
    pairs = {CHECKS["related"]: (400.0, 400.0)}
    made.holder.swap(dataclasses.replace(post, gates=dataclasses.replace(post.gates, pairs=pairs)))
    after = made.plan(belief, (0, 1), cost, 3.0, gate=CHECKS["related"], attempts=3)
    assert after.value != before.value


def test_a_sequence_completes_as_the_plan_that_has_it_says():
    made, rows = core()
    belief, gate = made.believe(rows, CELL, None), CHECKS["related"]
    solved = made.plan(belief, (0, 1), np.array([0.001, 0.02]), 3.0, gate=gate, attempts=3)
    assert made.completes(belief, solved.sequence, gate=gate) == pytest.approx(solved.p_accept - solved.p_escape)
    both = made.completes(belief, (1, 0), gate=gate)
    assert both > made.completes(belief, (1,), gate=gate) > 0.0


def test_certificates_are_kept_in_the_snapshot_and_end_with_the_catalogue():
    made, _ = core()
    made.under("c1")
    notes = [made.heard(task=TaskType.EDIT, wrong=at % 20 == 0, at_s=1000.0) for at in range(200)]
    assert notes[-1] == "certified:edit" and not any(notes[:-1])
    snapshot = made.holder.current
    assert told(snapshot.certificates, 1001.0, snapshot.catalog)[0].startswith("edit: in force")
    made.under("c2")
    assert "not in force" in told(made.holder.current.certificates, 1001.0, made.holder.current.catalog)[0]


def test_a_check_that_lets_one_familys_mistakes_pass_is_believed_less_of_that_family_alone():
    made, rows = core()
    gate = CHECKS["related"]
    before = made.believe(rows, CELL, None)
    plans = [made.plan(before, (0, 1), [0.01, 0.3], 10.0, gate=gate, attempts=2)]
    for _ in range(60):
        made.checked(gate=gate, cell=CELL, judged=[(1, "a/small-1", True)], given=1, right=False, reliability=1.0)
        made.checked(gate=gate, cell=CELL, judged=[(1, "b/large-1", False)], given=1, right=False, reliability=1.0)
    assert {key[2] for key in made.holder.current.gates.counts} == {"small", "large"}
    check = made._check(gate, before, (0, 1))
    assert check.own is not None and check.own[1][0] > 0.7 > 0.2 > check.own[1][1]
    plans.append(made.plan(before, (0, 1), [0.01, 0.3], 10.0, gate=gate, attempts=2))
    assert plans[0].sequence == (1, 0) and plans[1].sequence == (1,)  # its mistakes would pass behind a rejection
    # An answer that it accepted is believed less of the family whose mistakes pass, and after a rejection the order matters too.
    cost = np.array([0.01, 0.3])
    tried = [
        made.after(before, cost, 10.0, gate=gate, tried=[Shown(arm=at, model=m, accepted=True)], attempts=1)
        for at, m in enumerate(("a/small-1", "b/large-1"))
    ]
    assert tried[0].p_right[0] < before.mean[0] + 0.1 and tried[1].p_right[0] > before.mean[1]


def test_a_hard_repository_makes_its_tasks_harder_and_nobody_elses():
    made, rows = core()
    before = made.believe(rows, CELL, None).mean
    assert np.array_equal(made.believe(rows, CELL, None, "hard").mean, before)
    for number in range(30):
        for repo, success in (("hard", False), ("easy", True)):
            made.learn(
                label_id=f"{repo}{number}", model="a/small-1", cell=CELL, success=success, reliability=1.0, at_s=1.0, repo=repo
            )  # fmt: skip
    hard, easy, none = (made.believe(rows, CELL, None, repo).mean for repo in ("hard", "easy", "never seen"))
    assert (hard < none - 0.03).all() and (none + 0.03 < easy).all()
    assert (
        made.account(CELL, "hard")[0][0] == "difficulty of this repository" and made.account(CELL, "hard")[0][1] > 0.2
    )
    assert made.account(CELL, "never seen") == ()
    weights = [made.rejected(None, "a/small-1", CELL, CHECKS["decides"], repo) for repo in ("hard", "easy")]
    assert mean_sd(weights[0])[0] > mean_sd(weights[1])[0]


def test_predictions_that_are_off_are_mapped_once_that_has_paid():
    made, rows = core()
    rng = np.random.default_rng(2)
    plain = made.believe(rows, CELL, None).mean
    one = Tracked()
    for _ in range(300):
        p = float(rng.uniform(0.05, 0.95))
        one = tracked(one, p, bool(rng.random() < 0.3 * p), 1.0)
    made.holder.swap(dataclasses.replace(made.holder.current, calibration=(("bug-fix", one),)))
    belief = made.believe(rows, CELL, None)
    assert one.in_force is not None and belief.mean == pytest.approx(one.in_force.apply(plain), abs=1e-3)
    assert (belief.mean < plain).all() and belief.grid @ belief.weights == pytest.approx(belief.mean)
    assert [name for name, _ in made.account(CELL, "")] == ["calibration: slope", "calibration: offset"]
    other = cell_of(TaskType.EXPLAIN, "python")
    assert made.account(other, "") == ()


def test_only_labels_of_both_kinds_are_held_against_predictions():
    made, _ = core()
    for number, calibrates in enumerate((False, True, True)):
        made.learn(
            label_id=f"{number}", model="a/small-1", cell=CELL, success=False, reliability=0.9, at_s=1.0, calibrates=calibrates
        )  # fmt: skip
    made.learn(label_id="2", model="a/small-1", cell=CELL, success=False, reliability=0.9, at_s=1.0, calibrates=True)
    ((task, one),) = made.holder.current.calibration
    assert (task, one.count) == ("bug-fix", 2)
