from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.scan import RULES, scan


def test_balanced_with_strings_and_comments():
    assert scan("f(\"(\", '[') // {\n/* ( */ g[0]", "java").balanced
    assert scan('x = """\n(\n"""  # [\n', "python").balanced


def test_what_is_left_open():
    found = scan("def f(:\n    x = [1, {", "python")
    assert found.open == "([{" and found.at == 5 and not found.balanced


def test_what_is_closed_too_often():
    assert scan("a)", "go").extra == ")"


def test_the_end_inside_of_a_string_or_a_comment():
    assert scan("x = `abc", "go").inside == "string"
    assert scan("/* abc", "c").inside == "comment"
    assert scan('x = """abc', "python").inside == "string"


def test_escapes():
    assert scan(r'"\\" + "\"("', "java").balanced


def test_an_apostrophe_makes_it_unsure():
    assert not scan("it's a\nlifetime", "java").sure


def test_unknown_languages_are_not_scanned():
    assert scan("((((", "klingon") is None


@given(st.text(max_size=300), st.sampled_from(sorted(RULES)))
def test_never_raises(code, language):
    found = scan(code, language)
    assert found is not None and found.depth >= 0
