import pytest

from suffice.decision.fallback import QUIET_S, Health, Ladder, Rung, alarms, for_request, step


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (Health(ece=0.2), "ECE"), (Health(regret_low_usd=0.1, regret_hours=25), "regret"),
        (Health(cache_hit_drop=0.3), "cache"), (Health(switches_per_turn=0.2), "switching"),
        (Health(fpr_width=0.4), "verifier"), (Health(decision_failed=True), "decision"),
    ],
)  # fmt: skip
def test_every_alarm_steps_down_and_is_named(health: Health, word: str) -> None:
    assert alarms(Health()) == ()
    down = step(Ladder(), health, 10.0)
    assert down.rung is Rung.CASCADE and word in down.alarm


def test_it_ends_at_the_default_arm_and_climbs_one_rung_per_quiet_hour() -> None:
    ladder = Ladder()
    for t in range(9):
        ladder = step(ladder, Health(ece=0.5), float(t))
    assert ladder.rung is Rung.DEFAULT
    assert step(ladder, Health(), 100.0) == ladder
    up = step(ladder, Health(), 8.0 + QUIET_S)
    assert up.rung is Rung.SINGLE and up.alarm
    assert step(up, Health(), 0.0).rung is Rung.SINGLE
    for n in range(2, 5):
        up = step(up, Health(), 8.0 + n * QUIET_S)
    assert up.rung is Rung.PLAN and up.alarm == ""
    assert step(ladder, Health(), float("nan")).rung is Rung.DEFAULT


def test_one_failed_plan_does_not_move_the_ladder() -> None:
    assert for_request(Ladder(), failed=True).rung is Rung.DEFAULT
    assert for_request(Ladder(), failed=False) == Ladder()
