import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.think_tags import ThinkSplitter


def split(chunks):
    splitter = ThinkSplitter()
    pieces = [p for c in chunks for p in splitter.feed(c)] + splitter.close()
    return "".join(t for t, thinking in pieces if thinking), "".join(t for t, thinking in pieces if not thinking)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("<think>\nhm < 3</think>\n\nyes", "hm < 3", "yes"),
        ("<think>cut", "cut", ""),
        ("use <think> here</think>", "", "use <think> here</think>"),
        ("<thin", "", "<thin"),
        (" x", "", " x"),
        ("", "", ""),
    ],
)
def test_thinking_is_told_apart_wherever_the_text_is_cut(text, thought, said, step):
    assert split([text[i : i + step] for i in range(0, len(text), step)]) == (thought, said)


@given(st.text(alphabet="<think>/ab", max_size=30))
def test_text_that_does_not_begin_with_the_tag_is_untouched(text):
    if not text.lstrip().startswith("<think>"):
        assert split(list(text)) == ("", text)
