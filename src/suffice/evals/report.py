"""Rows, intervals and pages of a replay: JSON with fixed field names, a table for people, a frontier plot as SVG.

Intervals are 95 %, from a paired bootstrap over tasks: each resample draws tasks, and every mean, ratio and
difference is recomputed on the same draw
(policy and yardstick together). With several splits a task's numbers are its means over the splits that judged it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import Floats
from suffice.evals.predictions import mean
from suffice.evals.replay import POLICIES, Setting, Tally

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """The fixed best single model of a pool, per task [n]: dollars and outcome."""

    name: str
    cost: Floats
    right: Floats


def rows(pool: str, tally: Tally, yardstick: Yardstick, splits: int) -> list[dict[str, object]]:
    """Return one JSON row per (policy, verifier, errors, H). Every measure has `<measure>_ci95` = [low, high].

    `regret` is J over the best non-oracle policy's J of the same setting, minus one; `j_vs_oracle`, `j_vs_fixed_cascade` and
    `j_vs_best_single` are J over that policy's, minus one. All four are null at iso-quality.

    Rows of `ours` also say how good its success predictions are: `brier`, `ece`, and both given one verified outcome
    (`brier_one_outcome`, `ece_one_outcome`), as means over the splits; they depend on the pool alone.
    """
    calibrated = mean(tally.predictions)
    rng = np.random.default_rng(7)  # noqa: TID251
    draws = rng.multinomial(tally.n, np.full(tally.n, 1.0 / tally.n), size=RESAMPLES).astype(np.float64)
    draws = np.vstack([np.ones(tally.n), draws])
    made: list[dict[str, object]] = []
    totals: dict[Setting, Floats] = {}
    for setting, sums in sorted(tally.sums.items()):
        measures = _measures(setting, sums.cost, sums.right, sums.loss, sums.count, yardstick, draws)
        row: dict[str, object] = {
            "pool": pool, "policy": setting.policy, "verifier": setting.verifier, "errors": setting.errors,
            "H": "iso" if setting.repair == "iso" else float(setting.repair), "n": int((sums.count > 0).sum()),
            "splits": splits,
            "best_single": yardstick.name,
        }  # fmt: skip
        for name, values in measures.items():
            row |= _with_interval(name, values)
        made.append(row)
        if setting.policy in ("ours", "ours-tree"):
            row |= {name: _clean(value) for name, value in calibrated.items()}
        totals[setting] = measures["j_usd"]
    for row, setting in zip(made, sorted(tally.sums), strict=True):
        row |= _comparisons(setting, totals)
    return made


def _with_interval(name: str, values: Floats | None) -> dict[str, object]:
    """Return a measure and its interval from its draws [1 + R], the first of them the measure itself; null without draws."""
    if values is None or not np.isfinite(values[1:]).any():
        return {name: None if values is None else _clean(float(values[0])), f"{name}_ci95": [None, None]}
    low, high = np.nanquantile(values[1:], [0.025, 0.975])
    return {name: _clean(float(values[0])), f"{name}_ci95": [_clean(float(low)), _clean(float(high))]}


def _comparisons(setting: Setting, totals: dict[Setting, Floats]) -> dict[str, object]:
    """Return J over other policies' J of the same setting, minus one, on the same draws of tasks."""
    same = {
        other.policy: j
        for other, j in totals.items()
        if (other.verifier, other.errors, other.repair) == (setting.verifier, setting.errors, setting.repair)
    }
    field = [j for policy, j in same.items() if policy not in ("oracle", "ours-tree")]
    against = {
        "regret": min(field, key=lambda j: float(j[0])) if field else None, "j_vs_oracle": same.get("oracle"),
        "j_vs_fixed_cascade": same.get("fixed-cascade"), "j_vs_best_single": same.get("best-single"),
    }  # fmt: skip
    out: dict[str, object] = {}
    for name, j in against.items():
        known = j is not None and setting.repair != "iso" and float(j[0]) > 0.0
        out |= _with_interval(name, totals[setting] / np.maximum(j, 1e-12) - 1.0 if known and j is not None else None)
    return out


def _measures(
    setting: Setting, cost: Floats, right: Floats, loss: Floats, count: Floats, yardstick: Yardstick, draws: Floats
) -> dict[str, Floats]:
    total = np.maximum(draws @ count, 1e-12)
    spent, good, lost = draws @ cost, draws @ right, draws @ loss
    ref_cost, ref_right = draws @ (count * yardstick.cost), draws @ (count * yardstick.right)
    h = float("nan") if setting.repair == "iso" else float(setting.repair)
    return {
        "accuracy": good / total,
        "cost_per_task_usd": spent / total,
        "cost_per_success_usd": spent / np.maximum(good, 1e-9),
        "j_usd": (spent + h * lost) / total,
        "accuracy_minus_best_single_pp": 100.0 * (good - ref_right) / total,
        "cost_vs_best_single": spent / np.maximum(ref_cost, 1e-12) - 1.0,
    }


def _clean(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def table(made: list[dict[str, object]], repair: object = "iso") -> str:
    """Return a table for people: one line per pool, verifier and policy at one H."""
    lines = [
        f"{'pool':11} {'verifier':12} {'errors':11} {'policy':15} {'acc':>6} {'vs best':>17} {'$/task':>8} {'cost vs best':>22}"
    ]
    order = {p: i for i, p in enumerate(POLICIES)}
    chosen = [r for r in made if r["H"] == repair]
    chosen.sort(key=lambda r: (str(r["pool"]), str(r["verifier"]), str(r["errors"]), order.get(str(r["policy"]), 99)))
    for r in chosen:
        tail = (
            f"{_percent(r, 'cost_vs_best_single')}"
            if repair == "iso"
            else f"J {r['j_usd']:.3f}  regret {_share(r['regret'])}"
        )
        lines.append(
            f"{r['pool']!s:11} {r['verifier']!s:12} {r['errors']!s:11} {r['policy']!s:15} {100 * _f(r['accuracy']):6.1f} "
            f"{_pp(r)} {_f(r['cost_per_task_usd']):8.4f} {tail:>22}"
        )
    return "\n".join(lines)


def predictions(made: list[dict[str, object]]) -> str:
    """Return one line per pool: Brier score and calibration error from nothing, and given one verified outcome."""
    lines = [f"{'pool':11} {'Brier':>7} {'ECE':>7} {'Brier, one outcome':>19} {'ECE, one outcome':>17}"]
    first = {str(r["pool"]): r for r in reversed(made) if "brier" in r}
    for pool in reversed(first):
        b, e, b1, e1 = (_f(first[pool].get(n)) for n in ("brier", "ece", "brier_one_outcome", "ece_one_outcome"))
        lines.append(f"{pool:11} {b:7.3f} {e:7.3f} {b1:19.3f} {e1:17.3f}")
    return "\n".join(lines)


def _f(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _share(value: object) -> str:
    return f"{100 * _f(value):+.1f} %"


def _pp(row: dict[str, object]) -> str:
    low, high = _bounds(row["accuracy_minus_best_single_pp_ci95"])
    return f"{_f(row['accuracy_minus_best_single_pp']):+5.1f} [{low:+.1f},{high:+.1f}]"


def _percent(row: dict[str, object], name: str) -> str:
    low, high = _bounds(row[f"{name}_ci95"])
    return f"{100 * _f(row[name]):+.0f} % [{100 * low:+.0f},{100 * high:+.0f}]"


def _bounds(value: object) -> tuple[float, float]:
    return (_f(value[0]), _f(value[1])) if isinstance(value, list) else (float("nan"), float("nan"))
