import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify import shell

PIECES = st.sampled_from([
    "if", " ", " ", "\n", ";", "then", "fi", "do", "done", "for x in", "while", "case", "in", "esac", "a", "b=", "'", '"', "$(", ")", "(",
    "${", "}", "{", "((", "))", "$((", "`", "[[", "]]", "[", "]", "\\", "#", "|", "&&", "<<E\n", "\nE\n", ">", "<", "<(", "=~", "!", "&",
    ";;", "f()", "$", "é",
])  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_is_read_to_a_verdict(code):
    assert isinstance(shell.read(code), bool | shell.Fault)


@pytest.mark.parametrize(
    ("word", "whole"),
    [
        ("a'b c'\"d e\"$(f g)`h i` x", "a'b c'\"d e\"$(f g)`h i`"),
        ("a=(1 2)b x", "a=(1 2)b"),
        ("${a:-b c}\\ d;e", "${a:-b c}\\ d"),
        ("<(a b)c d", "<(a b)c"),
        ("a[1 + 2]=b c", "a[1 + 2]=b"),
        ("a[1 b", "a[1"),
        ("$((1 + (2)))x y", "$((1 + (2)))x"),
        ('"$$((1" $#(', '"$$((1"'),
        (" a", ""),
    ],
)
def test_a_word_ends_where_the_shell_ends_it(word, whole):
    assert shell._Reader(word).word() == whole
