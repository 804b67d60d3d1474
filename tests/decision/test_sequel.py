import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suffice.decision.joint import joint
from suffice.decision.plan import STOP
from suffice.decision.sequel import Ending, choose, look_ahead, observe, p_right, start
from suffice.decision.tree import Shown, compile_tree, decide
from suffice.errors import DecisionError

SEEDS = st.integers(0, 2**32 - 1)
PLAIN = [Ending(), Ending(escape=1.0, human=False)]
ACCEPTING = [Ending(accepting=True), Ending(escape=1.0, human=False, accepting=True)]


def support(seed: int, arms: int = 3, rho: float = 0.4):
    rng = np.random.default_rng(seed)
    w = rng.random(4) + 0.01
    cost = rng.random((arms, 4)) * rng.choice([0.02, 0.5])
    tpr, fpr = float(rng.uniform(0.6, 1)), float(rng.uniform(0, 0.5))
    own = (rng.uniform(0.5, 1, arms), rng.uniform(0, 0.6, arms)) if seed % 2 else None
    return joint(rng.random((arms, 4)), cost, w / w.sum(), tpr=tpr, fpr=fpr, rho=rho, own=own)


def brute(s, w, rights, tried, left, h, ending, accepted) -> float:
    """The same by plain recursion over histories."""
    mass = w.sum()
    best = rights[-1].sum() if ending.accepting and accepted else max(r.sum() for r in rights)
    wrong = h * ending.escape * (mass - best)
    if ending.accepting and ending.human:
        values = [wrong if accepted else h * mass]
    else:
        values = [min(wrong, h * mass) if ending.human else wrong]
    for a in range(s.p.shape[0]):
        if left == 0 or a in tried or (accepted and ending.accepting):
            continue
        total = float(w @ s.cost[a])
        for yes in (False, True):
            t, f = (s.tpr[a], s.fpr[a]) if yes else (1 - s.tpr[a], 1 - s.fpr[a])
            seen = t * s.p[a] + f * (1 - s.p[a])
            given = [*(r * seen for r in rights), w * t * s.p[a]]
            total += brute(s, w * seen, given, {*tried, a}, left - 1, h, ending, yes)
        values.append(total)
    return min(values)


@given(SEEDS, st.sampled_from(PLAIN + ACCEPTING), st.booleans(), st.sampled_from([0.3, 3.0]))
@settings(max_examples=60, deadline=None)
def test_equals_brute_force_after_an_attempt(seed: int, ending: Ending, accepted: bool, h: float) -> None:
    s = support(seed)
    known = observe(s, start(s), np.array([1]), np.array([accepted]))
    _, value = choose(look_ahead(s, known, ending, 2), h, accepted_margin=0.0)
    assert value[0] == pytest.approx(brute(s, known.weights[0], [known.right[0, 0]], {1}, 2, h, ending, accepted))


@given(SEEDS, st.sampled_from(PLAIN))
@settings(max_examples=40, deadline=None)
def test_equals_the_tree_where_attempts_show_verdicts_only(seed: int, ending: Ending) -> None:
    s, h = support(seed), 3.0
    passed = s.tpr * s.p + s.fpr * (1 - s.p)
    shown = Shown(
        seen=np.stack([1 - passed, passed], axis=1), right=np.stack([(1 - s.tpr) * s.p, s.tpr * s.p], axis=1),
        cost=s.cost, base=np.arange(3),
    )  # fmt: skip
    leaves = compile_tree(shown, s.weights, escape=ending.escape, human=ending.human)
    policy = decide(leaves, np.array([h]))
    first = int(policy.first[0])
    known = observe(s, _twice(start(s)), np.array([first, first]), np.array([False, True]))
    arm, _ = choose(look_ahead(s, known, ending, 2), h, accepted_margin=0.0)
    assert arm.tolist() == policy.second[0, 2 * first : 2 * first + 2].tolist()


def _twice(known):
    return type(known)(
        weights=np.repeat(known.weights, 2, axis=0), right=np.repeat(known.right, 2, axis=0),
        tried=np.repeat(known.tried, 2, axis=0), accepted=np.repeat(known.accepted, 2),
    )  # fmt: skip


def test_a_spend_that_failures_have_makes_the_answer_less_likely_right() -> None:
    s = support(3)
    here = start(s), np.array([0]), np.array([True])
    g = s.weights.shape[0]
    plain = p_right(observe(s, *here))[0, 0]
    long = p_right(observe(s, *here, np.full((1, g), 0.1), np.full((1, g), 0.6)))[0, 0]
    short = p_right(observe(s, *here, np.full((1, g), 0.6), np.full((1, g), 0.1)))[0, 0]
    assert long < plain < short


def test_nothing_is_tried_twice_and_a_margin_stops_what_hardly_pays() -> None:
    s = support(5, arms=2)
    known = observe(s, observe(s, start(s), np.array([0]), np.array([False])), np.array([1]), np.array([False]))
    arm, value = choose(look_ahead(s, known, Ending(), 1), 100.0)
    assert arm[0] == STOP and np.isfinite(value[0])
    free = joint(np.array([[0.5], [0.9]]), np.zeros((2, 1)), np.ones(1), tpr=0.9, fpr=0.2, rho=0.0)
    once = observe(free, start(free), np.array([0]), np.array([False]))
    ahead = look_ahead(free, once, Ending(), 1)
    assert choose(ahead, 1.0)[0][0] == 1 and choose(ahead, 1.0, margin=10.0)[0][0] == STOP


def test_a_likelihood_that_is_none_is_refused() -> None:
    s = support(1)
    bad = np.full((1, s.weights.shape[0]), np.nan)
    with pytest.raises(DecisionError, match="no likelihood"):
        observe(s, start(s), np.array([0]), np.array([True]), bad, bad)
