from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.sessions import Session
from suffice.decision.verdict_free import Scored, choose, flips, follow_ups
from suffice.decision.virtual import Rule
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, CostSplit

H = NanoUsd(3_000_000_000)


def scored(name: str, p: float, cost: int, latency_s: float = 0.0, repair: int = H) -> Scored:
    return Scored(
        arm=Arm(model=name, endpoint="e"), p=p, p_low=p / 2, cost=CostSplit(output=NanoUsd(cost)),
        total=cost + (1 - p) * repair, source="s", latency_s=latency_s, priced=True,
    )  # fmt: skip


CHEAP = scored("a/cheap", 0.3, 1_000_000, 5)
MID = scored("a/mid", 0.9, 20_000_000, 2)
BEST = scored("a/best", 0.95, 400_000_000)


def test_each_rule_has_its_own_order() -> None:
    arms = [BEST, CHEAP, MID]
    picks = {rule: choose(arms, rule, None, 0.0)[0] for rule in Rule}
    assert picks == {Rule.AUTO: MID, Rule.FAST: MID, Rule.BEST: BEST, Rule.CHEAP: CHEAP, Rule.PIN: MID}


def test_a_warm_conversation_moves_only_for_a_real_gain() -> None:
    near = scored("a/near", 0.9, 30_000_000)
    session = Session(created_s=0, used_s=0, pinned=near.arm, warm_until_s={near.arm: 100.0})
    assert choose([near, MID], Rule.AUTO, session, 50.0) == (near, ("warm cache: moving does not pay",))
    assert choose([near, MID], Rule.AUTO, session, 150.0)[0] is MID
    assert choose([CHEAP, MID], Rule.AUTO, session, 50.0)[0] is MID
    session.pinned, session.warm_until_s = CHEAP.arm, {CHEAP.arm: 100.0}
    assert choose([CHEAP, MID], Rule.AUTO, session, 50.0)[0] is MID


@given(
    st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(1, 10**10)), min_size=1, max_size=8), st.integers(0, 3),
)  # fmt: skip
def test_follow_ups_climb(arms: list[tuple[float, int]], limit: int) -> None:
    pool = [scored(f"a/{i}", p, cost) for i, (p, cost) in enumerate(arms)]
    first = choose(pool, Rule.AUTO, None, 0.0)[0]
    steps = [first, *follow_ups(first, pool, H, limit)]
    assert len(steps) <= limit + 1
    assert len({step.arm for step in steps}) == len(steps)
    for before, after in itertools.pairwise(steps):
        assert after.p > before.p
        assert after.cost.total >= before.cost.total


@given(
    st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.integers(10**5, 10**9), st.integers(10**5, 10**9), st.integers(10**7, 10**10)
)  # fmt: skip
def test_beyond_a_stated_threshold_the_choice_is_the_rival(p1: float, p2: float, c1: int, c2: int, repair: int) -> None:
    one, two = scored("a/one", p1, c1, repair=repair), scored("a/two", p2, c2, repair=repair)
    first = choose([one, two], Rule.AUTO, None, 0.0)[0]
    rival = two if first is one else one
    said = flips(first, rival, NanoUsd(repair))
    if abs(p1 - p2) < 1e-3 or c1 == c2:
        return
    threshold = (rival.cost.total - first.cost.total) / (rival.p - first.p)
    assert any("repair cost" in line for line in said) == (threshold > 0)
    if threshold > 0:
        beyond = threshold * (1.01 if rival.p > first.p else 0.99)
        moved = [scored(s.arm.model, s.p, s.cost.total, repair=int(beyond)) for s in (first, rival)]
        assert moved[1].total <= moved[0].total + 2
