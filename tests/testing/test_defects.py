import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.testing.defects import KINDS, break_code
from suffice.testing.seeded import Seeded

CODE = """def largest(values):
    best = values[0]
    for v in values:
        if v > best:
            best = v
    return best
"""


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32))
def test_every_kind_changes_the_code_and_repeats_itself(kind: str, seed: int):
    broken = break_code(CODE, kind, Seeded(seed))
    assert broken != CODE
    assert broken == break_code(CODE, kind, Seeded(seed))


@given(st.integers(0, 2**32))
def test_wrong_logic_still_parses(seed: int):
    ast.parse(break_code(CODE, "logic", Seeded(seed)))


def test_wrong_logic_fails_some_test():
    wrong = 0
    for seed in range(20):
        space: dict[str, object] = {}
        exec(break_code(CODE, "logic", Seeded(seed)), space)  # our own code, changed by ourselves
        try:
            wrong += space["largest"]([3, 9, 4]) != 9  # type: ignore[operator]
        except Exception:
            wrong += 1
    assert wrong > 5


def test_a_removed_bracket_does_not_parse():
    broken = [break_code(CODE, "syntax", Seeded(seed)) for seed in range(10)]
    assert sum(not _parses(code) for code in broken) >= 8


def _parses(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True
