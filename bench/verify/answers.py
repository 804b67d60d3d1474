"""Judges recorded answers of real models by every static gate, against what the tasks' own tests say of them in the sandbox.

Input is what `suffice demo --local --answers FILE` writes: a JSON object a line with `model`, `task` (of the demo's tasks), `text` and
`finish_reason`. Answers whose tests could not be run are left out and counted. A row's kind is `answer-passed` (each rejection
is a false one) or `answer-failed`; its `task_set` is the model.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.verify.measure import Tally
from suffice.sandbox.checks import CheckSpec, run_check
from suffice.sandbox.sandbox import Sandbox
from suffice.testing.demo import write_checks
from suffice.testing.tasks import Task, load
from suffice.values.task import TaskType
from suffice.values.verdict import Outcome
from suffice.verify.ask import ask_from_chat
from suffice.verify.judge import judge
from suffice.verify.landing import plain_files
from suffice.verify.view import AnswerView

PASSED, FAILED = "answer-passed", "answer-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One answer of a model to a task."""

    model: str
    task: str
    text: str
    finish_reason: str


def read(path: Path) -> Iterator[Recorded]:
    """Yield the answers of a file, or of every `*.jsonl` of a folder. Raises ValueError for a line that is none."""
    for file in sorted(path.glob("*.jsonl")) if path.is_dir() else [path]:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                yield Recorded(
                    model=row["model"], task=row["task"], text=row["text"], finish_reason=row.get("finish_reason", "")
                )
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{file}:{number} is no recorded answer: {error}") from None


async def judge_answers(recorded: list[Recorded], tally: Tally) -> int:
    """Count the verdicts on the answers; return how many were left out (unknown task, or nobody could run its tests)."""
    tasks = {task.id: task for task in load()}
    wanted = [tasks[name] for name in dict.fromkeys(r.task for r in recorded) if name in tasks]
    left_out = 0
    with tempfile.TemporaryDirectory(prefix="suffice-answers-") as folder:
        places = {task.id: place for task, place in write_checks(wanted, Path(folder)).values()}
        async with Sandbox(concurrency=1) as box:
            for one in recorded:
                known = one.task in places
                passed = await _passes(box, one, tasks[one.task], places[one.task]) if known else None
                if passed is None:
                    left_out += 1
                    continue
                prompt = {"messages": [{"role": "user", "content": tasks[one.task].prompt}]}
                ask = ask_from_chat(prompt, task=TaskType.GENERATE, language="python")
                verdicts = judge(AnswerView(text=one.text, finish_reason=one.finish_reason), ask)
                tally.add(PASSED if passed else FAILED, "python", one.model, verdicts)
    return left_out


async def _passes(box: Sandbox, one: Recorded, task: Task, place: Path) -> bool | None:
    """Return what the tests of the task say of the answer, None when they say nothing."""
    spec = CheckSpec(name="tests", command=task.command, folder=place, answer_path=task.answer_path, timeout_s=20.0)
    answer = AnswerView(text=one.text, finish_reason=one.finish_reason)
    ask = ask_from_chat({"messages": [{"role": "user", "content": task.prompt}]}, language="python")
    files = plain_files(answer, ask)
    if not files:
        return False
    verdict = await run_check(box, spec, files)
    return None if verdict.outcome is Outcome.UNKNOWN else verdict.outcome is Outcome.ACCEPT
