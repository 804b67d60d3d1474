import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.rollout import FIRST_LOOK, Lived, Stage, contrast, decides, look, measured, shared
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, Candidate, Plan, Step

STEPS = (0.05, 0.25, 1.0)
A, B, C = (Arm(model=f"p/{name}", endpoint="one") for name in "abc")


def plan(chances: dict[Arm, float], *steps: Arm, masked: Arm | None = None, repair: int = 3) -> Plan:
    rows = [Candidate(arm=arm, propensity=chance) for arm, chance in chances.items()]
    rows += [Candidate(arm=masked, masked_by="floor")] if masked is not None else []
    return Plan(
        steps=tuple(Step(arm=arm, reach=1.0, p_success=0.5, cost=NanoUsd(1)) for arm in steps), expected_total=NanoUsd(1),
        p_complete=0.5, repair=NanoUsd(repair), propensity=chances[steps[0]], reason="", candidates=tuple(rows),
    )  # fmt: skip


def told(served: Plan, other: Plan | None, *, share: float = 0.25, candidate: bool = True, alike: bool = True) -> Plan:
    return shared(served, other, policy="p", step=1, share=share, candidate=candidate, alike=alike)


def lived(
    rng: np.random.Generator, n: int, share: float, *, wrong: tuple[float, float], spend: tuple[float, float]
) -> list[Lived]:
    """`wrong` and `spend` of (the present policy, the candidate)."""
    out = []
    for _ in range(n):
        candidate = bool(rng.random() < share)
        bad = float(rng.random() < wrong[candidate])
        usd = spend[candidate] * float(rng.uniform(0.5, 1.5))
        out.append(Lived(candidate=candidate, spend_usd=usd, wrong=bad, total_usd=usd + 3.0 * bad))
    return out


@given(st.text(min_size=1, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_a_session_stays_with_the_candidate_when_its_share_grows(session: str, one: float, two: float) -> None:
    small, large = sorted((one, two))
    assert decides(session, "p", large) or not decides(session, "p", small)
    assert not decides(session, "p", 0.0) and decides(session, "p", 1.0)


def test_shares_are_kept_and_another_policy_draws_anew() -> None:
    mine = [decides(f"s{i}", "p", 0.25) for i in range(4000)]
    assert np.mean(mine) == pytest.approx(0.25, abs=0.03)
    both = np.mean([a and decides(f"s{i}", "q", 0.25) for i, a in enumerate(mine)])
    assert both == pytest.approx(0.25 * 0.25, abs=0.02)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.99), st.booleans())
def test_propensities_are_those_of_both_policies_together_and_sum_to_one(
    x: float, y: float, share: float, candidate: bool
) -> None:
    served, other = plan({A: x, B: 1 - x}, A, B), plan({B: y, C: 1 - y}, B, masked=A)
    made = told(served, other, share=share, candidate=candidate)
    mine = share if candidate else 1 - share
    chance = {c.arm: c.propensity for c in made.candidates}
    assert chance == pytest.approx({A: mine * x, B: mine * (1 - x) + (1 - mine) * y, C: (1 - mine) * (1 - y)})
    assert sum(chance.values()) == pytest.approx(1.0)
    assert made.propensity == chance[A] and made.alone == x and made.first == A


def test_an_arm_that_only_the_other_policy_may_use_has_its_chance_too() -> None:
    made = told(plan({A: 1.0}, A, masked=B), plan({B: 1.0}, B), share=0.25, candidate=False)
    assert {c.arm: (c.propensity, c.masked_by) for c in made.candidates} == {A: (0.75, ""), B: (0.25, "")}


def test_same_means_the_same_steps_and_nothing_else_that_acts() -> None:
    one = plan({A: 1.0, B: 0.0}, A, B)
    for other, alike, same in (
        (one, True, True),
        (one, False, False),
        (plan({A: 1.0}, A), True, False),
        (None, True, False),
    ):
        found = told(one, other, alike=alike).rollout
        assert found is not None and found.same is same
    refused = told(one, None)
    assert refused.propensity == 1.0 and refused.rollout is not None and refused.rollout.other is None


def test_both_sides_are_judged_by_the_candidates_repair_cost() -> None:
    mine, theirs = plan({A: 1.0}, A, repair=3), plan({B: 1.0}, B, repair=10)
    for made, repair in ((told(mine, theirs, candidate=True), 3), (told(mine, theirs, candidate=False), 10)):
        assert made.rollout is not None and made.rollout.repair == repair


