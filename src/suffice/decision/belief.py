"""What core and router say of a task: beliefs about models and the check, what was tried, and what to do after it.

Values only. Invariant: all tables of a belief have one row per model, in the order in which the models were asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from suffice.decision.grid import Floats
from suffice.values.plan import Arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """Success of some models on one task: `grid` [K, 33] given its difficulty, `weights` [33] of that, `mean` and `low` [K].

    `families` [K] are those of the models, `repo` is the repository that was taken into account.

    `length` [K, 33]: an answer's length given the difficulty over its mean, as bills had it when the success was last learned of.
    """

    grid: Floats
    length: Floats
    weights: Floats
    mean: Floats
    low: Floats
    cell: int
    families: tuple[str, ...]
    repo: str = ""

    def of(self, rows: Sequence[int]) -> Belief:
        """Return the belief of some of the models."""
        at = list(rows)
        taken = {name: getattr(self, name)[at] for name in ("grid", "length", "mean", "low")}
        return replace(self, families=tuple([self.families[row] for row in at]), **taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is believed of a gate: true-accept and false-accept rate, and ρ, how often its errors on a task are shared by all arms.

    `own`: the same rates [K] for the answers of each arm's family; None where nothing was learned of any.
    """

    tpr: float
    fpr: float
    rho: float
    own: tuple[Floats, Floats] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An attempt that is over: `arm` is its row in the belief; `output_tokens` 0 when unknown."""

    arm: int
    model: str
    accepted: bool
    output_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """What to do after some attempts: the next `arm` (row of the belief) or STOP, the expected dollars of doing so and of stopping,
    and the chance that each answer so far is right."""

    arm: int
    continue_usd: float
    stop_usd: float
    p_right: tuple[float, ...]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was judged: the arm, whether the gate passed it, its output tokens (0 when unknown)."""

    arm: Arm
    accepted: bool
    output_tokens: int = 0


class Onward(msgspec.Struct, frozen=True, kw_only=True):
    """What follows: the next `arm`, None to stop; the expected dollars of going on and of stopping, the chance that each answer so
    far is right, and a sentence for the record."""

    arm: Arm | None
    p_right: tuple[float, ...]
    continue_usd: float
    stop_usd: float
    why: str
