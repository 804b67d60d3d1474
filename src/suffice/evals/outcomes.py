"""Recorded outcomes: read the tables of a data folder, and cut the pools out of them.

Format: `outcomes_<table>.csv.gz` with at least task_id, model, resolved, cost_usd; `tasks_<table>.jsonl.gz` with
task_id, repo and text.
Names are opaque identifiers: nothing is looked up by a task's name. Does not fill holes: a task that lacks an
outcome or a cost for some model
of the pool is left out of that pool, and the number left out is kept.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from suffice.decision.grid import Floats
from suffice.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSpec:
    """A named list of models on a table; `families` () means all, `cells` tells whether families are task types of
    their own."""

    name: str
    table: str
    models: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    cells: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """n tasks x A models: `right` in {0, 1}, `cost` dollars [n, A]; `family`, `language` [n] labels, `text` [n]; `dropped`
    tasks with holes."""

    name: str
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    right: Floats
    cost: Floats
    family: tuple[str, ...]
    text: tuple[str, ...]
    dropped: int
    cells: bool
    language: tuple[str, ...] = ()


_NOTHING = ("", "", "")


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise ConfigError(
            f"{path}: no such file", hint="point --data at a folder of outcomes_*.csv.gz and tasks_*.jsonl.gz tables"
        )
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            return stream.read().splitlines()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise ConfigError(f"{path}: cannot be read: {error}", hint="the tables are gzip files of UTF-8 text") from None


def has_table(folder: Path, spec: PoolSpec) -> bool:
    """Return whether `folder` holds the outcomes that the pool is cut out of."""
    return (folder / f"outcomes_{spec.table}.csv.gz").is_file()


def _number(text: str, where: str) -> float:
    if not text:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise ConfigError(f"{where}: {text!r} is not a number") from None


def _task(line: str, where: str) -> dict[str, Any]:
    """Return one line of a table of tasks. Raises ConfigError when it is no JSON object with a task_id."""
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{where}: no JSON: {error}") from None
    if not isinstance(row, dict) or not isinstance(row.get("task_id"), str):
        raise ConfigError(f"{where}: a task is an object with a task_id")
    return row


def _texts(folder: Path, table: str) -> dict[str, tuple[str, str, str]]:
    """Return task_id -> (family, text, language); a `text_ref` names the table that holds the text of the same task."""
    path = folder / f"tasks_{table}.jsonl.gz"
    if not path.is_file():
        return {}
    found: dict[str, tuple[str, str, str]] = {}
    refs: dict[str, dict[str, str]] = {}
    for number, line in enumerate(_lines(path), 1):
        row = _task(line, f"{path}:{number}")
        text = row.get("text") or ""
        ref = row.get("text_ref")
        if not text and ref:
            if ref not in refs:
                other = folder / f"tasks_{ref}.jsonl.gz"
                rows = [_task(x, str(other)) for x in _lines(other)] if other.is_file() else []
                refs[ref] = {r["task_id"]: r.get("text") or "" for r in rows}
            text = refs[ref].get(row["task_id"], "")
        found[row["task_id"]] = (row.get("repo") or "", text, row.get("language") or "")
    return found


def load_pool(folder: Path, spec: PoolSpec) -> Pool:
    """Return the pool of `spec` in `folder`. Raises ConfigError with the file when it is absent, empty or lacks a model."""
    path = folder / f"outcomes_{spec.table}.csv.gz"
    rows = list(csv.DictReader(_lines(path)))
    absent = [name for name in ("task_id", "model", "resolved") if not rows or name not in rows[0]]
    if absent:
        raise ConfigError(f"{path}: {'has no rows' if not rows else 'lacks the column ' + ', '.join(absent)}")
    names = {row["model"] for row in rows}
    models = spec.models or tuple(sorted(names))
    missing = [m for m in models if m not in names]
    if missing:
        raise ConfigError(f"{path}: pool {spec.name} names models that are not there: {', '.join(missing)}")
    texts = _texts(folder, spec.table)
    column = {m: j for j, m in enumerate(models)}
    tasks = sorted({row["task_id"] for row in rows if texts.get(row["task_id"], _NOTHING)[0] not in spec.leave_out})
    place = {task: i for i, task in enumerate(tasks)}
    right = np.full((len(tasks), len(models)), np.nan)
    cost = np.full_like(right, np.nan)
    for number, row in enumerate(rows, 2):
        i, j = place.get(row["task_id"]), column.get(row["model"])
        if i is None or j is None:
            continue
        resolved = _number(row["resolved"] or "", f"{path}:{number}")
        right[i, j] = resolved if np.isnan(resolved) else float(resolved >= 0.5)
        cost[i, j] = _number(row.get("cost_usd") or "", f"{path}:{number}")
    whole = np.isfinite(right).all(axis=1) & np.isfinite(cost).all(axis=1) & (cost >= 0).all(axis=1)
    kept = [task for task, ok in zip(tasks, whole, strict=True) if ok]
    if not kept:
        raise ConfigError(f"{path}: no task of pool {spec.name} has outcome and cost for all of its models")
    return Pool(
        name=spec.name, models=models, tasks=tuple(kept), right=right[whole], cost=cost[whole],
        family=tuple(texts.get(t, _NOTHING)[0] for t in kept), text=tuple(texts.get(t, _NOTHING)[1] for t in kept),
        dropped=len(tasks) - len(kept), cells=spec.cells, language=tuple(texts.get(t, _NOTHING)[2] for t in kept),
    )  # fmt: skip


def join(first: Pool, second: Pool) -> Pool:
    """Return both pools' tasks under one roof, for splits over the union; a task in both is kept once."""
    known = set(first.tasks)
    new = [i for i, task in enumerate(second.tasks) if task not in known]
    return Pool(
        name=first.name, models=first.models, tasks=first.tasks + tuple(second.tasks[i] for i in new),
        right=np.vstack([first.right, second.right[new]]), cost=np.vstack([first.cost, second.cost[new]]),
        family=first.family + tuple(second.family[i] for i in new), text=first.text + tuple(second.text[i] for i in new),
        dropped=first.dropped + second.dropped, cells=first.cells,
        language=first.language + tuple(second.language[i] for i in new),
    )  # fmt: skip
