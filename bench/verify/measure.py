"""Runs the gates over references and mutants and counts: per gate, kind, language and task set."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bench.verify import edit_cases, mutants
from bench.verify.tasksets import Task, ask, renderings
from suffice.values.verdict import Outcome, Verdict
from suffice.verify import languages
from suffice.verify.judge import GATES, judge, overall, run
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView

SUFFIX = {
    "python": "py",
    "javascript": "js",
    "typescript": "ts",
    "rust": "rs",
    "kotlin": "kt",
    "csharp": "cs",
    "ruby": "rb",
    "bash": "sh",
}
Key = tuple[str, str, str, str]


@dataclass(slots=True)
class Tally:
    """Counts and times of all (gate, kind, language, task set); `rejected_references` names what must be empty."""

    counts: dict[Key, dict[Outcome, int]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys(Outcome, 0))
    )
    times_ms: dict[Key, list[float]] = field(default_factory=lambda: defaultdict(list))
    excluded: dict[tuple[str, str, str], int] = field(default_factory=lambda: defaultdict(int))
    rejected_references: list[tuple[str, str, Verdict]] = field(default_factory=list)
    missed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, kind: str, language: str, task_set: str, verdicts: Iterable[Verdict]) -> Outcome:
        """Count the verdicts on one answer, and their combination under the gate `overall`."""
        verdicts = tuple(verdicts)
        for verdict in verdicts:
            self.counts[verdict.gate, kind, language, task_set][verdict.outcome] += 1
        total = overall(verdicts)
        self.counts["overall", kind, language, task_set][total] += 1
        return total

    def rows(self) -> list[dict[str, Any]]:
        """Return the JSON rows."""
        out = []
        for key in sorted(self.counts):
            gate, kind, language, task_set = key
            counts = self.counts[key]
            n = sum(counts.values())
            times = sorted(self.times_ms.get(key, []))
            out.append(
                {
                    "gate": gate,
                    "kind": kind,
                    "language": language,
                    "task_set": task_set,
                    "n": n,
                    "rejected": counts[Outcome.REJECT],
                    "accepted": counts[Outcome.ACCEPT],
                    "unknown": counts[Outcome.UNKNOWN],
                    "rate": round(counts[Outcome.REJECT] / n, 5),
                    "p50_ms": round(times[len(times) // 2], 3) if times else None,
                    "p95_ms": round(times[int(len(times) * 0.95)], 3) if times else None,
                    "excluded": self.excluded.get((kind, language, task_set), 0) if gate == "overall" else 0,
                }
            )
        return out


def measure(task: Task, tally: Tally) -> None:
    """Judge the reference of `task` in all renderings, and its mutants. Seeded by the task's id: the same each time."""
    rng = random.Random(f"{task.task_set}/{task.task_id}")
    for hinted in (True, False):
        asked = ask(task, hinted=hinted)
        shown = list(renderings(task, task.code))
        if task.body:
            shown.append(("body", AnswerView(text=task.body, finish_reason="stop")))
            shown.append(("body-fence", AnswerView(text=f"```{task.language}\n{task.body}\n```", finish_reason="stop")))
        for name, answer in shown:
            _reference(task, f"reference-{name}", asked, answer, tally)
    if task.value:
        return
    asked = ask(task)
    for path, code in task.code.items():
        if not path or languages.of_path(path) == task.language:
            _mutants(task, path, code, asked, tally, rng)
            _edits(task, path or f"solution.{SUFFIX.get(task.language, task.language)}", code, tally, rng)


def _reference(task: Task, kind: str, asked: AskView, answer: AnswerView, tally: Tally) -> None:
    verdicts = judge(answer, asked)
    tally.add(kind, task.language, task.task_set, verdicts)
    for verdict in verdicts:
        if verdict.rejected:
            tally.rejected_references.append((f"{task.task_set}/{task.task_id}", kind, verdict))


def _mutants(task: Task, path: str, code: str, asked: AskView, tally: Tally, rng: random.Random) -> None:
    makers = (mutants.truncated, mutants.syntax, mutants.invented_import, mutants.wrong_name, mutants.wrong_logic)
    for make in makers:
        for mutant in make(code, task.language, rng):
            if mutant is None:
                kind = {"truncated": "truncated-closed"}.get(make.__name__, make.__name__)
                tally.excluded[kind, task.language, task.task_set] += 1
                continue
            head = f"{path}\n" if path else ""
            text = f"{head}```{task.language}\n{mutant.code}" + ("" if mutant.unclosed else "\n```")
            total = tally.add(
                mutant.kind, task.language, task.task_set, judge(AnswerView(text=text, finish_reason="stop"), asked)
            )
            if total is not Outcome.REJECT and mutant.kind != "wrong-logic" and len(tally.missed[mutant.kind]) < 400:
                tally.missed[mutant.kind].append(f"{task.task_set}/{task.task_id}\n{text}")


def _edits(task: Task, path: str, code: str, tally: Tally, rng: random.Random) -> None:
    for notation, applies, asked, answer in edit_cases.cases(path, code, rng):
        kind = f"edit-{'applying' if applies else 'broken'}-{notation}"
        if applies:
            _reference(task, kind, asked, answer, tally)
        else:
            total = tally.add(kind, task.language, task.task_set, judge(answer, asked))
            if total is not Outcome.REJECT:
                tally.missed[kind].append(f"{task.task_set}/{task.task_id}")
        if applies and answer.tool_calls:
            for name, call in edit_cases.tool_mutants(answer.tool_calls[0]):
                verdicts = judge(AnswerView(tool_calls=(call,), finish_reason="tool_calls"), asked)
                tally.add(name, task.language, task.task_set, verdicts)


def time_gates(tasks: list[Task], tally: Tally, size: int = 4096, rounds: int = 30) -> None:
    """Time each gate alone on answers of about `size` characters, extraction and parsing included (a fresh reading
    each time)."""
    by_language: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        if not task.value and sum(map(len, task.code.values())) <= size * 5 // 4:
            by_language[task.language].append(task)
    for language, group in by_language.items():
        group.sort(key=lambda task: -sum(map(len, task.code.values())))
        for start in range(min(rounds, len(group))):
            # Concatenated programs are no program in some languages: those gates then do their slowest work too.
            code = "\n".join(group[start].code.values())
            for task in group[start + 1 :] + group[:start]:
                if len(code) >= size * 3 // 4:
                    break
                code += "\n" + "\n".join(task.code.values())
            answer = AnswerView(text=f"```{language}\n{code}\n```", finish_reason="stop")
            asked = ask(group[start])
            for name, gate in GATES:
                before = time.process_time()
                verdict = run(name, gate, Reading(answer, asked))
                elapsed = (time.process_time() - before) * 1000
                key = (name, "timing-4KB", language, "all")
                tally.times_ms[key].append(elapsed)
                tally.counts[key][verdict.outcome] += 1
