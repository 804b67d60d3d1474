import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.decision.events import Kind, read, read_all, signature

PYTEST = """F.                                                            [100%]
=================================== FAILURES ===================================
    def test_add():
>       assert add(1, 2) == 3
E       assert -1 == 3
calc_test.py:4: AssertionError
=========================== short test summary info ============================
FAILED calc_test.py::test_add - assert -1 == 3
1 failed, 1 passed in 0.02s
"""
OUTPUTS = [
    (PYTEST, Kind.TESTS_FAILED, "pytest"),
    ("=========== 2 failed, 3 passed, 1 warning in 1.20s ===========", Kind.TESTS_FAILED, "pytest"),
    ("=========== 1 error in 0.10s ===========", Kind.TESTS_FAILED, "pytest"),
    ("..\n2 passed in 0.01s", Kind.TESTS_PASSED, "pytest"),
    ("==== 12 passed, 1 skipped, 2 warnings in 61.20s (0:01:01) ====", Kind.TESTS_PASSED, "pytest"),
    ("Ran 2 tests in 0.001s\n\nFAILED (failures=1)", Kind.TESTS_FAILED, "unittest"),
    ("----\nRan 2 tests in 0.001s\n\nOK", Kind.TESTS_PASSED, "unittest"),
    ("Test Suites: 1 failed, 1 total\nTests:       1 failed, 4 passed, 5 total", Kind.TESTS_FAILED, "jest"),
    ("Tests:       4 passed, 4 total\nTime: 1 s", Kind.TESTS_PASSED, "jest"),
    (" Test Files  1 failed (1)\n      Tests  1 failed | 2 passed (3)", Kind.TESTS_FAILED, "vitest"),
    (" Test Files  1 passed (1)\n      Tests  3 passed (3)", Kind.TESTS_PASSED, "vitest"),
    ("  3 passing (12ms)\n  1 failing\n\n  1) adds:", Kind.TESTS_FAILED, "mocha"),
    ("\n  3 passing (12ms)\n", Kind.TESTS_PASSED, "mocha"),
    ("--- FAIL: TestAdd (0.00s)\n    calc_test.go:9: got -1\nFAIL\nFAIL\tcalc\t0.002s", Kind.TESTS_FAILED, "go test"),
    ("ok  \tcalc\t0.002s", Kind.TESTS_PASSED, "go test"),
    ("test result: FAILED. 1 passed; 1 failed; 0 ignored", Kind.TESTS_FAILED, "cargo test"),
    ("test result: ok. 2 passed; 0 failed; 0 ignored", Kind.TESTS_PASSED, "cargo test"),
    ("[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0", Kind.TESTS_FAILED, "maven"),
    ("[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0", Kind.TESTS_PASSED, "maven"),
    ("3 tests completed, 1 failed", Kind.TESTS_FAILED, "gradle"),
    ("src/a.ts(3,5): error TS2322: Type 'string' is not assignable", Kind.BUILD_FAILED, "tsc"),
    ("src/a.ts:3:5 - error TS2322: Type 'string'", Kind.BUILD_FAILED, "tsc"),
    ("a.py:3: error: Incompatible types\nFound 1 error in 1 file (checked 1 source file)", Kind.BUILD_FAILED, "mypy"),
    ("Success: no issues found in 3 source files", Kind.BUILD_PASSED, "mypy"),
    ("error[E0308]: mismatched types\nerror: could not compile `calc` (lib)", Kind.BUILD_FAILED, "cargo"),
    ("./main.go:3:5: undefined: x", Kind.BUILD_FAILED, "go"),
    ("[INFO] BUILD FAILURE", Kind.BUILD_FAILED, "maven"),
    ("BUILD FAILED in 2s", Kind.BUILD_FAILED, "gradle"),
    ("BUILD SUCCESSFUL in 2s", Kind.BUILD_PASSED, "gradle"),
    ("src/Main.java:3: error: ';' expected", Kind.BUILD_FAILED, "javac"),
    ("main.c:3:5: error: expected ';'", Kind.BUILD_FAILED, "compiler"),
    ("Program.cs(3,5): error CS1002: ; expected", Kind.BUILD_FAILED, "dotnet"),
    ("F401 unused\nFound 2 errors.", Kind.LINT_FAILED, "ruff"),
    ("✖ 3 problems (2 errors, 1 warning)", Kind.LINT_FAILED, "eslint"),
    ('Traceback (most recent call last):\n  File "a.py", line 1\nKeyError: 3', Kind.ERROR, "python"),
    ("TypeError: x is not a function\n    at f (/a.js:1:2)", Kind.ERROR, "javascript"),
    ('Exception in thread "main" java.lang.NullPointerException', Kind.ERROR, "java"),
    ("panic: runtime error: index out of range\n\ngoroutine 1 [running]:", Kind.ERROR, "go"),
    ("thread 'main' panicked at src/main.rs:2:5:", Kind.ERROR, "rust"),
    ("No replacement was performed, old_str `a` did not appear verbatim in calc.py.", Kind.EDIT_FAILED, "edit"),
    ("<tool_use_error>String to replace not found in file.", Kind.EDIT_FAILED, "edit"),
    ("Failed to find expected lines in calc.py:", Kind.EDIT_FAILED, "edit"),
    ("error: patch failed: calc.py:3\nerror: calc.py: patch does not apply", Kind.EDIT_FAILED, "edit"),
    ("patching file calc.py\nHunk #1 FAILED at 3.", Kind.EDIT_FAILED, "edit"),
]


@pytest.mark.parametrize(("text", "kind", "tool"), OUTPUTS)
def test_what_each_tool_prints(text: str, kind: Kind, tool: str) -> None:
    (event,) = [e for e in read(text) if e.kind is kind]
    assert event.tool == tool
    assert read(text.replace("\n", "\r\n")) == read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The tests failed yesterday, 3 failed in total; we saw an error: nothing.",
        "def test_failed():\n    raise ValueError('old_str not found')\n",
        "# Errors\n\nIf the patch failed, try again. FAILED is printed.",
        "calc.py\ntest_calc.py\n",
        "x = 'Traceback (most recent call last):'",
    ],
)
def test_prose_and_sources_are_no_events(text: str) -> None:
    assert read(text) == ()


def test_the_summary_at_the_end_of_a_long_output_is_found() -> None:
    assert [e.kind for e in read("line\n" * 50_000 + "1 failed in 0.01s")] == [Kind.TESTS_FAILED]


def test_the_same_failure_has_the_same_signature_whatever_its_numbers() -> None:
    later = PYTEST.replace("0.02s", "0.31s").replace("calc_test.py:4", "calc_test.py:9")
    assert signature(PYTEST) == signature(later) == "assert -# == #"
    assert signature("KeyError: 3") != signature("TypeError: 3")


def test_results_of_a_turn_are_read_in_order() -> None:
    assert [e.kind for e in read_all(["1 failed in 0.01s", "2 passed in 0.01s"])] == [
        Kind.TESTS_FAILED,
        Kind.TESTS_PASSED,
    ]


lines = st.lists(st.one_of(st.text(max_size=40), st.sampled_from([t for t, _, _ in OUTPUTS])), max_size=8)


@given(lines)
def test_any_text_is_read_and_nothing_long_is_kept(parts: list[str]) -> None:
    for event in read("\n".join(parts)):
        assert len(event.signature) <= 160
        assert "\n" not in event.signature
