from suffice.values.verdict import Outcome
from suffice.verify import edits
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView

FILES = {"a.py": "x = 1\ny = 2\n"}


def check(old, path="a.py"):
    text = f"{path}\n<<<<<<< SEARCH\n{old}\n=======\nz = 3\n>>>>>>> REPLACE\n"
    return edits.check(Reading(AnswerView(text=text), AskView(files=FILES)))


def test_an_edit_that_applies():
    assert check("y = 2").outcome is Outcome.ACCEPT


def test_an_edit_that_does_not():
    found = check("x = 1\ny = 3")
    assert found.rejected and found.kind == "not-applying" and "a.py" in found.reason and "y = 2" in found.evidence


def test_unknown_files_and_no_edit():
    assert check("y = 2", "b.py").outcome is Outcome.UNKNOWN
    assert edits.check(Reading(AnswerView(text="hi"), AskView())).outcome is Outcome.UNKNOWN
