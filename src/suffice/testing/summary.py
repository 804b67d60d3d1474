"""What a run of the demo showed, with its uncertainty and its honest baselines.

The baseline is the best single model (most tasks passed; the cheaper of equals), beside the dearest one. Differences are
paired by task; intervals are percentile bootstraps over tasks with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from suffice.testing.demo import PolicyResult
from suffice.testing.seeded import Seeded

_RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """Our policy against another: saving as a share of its spend, difference in passed tasks (points), 95 % intervals."""

    policy: str
    saving: float
    saving_low: float
    saving_high: float
    points: float
    points_low: float
    points_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All results, which ones are ours (by the name of the policy), which is the best single model, and ours against each.

    The first of ours is compared; others of the same name priced a failure differently.
    """

    results: tuple[PolicyResult, ...]
    ours: str
    best_single: str
    versus: tuple[Versus, ...]

    @property
    def repairs_usd(self) -> tuple[Decimal, ...]:
        """What failures were priced at, the dearest first."""
        return tuple(sorted({r.repair_usd for r in self.results}, reverse=True))

    def against(self, policy: str) -> Versus:
        """Return the comparison with `policy`."""
        return next(v for v in self.versus if v.policy == policy)

    def sentences(self) -> list[str]:
        """Say it in words: against the best single model first."""
        best = self.against(self.best_single)
        word = "saves" if best.saving >= 0 else "costs more by"
        lines = [
            f"* best single model. Against it Suffice {word} {abs(best.saving):.0%} of the spend "
            f"(95 % interval {best.saving_low:.0%} to {best.saving_high:.0%}) "
            f"at {best.points:+.1f} points of passed tasks ({best.points_low:+.1f} to {best.points_high:+.1f})."
        ]
        dearest = max((r for r in self.results if r.policy != self.ours), key=lambda r: r.spend_usd)
        if dearest.policy != self.best_single:
            other = self.against(dearest.policy)
            lines.append(
                f"Against always {dearest.policy}: {other.saving:.0%} of the spend at {other.points:+.1f} points."
            )
        least = [f"at ${repair} a failure for {self._least(repair)}" for repair in self.repairs_usd]
        lines.append(
            f"J, what Suffice keeps small, is the spend and a price for each failure. It is least {', '.join(least)}."
        )
        for result in self.results:
            if result.failures:
                unknown = f"; the cost of {result.unpriced} is unknown and not in the spend" if result.unpriced else ""
                first = result.failures[0]
                lines.append(
                    f"{result.policy}: {len(result.failures)} of {len(result.answers)} requests got no answer "
                    f"(counted as not passed{unknown}); the first, {first.task}: {first.failed}"
                )
        return lines

    def _least(self, repair_usd: Decimal) -> str:
        found = min(self.results, key=lambda r: r.burden_usd(repair_usd))
        return f"Suffice told ${found.repair_usd}" if found.policy == self.ours else f"always {found.policy}"

    def name(self, result: PolicyResult) -> str:
        """Return the policy's name; of ours that priced a failure differently, with that price."""
        first = next(r for r in self.results if r.policy == result.policy)
        return result.policy if result is first else f"{result.policy}, failure at ${result.repair_usd}"

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values for --json."""
        return {
            "ours": self.ours,
            "best_single": self.best_single,
            "policies": {
                self.name(r): {
                    "solved": r.solved,
                    "n": len(r.answers),
                    "spend_usd": str(r.spend_usd),
                    "escalated": r.escalated,
                    "failed": len(r.failures),
                    "unpriced": r.unpriced,
                    "j_usd": {str(repair): str(r.burden_usd(repair)) for repair in self.repairs_usd},
                }
                for r in self.results
            },
            "versus": {
                v.policy: {
                    "saving": round(v.saving, 4),
                    "saving_95": [round(v.saving_low, 4), round(v.saving_high, 4)],
                    "points": round(v.points, 2),
                    "points_95": [round(v.points_low, 2), round(v.points_high, 2)],
                }
                for v in self.versus
            },
        }


def compare(results: Sequence[PolicyResult], ours: str) -> Comparison:
    """Compare our policy with every other one, paired by task."""
    mine = next(r for r in results if r.policy == ours)
    others = [r for r in results if r.policy != ours]
    best = max(others, key=lambda r: (r.solved, -r.spend_usd))
    return Comparison(
        results=tuple(results),
        ours=ours,
        best_single=best.policy,
        versus=tuple(_versus(mine, other) for other in others),
    )


def _versus(mine: PolicyResult, other: PolicyResult) -> Versus:
    pairs = [
        # A cost that nobody knows makes the task's pair say nothing about money: both sides leave the sum together.
        (*_both(a.cost_usd, b.cost_usd), a.accepted - b.accepted)
        for a, b in zip(mine.answers, other.answers, strict=True)
    ]
    draws = sorted(_resampled(pairs))
    points = sorted(d[1] for d in draws)
    savings = [d[0] for d in draws]
    low, high = int(0.025 * _RESAMPLES), int(0.975 * _RESAMPLES)
    saving, point = _figures(pairs)
    return Versus(
        policy=other.policy,
        saving=saving,
        saving_low=savings[low],
        saving_high=savings[high],
        points=point,
        points_low=points[low],
        points_high=points[high],
    )


def _both(mine: Decimal | None, theirs: Decimal | None) -> tuple[float, float]:
    return (0.0, 0.0) if mine is None or theirs is None else (float(mine), float(theirs))


def _figures(pairs: Sequence[tuple[float, float, int]]) -> tuple[float, float]:
    spent, theirs = sum(p[0] for p in pairs), sum(p[1] for p in pairs)
    saving = 1 - spent / theirs if theirs else 0.0
    return saving, 100 * sum(p[2] for p in pairs) / len(pairs)


def _resampled(pairs: Sequence[tuple[float, float, int]]) -> list[tuple[float, float]]:
    chance = Seeded(1, "bootstrap")
    n = len(pairs)
    return [_figures([pairs[chance.below(n)] for _ in range(n)]) for _ in range(_RESAMPLES)]
