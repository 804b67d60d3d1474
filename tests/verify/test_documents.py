import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.documents import dockerfile, json_text, notebook, toml
from suffice.verify.python_code import Status

G, B, U = Status.GOOD, Status.BAD, Status.UNSURE


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"a": [1, 2]}', G),
        ('"a": 1,\n"b": 2', G),
        ('{"a": 1}\n{"a": 2}\n', G),
        ('{"a": 1, // comment\n}', U),
        ('{"a": [1, 2}', B),
        ('{"a": 1', B),
        ('{"a": "x\n', B),
        ('{"a" 1}', B),
        ("[" * 5000, U),
        ("1" * 6000, U),
    ],
)
def test_json(text, status):
    assert json_text(text).status is status


def cell(source):
    return json.dumps({"cells": [{"cell_type": "code", "source": [source]}], "metadata": {}, "nbformat": 4})


def test_notebooks():
    assert notebook(cell("%time x = 1\n")).status is G
    assert notebook(cell("x = (1\n")).status is B
    assert notebook("{}").status is B
    other = json.dumps(
        {"cells": [{"cell_type": "code", "source": "x <- (1"}], "metadata": {"kernelspec": {"name": "ir"}}}
    )
    assert notebook(other).status is G


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("a = 1\n", G),
        ("a = [1,\n", B),
        ("a = \n", B),
        ("[a\nb = 1", B),
        ("...\na = 1\n", U),
        ("x = {\n a = 1,\n}\n", U),
    ],
)
def test_toml(text, status):
    assert toml(text).status is status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('FROM\truby:alpine\nRUN\tapk add \\\n\tgit\nENTRYPOINT\t[ "az" ]\n', Status.GOOD),
        ("FROM a\nRUN x \\\n  && y\n", G),
        ("FROM a\nRUN <<EOF\nanything\nEOF\n", G),
        ("# escape=`\nFROM a\nRUN x `\n  y\n", G),
        ("FROM a\nRUN x && \\\n", B),
        ("FROM a\nRUN <<EOF\nanything\n", B),
        ("FROM a\nINSTALL x\n", B),
        ("FROM\n", B),
        ('FROM a\nCMD ["x", "y"\n', B),
    ],
)
def test_dockerfiles(text, status):
    assert dockerfile(text).status is status


@given(st.text(max_size=200))
def test_never_raises(text):
    for read in (json_text, notebook, toml, dockerfile):
        read(text)
