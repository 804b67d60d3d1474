import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


def write_table(folder: Path, name: str, n: int, seed: int, models: int = 4, start: int = 0) -> None:
    """Write a synthetic outcome table of the recorded format: cheap weak arms, dear strong ones, one latent difficulty."""
    rng = np.random.default_rng(seed)
    hard = rng.normal(0, 1.8, n)
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(["benchmark", "task_id", "model", "resolved", "agent", "cost_usd", "cost_kind"])
    for i in range(n):
        for m in range(models):
            solved = rng.random() < 1 / (1 + np.exp(-(0.6 + 0.5 * m - hard[i])))
            cost = 0.02 * 4.0**m * np.exp(rng.normal(0, 0.4) + (0 if solved else 0.4))
            out.writerow([name, f"task-{start + i}", f"m{m}", float(solved), "x", f"{cost:.6f}", "recorded"])
    with gzip.open(folder / f"outcomes_{name}.csv.gz", "wt") as stream:
        stream.write(text.getvalue())
    with gzip.open(folder / f"tasks_{name}.jsonl.gz", "wt") as stream:
        for i in range(n):
            row = {"task_id": f"task-{start + i}", "repo": f"r{i % 3}", "text": f"fix bug number {i} " * (1 + i % 5)}
            stream.write(json.dumps(row) + "\n")


@pytest.fixture
def table() -> Callable[..., None]:
    return write_table
