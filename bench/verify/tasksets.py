"""Reads task sets (`*.jsonl.gz`) into one shape, and renders a reference solution as a model would send it.

A field that holds files may be a mapping or its text; both are read.
"""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suffice.values.task import TaskType
from suffice.verify import languages
from suffice.verify.ask import ask_from_chat
from suffice.verify.view import AnswerView, AskView


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: `code` is the whole reference solution by path (the path is empty when the task names none), `body`
    the continuation
    of the prompt where the task set stores one."""

    task_set: str
    task_id: str
    language: str
    prompt: str
    code: dict[str, str]
    body: str = ""
    value: bool = False


def read(folder: Path, limit: int = 0) -> Iterator[Task]:
    """Yield the tasks of all sets in `folder`; at most `limit` of each when it is not 0. Raises FileNotFoundError when
    there are none."""
    paths = sorted(folder.glob("*.jsonl.gz"))
    if not paths:
        raise FileNotFoundError(
            f"no *.jsonl.gz in {folder}; name a folder of task sets: make bench-verify TASKS=folder"
        )
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if limit and number >= limit:
                    break
                row = json.loads(line)
                if row.get("reference"):
                    yield task(path.name.removesuffix(".jsonl.gz"), row)


def files_of(value: Any) -> dict[str, str] | None:
    """Return a mapping of files, also from its text, or None when `value` is plain text."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        for load in (json.loads, ast.literal_eval):
            try:
                value = load(value)
                break
            except (ValueError, SyntaxError):
                continue
    if isinstance(value, dict) and value and all(isinstance(v, str) for v in value.values()):
        return {str(k): v for k, v in value.items()}
    return None


def task(task_set: str, row: dict[str, Any]) -> Task:
    """Return one row of a task set as a `Task`."""
    language = languages.canonical(str(row.get("language", ""))) or str(row.get("language", ""))
    prompt, reference = str(row["prompt"]), row["reference"]
    files, body = files_of(reference), ""
    if files is None:
        code = {"": str(reference)}
        if "declaration" in row:
            # The reference continues the prompt; Rust's prompt ends before the declaration.
            head = str(row["declaration"]) if language == "rust" else prompt
            code, body = {"": head + str(reference)}, str(reference)
    else:
        code = {path.replace(".meta/", ""): text for path, text in files.items()}
        stubs = files_of(row.get("stub")) or {}
        prompt += "".join(f"\n\n{path}\n```\n{text}\n```" for path, text in stubs.items())
    return Task(
        task_set=task_set,
        task_id=str(row["task_id"]),
        language=language,
        prompt=prompt,
        code=code,
        body=body,
        value=files is None and "\n" not in str(reference).strip() and "assert" in prompt and "??" in prompt,
    )


def ask(one: Task, *, hinted: bool = True) -> AskView:
    """Return the ask of a task."""
    body = {"messages": [{"role": "user", "content": one.prompt}]}
    return ask_from_chat(
        body,
        task=TaskType.OTHER if one.value else TaskType.BUG_FIX if one.prompt.startswith("Fix") else TaskType.GENERATE,
        language=one.language if hinted else "",
        whole_code=not one.value,
    )


def renderings(one: Task, code: dict[str, str]) -> Iterator[tuple[str, AnswerView]]:
    """Yield the ways in which a model would send `code`: one fence, prose around it, a fence without info, bare."""
    fence = "\n\n".join(
        f"{path}\n```{one.language}\n{text.rstrip()}\n```" if path else f"```{one.language}\n{text.rstrip()}\n```"
        for path, text in code.items()
    )
    yield "fence", AnswerView(text=fence, finish_reason="stop")
    prose = (
        f"Here's the solution. It handles the edge cases you mention:\n\n{fence}\n\nThis runs in O(n) time; let me "
        f"know if you'd like tests."
    )
    yield "prose", AnswerView(text=prose, finish_reason="stop")
    yield "crlf", AnswerView(text=prose.replace("\n", "\r\n"), finish_reason="stop")
    if len(code) == 1:
        text = next(iter(code.values()))
        yield "plain-fence", AnswerView(text=f"```\n{text.rstrip()}\n```", finish_reason="stop")
        yield "bare", AnswerView(text=text, finish_reason="stop")
