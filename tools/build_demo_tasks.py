"""Build the task file of `suffice demo` from folders of task sets whose licences allow redistribution.

    python tools/build_demo_tasks.py DIR src/suffice/testing/data/tasks.jsonl.gz

DIR holds humaneval.jsonl.gz (MIT), mbppplus.jsonl.gz (Apache-2.0; the problems are MBPP, CC-BY-4.0) and polyglot.jsonl.gz
(Exercism, MIT). Only Python tasks are taken. Each line of the result is one task: id, source, licence, what to ask, the
reference solution, the path at which an answer is put, the test files, and the command that judges it.
"""

from __future__ import annotations

import ast
import gzip
import json
import sys
from pathlib import Path
from typing import Any

# `import *` would leave out names with a leading underscore, which some tests use.
IMPORT = "import solution\nglobals().update({k: v for k, v in vars(solution).items() if not k.startswith('__')})\n"
ASK_FUNCTION = "Write this Python function. Answer with the whole function in one Python code block.\n\n"


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the decoded lines of a task set."""
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) for line in lines]


def humaneval(row: dict[str, Any]) -> dict[str, Any]:
    """A function to complete, judged by `check(candidate)`."""
    runner = IMPORT + row["tests"].strip() + "\n"
    return task(
        row,
        "humaneval",
        ASK_FUNCTION + row["prompt"].strip(),
        row["reference"].strip() + "\n",
        {"run_tests.py": runner},
    )


def mbpp(row: dict[str, Any]) -> dict[str, Any]:
    """A sentence and one example, judged by assertions."""
    runner = IMPORT + row["tests"].strip() + "\n"
    prompt = row["prompt"].strip() + "\nAnswer with one Python code block."
    return task(row, "mbpp", prompt, row["reference"].strip() + "\n", {"run_tests.py": runner})


def exercism(row: dict[str, Any]) -> dict[str, Any] | None:
    """A module to write from instructions and a stub, judged by its unit tests; None when it has more than one file."""
    stub, tests, reference = (
        ast.literal_eval(row[k]) if isinstance(row[k], str) else row[k] for k in ("stub", "tests", "reference")
    )
    if len(stub) != 1 or len(reference) != 1:
        return None
    path, text = next(iter(stub.items()))
    prompt = f"{row['prompt'].strip()}\n\nWrite `{path}`. Answer with the whole file in one Python code block."
    prompt += f"\n\n```python\n{text}```"
    module = next(name for name in tests if name.endswith("_test.py")).removesuffix(".py")
    runner = (
        f"import sys, unittest\nfrom {module} import *\nunittest.main(module='{module}', argv=['t'], verbosity=0)\n"
    )
    made = task(row, "exercism", prompt, next(iter(reference.values())), {**tests, "run_tests.py": runner})
    made["answer_path"] = path
    return made


def task(row: dict[str, Any], source: str, prompt: str, reference: str, files: dict[str, str]) -> dict[str, Any]:
    """Return one line of the result."""
    return {
        "id": row["task_id"],
        "source": source,
        "licence": row["licence"],
        "prompt": prompt,
        "reference": reference,
        "answer_path": "solution.py",
        "files": files,
        "command": ["python3", "run_tests.py"],
    }


def main(folder: Path, out: Path) -> None:
    """Write the task file, sorted by id, with no time stamp inside, so that the same input gives the same bytes."""
    made = [humaneval(r) for r in rows(folder / "humaneval.jsonl.gz")]
    made += [mbpp(r) for r in rows(folder / "mbppplus.jsonl.gz")]
    python = [r for r in rows(folder / "polyglot.jsonl.gz") if r["language"] == "python"]
    made += [t for t in map(exercism, python) if t is not None]
    made.sort(key=lambda t: t["id"])
    text = "".join(json.dumps(t, ensure_ascii=False, sort_keys=True) + "\n" for t in made)
    out.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(made)} tasks, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
