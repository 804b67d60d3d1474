import pytest

from suffice.values.verdict import Outcome
from suffice.verify import imports
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView


def check(code, language="python", **ask):
    return imports.check(Reading(AnswerView(text=f"```{language}\n{code}\n```"), AskView(**ask)))


def test_real_imports_are_accepted():
    assert check("import os, numpy\nfrom yaml import safe_load").outcome is Outcome.ACCEPT
    assert check("import React from 'react'", "jsx").outcome is Outcome.ACCEPT


def test_an_invented_import_is_rejected():
    found = check("from quick_array_toolset import sort")
    assert found.rejected and found.kind == "invented-import" and "quick_array_toolset" in found.reason


def test_a_lookalike_is_named():
    found = check("import requessts_zq")
    assert found.rejected
    near = check("import panadsa")
    assert near.kind in {"lookalike", "invented-import"} or near.outcome is not Outcome.REJECT


@pytest.mark.parametrize(
    "ask",
    [
        {"text": "Use quick_array_toolset."},
        {"context": "$ ls\nquick_array_toolset/"},
        {"files": {"quick_array_toolset/a.py": ""}},
        {"files": {"a.py": "import quick_array_toolset"}},
        {"context_whole": False},
    ],
)
def test_what_the_conversation_knows_is_not_invented(ask):
    assert not check("import quick_array_toolset", **ask).rejected


def test_a_module_that_the_answer_writes_is_not_invented():
    text = "quick_array_toolset.py\n```python\nx = 1\n```\nmain.py\n```python\nimport quick_array_toolset\n```\n"
    assert not imports.check(Reading(AnswerView(text=text), AskView())).rejected


@pytest.mark.parametrize("name", ["your_module", "my_app", "utils", "models", "solution", "config"])
def test_placeholders_are_not_rejected(name):
    assert not check(f"from {name} import x").rejected


def test_guarded_imports_are_not_rejected():
    assert not check("try:\n    import quick_array_toolset\nexcept ImportError:\n    pass").rejected


def test_an_install_command_tells_of_a_package():
    text = "```sh\npip install quick_array_toolset\n```\n```python\nimport quick_array_toolset\n```\n"
    assert not imports.check(Reading(AnswerView(text=text), AskView())).rejected


def test_languages_without_a_list_are_unknown():
    assert check("require 'quick_array_toolset'", "ruby").outcome is Outcome.UNKNOWN
