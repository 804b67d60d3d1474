from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from suffice.testing.chat import Identity
from suffice.testing.embeddings import body, vector
from suffice.testing.script import Behaviour, Call, Usage


def made(behaviour: Behaviour | None = None, **fields: Any) -> Any:
    call = Call(method="POST", path="/v1/embeddings", model="m", stream=False, body=b"", parsed=fields)
    return json.loads(body(behaviour or Behaviour(), call, Identity("i", 0, "m"), 3))


def test_base64_says_the_same_as_floats() -> None:
    plain = made(input=["x", "y"])["data"]
    packed = made(input=["x", "y"], encoding_format="base64")["data"]
    for a, b in zip(plain, packed, strict=True):
        assert list(struct.unpack("<16f", base64.b64decode(b["embedding"]))) == pytest.approx(a["embedding"], abs=0)


def test_length_one_and_wanted_dimensions() -> None:
    assert sum(v * v for v in vector("x", 64)) == pytest.approx(1.0, abs=1e-5)
    assert len(made(input="x", dimensions=64)["data"][0]["embedding"]) == 64


def test_tokens_are_one_input_and_lists_of_tokens_a_batch() -> None:
    assert len(made(input=[1, 2, 3])["data"]) == 1
    assert len(made(input=[[1], [2]])["data"]) == 2
    assert len(made()["data"]) == 1


def test_usage_can_be_left_out() -> None:
    assert made(input="x")["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert "usage" not in made(Behaviour(usage=Usage(where="none")), input="x")
