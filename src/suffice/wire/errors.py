"""Errors in the caller's own dialect: the body of a failed response, and the frame that ends a broken stream."""

from __future__ import annotations

import msgspec

from suffice.errors import SufficeError

CHAT = "chat"
COMPLETIONS = "completions"
EMBEDDINGS = "embeddings"
RESPONSES = "responses"
MESSAGES = "messages"
GEMINI = "gemini"
OTLP = "otlp"

_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_GEMINI_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "FAILED_PRECONDITION",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
# The words by which clients of a dialect know that the context is too long, and compact: what is put before others.
_TOO_LONG = {
    MESSAGES: ("prompt is too long", "prompt is too long: "),
    GEMINI: ("exceeds the maximum number of tokens", "The input exceeds the maximum number of tokens allowed: "),
}
_TOO_LONG_OPENAI = ("maximum context length is", "This model's maximum context length is exceeded: ")
# OTLP/HTTP tells failures as google.rpc.Status.
_RPC_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 413: 8, 415: 3, 429: 8, 503: 14}


def body(dialect: str, error: SufficeError, request_id: str = "") -> bytes:
    """Return the JSON body that tells `error` in `dialect`."""
    text = _text(dialect, error)
    if dialect == MESSAGES:
        kind = _ANTHROPIC_TYPES.get(error.status, "api_error")
        told = error.verbatim or {"type": kind, "message": text, "code": error.code}
        return msgspec.json.encode({"type": "error", "error": told, "request_id": request_id})
    if dialect == GEMINI:
        status = _GEMINI_STATUS.get(error.status, "INTERNAL")
        return msgspec.json.encode({"error": {"code": error.status, "message": text, "status": status}})
    if dialect == OTLP:
        return msgspec.json.encode({"code": _RPC_CODES.get(error.status, 13), "message": text})
    return msgspec.json.encode({"error": _openai(error, text)})


def _text(dialect: str, error: SufficeError) -> str:
    """Return the message, in words that clients of `dialect` react to."""
    text = str(error)
    if error.code != "context_length_exceeded":
        return text
    known, before = _TOO_LONG.get(dialect, _TOO_LONG_OPENAI)
    return text if known in text.lower() else before + text


def _openai(error: SufficeError, text: str) -> dict[str, object]:
    kind = _OPENAI_TYPES.get(error.status, "api_error" if error.status >= 500 else "invalid_request_error")
    return {"message": text, "type": kind, "param": error.param, "code": error.code}


def frame(dialect: str, error: SufficeError, request_id: str = "") -> bytes:
    """Return the bytes that end a stream of `dialect` honestly; no terminal success event follows them."""
    if dialect == MESSAGES:
        return b"event: error\ndata: " + body(dialect, error, request_id) + b"\n\n"
    if dialect == RESPONSES:
        failed = {
            "type": "error",
            "code": error.code,
            "message": _text(dialect, error),
            "param": error.param,
            "sequence_number": 0,
            # OpenAI's servers and Open Responses nest what OpenAI's reference has at the top.
            "error": _openai(error, _text(dialect, error)),
        }
        return b"event: error\ndata: " + msgspec.json.encode(failed) + b"\n\n"
    return b"data: " + body(dialect, error, request_id) + b"\n\n"
