import pytest

from suffice.verify import languages


def test_fifty_languages_are_known_by_name():
    assert len(set(languages.CANONICAL.values())) >= 50


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Py", "python"),
        ("c++", "cpp"),
        ("C#", "csharp"),
        ("golang", "go"),
        ("tf", "hcl"),
        ("{.python}", "python"),
        ("sh", "bash"),
        ("klingon", ""),
    ],
)
def test_info_words(word, name):
    assert languages.canonical(word) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("src/a.PY", "python"),
        ("Dockerfile", "dockerfile"),
        ("x/Dockerfile.dev", "dockerfile"),
        ("a.d/README", ""),
        (".env", ""),
        ("a\\b.rs", "rust"),
        ("x.v", ""),
        ("tsconfig.json", "jsonc"),
    ],
)
def test_paths(path, name):
    assert languages.of_path(path) == name


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def f(x):\n    return x\n", "python"),
        ("package main\n", "go"),
        ("#include <vector>\n", "cpp"),
        ("fn main() {\n}\n", "rust"),
        ("<?php echo 1;", "php"),
        ("public class A {\n}", "java"),
        ("FROM python:3.12\n", "dockerfile"),
        ("Some words about code.", ""),
        ("[1, 2, 3]", ""),
    ],
)
def test_content(code, name):
    assert languages.of_content(code) == name


def test_unmistakable_needs_the_marks_of_one_language_only():
    assert languages.unmistakable("def f(x):\n    return x\n")
    assert not languages.unmistakable("hello world")


@pytest.mark.parametrize(
    ("ask", "untold"),
    [
        ("Reverse a string in Nim.", True),
        ("an F# function, please", True),
        ("use PowerShell", True),
        ("Reverse a string in Python.", False),
        ("the file main.nim.bak", False),
        ("a scheme-like table", False),
        ("Count the batch sizes of the naming scheme.", False),
        ("a Dart class for queues", True),
    ],
)
def test_asks_for_languages_that_no_code_is_recognised_as(ask, untold):
    assert languages.asks_untold(ask) is untold


def test_a_bare_require_may_be_of_two_languages():
    assert not languages.unmistakable('return require("luarocks.loader")\n')
    assert languages.unmistakable('const fs = require("fs");\n')
