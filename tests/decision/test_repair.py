import msgspec

from suffice.decision.repair import repair_cost
from suffice.values.money import NanoUsd
from suffice.values.task import Features, TaskType


def test_the_task_the_override_and_the_risk_decide() -> None:
    edit = Features(task=TaskType.EDIT)
    assert repair_cost(edit, None) > repair_cost(Features(task=TaskType.EXPLAIN), None) > 0
    assert repair_cost(edit, NanoUsd(5)) == 5 and repair_cost(edit, NanoUsd(-5)) == 0
    assert repair_cost(msgspec.structs.replace(edit, security_sensitive=True), NanoUsd(4)) == 12
    assert repair_cost(msgspec.structs.replace(edit, unfamiliar_library=True), NanoUsd(4)) == 6
