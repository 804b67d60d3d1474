import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify import markup


def test_parts_and_their_languages():
    page = (
        '<script setup lang="ts">let a: number = 1;</script>\n<style lang="scss">a { }</style><script '
        'type="application/json">{}</script>'
    )
    assert [part.language for part in markup.parts(page)] == ["typescript", "scss", "json"]


def test_an_open_part():
    assert not markup.parts("<script>\nlet a")[0].closed


@pytest.mark.parametrize(
    ("page", "left"),
    [
        ("<div><p>a<br></div>", ()),
        ("<div><ul><li>a", ("div", "ul")),
        ("<!-- <div> --><b>x</b>", ()),
        ("<!-- a", ("!--",)),
        ('<div title="a > b"><Foo></div>', ()),
        ("<button onclick={() => x > 1}>a</button>", ()),
        ("a < b", ()),
    ],
)
def test_unclosed(page, left):
    assert markup.unclosed(page) == left


def test_the_end_inside_of_a_tag():
    assert markup.broken_tail('<div class="a') and markup.broken_tail("x <di") and not markup.broken_tail("a < b")


def test_svelte_blocks():
    assert markup.open_blocks("{#if a}x") and not markup.open_blocks("{#if a}x{/if}")


@given(st.text(alphabet="<>/!-\"' {}=abdiv\n", max_size=200))
def test_never_raises(page):
    markup.parts(page)
    markup.unclosed(page)
    markup.broken_tail(page)
