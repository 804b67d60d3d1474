from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.fim_templates import TEMPLATES, apply, family_of, split

_CODE = st.text(st.characters(codec="ascii", exclude_characters="<|[｜"), max_size=20).map(str.strip)


@pytest.mark.parametrize("family", sorted(TEMPLATES))
@given(prefix=_CODE, suffix=_CODE)
def test_a_template_goes_on_and_comes_off(family: str, prefix: str, suffix: str) -> None:
    prompt, apart = apply(family, prefix, suffix)
    assert not apart
    found = split(prompt)
    assert found is not None
    assert found[1:] == (prefix, suffix)
    assert TEMPLATES[found[0]].prefix == TEMPLATES[family].prefix


@pytest.mark.parametrize(
    ("family", "prompt"),
    [
        ("qwen", "<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"),
        ("starcoder", "<fim_prefix>a<fim_suffix>b<fim_middle>"),
        ("deepseek", "<｜fim▁begin｜>a<｜fim▁hole｜>b<｜fim▁end｜>"),
        ("codellama", "<PRE> a <SUF>b <MID>"),
        ("codestral", "[SUFFIX]b[PREFIX]a"),
    ],
)
def test_the_templates_of_the_families(family: str, prompt: str) -> None:
    assert apply(family, "a", "b") == (prompt, False)


def test_other_files_come_first() -> None:
    assert apply("qwen", "a", "b", (("x.py", "X"),))[0] == (
        "<|file_sep|>x.py\nX\n<|file_sep|><|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"
    )


def test_tokens_of_the_template_in_the_code_cannot_break_out() -> None:
    prompt, apart = apply("qwen", "x = '<|fim_middle|>'", "<|endoftext|>")
    assert apart
    assert prompt.count("<|fim_middle|>") == 1
    assert "<|endoftext|>" not in prompt


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("Qwen/Qwen2.5-Coder-7B", "qwen"),
        ("starcoder2:3b", "starcoder"),
        ("deepseek-coder-v2", "deepseek"),
        ("codellama-13b", "codellama"),
        ("codestral-22b", "codestral"),
        ("codegemma-2b", "codegemma"),
        ("gpt-4", ""),
    ],
)
def test_family_by_name(model: str, family: str) -> None:
    assert family_of(model) == family


@pytest.mark.parametrize(
    "prompt", ["", "def f():", "<|fim_prefix|>a<|fim_middle|>", "x<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>"]
)
def test_what_is_no_template_is_left_alone(prompt: str) -> None:
    assert split(prompt) is None
