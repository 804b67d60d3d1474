"""`suffice policy cold-start MODEL`: which of your own recorded tasks to try a new model on, and what its results teach.

The tasks come from a folder in the outcome format (docs/routing-results.md); nothing is run here. Without --results it prints the chosen
task ids and what trying them is expected to tell; with --results it sends the outcomes to the running gateway's control plane.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suffice.cli.command import Exit, Io, UsageError
from suffice.config.schema import Settings
from suffice.errors import ConfigError
from suffice.values.task import TaskType

if TYPE_CHECKING:
    from suffice.evals.outcomes import Pool
    from suffice.gateway.state import State


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("model", metavar="MODEL", help="the new model, `provider/model`, served by an endpoint")
    parser.add_argument("--tasks", required=True, type=Path, metavar="DIR", help="folder of outcomes_<table>.csv.gz")
    parser.add_argument("--table", required=True, help="name of the table in it")
    parser.add_argument("--task", default="bug-fix", help="the task type of these tasks; default bug-fix")
    parser.add_argument("--language", default="python", help="their language; default python")
    parser.add_argument("--count", type=int, default=30, help="how many tasks to try, 20 to 40 are enough; default 30")
    parser.add_argument("--results", type=Path, metavar="FILE", help="CSV with task_id and resolved of the new model")


def run(args: argparse.Namespace, io: Io, settings: Settings, state: State) -> int:
    """Choose tasks, or send their results."""
    from suffice.evals.outcomes import PoolSpec, load_pool

    if args.task not in list(TaskType):
        raise UsageError(f"there is no task type {args.task!r}; one of {', '.join(TaskType)}")
    if not 1 <= args.count <= 1000:
        raise UsageError("--count is a number from 1 to 1000")
    pool = load_pool(args.tasks, PoolSpec(name=args.table, table=args.table))
    others = outcomes(pool, sorted(state.models))
    if args.results is not None:
        return _send(args, io, settings, dict(zip(pool.tasks, others, strict=True)))
    return _choose(args, io, state, pool, others)


def outcomes(pool: Pool, served: list[str]) -> list[dict[str, bool]]:
    """Return what served models did on each task: a column of the table is a catalogue id, or the last part of exactly one."""
    names: dict[int, str] = {}
    for column, name in enumerate(pool.models):
        found = [m for m in served if m == name] or [m for m in served if m.rpartition("/")[2].lower() == name.lower()]
        if len(found) == 1:
            names[column] = found[0]
    return [{name: bool(row[column] > 0.5) for column, name in names.items()} for row in pool.right]


def _choose(args: argparse.Namespace, io: Io, state: State, pool: Pool, others: list[dict[str, bool]]) -> int:
    from suffice.decision.coldstart import choose_tasks, rate_sd
    from suffice.decision.core import cell_of
    from suffice.decision.own_tasks import difficulties, standing
    from suffice.decision.skill import difficulty_prior
    from suffice.gateway.own_tasks import know

    for model in {name for each in others for name in each}:
        know(state.core, state, model, io.env.now())
    know(state.core, state, args.model, io.env.now())
    cell = cell_of(TaskType(args.task), args.language)
    post = state.core.holder.current.skill
    known = [{name: y for name, y in each.items() if name != args.model} for each in others]
    now = standing(post, args.model, cell)
    trial = choose_tasks(now.ability, now.sd, now.slope, difficulties(post, cell, known), args.count)
    after = rate_sd(now.ability, trial.sd_after, now.slope, difficulty_prior(post, cell))
    models = sorted({name for each in known for name in each})
    io.out.say(f"{args.model}, {args.task}/{args.language}: {now.p:.1%} success expected, give or take {now.p_sd:.1%}")
    io.out.say(f"these {len(trial.rows)} of {len(pool.tasks)} tasks are expected to leave {after:.1%} of that")
    if not models:
        io.out.note("no served model has outcomes in this table: how hard its tasks are is not known")
    for row in trial.rows:
        io.out.say(pool.tasks[row])
    io.out.result(
        {
            "model": args.model,
            "tasks": [pool.tasks[row] for row in trial.rows],
            "success": now.p,
            "sd": now.p_sd,
            "sd_after": after,
            "known_models": models,
        }
    )
    return Exit.OK


def _send(args: argparse.Namespace, io: Io, settings: Settings, others: dict[str, dict[str, bool]]) -> int:
    from suffice.cli.gateway_client import control_url, post

    results = [
        {"task": task, "right": right, "others": {n: y for n, y in others.get(task, {}).items() if n != args.model}}
        for task, right in read_results(args.results)
    ]
    unknown = [str(one["task"]) for one in results if one["task"] not in others]
    if unknown:
        raise ConfigError(
            f"{args.results}: {unknown[0]!r} is no task of {args.table}", hint="send results of its tasks"
        )
    body: dict[str, Any] = {"model": args.model, "kind": args.task, "language": args.language, "results": results}
    secret = settings.server.control_secret
    told = post(control_url(settings.server), "/own-tasks", body, secret.reveal() if secret else "")
    io.out.result(told)
    now, before = (f"{told[p]:.1%}, give or take {told[p + '_sd']:.1%}" for p in ("success", "success_before"))
    io.out.say(f"{told['learned']} results learned, {told['repeated']} known before")
    io.out.say(f"{args.model}, {args.task}/{args.language}: {now} success expected (before: {before})")
    return Exit.OK


def read_results(path: Path) -> list[tuple[str, bool]]:
    """Return (task, right) of every row of a CSV file, plain or gzip. Raises ConfigError naming what is wrong, with its line."""
    import csv
    import gzip

    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", hint="a CSV file with task_id and resolved") from None
    out = []
    for number, row in enumerate(rows, 2):
        task, resolved = row.get("task_id") or "", (row.get("resolved") or "").strip().lower()
        if not task or resolved not in ("0", "1", "0.0", "1.0", "false", "true"):
            raise ConfigError(f"{path}:{number}: a row needs task_id, and resolved as 0 or 1")
        out.append((task, resolved in ("1", "1.0", "true")))
    if not out:
        raise ConfigError(f"{path}: there are no results", hint="a CSV file with task_id and resolved")
    return out
