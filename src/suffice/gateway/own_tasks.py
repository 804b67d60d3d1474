"""Results of a model on a team's own tasks, sent to the control plane: checked, and taken into the beliefs.

What they teach is `decision/own_tasks.py`'s. Invariant: a body that is wrong in any part teaches nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from suffice.decision.core import Core, cell_of
from suffice.decision.own_tasks import Tried, standing, taught
from suffice.errors import NotFoundError, RequestError
from suffice.gateway.state import State
from suffice.values.money import Estimated, Known
from suffice.values.task import TaskType

MOST = 1_000


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One task as sent: its id, whether the model did it right, and whether others did, by catalogue id."""

    task: str
    right: bool
    others: dict[str, bool] = msgspec.field(default_factory=dict)


class Results(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model did on tasks of one kind and language."""

    model: str
    kind: str
    language: str = ""
    results: list[Result]


class OwnTasks:
    """Takes results; `state` gives the configuration in use, `now_s` the wall clock."""

    def __init__(self, core: Core, state: Callable[[], State], now_s: Callable[[], float]) -> None:
        self._core = core
        self._state = state
        self._now_s = now_s

    def take(self, body: bytes) -> dict[str, Any]:
        """Learn a body of results; returns what it came to. Raises RequestError (400) or NotFoundError (404)."""
        try:
            given = msgspec.json.decode(body, type=Results)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RequestError(f"the body holds no results: {error}", hint="see docs/decision-core.md") from None
        if given.kind not in list(TaskType):
            raise RequestError(f"there is no task type {given.kind[:60]!r}", hint=f"one of {', '.join(TaskType)}")
        if not 0 < len(given.results) <= MOST or any(not 0 < len(one.task) <= 200 for one in given.results):
            raise RequestError(f"send 1 to {MOST} results, each with a task id of at most 200 characters")
        know(self._core, self._state(), given.model, self._now_s())
        cell = cell_of(TaskType(given.kind), given.language)
        before = standing(self._core.holder.current.skill, given.model, cell)
        results = [Tried(task=one.task, right=one.right, others=one.others) for one in given.results]
        snapshot = self._core.holder.current
        post, new = taught(snapshot.skill, given.model, cell, results)
        self._core.holder.swap(replace(snapshot, skill=post))
        after = standing(post, given.model, cell)
        return {
            "model": given.model, "learned": new, "repeated": len(given.results) - new,
            "success_before": before.p, "success_before_sd": before.p_sd, "success": after.p, "success_sd": after.p_sd,
        }  # fmt: skip


def know(core: Core, state: State, model: str, now_s: float) -> int:
    """Return the row of a served model in the beliefs. Raises NotFoundError for one that nobody serves."""
    if model not in state.models:
        raise NotFoundError(
            f"no configured endpoint serves {model[:200]!r}", hint="see `suffice models`", code="model_not_found"
        )
    price = state.fleet.catalog.price(model, now_s)
    return core.know(model, price.rates.output / 1e6 if isinstance(price, Known | Estimated) else None)