def test_the_contrast_is_the_difference_and_its_interval_holds_it() -> None:
    rng = np.random.default_rng(4)
    missed, means = 0, []
    for _ in range(200):
        side = rng.random(1500) < 0.25
        found = contrast(side, np.where(side, 0.4, 0.1) + rng.normal(0, 0.2, 1500), 0.25, 0.05)
        missed += not found.low <= 0.3 <= found.high
        means.append(found.mean)
    assert np.mean(means) == pytest.approx(0.3, abs=0.01) and missed <= 10
    assert found.ess == side.sum()


def test_a_better_policy_goes_on_a_worse_one_back_and_one_that_was_never_better_is_stopped() -> None:
    rng = np.random.default_rng(1)
    better = lived(rng, 4000, 0.25, wrong=(0.6, 0.1), spend=(0.2, 0.1))
    worse = lived(rng, 4000, 0.25, wrong=(0.1, 0.6), spend=(0.1, 0.1))
    stage = Stage(policy="p", step=1, began_ms=5)
    on = look(stage, STEPS, better, tolerance=0.005, now_ms=9)
    assert (on.step, on.began_ms, on.looks, on.seen, on.share(STEPS)) == (2, 9, 0, 0, 1.0)
    back = look(stage, STEPS, worse, tolerance=0.005, now_ms=9)
    assert (back.step, back.began_ms, back.stopped) == (0, 9, "") and "one step back" in back.told
    stopped = look(msgspec.structs.replace(stage, step=0), (0.25, 1.0), worse, tolerance=0.005, now_ms=9)
    assert "worse beyond doubt" in stopped.stopped and stopped.share(STEPS) == 0.0
    assert look(stopped, (0.25, 1.0), better, tolerance=0.005, now_ms=10) == stopped


def test_dearer_for_more_right_answers_is_no_harm_and_cheaper_for_more_wrong_ones_is() -> None:
    rng = np.random.default_rng(2)
    stage = Stage(policy="p", step=1)
    dear = look(stage, STEPS, lived(rng, 4000, 0.25, wrong=(0.6, 0.1), spend=(0.1, 0.2)), tolerance=0.005, now_ms=9)
    assert dear.step == 2
    cheap = lived(rng, 4000, 0.25, wrong=(0.1, 0.5), spend=(9.0, 0.1))
    assert look(stage, STEPS, cheap, tolerance=0.005, now_ms=9).step == 0


def test_a_look_is_only_taken_when_there_is_more_to_see() -> None:
    rng = np.random.default_rng(3)
    level = lived(rng, 400, 0.25, wrong=(0.3, 0.3), spend=(0.1, 0.1))
    stage = Stage(policy="p", step=1)
    assert look(stage, STEPS, level[: FIRST_LOOK - 1], tolerance=0.005, now_ms=9) == stage
    first = look(stage, STEPS, level[:200], tolerance=0.005, now_ms=9)
    assert (first.step, first.looks, first.seen) == (1, 1, 200) and first.told.startswith("stays: ")
    assert look(first, STEPS, level[:249], tolerance=0.005, now_ms=9) == first
    second = look(first, STEPS, level[:250], tolerance=0.005, now_ms=9)
    assert (second.looks, second.seen) == (2, 250)
    # Every look costs confidence.
    one, two = measured(level, 0.25, 0), measured(level, 0.25, 5)
    assert one is not None and two is not None and two.total.high - two.total.low > one.total.high - one.total.low


def test_without_two_sides_nothing_is_measured() -> None:
    rng = np.random.default_rng(5)
    own = [one for one in lived(rng, 400, 0.25, wrong=(0.3, 0.3), spend=(0.1, 0.1)) if not one.candidate]
    assert measured(own, 0.25) is None and measured([], 0.25) is None
    stage = Stage(policy="p", step=1)
    assert look(stage, STEPS, own, tolerance=0.005, now_ms=9) == stage


def test_equal_policies_are_rarely_moved_however_often_one_looks() -> None:
    moved = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        sessions = lived(rng, 2500, 0.25, wrong=(0.3, 0.3), spend=(0.1, 0.1))
        stage = Stage(policy="p", step=1)
        for n in range(FIRST_LOOK, 2501, 25):
            stage = look(stage, STEPS, sessions[:n], tolerance=0.005, now_ms=9)
            if stage.step != 1:
                moved += 1
                break
    assert moved <= 3
