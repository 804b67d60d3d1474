import io as io_module
from pathlib import Path

from suffice.cli.checking import Checks, answer_files, specs
from suffice.cli.command import Io
from suffice.cli.terminal import Terminal
from suffice.config.load import parse
from suffice.values.system_env import SystemEnv
from suffice.values.verdict import Outcome

TEXT = """version = 1
[storage]
path = "data"
[checks.adds]
command = ["python3", "run.py"]
repo = "checks"
answer_path = "solution.py"
"""


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


def test_the_largest_piece_is_the_answer_unless_pieces_name_their_files():
    text = "First:\n```python\nx = 1\n```\nThen:\n```python\ndef add(a, b):\n    return a + b\n```\n"
    assert answer_files(text, "python")[""].startswith("def add")
    assert answer_files("No code here.", "python") == {}


GOOD, BAD = (f"```python\ndef add(a, b):\n    return a {sign} b\n```" for sign in "+-")


async def test_an_answer_is_judged_by_the_check(tmp_path: Path):
    checks = Checks(io(tmp_path))
    try:
        checks.use(await checks.prepare(settings(tmp_path)))
        good = await checks.run("adds", GOOD, "python")
        bad = await checks.run("adds", BAD, "python")
        none = await checks.run("adds", "I cannot.", "python")
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
            said.append((await checks.run("adds", GOOD, "python")).outcome)
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
        assert (await checks.run("adds", GOOD, "python")).outcome is Outcome.ACCEPT
    finally:
        await checks.stop()
