"""Operator checks: what accepts, what rejects, what is unknown, and what an answer may not replace."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.sandbox.checks import CheckSpec, compact, is_trusted, run_check
from suffice.sandbox.limits import Limits
from suffice.sandbox.sandbox import Sandbox
from suffice.values.verdict import Outcome

TEST = "import sys\nfrom solution import double\nsys.exit(0 if double(2) == 4 else 'double(2) is ' + str(double(2)))\n"


@pytest.fixture
def check(tmp_path: Path) -> CheckSpec:
    (tmp_path / "test.py").write_text(TEST)
    return CheckSpec(name="unit", command=("python3", "test.py"), folder=tmp_path, answer_path="solution.py")


async def test_the_exit_code_decides(any_sandbox: Sandbox, check: CheckSpec) -> None:
    good = await run_check(any_sandbox, check, {"": "def double(x): return 2 * x"})
    assert (good.gate, good.outcome) == ("check:unit", Outcome.ACCEPT)
    bad = await run_check(any_sandbox, check, {"solution.py": "def double(x): return x"})
    assert (bad.outcome, bad.evidence, bad.kind) == (Outcome.REJECT, "double(2) is 2", "check-failed")
    broken = await run_check(any_sandbox, check, {"": "def double(x) return x"})
    assert broken.outcome is Outcome.REJECT
    assert "SyntaxError" in broken.evidence


async def test_a_hanging_answer_is_rejected_with_the_reason(any_sandbox: Sandbox, check: CheckSpec) -> None:
    slow = CheckSpec(name="u", command=check.command, folder=check.folder, answer_path="solution.py", timeout_s=0.5)
    verdict = await run_check(any_sandbox, slow, {"": "while True: pass"})
    assert verdict.outcome is Outcome.REJECT
    assert "did not end in time (0.5 s)" in verdict.reason


async def test_what_is_not_the_answers_fault_is_unknown(any_sandbox: Sandbox, check: CheckSpec) -> None:
    for command in (("nosuchtool",), ("",), ()):
        spec = CheckSpec(name="u", command=command, folder=check.folder, answer_path="a.py")
        assert (await run_check(any_sandbox, spec, {"": "x = 1"})).outcome is Outcome.UNKNOWN
    assert (await run_check(any_sandbox, check, {"conftest.py": "x"})).outcome is Outcome.UNKNOWN
    assert (await run_check(any_sandbox, check, {})).outcome is Outcome.UNKNOWN
    nowhere = Sandbox(tiers=())
    assert (await run_check(nowhere, check, {"": "x = 1"})).outcome is Outcome.UNKNOWN


async def test_the_checks_own_files_are_not_replaced(any_sandbox: Sandbox, check: CheckSpec) -> None:
    forged = {"test.py": "raise SystemExit(0)", "sitecustomize.py": "import os; os._exit(0)"}
    verdict = await run_check(any_sandbox, check, {"": "def double(x): return x", **forged})
    assert verdict.outcome is Outcome.REJECT


async def test_a_path_that_leaves_the_tree_is_rejected(any_sandbox: Sandbox, check: CheckSpec) -> None:
    assert check.folder is not None
    (check.folder / "out").symlink_to("/tmp")
    for path in ("../solution.py", "/solution.py", ".git/hooks/x", "out/x.py"):
        verdict = await run_check(any_sandbox, check, {path: "x"})
        assert (verdict.outcome, verdict.kind) == (Outcome.REJECT, "path"), path


@pytest.mark.parametrize(
    ("path", "trusted"),
    [
        ("test.py", True), ("sub/conftest.py", True), ("CONFTEST.PY", True), ("x.pth", True), ("pyproject.toml", True),
        ("solution.py", False), ("sub/test.py", False), ("tests/hidden.py", True),
    ],
)  # fmt: skip
def test_who_is_trusted(check: CheckSpec, path: str, trusted: bool) -> None:
    spec = CheckSpec(name="u", command=check.command, folder=check.folder, trusted=("tests/*",))
    assert is_trusted(spec, PurePosixPath(path)) is trusted


def test_evidence_is_compact() -> None:
    assert compact(b"\x1b[31mred\x1b[0m\r\n=====\n\n  two  \n\x00") == "red\n  two"
    assert len(compact(b"x" * 100_000)) == 2000
    assert compact("ä€".encode()[:-1]) == "ä�"


@given(st.binary(max_size=5000))
def test_evidence_of_anything_is_text(output: bytes) -> None:
    text = compact(output)
    assert len(text) <= 2000
    assert "\x1b" not in text
    text.encode()


def test_the_default_limits_are_finite() -> None:
    assert Limits().memory_bytes > 0
