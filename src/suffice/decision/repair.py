"""What a person's repair of a wrong answer costs: the H of every plan. Must not know models or prices."""

from __future__ import annotations

from suffice.values.money import NanoUsd
from suffice.values.task import TASK_TYPES, Features, TaskType

# What a person's repair costs when the answer is wrong, in nano-dollars (ROUTING 3.2; at 1.25 $ a minute).
_CHAT, _EDIT = NanoUsd(600_000_000), NanoUsd(3_000_000_000)
REPAIR: dict[TaskType, NanoUsd] = {
    **dict.fromkeys(TASK_TYPES, _EDIT),
    TaskType.COMPLETE: NanoUsd(30_000_000),
    TaskType.EXPLAIN: _CHAT,
    TaskType.DOCSTRING: _CHAT,
    TaskType.REVIEW: _CHAT,
}
SECURITY_FACTOR, UNFAMILIAR_FACTOR = 3, 1.5


def repair_cost(features: Features, override: NanoUsd | None) -> NanoUsd:
    """Return H for a request: the override or the default of its task, raised where a defect is dearer; never below 0."""
    amount: float = override if override is not None else REPAIR[features.task]
    if features.security_sensitive:
        amount *= SECURITY_FACTOR
    if features.unfamiliar_library:
        amount *= UNFAMILIAR_FACTOR
    return NanoUsd(max(0, round(amount)))
