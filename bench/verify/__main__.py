"""`python -m bench.verify --tasks DIR [--json FILE]`: what the static gates accept and reject, by kind and language.

Each JSON row: `gate` (`overall` combines all), `kind` (`reference-*` and `edit-applying-*` must never be rejected, the others are
defects), `language`, `task_set`, `n`, `rejected`, `accepted`, `unknown`, `rate` (rejected / n), `p50_ms` and `p95_ms` (in rows of
kind `timing-4KB`, and with `--launches` in those of `sandbox-<tier>`), `excluded` (mutants left out because nothing shows that
they are defects).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.verify import answers
from bench.verify.launches import launches
from bench.verify.measure import Tally, measure, time_gates
from bench.verify.tasksets import read


def main(arguments: list[str] | None = None) -> int:
    """Run the bench; exit code 1 when a reference was rejected, 2 when there is nothing to run on."""
    parser = argparse.ArgumentParser(
        prog="bench.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=Path, required=True, help="folder with *.jsonl.gz task sets")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument(
        "--answers", type=Path, help="answers of real models, as `suffice demo --local --answers FILE` records them"
    )
    parser.add_argument("--limit", type=int, default=0, help="at most so many tasks of each set")
    parser.add_argument("--missed", type=Path, help="write the defects that no gate rejected to this file")
    parser.add_argument(
        "--launches", type=int, default=0, help="also time so many launches of the sandbox in each tier"
    )
    args = parser.parse_args(arguments)
    try:
        tasks = list(read(args.tasks, args.limit))
        recorded = list(answers.read(args.answers)) if args.answers else []
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    tally = Tally()
    for task in tasks:
        measure(task, tally)
    time_gates(tasks, tally)
    if recorded:
        left_out = asyncio.run(answers.judge_answers(recorded, tally))
        print(f"{len(recorded)} recorded answers, {left_out} left out: their tests could not be run")
    rows = tally.rows()
    if args.launches:
        rows += asyncio.run(launches(args.launches))
    report(rows, tally, len(tasks))
    if args.json:
        args.json.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if args.missed:
        args.missed.write_text(
            "\n=====\n".join(f"## {kind} {text}" for kind, texts in tally.missed.items() for text in texts)
        )
    return 1 if tally.rejected_references else 0


def report(rows: list[dict[str, Any]], tally: Tally, tasks: int) -> None:
    """Print the table for people."""
    print(f"{tasks} tasks; {platform.processor() or platform.machine()}, Python {platform.python_version()}\n")
    groups: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for row in rows:
        if row["gate"] == "overall":
            cell = groups[row["kind"], row["language"]]
            for at, name in enumerate(("n", "rejected", "accepted", "unknown", "excluded")):
                cell[at] += row[name]
    print(f"{'kind':34}{'language':12}{'n':>7}{'rejected':>10}{'accepted':>10}{'unknown':>9}{'excluded':>9}{'rate':>9}")
    for (kind, language), (n, rejected, accepted, unknown, excluded) in sorted(groups.items()):
        print(f"{kind:34}{language:12}{n:7}{rejected:10}{accepted:10}{unknown:9}{excluded:9}{rejected / n:9.2%}")
    print(f"\n{'gate on 4 KB of code, or tier':34}{'language':12}{'n':>7}{'p50 ms':>10}{'p95 ms':>10}")
    for row in rows:
        if row["p50_ms"] is not None:
            what = row["language"] or row["kind"]
            print(f"{row['gate']:34}{what:14}{row['n']:5}{row['p50_ms']:10}{row['p95_ms']:10}")
    print(f"\nreferences rejected: {len(tally.rejected_references)}")
    for name, kind, verdict in tally.rejected_references[:40]:
        print(f"  {name} as {kind}: {verdict.gate}: {verdict.reason}")


if __name__ == "__main__":
    sys.exit(main())
