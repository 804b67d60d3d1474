"""Print the accuracy of task recognition on the labelled asks: `python -m tests.decision.accuracy` or as a script."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from suffice.decision.features import extract
from suffice.wire.request_view import RequestView

DATA = Path(__file__).parent / "data"


class Labelled(NamedTuple):
    task: str
    natural: str
    text: str


def load(name: str) -> list[Labelled]:
    rows = [line.split("\t") for line in (DATA / name).read_text(encoding="utf-8").splitlines() if line]
    return [Labelled(task, natural, text.replace("\\n", "\n")) for task, natural, text in rows]


def view_of(text: str, **changes: object) -> RequestView:
    fields = {
        "asks": (text,), "first_user_text": text, "n_messages": 1, "n_user": 1, "last_roles": ("user",),
        "total_bytes": len(text), **changes,
    }  # fmt: skip
    return RequestView(**fields)  # type: ignore[arg-type]


def measure(name: str) -> tuple[float, float, list[tuple[Labelled, str, str]]]:
    """Return the share of right tasks, of right natural languages, and the wrong ones."""
    rows = load(name)
    wrong: list[tuple[Labelled, str, str]] = []
    natural = 0
    for row in rows:
        found = extract(view_of(row.text))
        natural += found.natural_language == row.natural or row.task == "other"
        if found.task.value != row.task:
            wrong.append((row, found.task.value, ";".join(found.signals)))
    return 1 - len(wrong) / len(rows), natural / len(rows), wrong


if __name__ == "__main__":
    for name in sys.argv[1:] or ["asks.tsv", "asks_held_out.tsv"]:
        task, natural, wrong = measure(name)
        print(f"{name}: {len(load(name))} asks, task {task:.1%}, natural language {natural:.1%}")
        print("  wrong by task:", dict(Counter(row.task for row, _, _ in wrong)))
        for row, found, signals in wrong:
            print(f"  {row.task:>10} read as {found:<10} {row.text[:70]!r} [{signals}]")
