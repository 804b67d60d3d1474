"""The Gemini dialect, both sides: see `gemini_request`, `gemini_upstream`, `gemini_answer` and `gemini_client`.

`CODEC` streams events (`alt=sse`), `ARRAY_CODEC` the JSON array that the dialect streams otherwise; they read alike. The model
and the kind of call stand in the path: `parse_path`. Counting tokens has its own small bodies, at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal
from urllib.parse import parse_qs, unquote

import msgspec

from suffice.errors import WireError
from suffice.wire import fields, gemini_client, gemini_request, gemini_upstream
from suffice.wire.codec import ClientContext, Encoded, StreamDecoder, StreamEncoder, Target
from suffice.wire.gemini_answer import GeminiDecoder
from suffice.wire.gemini_client import GeminiEncoder
from suffice.wire.gemini_keys import camel
from suffice.wire.neutral import Event, Request

Method = Literal["generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"]
# Vertex clients put project and publisher before the model; Google's SDK sends a name with a slash in it as it is.
_PATH = re.compile(r"/(?:v1|v1beta|v1alpha|v1beta1)/(?:(?:[^:]*/)?(?:models|tunedModels)/)?(.+):([A-Za-z]+)\Z")
_METHODS = frozenset({"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"})


class GeminiCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the path of a request says. `array`: a stream as JSON array is wanted; `key`: the client's key in the query."""

    model: str
    method: Method
    stream: bool
    array: bool
    key: str = ""


def parse_path(path: str, query: str = "") -> GeminiCall | None:
    """Return what the path of a Gemini call says, or None when it is no such path."""
    found = _PATH.match(path)
    if found is None or found.group(2) not in _METHODS:
        return None
    asked = parse_qs(query)
    method: Method = found.group(2)  # type: ignore[assignment]
    stream = method == "streamGenerateContent"
    array = stream and asked.get("alt", ["json"])[-1] != "sse"
    return GeminiCall(
        model=unquote(found.group(1)), method=method, stream=stream, array=array, key=asked.get("key", [""])[-1]
    )


class Gemini:
    """`codec.ClientCodec` and `codec.ProviderCodec` of Gemini's generateContent. Has no state but its framing."""

    dialect = gemini_request.DIALECT

    def __init__(self, *, array: bool = False) -> None:
        self._array = array

    def decode_request(self, body: bytes) -> Request:
        """Return the neutral request of a body; `model` and `stream` stand in the path. Raises RequestError."""
        return gemini_request.decode_request(body)

    def encode_request(self, request: Request, target: Target) -> Encoded:
        """Return the upstream body."""
        return gemini_upstream.encode_request(request, target)

    def stream_decoder(self, target: Target) -> StreamDecoder:
        """Return a fresh reader of one stream, whatever its framing."""
        return GeminiDecoder(target)

    def decode_response(self, body: bytes, target: Target) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        return GeminiDecoder(target).whole(body)

    def stream_encoder(self, context: ClientContext) -> StreamEncoder:
        """Return a fresh writer of one stream."""
        return GeminiEncoder(context, array=self._array)

    def encode_response(self, events: Iterable[Event], context: ClientContext) -> bytes:
        """Return the body of a whole answer. Raises WireError."""
        return gemini_client.encode_response(events, context)


CODEC = Gemini()
ARRAY_CODEC = Gemini(array=True)


def decode_count_request(body: bytes) -> Request:
    """Return the request whose tokens a countTokens body asks for. Raises RequestError."""
    top = camel(fields.decode_object(body))
    inner = fields.mapping(top.pop("generateContentRequest", None), "generateContentRequest")
    return gemini_request.from_object({**top, **inner})


_COUNTED = ("contents", "systemInstruction", "tools")


def encode_count_request(request: Request, target: Target, *, whole: bool = True) -> bytes:
    """Return the countTokens body for `request`, system instruction and tools included.

    `whole` puts them into a request; without it they stand by themselves, as Vertex takes them. Raises RequestError.
    """
    body = gemini_upstream.encode_request(request, target).body
    if not whole:
        rows = msgspec.json.decode(body)
        return msgspec.json.encode({name: rows[name] for name in _COUNTED if name in rows})
    inner = b'{"model":' + msgspec.json.encode(f"models/{target.model}") + b"," + body[1:]
    return b'{"generateContentRequest":' + inner + b"}"


def decode_count_response(body: bytes) -> int:
    """Return the tokens that a countTokens answer tells. Raises WireError."""
    try:
        total = msgspec.json.decode(body)["totalTokens"]
    except (msgspec.DecodeError, UnicodeError, RecursionError, KeyError, TypeError):
        total = None
    if isinstance(total, bool) or not isinstance(total, int) or total < 0:
        raise WireError("the provider's count has no totalTokens")
    return total


def encode_count_response(total_tokens: int) -> bytes:
    """Return the answer to a countTokens request."""
    row = {"modality": "TEXT", "tokenCount": total_tokens}
    return msgspec.json.encode({"totalTokens": total_tokens, "promptTokensDetails": [row]})
