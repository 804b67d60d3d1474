"""Fit the bundled priors on public model scores: `python tools/build_priors.py aider_leaderboards.csv > .../priors.json`.

Input: aider's leaderboards (Apache-2.0) as a CSV with board, model, test_cases, pass_rate_1, pass_rate_2. Ability z is the
logit of pass_rate_2 on the polyglot board; scores of the older edit board are brought to that scale by a line fitted on the
models that both boards rank. Width: 0.4 logits with two scores or more, 0.8 with one; plus 0.3 when only the old board knows it.
What depends on the task type is declared here, not fitted: no permitting data ranks models per task type.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

from suffice.decision.priors import FORMAT, parse_name

ATTRIBUTION = "Fitted on the leaderboards of aider (github.com/Aider-AI/aider), Apache-2.0; model-level scores only."
# Logits added to the ability on polyglot exercises (whole programs in six languages, judged by hidden tests, two tries).
TASK_OFFSETS = {
    "complete": 1.6, "generate": 0.8, "explain": 2.0, "docstring": 2.2, "test-gen": 0.6, "edit": 0.9, "bug-fix": 0.2,
    "refactor": 0.5, "convert": 0.6, "review": 0.5, "plan": 0.5, "agentic-step": 0.6, "other": 0.4,
}  # fmt: skip
# How much ability matters: less where nearly all models succeed, more where they differ.
TASK_SLOPES = {
    "complete": 0.6, "generate": 0.8, "explain": 0.6, "docstring": 0.5, "test-gen": 0.8, "edit": 0.8, "bug-fix": 1.0,
    "refactor": 0.9, "convert": 0.8, "review": 0.9, "plan": 0.9, "agentic-step": 1.0, "other": 0.9,
}  # fmt: skip


def logit(percent: float, cases: float) -> float:
    """Return the logit of a pass rate, shrunk by half a case on either side so that 0 and 100 % stay finite."""
    good = percent / 100.0 * cases
    return math.log((good + 0.5) / (cases - good + 0.5))


def scores(lines: list[str]) -> dict[str, dict[Any, list[float]]]:
    """Return logits per board and model name; pairs of models and rows without a number are left out."""
    boards: dict[str, dict[Any, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in csv.DictReader(lines):
        try:
            value = logit(float(row["pass_rate_2"]), float(row["test_cases"]))
        except (TypeError, ValueError, KeyError):
            continue
        name = row["model"]
        if " + " in name or row.get("edit_format") == "architect":
            continue
        boards[row["board"]][parse_name(name)].append(value)
    return boards


def fit_line(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Return intercept and slope of least squares; the identity when there are fewer than three pairs."""
    if len(pairs) < 3:
        return 0.0, 1.0
    mean_x = sum(x for x, _ in pairs) / len(pairs)
    mean_y = sum(y for _, y in pairs) / len(pairs)
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread if spread else 1.0
    return mean_y - slope * mean_x, slope


def mean(values: list[float]) -> float:
    """Return the arithmetic mean."""
    return sum(values) / len(values)


def steps(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return mean and deviation of the gain from one version of a family to the next, within and across major versions."""
    families: dict[str, list[tuple[list[int], float]]] = defaultdict(list)
    for row in rows:
        if row["version"] and row["version"][0] < 20:
            families[row["family"]].append((row["version"], row["z"]))
    gains: dict[str, list[float]] = {"step_minor": [], "step_major": []}
    for versions in families.values():
        ordered = sorted(versions)
        for (before, z0), (after, z1) in pairwise(ordered):
            gains["step_minor" if before[0] == after[0] else "step_major"].append(z1 - z0)
    out = {}
    for name, values in gains.items():
        centre = mean(values) if values else 0.1
        spread = math.sqrt(mean([(v - centre) ** 2 for v in values])) if len(values) > 2 else 0.4
        # Half of a measured gain: the families that get a successor on a leaderboard are those that improved.
        out[name] = [round(centre / 2, 3), round(max(0.4, spread), 3)]
    return out


def build(lines: list[str], dated: str) -> dict[str, Any]:
    """Return the content of priors.json."""
    boards = scores(lines)
    new, old = boards.get("polyglot_leaderboard", {}), boards.get("edit_leaderboard", {})
    both = sorted(set(new) & set(old))
    intercept, slope = fit_line([(mean(old[name]), mean(new[name])) for name in both])
    rows = []
    for name in sorted(set(new) | set(old)):
        seen = len(new.get(name, [])) + len(old.get(name, []))
        z = mean(new[name]) if name in new else intercept + slope * mean(old[name])
        width = (0.4 if seen >= 2 else 0.8) + (0.0 if name in new else 0.3)
        source = "aider polyglot" if name in new else "aider edit"
        rows.append(
            {
                "family": name.family,
                "version": list(name.version),
                "z": round(z, 3),
                "sd": width,
                "n": seen,
                "source": source,
            }
        )
    return {
        "format": FORMAT,
        "version": dated,
        "attribution": ATTRIBUTION,
        "scale": {"intercept": round(intercept, 3), "slope": round(slope, 3), "models": len(both)},
        **steps(rows),
        "task_offsets": TASK_OFFSETS,
        "task_slopes": TASK_SLOPES,
        "rows": rows,
    }


def render(content: dict[str, Any]) -> str:
    """Return sorted, line-per-row JSON, so that a rebuild shows as a readable difference."""
    head = {key: value for key, value in content.items() if key != "rows"}
    rows = ",\n  ".join(json.dumps(row) for row in content["rows"])
    return json.dumps(head)[:-1] + ',\n "rows": [\n  ' + rows + "\n ]}\n"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print(
            "usage: build_priors.py LEADERBOARDS.csv VERSION > src/suffice/decision/data/priors.json", file=sys.stderr
        )
        sys.exit(2)
    print(render(build(Path(sys.argv[1]).read_text(encoding="utf-8").splitlines(), sys.argv[2])), end="")
