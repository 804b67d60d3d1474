from suffice.config.locate import locate
from suffice.config.origin import NOWHERE, Origin, dotted
from suffice.config.secret import Secret

TEXT = "[a]\nb = 'hidden-value'\n[c]\nx = 1\u202e\x07\n"


def test_dotted_is_toml():
    assert dotted(("models", "a/b", "price", 1)) == 'models."a/b".price[1]'
    assert dotted(('q"',)) == '"q\\""'


def test_problem_is_placed_at_the_nearest_known_key():
    origin = Origin(
        file="f", lines=tuple(TEXT.split("\n")), places=locate("[a]\nb = 1\n"), secrets=(Secret("hidden-value"),)
    )
    found = origin.problem(("a", "b"), "m")
    assert (found.line, found.column, found.text) == (2, 5, "b = '***'")
    assert origin.problem(("a", "b"), "m", at_key=True).column == 1
    assert origin.problem(("a", "missing"), "m").line == 1
    assert origin.problem((), "m").line == 1


def test_control_characters_of_the_file_are_escaped():
    assert Origin(lines=tuple(TEXT.split("\n"))).line(4) == "x = 1\\u202e\\x07"
    assert Origin().line(1) == ""


def test_override_and_no_file():
    assert (
        Origin(overrides={("a", "b"): "SUFFICE_X"}).problem(("a", "b"), "m").place == "environment variable SUFFICE_X"
    )
    assert Origin().problem(("a",), "m").place == NOWHERE
