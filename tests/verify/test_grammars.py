import pytest

from suffice.verify import grammars


@pytest.mark.parametrize("language", sorted(grammars.WHEELS))
def test_every_grammar_loads(language):
    assert grammars.parser(language) is not None


def test_a_missing_wheel_says_nothing(monkeypatch):
    monkeypatch.setitem(grammars.WHEELS, "nowhere", ("tree_sitter_nowhere", "language"))
    assert grammars.parser("nowhere") is None and grammars.fault("x", "nowhere") is False


def test_a_fault_names_its_row():
    found = grammars.fault("package a\n\nfunc f( {\n}\n", "go")
    assert isinstance(found, grammars.Fault) and found.row == 2


def test_good_code_has_no_fault():
    assert grammars.fault("const x = 1;\n", "javascript") is None


def test_too_large_is_not_judged():
    assert grammars.fault("x;" * 80_000, "javascript") is False


def test_damage_is_less_in_the_right_language():
    code = "public static class Sums\n{\n    public static int Of(this int[] xs) => xs.Sum();\n}\n"
    right, wrong = grammars.damage(code, "csharp"), grammars.damage(code, "java")
    assert right == 0 and wrong is not None and wrong > 0
    assert grammars.damage("x", "klingon") is None


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("x = y.scan(/[({]/) { |m| [m] }\n", ("", "")),
        ("def f\n  %w(a b)\nend\n", ("", "")),
        ('x = ["#{a}", /(/, ?(]\n', ("", "")),
        ("x = f([1, 2)\n", ("([", ")")),
    ],
)
def test_brackets_are_those_of_the_code_and_not_of_patterns(code, found):
    still_open, extra = grammars.brackets(code, "ruby")
    assert (still_open, extra) == found


def test_brackets_of_a_cut_text_are_open():
    assert grammars.brackets("class A\n  def f(a)\n    a.map { |b| g(b, [1,\n", "ruby") == ("{([", "")
