from suffice.wire import responses_tools
from suffice.wire.disguise import Disguise
from suffice.wire.neutral import ServerTool, Tool, ToolChoice

ROWS = [
    {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": False},
    {
        "type": "custom",
        "name": "apply_patch",
        "description": "p",
        "format": {"type": "grammar", "syntax": "lark", "definition": "s: x"},
    },
    {"type": "custom", "name": "free", "description": "", "format": {"type": "text"}},
    {
        "type": "namespace",
        "name": "ns",
        "description": "about",
        "tools": [
            {
                "type": "function",
                "name": "a",
                "description": "",
                "parameters": {},
                "strict": None,
                "defer_loading": True,
            },
            {"type": "function", "name": "b", "description": "x", "parameters": None, "strict": True},
        ],
    },
    {"type": "tool_search", "execution": "client", "description": "find", "parameters": {"type": "object"}},
    {"type": "web_search", "external_web_access": True},
]


def test_tools_are_declared_as_they_came() -> None:
    tools = responses_tools.read(ROWS)
    expected = [dict(row) for row in ROWS]
    expected[3] = expected[3] | {"tools": [dict(ROWS[3]["tools"][0], description=None), ROWS[3]["tools"][1]]}
    assert responses_tools.native(tools) == expected


def test_a_provider_of_functions_gets_functions() -> None:
    tools = responses_tools.read(ROWS)
    disguise = Disguise(tools)
    rows = responses_tools.plain(tools, disguise)
    assert [row["name"] for row in rows] == ["f", "apply_patch", "free", "ns__a", "ns__b", "tool_search"]
    assert {row["type"] for row in rows} == {"function"}
    assert disguise.emulation().custom == {"apply_patch", "free"}
    assert disguise.emulation().names == {"ns__a": ("ns", "a"), "ns__b": ("ns", "b")}
    assert {(loss.kind, loss.field) for loss in disguise.losses} == {
        ("emulated", "tools.custom"),
        ("emulated", "tools.namespace"),
        ("dropped", "tools.web_search"),
    }


def test_hosted_and_foreign_tools() -> None:
    foreign = ServerTool(dialect="messages", value={"type": "bash"}, name="bash")
    assert responses_tools.native((foreign,)) == []
    assert responses_tools.read([{"type": "tool_search"}]) == (
        ServerTool(dialect="responses", value={"type": "tool_search"}, name="tool_search"),
    )


def test_loaded_tools_are_callable_and_not_declared_again() -> None:
    found = responses_tools.loaded(ROWS[3:4])
    assert [tool.name for tool in found] == ["a", "b"]
    assert responses_tools.native(tuple(found)) == []
    assert responses_tools.found(ROWS[3:4]).endswith("ns__a, ns__b")
    assert responses_tools.found([]) == "No tools found."


def test_choices_go_both_ways() -> None:
    for choice in (
        ToolChoice(mode="auto"),
        ToolChoice(mode="none"),
        ToolChoice(mode="required"),
        ToolChoice(mode="tool", name="f"),
        ToolChoice(mode="tool", name="p", kind="custom"),
        ToolChoice(mode="allowed", names=("a", "b"), required=True),
    ):
        assert responses_tools.read_choice(responses_tools.write_choice(choice)) == choice
    assert responses_tools.read_choice({"type": "web_search"}) is None
    assert responses_tools.write_choice(None) is None


def test_only_the_clients_own_search_is_one() -> None:
    tools = responses_tools.read(ROWS)
    assert responses_tools.is_search(tools, "tool_search")
    assert not responses_tools.is_search((Tool(name="tool_search"),), "tool_search")
