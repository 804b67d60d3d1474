from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify import grammars, syntax
from suffice.verify.extract import Code
from suffice.verify.python_code import Status

SNIPPETS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "snippets").glob("*.txt"))}
BROKEN = {
    "javascript": ["const a = ;\n", "function f( {\n}\n", "if (x) { y(\n", "let x = = 1;\n"],
    "typescript": ["interface A { b: string\n", "const a: = 1;\n", "function f(x: number {}\n"],
    "tsx": ["const a = <div><b></div>;\n", "const f = () => { return <a>\n"],
    "go": ["package a\nfunc f( int {\n}\n", "package a\nfunc f() {\n\tx := \n}\n", "package a\nfunc f() {\n"],
    "rust": ["fn f( -> u8 { 1 }\n", "fn f() { let x = ; }\n", "struct A { x: u8\n"],
    "java": ["class A { void f( { } }\n", "class A { int x = ; }\n", "class A { void f() {\n"],
    "kotlin": ["fun f( { }\n", "val x = = 1\n", "class A { fun f() {\n"],
    "swift": ["func f( { }\n", "let x = = 1\n", "class A { func f() {\n"],
    "c": ["int f( { return 1; }\n", "int x = ;\n", "int f(void) {\n  return 1;\n"],
    "cpp": ["int f( { return 1; }\n", "int x = ;\n", "class A {\n  int f() { return 1; }\n"],
    "csharp": ["class A { void F( { } }\n", "class A { int x = ; }\n", "class A { void F() {\n"],
    "ruby": ["def f(\n  1\nend\n", "class A\n  def f\n    1\n", "x = = 1\n"],
    "php": ["<?php function f( { }\n", "<?php $x = ;\n", "<?php class A { function f() {\n"],
    "scala": ["object A { def f( = 1 }\n", "object A {\n  def f = {\n"],
    "lua": ["function f(\n  return 1\nend\n", "local x = = 1\n", "function f()\n  return 1\n"],
    "css": ["a { color: red;\n", "a { color: }\n.b { { }\n"],
    "html": ["<div><p>a</p>\n", "<html><body><script>let a = (;</script></body></html>\n"],
    "vue": ["<template><div>\n</template>\n", "<script>\nlet a = (1;\n</script>\n"],
    "svelte": ["<script>let a = ;</script>\n", "{#if a}\n<p>x</p>\n"],
    "hcl": ['resource "a" "b" {\n  c = 1\n', "a = = 1\n"],
    "sql": ["SELECT (1 FROM a;\n", "CREATE TABLE a (b INT,\n"],
    "yaml": ["a: [1, 2\nb: 1\n", 'a: "b\nc: d\n'],
    "bash": ['if [ -f x ]; then\n  echo "y"\n', "for x in a b; do\n  echo $x\n", "echo $(ls\n"],
    "json": ['{"a": 1,, "b": 2}', '{"a": [1}'],
    "toml": ["a = = 1\n"],
    "python": ["def f(:\n    pass\n"],
    "dockerfile": ["FORM python\n"],
}


def test_every_grammar_has_a_snippet():
    assert set(grammars.WHEELS) - {"php_only"} <= set(SNIPPETS)


@pytest.mark.parametrize("language", sorted(SNIPPETS))
def test_modern_code_is_good(language):
    assert syntax.parse(SNIPPETS[language], language).status is not Status.BAD
    if language != "css":
        assert syntax.parse(SNIPPETS[language], language).status is Status.GOOD


@pytest.mark.parametrize(("language", "code"), [(lang, code) for lang, codes in BROKEN.items() for code in codes])
def test_broken_code_is_bad(language, code):
    assert syntax.parse(code, language).status is Status.BAD


@pytest.mark.parametrize("language", ["klingon", "", "cobol", "haskell", "elixir", "zig", "text"])
def test_a_language_without_a_parser_is_unsure(language):
    assert syntax.parse("(((", language).status is Status.UNSURE


def test_binary_and_huge_code_is_unsure():
    assert syntax.parse("a\0b", "python").status is Status.UNSURE
    assert syntax.parse("x = (\n" * 200_000, "python").status is Status.UNSURE


def test_types_under_the_name_of_javascript():
    assert syntax.parse("const a: number = 1;\n", "javascript").status is Status.GOOD
    assert syntax.parse("const a = <div/>;\n", "typescript").status is Status.GOOD


def test_templates_and_holes_are_unsure():
    assert syntax.parse("const a = {{ value }};\nlet {% if x %}\n", "javascript").status is Status.UNSURE
    assert syntax.parse("function f() {\n  ...\n}\n", "javascript").status is Status.UNSURE


def test_a_fence_line_inside_of_the_code():
    piece = Code(text='x = """\n', language="python", wider=('x = """\n```\n"""\n',))
    assert syntax.parse_piece(piece).status is Status.GOOD


def test_the_continuation_of_the_ask():
    head = "int f(int x) {\n"
    assert (
        syntax.parse_piece(Code(text="  if (x) { return 1; }\n  return 2; }\n", language="c"), (head,)).status
        is Status.GOOD
    )


@given(st.text(max_size=200), st.sampled_from(sorted(SNIPPETS)))
def test_never_raises(code, language):
    syntax.parse(code, language)


@given(st.data(), st.sampled_from(sorted(SNIPPETS)))
def test_never_raises_on_cut_and_spliced_code(data, language):
    code = SNIPPETS[language]
    at = data.draw(st.integers(0, len(code)))
    other = data.draw(st.integers(0, len(code)))
    syntax.parse(code[:at] + code[other:], language)


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("class A\n  def f(a)\n    a.gsub(/x/, 'y').map(&\n", "ruby"),
        ("class A\n  def f(a)\n    b = [\n    a.scan(/[(]/)\n  end\nend\n", "ruby"),
        ("require 'x'\n\nclass A\n  def f(a)\n    %w(a b))\n  end\nend\n", "ruby"),
        ("class A {\n    var a = =  true\n        private set\n}\n", "kotlin"),
        ("#!/bin/sh\nwhile a; do\n  echo ...\n", "bash"),
        ("f() {\n  if a; then\n    echo '...'\n}\n", "bash"),
    ],
)
def test_what_a_grammar_is_unsure_of_is_bad_where_its_own_tokens_say_so(code, language):
    assert syntax.parse(code, language).status is Status.BAD


@pytest.mark.parametrize(
    "code",
    [
        '@test "adds" {\n  run a\n  [ "$status" -eq 0 ]\n}\n',
        "  b\nfi\n",
        "a) b ;;\nc) d ;;\n",
        "ls -l\ntotal 4 (of 8)\n",
        "We don't know\n",
        "while true; do ...\n",
        "x=1\ncargo build <options> # more\n",
        "{{ prefix }}() {\n  a\n",
    ],
)
def test_a_part_of_a_script_and_what_is_none_are_not_bad(code):
    assert syntax.parse(code, "bash").status is not Status.BAD


@pytest.mark.parametrize(
    "code",
    [
        "#include <string.h>\n\nint f(int n)\n\n   int m = n;\n   for (;;) {\n      m++;\n   }\n   return m;\n}\n",
        "#ifndef P_H\n#define P_H\n\ntypedef enum {\n   GOOD = 1,\n   ERROR = -1\n)} kind;\n\n#endif\n",
    ],
)
def test_a_whole_file_is_no_rest_of_a_body_and_closes_what_it_opens(code):
    assert syntax.parse(code, "c").status is Status.BAD
