"""The snapshot that one decision reads: skill, cost, gates and certificates as of one moment.

Copy-on-write: the single writer builds a new frozen `Snapshot` and assigns it to `Holder.current`; assigning a reference
is atomic, so a reader that took `holder.current` once sees one consistent state to the end of its decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from suffice.decision.calibration import Tracked
from suffice.decision.cost import CostPosterior
from suffice.decision.gates import GatePosterior
from suffice.decision.guarantee import Certificate
from suffice.decision.skill import SkillPosterior


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything learned. `catalog` names the price book it was learned under.

    `calibration` are the maps of success predictions per kind of task.
    `gathered` are the losses per kind of task that wait for a batch of the guarantee's test, oldest first.
    """

    skill: SkillPosterior
    cost: CostPosterior
    gates: GatePosterior = field(default_factory=GatePosterior)
    calibration: tuple[tuple[str, Tracked], ...] = ()
    certificates: tuple[Certificate, ...] = ()
    catalog: str = ""
    gathered: tuple[tuple[str, tuple[float, ...]], ...] = ()

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """Names and versions for the decision record."""
        return (
            ("skill", str(self.skill.version)), ("cost", str(self.cost.version)), ("gates", str(self.gates.version)),
            ("catalog", self.catalog),
        )  # fmt: skip


class Holder:
    """The one mutable cell: readers take `current` once per decision, the single writer calls `swap`."""

    __slots__ = ("current",)

    def __init__(self, snapshot: Snapshot) -> None:
        self.current = snapshot

    def swap(self, snapshot: Snapshot) -> Snapshot:
        """Put `snapshot` in place and return the one it replaces."""
        before, self.current = self.current, snapshot
        return before
