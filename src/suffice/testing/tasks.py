"""The coding tasks of the demo: prompts, reference solutions and the tests that judge an answer.

Their origins and licences stand in data/ATTRIBUTION.md and in every row.
"""

from __future__ import annotations

import gzip
from importlib import resources

import msgspec


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One task. `command` judges an answer put at `answer_path` beside `files` (path -> text): exit code 0 accepts."""

    id: str
    source: str
    licence: str
    prompt: str
    reference: str
    answer_path: str
    files: dict[str, str]
    command: tuple[str, ...]


def load() -> tuple[Task, ...]:
    """Return all tasks, sorted by id."""
    packed = resources.files("suffice.testing").joinpath("data/tasks.jsonl.gz").read_bytes()
    decode = msgspec.json.Decoder(Task).decode
    return tuple(decode(line) for line in gzip.decompress(packed).splitlines())
