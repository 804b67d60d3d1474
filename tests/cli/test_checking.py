import io as io_module
import json
import os
import subprocess
from pathlib import Path

from suffice.cli.checking import Checks, specs
from suffice.cli.command import Io
from suffice.cli.terminal import Terminal
from suffice.config.load import parse
from suffice.values.system_env import SystemEnv
from suffice.values.verdict import Outcome
from suffice.verify.view import AnswerView, AskView, ToolCall

TEXT = """version = 1
[storage]
path = "data"
[checks.adds]
command = ["python3", "run.py"]
repo = "checks"
answer_path = "solution.py"
"""


PYTHON = AskView(language="python")


def settings(tmp_path: Path):
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "run.py").write_text("from solution import add\nassert add(1, 2) == 3\n")
    return parse(TEXT, str(tmp_path / "suffice.toml"), {}, tmp_path)


def io(tmp_path: Path) -> Io:
    out = Terminal(io_module.StringIO(), io_module.StringIO(), {})
    return Io(out=out, env_vars={"HOME": str(tmp_path)}, env=SystemEnv(), working=tmp_path)


def test_specs_are_relative_to_the_file(tmp_path: Path):
    spec = specs(settings(tmp_path), io(tmp_path))["adds"]
    assert spec.folder == tmp_path / "checks"
    assert (spec.answer_path, tuple(spec.command)) == ("solution.py", ("python3", "run.py"))


GOOD, BAD = (AnswerView(text=f"```python\ndef add(a, b):\n    return a {sign} b\n```") for sign in "+-")


async def test_an_answer_is_judged_by_the_check(tmp_path: Path):
    checks = Checks(io(tmp_path))
    try:
        checks.use(await checks.prepare(settings(tmp_path)))
        good = await checks.run("adds", GOOD, PYTHON)
        bad = await checks.run("adds", BAD, PYTHON)
        none = await checks.run("adds", AnswerView(text="I cannot."), PYTHON)
    finally:
        await checks.stop()
    assert (good.outcome, bad.outcome, none.outcome) == (Outcome.ACCEPT, Outcome.REJECT, Outcome.REJECT)
    assert "AssertionError" in bad.evidence
    assert none.kind == "no-code"


async def test_a_reload_brings_checks_changes_them_and_takes_them_away(tmp_path: Path):
    first = settings(tmp_path)
    (tmp_path / "checks" / "other.py").write_text("from solution import add\nassert add(1, 2) == -1\n")
    base = TEXT.partition("[checks")[0]
    variants = [base, TEXT, TEXT.replace("run.py", "other.py"), TEXT + "[verify]\nmax_parallel_checks = 1\n"]
    variants += [TEXT + '[verify]\nsandbox = "off"\n', TEXT]
    checks = Checks(io(tmp_path))
    said = []
    try:
        for text in variants:
            prepared = await checks.prepare(parse(text, first.origin.file, {}, tmp_path))
            checks.use(prepared)
            said.append((await checks.run("adds", GOOD, PYTHON)).outcome)
    finally:
        await checks.stop()
    unknown, accept, reject = Outcome.UNKNOWN, Outcome.ACCEPT, Outcome.REJECT
    assert said == [unknown, accept, reject, accept, unknown, accept]


async def test_checks_that_are_not_used_leave_the_old_ones_alone(tmp_path: Path):
    first = settings(tmp_path)
    checks = Checks(io(tmp_path))
    try:
        checks.use(await checks.prepare(first))
        other = TEXT.replace("run.py", "gone.py") + "[verify]\nmax_parallel_checks = 1\n"
        refused = await checks.prepare(parse(other, first.origin.file, {}, tmp_path))
        await checks.discard(refused)
        assert (await checks.run("adds", GOOD, PYTHON)).outcome is Outcome.ACCEPT
    finally:
        await checks.stop()


