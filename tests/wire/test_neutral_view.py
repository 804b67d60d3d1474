from suffice.wire.neutral import Image, Message, OutputFormat, Request, Text, Tool, ToolCall, ToolResult
from suffice.wire.neutral_view import neutral_view


def test_the_view_of_a_tool_loop():
    messages = (
        Message(role="user", parts=(Text(text="fix"), Image(data="AA==", media_type="image/png"))),
        Message(role="assistant", parts=(ToolCall(id="c", name="run"),)),
        Message(role="tool", parts=(ToolResult(call_id="c", parts=(Text(text="ok"),)),)),
    )
    request = Request(
        dialect="responses", model="m", system=(Message(role="system", parts=(Text(text="be"),)),), messages=messages,
        tools=(Tool(name="run"),), output=OutputFormat(kind="json"), max_output_tokens=9, stream=True,
    )  # fmt: skip
    view = neutral_view(request, 77)
    assert (view.model, view.system_text, view.first_user_text, view.asks) == ("m", "be", "fix", ("fix",))
    assert (view.tool_names, view.last_roles, view.tool_result_texts) == (
        ("run",),
        ("user", "assistant", "tool"),
        ("ok",),
    )
    assert view.has_images and view.structured and view.stream and (view.max_output_tokens, view.total_bytes) == (9, 77)


def test_an_empty_request():
    view = neutral_view(Request(dialect="gemini"), 2)
    assert (view.n_messages, view.asks, view.first_user_text, view.tool_result_texts) == (0, (), "", ())
