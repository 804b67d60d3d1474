"""Write the measured tables of docs/routing-results.md from the rows of a run: `python bench/routing/results.py ROWS.jsonl`.

Each table stands between `<!-- rows: NAME -->` and `<!-- end -->`; what stands between other lines is written by hand. Does not measure.
With `--check` nothing is written, and exit code 1 says that the page does not show these rows.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parents[2] / "docs" / "routing-results.md"
POOLS = ("9real-swev", "9real-swt", "mini-25", "9west-swev", "crb-sane")
CHECKS = (
    ("perfect", "independent"), ("95/10", "independent"), ("95/10", "correlated"), ("90/30", "independent"),
    ("90/30", "correlated"), ("spend-turns", "independent"), ("none", "independent"),
)  # fmt: skip
# Pool, verifier, accuracy against best single in points, cost against it: bar and far goal.
GOALS = (
    ("9real-swev", "perfect", -1.1, -78, -82), ("9real-swev", "95/10", -1.0, -70, -77), ("9real-swev", "90/30", -1.1, -55, -61),
    ("9real-swt", "perfect", -1.0, -85, -89), ("9real-swt", "95/10", -1.0, -72, -80), ("9real-swt", "90/30", -1.0, -69, -75),
    ("mini-25", "perfect", -0.6, -86, -90), ("mini-25", "95/10", -1.0, -74, -82), ("9west-swev", "perfect", 0.0, -5, -13),
)  # fmt: skip
Row = dict[str, Any]


class Rows:
    """The rows of a run by (pool, policy, verifier, errors, H)."""

    def __init__(self, lines: list[str]) -> None:
        self.all: list[Row] = [json.loads(line) for line in lines if line.strip()]
        self._by = {(r["pool"], r["policy"], r["verifier"], r["errors"], r["H"]): r for r in self.all}

    def get(self, pool: str, policy: str, verifier: str, errors: str, h: object) -> Row | None:
        return self._by.get((pool, policy, verifier, errors, h))

    def ours(self, measure: str) -> list[tuple[float, Row]]:
        """Return (value, row) of our rows at a repair cost, highest first, where the measure is known."""
        found = [(r[measure], r) for r in self.all if r["policy"] == "ours" and r["H"] != "iso"]
        return sorted(((v, r) for v, r in found if v is not None), key=lambda x: -x[0])


def name_of(verifier: str, errors: str) -> str:
    return f"{verifier}, correlated" if errors == "correlated" else verifier


def pp(row: Row, name: str = "accuracy_minus_best_single_pp") -> str:
    low, high = row[f"{name}_ci95"]
    return f"{row[name]:+.1f} [{low:+.1f}, {high:+.1f}]"


def share(row: Row, name: str = "cost_vs_best_single") -> str:
    low, high = row[f"{name}_ci95"]
    return f"{100 * row[name]:+.1f} % [{100 * low:+.0f}, {100 * high:+.0f}]"


def setting(row: Row) -> str:
    return f"{row['pool']}, {name_of(row['verifier'], row['errors'])}, H ${row['H']:g}"


def iso(rows: Rows) -> list[str]:
    out = [
        "| pool | verifier | ours: accuracy | ours: cost | cascade: accuracy | cascade: cost | oracle cost |",
        "|---|---|---|---|---|---|---|",
    ]
    for pool in POOLS:
        for check in CHECKS:
            mine, theirs, best = (rows.get(pool, p, *check, "iso") for p in ("ours", "fixed-cascade", "oracle"))
            if mine and theirs and best:
                bound = f"{100 * best['cost_vs_best_single']:.0f} %"
                cells = (pool, name_of(*check), pp(mine), share(mine), pp(theirs), share(theirs), bound)
                out.append(f"| {' | '.join(cells)} |")
    return out


def goals(rows: Rows) -> list[str]:
    out = [
        "| row | accuracy: asked | accuracy: got | cost: bar | cost: far goal | cost: got | met |",
        "|---|---|---|---|---|---|---|",
    ]
    for pool, verifier, asked, bar, far in GOALS:
        row = rows.get(pool, "ours", verifier, "independent", "iso")
        if row is None:
            continue
        got, cost = row["accuracy_minus_best_single_pp"], 100 * row["cost_vs_best_single"]
        met = "no" if got < asked or cost > bar else "far goal" if cost <= far else "bar"
        out.append(f"| {pool}, {verifier} | ≥ {asked:g} | {got:+.1f} | {bar} % | {far} % | {cost:.1f} % | {met} |")
    return out


def total(rows: Rows) -> list[str]:
    against, regret = rows.ours("j_vs_fixed_cascade"), rows.ours("regret")
    if not against or not regret:
        return ["The run has no rows of ours at a repair cost."]
    gate = [v for v, r in against if r["verifier"] not in ("none", "spend-turns")]
    repos = [v for v, r in against if r["pool"] != "crb-sane"]
    single = [(v, r) for v, r in rows.ours("j_vs_best_single") if r["verifier"] == "none"]
    cascade = max(
        (r["regret"] for r in rows.all if r["policy"] == "fixed-cascade" and r["regret"] is not None), default=0.0
    )
    worst, best = against[0], against[-1]
    over = [f"{100 * v:.1f} % ({setting(r)})" for v, r in regret if v > 0.05]

    def mean(values: list[float]) -> str:
        return f"{100 * sum(values) / len(values):+.1f} %" if values else "-"

    return [
        f"Over {len(against)} settings, nothing tuned per setting:",
        "",
        f"- J against the tuned fixed cascade: mean {mean([v for v, _ in against])} (without crb-sane {mean(repos)}; with a check "
        f"{mean(gate)}), worst {100 * worst[0]:+.1f} % ({setting(worst[1])}), best {100 * best[0]:+.1f} % ({setting(best[1])}).",
        f"- Regret against the best policy of the field in hindsight, per setting: mean {mean([v for v, _ in regret])}, worst "
        f"{share(regret[0][1], 'regret')} ({setting(regret[0][1])}); the fixed cascade's worst is {100 * cascade:.1f} %. "
        + (f"Above 5 %: {'; '.join(over)}." if over else "None is above 5 %."),
        f"- Without any verifier, J against the best single model: worst {share(single[0][1], 'j_vs_best_single')} "
        f"({setting(single[0][1])}), best {100 * single[-1][0]:+.1f} %.",
    ]  # fmt: skip


def j(rows: Rows) -> list[str]:
    out = ["| pool | verifier | H | ours J | cascade J | best single J | oracle J |", "|---|---|---|---|---|---|---|"]
    for pool in POOLS:
        for verifier in ("perfect", "90/30", "none"):
            for h in (3.0, 10.0):
                found = [
                    rows.get(pool, p, verifier, "independent", h)
                    for p in ("ours", "fixed-cascade", "best-single", "oracle")
                ]
                if all(found):
                    low, high = found[0]["j_usd_ci95"]
                    rest = " | ".join(f"{r['j_usd']:.3f}" for r in found[1:])
                    out.append(
                        f"| {pool} | {verifier} | {h:g} | {found[0]['j_usd']:.3f} [{low:.3f}, {high:.3f}] | {rest} |"
                    )
    return out


def without(rows: Rows) -> list[str]:
    """Without any verifier, all repair costs: is ours worse than the best single model beyond noise?"""
    out = ["| pool | H | J against best single | regret | |", "|---|---|---|---|---|"]
    for pool in POOLS:
        for h in (0.6, 3.0, 10.0, 40.0):
            row = rows.get(pool, "ours", "none", "independent", h)
            if row:
                low, high = row["j_vs_best_single_ci95"]
                said = "worse beyond noise" if low > 0 else "better beyond noise" if high < 0 else "within noise"
                out.append(
                    f"| {pool} | {h:g} | {share(row, 'j_vs_best_single')} | {100 * row['regret']:.1f} % | {said} |"
                )
    return out


def short(rows: Rows) -> list[str]:
    out = ["| crb-sane | H | accuracy | $ per task | J |", "|---|---|---|---|---|"]
    for policy, verifier in (
        ("family-lookup", "none"),
        ("ours", "none"),
        ("ours", "90/30"),
        ("ours", "95/10"),
        ("ours", "perfect"),
    ):
        for h in (0.6, 3.0):
            row = rows.get("crb-sane", policy, verifier, "independent", h)
            if row:
                numbers = f"{100 * row['accuracy']:.2f} % | {row['cost_per_task_usd']:.5f} | {row['j_usd']:.4f}"
                out.append(f"| {policy}, {verifier} | {h:g} | {numbers} |")
    return out


def predictions(rows: Rows) -> list[str]:
    out = ["| pool | Brier | ECE | Brier, one outcome | ECE, one outcome |", "|---|---|---|---|---|"]
    for pool in POOLS:
        row = rows.get(pool, "ours", "none", "independent", "iso")
        if row and row.get("brier") is not None:
            numbers = " | ".join(
                f"{row[name]:.3f}" for name in ("brier", "ece", "brier_one_outcome", "ece_one_outcome")
            )
            out.append(f"| {pool} | {numbers} |")
    return out


TABLES = {
    "iso": iso, "goals": goals, "total": total, "j": j, "without": without, "short": short, "predictions": predictions,
}  # fmt: skip


def written(page: str, rows: Rows) -> str:
    """Return the page with every marked table made anew. Raises ValueError for a mark that names no table."""

    def block(found: re.Match[str]) -> str:
        name = found[1]
        if name not in TABLES:
            raise ValueError(f"docs/routing-results.md: there is no table {name!r}; one of {', '.join(TABLES)}")
        return "\n".join([f"<!-- rows: {name} -->", *TABLES[name](rows), "<!-- end -->"])

    return re.sub(r"<!-- rows: ([\w-]+) -->\n.*?<!-- end -->", block, page, flags=re.DOTALL)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path, nargs="+", help="files that --json of the run has written")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit code 1 when the page shows other rows"
    )
    args = parser.parse_args(argv)
    rows = Rows([line for path in args.rows for line in path.read_text(encoding="utf-8").splitlines()])
    before = args.page.read_text(encoding="utf-8")
    after = written(before, rows)
    if args.check:
        print("the page shows these rows" if before == after else "the page shows other rows")
        return int(before != after)
    args.page.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
