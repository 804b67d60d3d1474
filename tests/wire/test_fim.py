from __future__ import annotations

import json
from typing import Any

import pytest

from suffice.errors import RequestError
from suffice.wire.fim import FimFile, FimRequest, Shape, decode, is_fim


def read(shape: Shape, **body: Any) -> FimRequest:
    return decode(shape, json.dumps(body).encode())


def test_a_completion_with_suffix() -> None:
    request = read(
        "completions", model="m", prompt="a", suffix="b", max_tokens=9, stop="x", temperature=0.1, stream=True, user="u"
    )
    assert request == FimRequest(
        shape="completions",
        model="m",
        prefix="a",
        suffix="b",
        max_tokens=9,
        stop=("x",),
        temperature=0.1,
        stream=True,
        include_usage=False,
        extra={"user": "u"},
    )


def test_mistrals_shape() -> None:
    request = read(
        "fim", model="codestral-latest", prompt="a", suffix="", min_tokens=1, random_seed=4, stop=["\n\n"], top_p=0.9
    )
    assert (request.prefix, request.suffix, request.min_tokens, request.seed) == ("a", "", 1, 4)
    assert (request.stop, request.top_p, request.include_usage) == (("\n\n",), 0.9, True)


def test_llamas_shape() -> None:
    request = read(
        "infill",
        input_prefix="a\n",
        input_suffix="b",
        prompt="  re",
        input_extra=[{"filename": "x.py", "text": "X"}],
        n_predict=-1,
        n_indent=4,
        samplers=["top_k"],
        response_fields=["content"],
    )
    assert (request.prefix, request.line, request.suffix, request.max_tokens) == ("a\n  re", "  re", "b", None)
    assert request.files == (FimFile(name="x.py", text="X"),)
    assert request.fields == ("content",)
    assert request.extra == {"n_indent": 4, "samplers": ["top_k"]}
    assert read("infill", n_predict=0).warm_up
    assert not request.warm_up


def test_a_prompt_in_a_template_is_taken_apart() -> None:
    prompt = "<|fim_prefix|>def add(a,b):\n    <|fim_suffix|>\n<|fim_middle|>"
    request = read("completions", model="m", prompt=prompt)
    assert (request.family, request.prefix, request.suffix) == ("qwen", "def add(a,b):\n    ", "\n")
    more = "<|repo_name|>r<|file_sep|>x.py\nX<|file_sep|>" + prompt
    request = read("completions", model="m", prompt=more)
    assert (request.family, request.raw, request.prefix) == ("qwen", more, "")


@pytest.mark.parametrize(
    ("body", "fim"),
    [
        ({"prompt": "a", "suffix": "b"}, True),
        ({"prompt": "[SUFFIX]b[PREFIX]a"}, True),
        ({"prompt": "once upon"}, False),
        ({"prompt": ["a"]}, False),
        ({"prompt": "a", "suffix": ""}, False),
    ],
)
def test_which_completions_are_ours(body: dict[str, Any], fim: bool) -> None:
    assert is_fim(body) is fim


@pytest.mark.parametrize(
    ("shape", "body", "field"),
    [
        ("completions", {"prompt": "a"}, "suffix"),
        ("completions", {"prompt": ["a", "b"], "suffix": "c"}, "prompt"),
        ("fim", {"prompt": "a", "suffix": 1}, "suffix"),
        ("fim", {"prompt": "a", "max_tokens": -1}, "max_tokens"),
        ("completions", {"prompt": "a", "suffix": "b", "n": 2}, "n"),
        ("infill", {"input_extra": {}}, "input_extra"),
        ("infill", {"n_predict": "many"}, "n_predict"),
    ],
)
def test_bad_fields_are_named(shape: Shape, body: dict[str, Any], field: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(shape, **body)
    assert caught.value.param == field
