"""Answers of a fake llama.cpp server on `/infill`: whole answers and the events of a stream, which has no terminator.

The same scripts as of chat (`script.Behaviour`). Invariant: the text and the number of tokens are the same whether the answer is
streamed or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from suffice.testing.chat import Chunk, Identity, count, encode, pieces, prompt_count
from suffice.testing.script import Behaviour, Call


def _last(behaviour: Behaviour, call: Call, identity: Identity, text: str) -> dict[str, Any]:
    prompt, cached = prompt_count(behaviour, call), behaviour.cached_tokens
    tokens = count(behaviour)[0]
    cut = behaviour.finish_reason == "length"
    return {
        "index": 0,
        "content": text,
        "stop": True,
        "model": identity.model,
        "tokens_predicted": tokens,
        "tokens_evaluated": prompt,
        "tokens_cached": prompt + tokens,
        "truncated": False,
        "stop_type": "limit" if cut else "eos",
        "stopping_word": "",
        "timings": {
            "prompt_n": prompt - min(cached, prompt),
            "prompt_ms": 1.5,
            "predicted_n": tokens,
            "predicted_ms": 2.5,
        },
    }


def body(behaviour: Behaviour, call: Call, identity: Identity) -> bytes:
    """Return the whole answer of a request that does not stream."""
    return encode(_last(behaviour, call, identity, behaviour.text))


def stream(behaviour: Behaviour, call: Call, identity: Identity) -> Iterator[Chunk]:
    """Yield the payloads of a streamed answer."""
    for piece in pieces(behaviour.text):
        yield Chunk(encode({"index": 0, "content": piece, "tokens": [], "stop": False}), 1)
    if not behaviour.frames.no_terminal:
        yield Chunk(encode(_last(behaviour, call, identity, "")), 0)
