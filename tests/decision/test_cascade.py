import pytest

from suffice.decision.cascade import Latch, combine, confirm, next_action
from suffice.values.money import NanoUsd
from suffice.values.plan import Action, Arm, Mode, Plan, Step
from suffice.values.verdict import Outcome, Verdict

CHEAP, STRONG = Arm(model="p/cheap", endpoint="e"), Arm(model="p/strong", endpoint="e")
AGAIN = Arm(model="p/cheap", endpoint="e", mode=Mode.RETRY)


def plan(*arms: Arm) -> Plan:
    steps = tuple(Step(arm=a, reach=1.0, p_success=0.5, cost=NanoUsd(1)) for a in arms)
    return Plan(steps=steps, expected_total=NanoUsd(1), p_complete=1, repair=NanoUsd(1), propensity=1, reason="")


@pytest.mark.parametrize(
    ("steps", "tried", "outcome", "released", "cap", "action", "arm"),
    [
        ((CHEAP, STRONG), (CHEAP,), Outcome.ACCEPT, False, 3, Action.ACCEPT, None),
        ((CHEAP, STRONG), (CHEAP,), Outcome.UNKNOWN, False, 3, Action.ACCEPT, None),
        ((CHEAP, STRONG), (CHEAP,), Outcome.REJECT, False, 3, Action.ESCALATE, STRONG),
        ((CHEAP, STRONG), (CHEAP,), Outcome.REJECT, True, 3, Action.STOP, None),
        ((CHEAP, STRONG), (CHEAP,), Outcome.REJECT, False, 1, Action.STOP, None),
        ((CHEAP, AGAIN, STRONG), (CHEAP,), Outcome.REJECT, False, 3, Action.RETRY, AGAIN),
        ((CHEAP, STRONG, AGAIN), (CHEAP, STRONG), Outcome.REJECT, False, 3, Action.STOP, None),
        ((CHEAP, STRONG), (CHEAP, STRONG), Outcome.REJECT, False, 3, Action.STOP, None),
    ],
)
def test_the_transition_table(steps, tried, outcome, released, cap, action, arm) -> None:
    move = next_action(plan(*steps), tried, outcome, released=released, cap=cap)
    assert (move.action, move.arm) == (action, arm)
    assert move.why


def test_going_on_never_leads_back_to_an_arm_that_failed() -> None:
    move = next_action(plan(CHEAP, STRONG), (STRONG,), Outcome.REJECT, failed={CHEAP})
    assert (move.action, move.arm) == (Action.STOP, None)


def test_one_rejection_rejects_and_silence_is_unknown() -> None:
    yes, no, dunno = (Verdict(gate="g", outcome=o) for o in (Outcome.ACCEPT, Outcome.REJECT, Outcome.UNKNOWN))
    assert combine((yes, no, dunno)) is Outcome.REJECT
    assert combine((yes, dunno)) is Outcome.ACCEPT
    assert combine((dunno,)) is combine(()) is Outcome.UNKNOWN


def test_the_latch_needs_two_confirmations_and_stays() -> None:
    one = confirm(Latch(), failing=True)
    assert not one.escalated and not confirm(one, failing=False).events
    two = confirm(one, failing=True)
    assert two.escalated and confirm(two, failing=False).escalated
