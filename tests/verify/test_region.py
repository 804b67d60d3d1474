"""The region of an edit in a long file."""

import ast
import random

from suffice.verify.parses import check
from suffice.verify.reading import Reading
from suffice.verify.region import LONG, region
from suffice.verify.view import AnswerView, AskView, ToolCall

UNIT = 'import os\n\n\n@cached\n@other\ndef f{n}(a, b):\n    """Add."""\n    if a:\n        return a - b + {n}\n    return b\n\n\n'
FILE = "".join(UNIT.format(n=n) for n in range(300))


def test_the_region_is_the_definition_around_the_change() -> None:
    after = FILE.replace("return a - b + 150", "return a + b + 150")
    found = region(FILE, after)
    assert "return a + b + 150" in found
    assert len(found) < 600
    assert ast.parse(found)
    assert found.startswith(("@cached", "import"))


def test_any_single_edit_lies_in_its_region_which_parses_when_the_file_does() -> None:
    rng = random.Random(7)
    lines = FILE.split("\n")
    for _ in range(60):
        at = rng.randrange(len(lines))
        new = [*lines]
        new[at : at + rng.randrange(3)] = rng.choice((["x = 1"], ["    y = 2", ""], [], ["def g(:"]))
        after = "\n".join(new)
        found = region(FILE, after)
        assert after == FILE or not found or found.rstrip("\n") in after
        if "def g(:" in after and found:
            assert "def g(:" in found


def test_short_files_and_changes_all_over_have_none() -> None:
    assert region("x = 1\n", "x = 2\n") == ""
    assert region(FILE, FILE.replace("return b", "return a")) == ""
    assert len(FILE) > LONG


def test_a_long_file_is_judged_by_its_region_and_rejected_only_as_a_whole() -> None:
    def verdict(new: str):
        call = ToolCall(
            name="edit", arguments=f'{{"path": "a.py", "old_string": "return a - b + 150", "new_string": "{new}"}}'
        )
        return check(Reading(AnswerView(tool_calls=(call,)), AskView(files={"a.py": FILE})))

    assert verdict("return a + b").outcome.value == "accept"
    assert verdict("return (a + b").rejected
