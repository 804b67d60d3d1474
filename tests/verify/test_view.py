from suffice.verify.view import AnswerView, AskView, ToolCall


def test_an_empty_view_says_nothing():
    ask = AskView()
    assert ask.files == {} and ask.requested == () and ask.context_whole and not ask.whole_code
    assert AnswerView().text == "" and ToolCall(name="x").arguments == "{}"


def test_views_are_values():
    assert AnswerView(text="a") == AnswerView(text="a")
    assert hash(ToolCall(name="x")) == hash(ToolCall(name="x"))
