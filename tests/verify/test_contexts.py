import re

import pytest

from suffice.verify import contexts, grammars, syntax
from suffice.verify.python_code import Status

FRAGMENTS = {
    "java": ["private int x = 1;\npublic int get() { return x; }", "int y = 1;\nreturn y;", "case 1:\n  break;\n"],
    "javascript": ["async get() { return 1; }", "a: 1,\nb() {},", "return x;"],
    "go": ["x := 1\nreturn x", 'Name string `json:"name"`'],
    "rust": ["fn get(&self) -> u8 { self.x }", "Some(x) => x,\nNone => 0,"],
    "c": ["int x = 1;\nreturn x;"],
    "cpp": ["public:\n  int x;\n  A() : x(1) {}"],
    "csharp": ["public int X { get; set; }", "return x;"],
    "css": ["color: red;\nmargin: 0;"],
    "hcl": ["{ a = 1 }", "a = 1\nb = 2"],
    "ruby": ["return 1 unless x"],
    "php": ["public function x(): int { return 1; }", "$x = 1;\nreturn $x;"],
    "kotlin": ["override fun x(): Int = 1", "return x"],
    "swift": ["func x() -> Int { 1 }", "return x"],
    "scala": ["override def x: Int = 1"],
}


@pytest.mark.parametrize(("language", "code"), [(lang, code) for lang, codes in FRAGMENTS.items() for code in codes])
def test_fragments_are_good(language, code):
    assert syntax.parse(code, language).status is Status.GOOD


@pytest.mark.parametrize("language", sorted(contexts.SURROUNDINGS))
def test_no_surrounding_repairs_a_missing_bracket(language):
    code = {"ruby": "def f\n  (1\n"}.get(language, "f(1, {\n")
    if language == "yaml":
        code = "a: {b: [1\n"
    assert grammars.fault(code, language) is not None
    for before, after in contexts.SURROUNDINGS[language]:
        assert grammars.fault(before + code + after, language) is not None, before


def test_the_rest_of_a_body():
    body = "    return number % 1.0;\n    }\n}"
    assert syntax.parse(body, "java").status is Status.GOOD
    assert syntax.parse("int f(int x)\n  return x;\n}\n", "cpp").status is not Status.GOOD
    assert contexts.heads_of_body("fn f()\n  x\n}", "rust", "}") == ()


def test_the_first_branch_of_a_conditional():
    code = "#if A\nint f() {\n#else\nint g() {\n#endif\n  return 1;\n}\n"
    assert re.sub(r"\n+", "\n", contexts.preprocessed(code)).strip() == "int f() {\n  return 1;\n}"
    assert syntax.parse(code, "c").status is Status.GOOD


def test_macros_are_never_held_against_the_code():
    for code in (
        "DECLARE_THING(x)\nvoid f() {}\n",
        "int MY_API f(void);\n",
        "class MY_EXPORT A { Q_OBJECT\npublic:\n  A();\n};\n",
    ):
        assert syntax.parse(code, "cpp").status is not Status.BAD