async def test_an_edit_of_a_file_is_judged_with_the_rest_of_the_folder(tmp_path: Path):
    configured = settings(tmp_path)
    (tmp_path / "checks" / "solution.py").write_text("def add(a, b):\n    return a - b\n")
    checks = Checks(io(tmp_path))

    def edit(new: str, path: str = "/srv/proj/solution.py") -> AnswerView:
        arguments = json.dumps({"path": path, "old_str": "    return a - b", "new_str": new})
        return AnswerView(tool_calls=(ToolCall(name="str_replace", arguments=arguments),))

    try:
        checks.use(await checks.prepare(configured))
        good = await checks.run("adds", edit("    return a + b"), AskView())
        bad = await checks.run("adds", edit("    return a * b"), AskView())
        reads = await checks.run(
            "adds", AnswerView(tool_calls=(ToolCall(name="read_file", arguments="{}"),)), AskView()
        )
        outside = await checks.run("adds", edit("x", "../../etc/passwd"), AskView())
    finally:
        await checks.stop()
    assert [v.outcome for v in (good, bad, reads)] == [Outcome.ACCEPT, Outcome.REJECT, Outcome.UNKNOWN]
    assert outside.outcome is Outcome.UNKNOWN
    assert (tmp_path / "checks" / "solution.py").read_text().endswith("a - b\n")


def committed(folder: Path) -> list[str]:
    """Commit `run.py` in two versions into a repository at `folder`; the first wants a sum, the second a difference."""
    name = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **name}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=folder, env=env, check=True, capture_output=True, text=True
        ).stdout

    git("init", "-q", "-b", "main")
    hashes = []
    for wanted in (3, -1):
        (folder / "run.py").write_text(f"from solution import add\nassert add(1, 2) == {wanted}\n")
        git("add", "-A")
        git("commit", "-qm", f"wants {wanted}")
        hashes.append(git("rev-parse", "HEAD").strip())
    (folder / "run.py").write_text("import sys\nsys.exit(3)\n")
    return hashes


async def test_a_check_runs_at_the_commit_that_the_request_or_the_configuration_names(tmp_path: Path):
    first = settings(tmp_path)
    sums, differences = committed(tmp_path / "checks")
    at_main = parse(TEXT + 'commit = "main"\n', first.origin.file, {}, tmp_path)
    checks = Checks(io(tmp_path))
    try:
        checks.use(await checks.prepare(first))
        as_it_lies = await checks.run("adds", GOOD, PYTHON)
        named = [await checks.run(f"adds@{at}", GOOD, PYTHON) for at in (sums, differences, "main", "gone", "../x")]
        checks.use(await checks.prepare(at_main))
        configured = [await checks.run(f"adds{at}", BAD, PYTHON) for at in ("", f"@{sums}")]
    finally:
        await checks.stop()
    accept, reject, unknown = Outcome.ACCEPT, Outcome.REJECT, Outcome.UNKNOWN
    assert as_it_lies.outcome is reject
    assert [v.outcome for v in named] == [accept, reject, reject, unknown, unknown]
    assert [v.outcome for v in configured] == [accept, reject]
    assert {v.gate for v in (*named, *configured)} == {"check:adds"}
    assert named[3].reason.startswith("'gone' cannot be read") and "full commit hash that is there" in named[3].reason
    # Where the repository lies is for the operator alone.
    assert str(tmp_path) not in named[3].reason and str(tmp_path) in named[3].evidence
    assert not list((tmp_path / "data" / "sandbox" / "trees").iterdir())


async def test_a_check_says_nothing_of_a_language_that_it_is_not_for(tmp_path: Path):
    first = settings(tmp_path)
    only = parse(TEXT + 'languages = ["py"]\n', first.origin.file, {}, tmp_path)
    go = AnswerView(text="```go\npackage a\n```")
    checks = Checks(io(tmp_path))
    try:
        checks.use(await checks.prepare(only))
        said = [(await checks.run("adds", answer, AskView())).outcome for answer in (GOOD, BAD, go)]
    finally:
        await checks.stop()
    assert said == [Outcome.ACCEPT, Outcome.REJECT, Outcome.UNKNOWN]
