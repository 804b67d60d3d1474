from suffice.decision.narrowing import nothing_left, without_late, without_tried, without_unknown_prices
from suffice.decision.policy import ArmFacts, Feasible
from suffice.decision.sessions import Session
from suffice.decision.virtual import Rule, Target
from suffice.errors import BudgetError, NotFoundError, RequestError, UpstreamError
from suffice.values.plan import Arm

A, B = (ArmFacts(arm=Arm(model=m, endpoint="e"), p_low=low) for m, low in (("x/a", 0.2), ("x/b", 0.8)))
AUTO = Target(name="auto", rule=Rule.AUTO)


def result(*kept: ArmFacts, masked: tuple[tuple[ArmFacts, str], ...] = ()) -> Feasible:
    return Feasible(kept=kept, masked=masked, relaxed=())


def test_what_was_rejected_or_lies_below_the_latch_leaves_with_its_reason() -> None:
    tried = Session(created_s=0, used_s=0, tried=(A.arm,))
    left = without_tried(result(A, B), tried, pinned=False)
    assert left.kept == (B,) and left.masked[0][1].startswith("tried")
    latched = Session(created_s=0, used_s=0, pinned=B.arm, latched=True)
    assert without_tried(result(A, B), latched, pinned=False).kept == (B,)
    assert without_tried(result(A), tried, pinned=False).kept == (A,)
    assert without_tried(result(A, B), tried, pinned=True).kept == (A, B)


def test_unknown_prices_are_left_out_only_where_something_else_is_left() -> None:
    unknown = ArmFacts(arm=Arm(model="x/u", endpoint="e"), price_known=False)
    assert without_unknown_prices(result(A, unknown), AUTO).kept == (A,)
    assert without_unknown_prices(result(unknown), AUTO).kept == (unknown,)
    named = Target(name="n", rule=Rule.AUTO, models=("x/u",))
    assert without_unknown_prices(result(A, unknown), named).kept == (A, unknown)


def test_the_refusal_says_why() -> None:
    for whys, kind in (
        ((), NotFoundError),
        (("down: resting", "budget: exhausted"), UpstreamError),
        (("budget: exhausted",), BudgetError),
        (("context: too long",), RequestError),
    ):
        error = nothing_left("auto", result(masked=tuple((A, why) for why in whys)))
        assert isinstance(error, kind)
        assert all(why in str(error) for why in whys)


def test_an_outage_that_waits_for_the_operator_keeps_its_code() -> None:
    refused, resting = (
        "down: credential disabled until changed: upstream_auth",
        "down: endpoint cooling 9 s: upstream_error",
    )
    unpaid = "down: credential cooling 3600 s: upstream_billing"
    for whys, code in (
        ((refused,), "upstream_auth"),
        ((unpaid, refused, "context: too long"), "upstream_billing"),
        ((refused, resting), "upstream_unavailable"),
        ((resting,), "upstream_unavailable"),
    ):
        error = nothing_left("auto", result(masked=tuple((A, why) for why in whys)))
        assert (error.code, error.status) == (code, 503)


def test_late_arms_leave_while_others_are_left() -> None:
    late = {A.arm: "latency: slow"}
    left = without_late(result(A, B), late, pinned=False)
    assert left.kept == (B,) and left.masked == ((A, "latency: slow"),)
    alone = without_late(result(A), late, pinned=False)
    assert alone.kept == (A,) and alone.relaxed == ("latency",)
    assert without_late(result(A, B), late, pinned=True).kept == (A, B)
