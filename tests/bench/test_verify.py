"""The bench of the static gates on two tasks of its own: it counts, and its mutants are defects."""

import gzip
import json
import random

from bench.verify import edit_cases, mutants
from bench.verify.__main__ import main
from bench.verify.tasksets import files_of, read

from suffice.testing.tasks import load

TASKS = [
    {
        "task_id": "own/1",
        "language": "python",
        "prompt": 'def area(width, height):\n    """Return the area."""\n',
        "reference": 'def area(width, height):\n    """Return the area."""\n    total = width * height\n    return total + 0\n',
    },
    {
        "task_id": "own/2",
        "language": "go",
        "prompt": "Write Area in Go.",
        "stub": {"area.go": "package area\n"},
        "reference": {
            ".meta/area.go": "package area\n\nfunc Area(w int, h int) int {\n\ttotal := w * h\n\treturn total\n}\n"
        },
    },
]


def folder(tmp_path):
    with gzip.open(tmp_path / "own.jsonl.gz", "wt") as out:
        out.write("".join(json.dumps(task) + "\n" for task in TASKS))
    return tmp_path


def test_the_bench_runs_and_counts(tmp_path, capsys):
    rows_path = tmp_path / "rows.json"
    assert main(["--tasks", str(folder(tmp_path)), "--json", str(rows_path)]) == 0
    rows = [json.loads(line) for line in rows_path.read_text().splitlines()]
    assert {
        "gate",
        "kind",
        "language",
        "n",
        "rejected",
        "accepted",
        "unknown",
        "rate",
        "p50_ms",
        "p95_ms",
        "task_set",
    } <= set(rows[0])
    overall = {(row["kind"], row["language"]): row for row in rows if row["gate"] == "overall"}
    assert overall["truncated", "go"]["rate"] == 1.0 and overall["reference-fence", "python"]["rejected"] == 0
    assert overall["edit-broken-apply-patch", "python"]["rate"] == 1.0
    assert "references rejected: 0" in capsys.readouterr().out


def test_launches_of_the_sandbox_are_timed_where_a_tier_works(tmp_path):
    rows_path = tmp_path / "rows.json"
    assert main(["--tasks", str(folder(tmp_path)), "--json", str(rows_path), "--launches", "3", "--limit", "1"]) == 0
    rows = [json.loads(line) for line in rows_path.read_text().splitlines()]
    found = [row for row in rows if row["gate"].startswith("sandbox-")]
    assert found
    assert all((row["n"], row["accepted"], set(row)) == (3, 3, set(rows[0])) and row["p50_ms"] > 0 for row in found)


def test_a_missing_folder_is_said(tmp_path, capsys):
    assert main(["--tasks", str(tmp_path)]) == 2
    assert "no *.jsonl.gz" in capsys.readouterr().err


def test_tasks_are_read_in_one_shape(tmp_path):
    first, second = read(folder(tmp_path))
    assert first.language == "python" and second.code == {"area.go": TASKS[1]["reference"][".meta/area.go"]}
    assert files_of("{'a': 'b'}") == {"a": "b"} and files_of("x = {}") is None and files_of("{1, 2}") is None


def test_syntax_mutants_do_not_compile():
    code = TASKS[0]["reference"]
    for seed in range(20):
        for mutant in mutants.syntax(code, "python", random.Random(seed)):
            assert mutant is None or not mutants.compiles(mutant.code)


def test_broken_edits_name_text_that_is_not_there():
    text = TASKS[0]["reference"] + "\n\ndef b():\n    return 1\n"
    cases = list(edit_cases.cases("a.py", text, random.Random(1)))
    assert len(cases) == 8 and "value_that_was_never_here" not in text


def recorded(path):
    task = next(t for t in load() if t.source == "humaneval")
    texts = [f"```python\n{task.reference}\n```", "```python\ndef f(:\n```", "I cannot say."]
    rows = [{"model": "m/one", "task": task.id, "text": text, "finish_reason": "stop"} for text in texts]
    rows.append({"model": "m/one", "task": "no/such", "text": "x", "finish_reason": "stop"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_answers_of_real_models_are_judged_against_their_tests(tmp_path, capsys):
    rows_path = tmp_path / "rows.json"
    answers = recorded(tmp_path / "a.jsonl")
    code = main(["--tasks", str(folder(tmp_path)), "--answers", str(answers), "--json", str(rows_path), "--limit", "1"])
    assert code == 0 and "4 recorded answers, 1 left out" in capsys.readouterr().out
    rows = [json.loads(line) for line in rows_path.read_text().splitlines()]
    overall = {row["kind"]: row for row in rows if row["gate"] == "overall" and row["task_set"] == "m/one"}
    assert (overall["answer-passed"]["n"], overall["answer-passed"]["rejected"]) == (1, 0)
    assert (overall["answer-failed"]["n"], overall["answer-failed"]["rejected"]) == (2, 1)


def test_a_line_that_is_no_answer_is_named(tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text('{"model": 1}\n')
    assert main(["--tasks", str(folder(tmp_path)), "--answers", str(tmp_path / "a.jsonl")]) == 2
    assert "a.jsonl:1" in capsys.readouterr().err


def test_every_language_of_a_task_set_gets_mutants():
    rng = random.Random(1)
    code = "package demo\n\nfun area(w: Int, h: Int): Int {\n    return listOf(w, h).sum()\n}\n"
    assert next(m.code for m in mutants.invented_import(code, "kotlin", rng)).startswith("package demo\nimport ")
    assert any(m for m in mutants.syntax(code, "kotlin", rng))
    assert mutants.plain_places("local a = [[\n x = 1\n]]\n", "=", "lua") == []
