import re

from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.disguise import Disguise, shaped_id, unwrap_input, wrap_input
from suffice.wire.neutral import Tool


@given(st.text(max_size=80))
def test_ids_have_the_shape_and_stay_once_they_have_it(call_id):
    nine = shaped_id(call_id, "alnum9")
    plain = shaped_id(call_id, "anthropic")
    assert re.fullmatch(r"[A-Za-z0-9]{9}", nine) and shaped_id(nine, "alnum9") == nine
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", plain) and shaped_id(plain, "anthropic") == plain
    assert shaped_id(call_id, "any") == call_id


@given(st.text())
def test_a_custom_tools_input_comes_back_as_it_was(text):
    assert unwrap_input(wrap_input(text)) == text


def test_free_text_that_a_model_wrote_without_the_wrapping_is_taken_as_it_is():
    assert unwrap_input("*** Begin Patch") == "*** Begin Patch"
    assert unwrap_input('{"patch":"x"}') == "x"
    assert unwrap_input('"x"') == "x"
    assert unwrap_input('{"a":1,"b":2}') == '{"a":1,"b":2}'


def test_names_are_flattened_without_taking_one_that_is_there():
    disguise = Disguise((Tool(name="fs__read"), Tool(name="read", namespace="fs")))
    assert disguise.name("read") == "read"
    taken = disguise.name("read", "fs")
    assert taken != "fs__read" and disguise.name("read", "fs") == taken
    long = disguise.name("x" * 200)
    odd = disguise.name("mcp.tool/1")
    assert len(long) <= 64 and odd == "mcp_tool_1"
    assert disguise.emulation().names == {taken: ("fs", "read"), long: ("", "x" * 200), odd: ("", "mcp.tool/1")}
