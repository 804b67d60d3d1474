from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.decision.learning import HALF_LIFE_S, Label, forget, learn
from suffice.decision.skill import SkillPosterior, add_repo, difficulty_prior, fresh, predict
from suffice.errors import DecisionError


def _post() -> SkillPosterior:
    return add_repo(fresh(("a", "b"), ("x", "y"), features=1), "repo")


def _mean(post: SkillPosterior, cell: int = 0) -> np.ndarray:
    return predict(post, cell, difficulty_prior(post, cell, "repo")).mean


def test_successes_raise_the_arm_and_make_it_surer() -> None:
    post = _post()
    for i in range(30):
        post = learn(post, Label(label_id=str(i), arm="a", cell=0, success=True, repo="repo", phi=np.ones(1))).posterior
    assert _mean(post)[0] > _mean(_post())[0] + 0.2
    assert _mean(post)[0] > _mean(post)[1]
    assert post.ability_var[0] < _post().ability_var[0]
    assert post.feature_weight[0] < 0 and post.repo_effect[0] < 0  # an easier repository


def test_a_less_reliable_label_moves_less() -> None:
    sure = learn(_post(), Label(label_id="1", arm="a", cell=0, success=True)).posterior
    unsure = learn(_post(), Label(label_id="1", arm="a", cell=0, success=True, reliability=0.3)).posterior
    assert sure.ability[0] > unsure.ability[0] > 0


def test_a_repeated_label_and_an_unknown_arm_change_nothing() -> None:
    once = learn(_post(), Label(label_id="1", arm="a", cell=0, success=True)).posterior
    again = learn(once, Label(label_id="1", arm="a", cell=0, success=False))
    assert again.note == "repeated" and again.posterior is once
    stranger = learn(once, Label(label_id="2", arm="zz", cell=0, success=True))
    assert stranger.note == "unknown-arm" and stranger.posterior is once


@given(st.permutations(range(8)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_arrival_hardly_matters_and_time_never_runs_back(order: list[int]) -> None:
    labels = [Label(label_id=str(i), arm="a", cell=0, success=i % 2 == 0, at_s=1000.0 + i) for i in range(8)]
    straight, shuffled = _post(), _post()
    for i in range(8):
        straight = learn(straight, labels[i]).posterior
        shuffled = learn(shuffled, labels[order[i]]).posterior
    assert shuffled.updated_at_s == 1007.0
    assert abs(straight.ability[0] - shuffled.ability[0]) < 0.3
    assert straight.ability_var[0] == pytest.approx(shuffled.ability_var[0], rel=0.25)


@pytest.mark.parametrize("change", [{"cell": 9}, {"reliability": float("nan")}, {"reliability": 1.5}])
def test_labels_that_make_no_sense_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(DecisionError):
        learn(_post(), replace(Label(label_id="1", arm="a", cell=0, success=True), **change))


def test_forgetting_goes_half_way_in_a_half_life_and_ignores_clocks_that_jump() -> None:
    post = _post()
    for i in range(40):
        post = learn(post, Label(label_id=str(i), arm="a", cell=0, success=i % 2 == 0, at_s=1000.0)).posterior
    later = forget(post, 1000.0 + HALF_LIFE_S)
    middle = 0.5 * (post.ability_var[0] + post.ability_var0[0])
    assert later.ability_var[0] == pytest.approx(middle)
    assert np.array_equal(forget(later, 0.0).ability_var, later.ability_var)
    assert forget(later, float("nan")) is later
    far = forget(later, 1e18)
    assert np.all(far.ability_var <= far.ability_var0 + 1e-12)


def test_a_silent_swap_raises_the_drift_alarm_and_widens() -> None:
    post = _post()
    for i in range(60):
        post = learn(post, Label(label_id=f"g{i}", arm="a", cell=0, success=True)).posterior
    narrow, notes = post.ability_var[0], []
    for i in range(12):
        out = learn(post, Label(label_id=f"b{i}", arm="a", cell=0, success=False))
        post = out.posterior
        notes.append(out.note)
    assert "drift:a" in notes
    assert post.ability_var[0] > narrow
