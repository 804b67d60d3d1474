from dataclasses import replace
from decimal import Decimal

from suffice.cli.demonstration import choose, row
from suffice.testing.demo import Answered, PolicyResult
from suffice.testing.summary import compare
from suffice.testing.tasks import load


def test_a_draw_is_repeatable_and_keeps_the_order():
    tasks = load()
    first = choose(tasks, 50, 7)
    assert first == choose(tasks, 50, 7)
    assert len(first) == 50
    assert [t.id for t in first] == sorted(t.id for t in first)
    assert first != choose(tasks, 50, 8)
    assert choose(tasks, 10_000, 1) == tasks


def test_a_policy_that_passed_nothing_has_no_price_per_success():
    def policy(name: str, accepted: bool) -> PolicyResult:
        answer = Answered(task="t", accepted=accepted, cost_usd=Decimal("0.5"), attempts=1, model="m")
        return PolicyResult(policy=name, answers=(answer,))

    none, ours = policy("m", accepted=False), policy("auto", accepted=True)
    told = compare([none, ours], "auto")
    assert row(none, told) == ("always m *", "0", "0.0 %", "$0.5000", "none passed", "0", "$1.1000")
    assert row(ours, told) == ("Suffice (auto)", "1", "100.0 %", "$0.5000", "$0.500000", "0", "$0.5000")
    again = replace(ours, repair_usd=Decimal("0.01"))
    told = compare([none, ours, again], "auto")
    assert row(again, told)[0] == "Suffice (auto), failure at $0.01"
    assert row(none, told)[-2:] == ("$1.1000", "$0.5100")
