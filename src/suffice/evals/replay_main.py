"""Run a replay from folders to files: what `suffice replay-bench` and `make bench-routing` call.

`python -m suffice.evals.replay_main --data DIR` works without the command line of the product.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from suffice.errors import ConfigError, SufficeError
from suffice.evals.choice import MARGIN, best_single
from suffice.evals.frontier import plot
from suffice.evals.outcomes import Pool, PoolSpec, has_table, join, load_pool
from suffice.evals.pools import BUILT_IN, choose, read_pools
from suffice.evals.replay import EXTRA_POLICIES, POLICIES, Tally, random_splits, replay_split
from suffice.evals.report import Yardstick, predictions, rows, table
from suffice.evals.tree_policy import data_of

# Cross-validation on the training part leaves three quarters of it to fit on.
FEWEST_TRAINING = 16


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the replay. A `--json` that is already there (a flag) gives way to ours, which takes a file."""
    group = parser.add_argument_group("replay", conflict_handler="resolve")
    group.add_argument("--data", type=Path, help="folder of outcome tables; honest random splits of it are judged")
    group.add_argument("--train", type=Path, help="folder to choose the policies on (with --test)")
    group.add_argument("--test", type=Path, help="folder to judge them on, in the same format")
    group.add_argument(
        "--splits", type=int, default=0, help="random 60/40 splits; with --train and --test they are pooled first"
    )
    group.add_argument("--pools", type=Path, help="JSON file of pools; default: the built-in ones")
    group.add_argument("--only", default="", help="comma-separated pool names")
    group.add_argument(
        "--policies", default="",
        help=f"comma-separated; default: {', '.join(POLICIES)}; only when named: {', '.join(EXTRA_POLICIES)}",
    )  # fmt: skip
    group.add_argument(
        "--margin", type=float, default=MARGIN, help="safety margin of the iso-quality choice (share, 0.01 = 1 pp)"
    )
    group.add_argument("--json", type=Path, help="write one JSON row per pool, policy, verifier, errors and H")
    group.add_argument("--plot", type=Path, help="write the frontier plot as SVG")


def _pools(spec: PoolSpec, args: argparse.Namespace) -> tuple[Pool, list[tuple[np.ndarray, np.ndarray]]]:
    """Return the pool and its splits, by the three ways of calling. Raises ConfigError when the folders do not fit."""
    if args.train and args.test:
        first, second = load_pool(args.train, spec), load_pool(args.test, spec)
        if first.models != second.models:
            raise ConfigError(f"pool {spec.name}: {args.train} and {args.test} hold different models")
        both = join(first, second)
        if args.splits:
            return both, list(random_splits(len(both.tasks), args.splits))
        cut = len(first.tasks)
        return both, [(np.arange(cut), np.arange(cut, len(both.tasks)))]
    if not args.data:
        raise ConfigError("replay: no folder named", hint="give --data DIR, or --train DIR and --test DIR")
    pool = load_pool(args.data, spec)
    return pool, list(random_splits(len(pool.tasks), args.splits or 20))


def _with_tables(wanted: list[PoolSpec], args: argparse.Namespace, say: Callable[[str], None]) -> list[PoolSpec]:
    """Return the pools whose tables are there; pools that were named must be. Raises ConfigError when none is."""
    folders = [folder for folder in (args.data, args.train, args.test) if folder is not None]
    if args.only or args.pools:
        return wanted
    found = [spec for spec in wanted if all(has_table(folder, spec) for folder in folders)]
    for spec in wanted:
        if spec not in found:
            say(f"{spec.name}: left out, there is no outcomes_{spec.table}.csv.gz")
    if wanted and not found:
        raise ConfigError(
            f"{', '.join(map(str, folders))}: no such file as any pool needs",
            hint="point --data at a folder of outcomes_*.csv.gz and tasks_*.jsonl.gz tables, or name pools by --pools",
        )
    return found


def run_replay(args: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Run the replay and write its files. Raises ConfigError for folders, pools or tables that cannot be used."""
    for folder in (args.data, args.train, args.test):
        if folder is not None and not folder.is_dir():
            raise ConfigError(f"{folder}: no such folder", hint="the outcome tables are not part of this repository")
    wanted = frozenset(name.strip() for name in args.policies.split(",") if name.strip()) or frozenset(POLICIES)
    known_policies = (*POLICIES, *EXTRA_POLICIES)
    if not wanted <= set(known_policies):
        unknown = ", ".join(sorted(wanted - set(known_policies)))
        raise ConfigError(f"replay: unknown policy {unknown}", hint=f"known: {', '.join(known_policies)}")
    known = read_pools(args.pools) if args.pools else BUILT_IN
    made: list[dict[str, object]] = []
    for spec in _with_tables(choose(args.only, known), args, say):
        pool, splits = _pools(spec, args)
        data = data_of(pool)
        yard = best_single(pool.right, pool.cost)
        tally = Tally(n=len(pool.tasks), yardstick=yard)
        size = f"{len(pool.tasks)} tasks, {pool.dropped} with holes left out, {len(pool.models)} models"
        say(f"{pool.name}: {size}, {len(splits)} splits")
        for train_rows, test_rows in splits:
            if train_rows.size < FEWEST_TRAINING or test_rows.size < 1:
                raise ConfigError(
                    f"pool {pool.name}: {train_rows.size} tasks to train on and {test_rows.size} to judge are too few",
                    hint=f"at least {FEWEST_TRAINING} and 1",
                )
            replay_split(data, train_rows, test_rows, tally, args.margin, wanted)
        fixed = Yardstick(name=pool.models[yard], cost=pool.cost[:, yard], right=pool.right[:, yard])
        made += rows(pool.name, tally, fixed, len(splits))
        if args.json:  # after every pool: a long run that is cut short keeps what it has
            args.json.write_text("\n".join(json.dumps(r) for r in made) + "\n", encoding="utf-8")
    say(table(made))
    for repair in sorted({float(str(r["H"])) for r in made if r["H"] != "iso"}):
        say(f"\nrepair cost H = ${repair:g}\n" + table(made, repair))
    if any("brier" in r for r in made):
        say("\nsuccess predictions on test tasks, of all models but the cheapest; the one outcome is the cheapest's")
        say(predictions(made))
    if args.plot:
        args.plot.write_text(plot(made), encoding="utf-8")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Parse `argv` and run; errors go to stderr with exit code 3."""
    parser = argparse.ArgumentParser(description=__doc__)
    configure(parser)
    try:
        return run_replay(parser.parse_args(argv), lambda line: print(line, flush=True))  # noqa: T201
    except SufficeError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 3


if __name__ == "__main__":
    sys.exit(main())
