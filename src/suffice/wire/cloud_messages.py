"""Anthropic Messages through Bedrock's InvokeModel and Vertex's rawPredict: the same dialect in other wrapping.

The model stands in the path, a version in the body; Bedrock wants no `stream`, takes beta flags in the body, and streams in an
AWS event stream whose chunks carry the events in base64. `wrap` keeps every other byte of the client's body, `Unwrap` gives back
the event stream of the dialect, so that pass-through stays possible in both directions.
"""

from __future__ import annotations

import base64
import binascii
from typing import Literal

import msgspec

from suffice.errors import RequestError, WireError
from suffice.wire import messages_upstream
from suffice.wire.bedrock_converse import exception
from suffice.wire.codec import Encoded, StreamDecoder, Target
from suffice.wire.eventstream import Decoder
from suffice.wire.messages_answer import MessagesDecoder
from suffice.wire.neutral import Done, Event, Failure, Request

Cloud = Literal["bedrock", "vertex"]
VERSIONS: dict[Cloud, str] = {"bedrock": "bedrock-2023-05-31", "vertex": "vertex-2023-10-16"}
_Body = msgspec.json.Decoder(dict[str, msgspec.Raw])


def wrap(body: bytes, cloud: Cloud, betas: tuple[str, ...] = ()) -> bytes:
    """Return a Messages body as the cloud wants it. `betas` are the values of the client's `anthropic-beta` header.

    Raises RequestError when `body` is no JSON object.
    """
    try:
        rows = _Body.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise RequestError("the request body must be a JSON object") from None
    rows.pop("model", None)
    if cloud == "bedrock":
        rows.pop("stream", None)
        if betas and "anthropic_beta" not in rows:
            rows["anthropic_beta"] = msgspec.Raw(msgspec.json.encode(betas))
    rows["anthropic_version"] = msgspec.Raw(msgspec.json.encode(VERSIONS[cloud]))
    return msgspec.json.encode(rows)


class Unwrap:
    """Bytes of InvokeModelWithResponseStream in, bytes of the dialect's own event stream out."""

    def __init__(self) -> None:
        self._frames = Decoder()

    def feed(self, chunk: bytes) -> bytes:
        """Return the events that `chunk` completes; an exception becomes an `error` event. Raises WireError."""
        out: list[bytes] = []
        for frame in self._frames.feed(chunk):
            if frame.headers.get(":message-type", "event") != "event":
                failed = exception(frame)
                error = {"type": _error_type(failed.status), "message": failed.message}
                data = msgspec.json.encode({"type": "error", "error": error})
                out.append(b"event: error\ndata: " + data + b"\n\n")
                continue
            data, name = _event(frame.payload)
            out.append(b"event: " + name.encode() + b"\ndata: " + data + b"\n\n")
        return b"".join(out)


def _error_type(status: int) -> str:
    known = {400: "invalid_request_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
    return known.get(status, "overloaded_error" if status == 503 else "api_error")


def _event(payload: bytes) -> tuple[bytes, str]:
    try:
        data = base64.b64decode(msgspec.json.decode(payload)["bytes"], validate=True)
        event = msgspec.json.decode(data)
        name = event["type"]
    except (msgspec.DecodeError, UnicodeError, RecursionError, KeyError, TypeError, binascii.Error):
        raise WireError("a chunk of the provider's stream carries no event") from None
    if not isinstance(name, str) or not name.isidentifier():
        raise WireError("a chunk of the provider's stream carries an event without a name")
    return (msgspec.json.encode(event) if b"\n" in data else data), name


class _BedrockStream:
    """`codec.StreamDecoder`: the wrapping taken off, then Messages."""

    def __init__(self, target: Target) -> None:
        self._unwrap = Unwrap()
        self._decoder = MessagesDecoder(target)
        self._over = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that `chunk` completes; what comes behind the end is not looked at. Raises WireError."""
        data = b"" if self._over else self._unwrap.feed(chunk)
        out = self._decoder.feed(data) if data else []
        self._over = self._over or any(isinstance(event, Done | Failure) for event in out[-2:])
        return out

    def close(self) -> list[Event]:
        """Return nothing new: the dialect has a terminator of its own."""
        return self._decoder.close()


class CloudMessages:
    """`codec.ProviderCodec` of Claude on a cloud. Has no state but which cloud."""

    dialect = "messages"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud: Cloud = cloud

    def encode_request(self, request: Request, target: Target) -> Encoded:
        """Return the upstream body."""
        encoded = messages_upstream.encode_request(request, target)
        return msgspec.structs.replace(encoded, body=wrap(encoded.body, self._cloud))

    def stream_decoder(self, target: Target) -> StreamDecoder:
        """Return a fresh reader of one stream."""
        return _BedrockStream(target) if self._cloud == "bedrock" else MessagesDecoder(target)

    def decode_response(self, body: bytes, target: Target) -> list[Event]:
        """Return the events of a whole answer. Raises WireError."""
        return MessagesDecoder(target).whole(body)


BEDROCK = CloudMessages("bedrock")
VERTEX = CloudMessages("vertex")
