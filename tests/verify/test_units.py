from suffice.verify import grammars, syntax, units
from suffice.verify.python_code import Status


def test_units_are_split_only_where_nothing_is_open():
    code = "function a() {\n  x();\n\n  y();\n}\n\nfunction b() {\n}\n\n\nconst c = [\n1,\n\n2];\n"
    assert [part.split("\n", 1)[0] for part in units.units(code)] == ["function a() {", "function b() {", "const c = ["]
    assert "".join(units.units(code)).rstrip() == code.rstrip()


def test_a_broken_unit_is_not_excused_by_its_neighbours():
    good, bad = "function a() {\n  return 1;\n}\n", "function b() {\n  return = 2;\n}\n"
    assert units.each_parses(f"{good}\n{good}", "javascript")
    assert not units.each_parses(f"{good}\n{bad}", "javascript")
    assert not units.each_parses(bad, "javascript")


def test_a_file_that_the_grammar_loses_its_way_in_is_read_in_parts():
    one = (
        "function rank(hand: Hand): Score {\n  if (groups[0].count === 3 && groups[1].count === 2) {\n    return {\n"
        "      kind: 1\n    }\n  }\n  return {\n    kind: 0\n  }\n}\n"
    )
    two = "use App\\Models\\Flight;\n\n'index' => [\n    1,\n],\n"
    assert grammars.fault(two, "php_only") is not None
    assert syntax.parse(two, "php").status is Status.GOOD
    assert syntax.parse(one, "typescript").status is Status.GOOD
