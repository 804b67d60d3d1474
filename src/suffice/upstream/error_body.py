"""What a provider's error body says, in one shape for all dialects, and what kind of refusal it is.

It reads bytes that strangers wrote and never raises on them. Invariant: `scrubbed` text holds no key, account, address or mail
address of ours, and is at most `MAX_MESSAGE` characters long.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

MAX_BODY = 256 * 1024
MAX_MESSAGE = 400


class Kind(StrEnum):
    """What the body says, whatever the status. Empty: nothing special."""

    NOTHING = ""
    QUOTA = "quota"
    BILLING = "billing"
    AUTH = "auth"
    RATE = "rate"
    OVERLOADED = "overloaded"
    CONTEXT = "context"
    FILTER = "filter"
    MODEL = "model"
    TOO_LARGE = "too-large"
    INVALID = "invalid"
    SERVER = "server"
    TIMEOUT = "timeout"
    TOOL_WRITING = "tool-writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """One error object. `status` is a number between 400 and 599 found inside, or 0; `found` tells whether there was one."""

    found: bool = False
    kind: Kind = Kind.NOTHING
    status: int = 0
    message: str = ""
    param: str | None = None
    details: Any = None


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Codes and types as providers document them; compared in lower case, exactly.
_CODES: dict[Kind, frozenset[str]] = {
    Kind.QUOTA: _words(
        "insufficient_quota enforced_spend_limit_reached exceeded_current_quota_error quota_exceeded"
        " billing_hard_limit_reached arrearage 2056"
    ),
    Kind.BILLING: _words(
        "billing billing_error billing_not_active insufficient_balance payment_required billing_disabled 1008 1113"
    ),
    Kind.AUTH: _words(
        "invalid_api_key authentication_error invalid_authentication_error permission_error permission_denied"
        " unauthenticated api_key_invalid invalidapikey unauthorized account_deactivated 1004 2049"
        " unrecognizedclientexception invalidsignatureexception expiredtokenexception incompletesignatureexception"
        " missingauthenticationtokenexception"
    ),
    Kind.OVERLOADED: _words(
        "overloaded_error overloaded engine_overloaded_error model_overloaded slow_down queue_exceeded"
        " service_tier_capacity_exceeded modelnotreadyexception"
    ),
    Kind.RATE: _words(
        "rate_limit_exceeded rate_limit_error rate_limit_reached_error resource_exhausted throttlingexception requests"
        " tokens too_many_requests throttling throttling.ratequota throttling.allocationquota servicequotaexceededexception"
        " 1002 1302 1305"
    ),
    Kind.CONTEXT: _words(
        "context_length_exceeded context_window_exceeded string_above_max_length exceed_context_size_error 1039 1261"
    ),
    Kind.FILTER: _words(
        "content_filter content_policy_violation responsibleaipolicyviolation data_inspection_failed datainspectionfailed"
        " moderation_blocked"
        " 1026 1027"
    ),
    Kind.MODEL: _words(
        "model_not_found model_not_available model_not_active model_decommissioned deploymentnotfound invalid_model"
        " unsupported_country_region_territory model_access_denied model_not_supported resourcenotfoundexception"
    ),
    Kind.TOO_LARGE: _words("request_too_large payload_too_large image_too_large"),
    Kind.TIMEOUT: _words("timeout timeout_error deadline_exceeded request_timeout modeltimeoutexception"),
    # Groq refuses what its model wrote, so the same request may well succeed.
    Kind.TOOL_WRITING: _words("tool_use_failed"),
    Kind.SERVER: _words(
        "server_error internal_server_error api_error internal unavailable service_unavailable 1013"
        " internalserverexception serviceunavailableexception modelerrorexception modelstreamerrorexception"
    ),
    Kind.INVALID: _words("invalid_request_error invalid_argument invalid_value invalid_type 2013 validationexception"),
}
# Sentences, for providers whose codes say too little. Order matters: the first that is found decides.
_SENTENCES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    (
        Kind.BILLING,
        (
            "credit balance is too low", "insufficient balance", "insufficient credits", "requires more credits",
            "doesn't have any credits", "used all available credits", "account suspended", "is suspended",
            "reached your specified api usage limits", "credits expired",
        ),
    ),
    (
        Kind.AUTH,
        (
            "api key not valid", "incorrect api key", "invalid api key", "api key expired", "invalid api token",
            "organization has been disabled", "security token included in the request",
        ),
    ),
    (
        Kind.CONTEXT,
        (
            "maximum context length", "prompt is too long", "context window", "exceeds the maximum number of tokens",
            "input is too long for requested model", "exceed context limit", "exceeds the available context size",
            "exceeded model token limit", "maximum prompt length", "too many tokens", "range of input length should be",
            "tokens + `max_new_tokens` must be", "longer than the model's context length", "prompt exceeds max length",
            "too many input tokens", "when context the overflows", "when the context overflows",
        ),
    ),
    (Kind.FILTER, ("input was flagged", "requires moderation on")),
    (Kind.OVERLOADED, ("model is overloaded", "is currently overloaded")),
    (
        Kind.MODEL,
        (
            "model not found", "has been decommissioned", "does not have access to model", "no endpoints found",
            "have access to the model", "try pulling it first", "on-demand throughput isn",
        ),
    ),
)  # fmt: skip
# The general words come last: `invalid_request_error` as a type must not hide `context_length_exceeded` as a code.
_GENERAL = (Kind.INVALID, Kind.SERVER)
_SECRETS = re.compile(
    r"""(?:\b(?:sk|pk|rk|gsk|xai|nvapi|hf|key|org|proj|acct|user)[-_][A-Za-z0-9*._-]{6,}) | (?:\b(?:AIza|AKIA)\S{8,})
      | (?:\barn:aws[a-z-]*:\S+) | (?:\b(?:projects|subscriptions)/[^\s/'"]+) | (?:\b\d{12}\b)
      | (?:\bbearer\s+\S+) | (?:https?://\S+) | (?:\S+@\S+\.\S+) | (?:\b[A-Za-z0-9+/_-]{32,}={0,2})""",
    re.VERBOSE | re.IGNORECASE,
)


def scrubbed(text: str) -> str:
    """Return `text` on one line, shortened, without anything that looks like a key, an account, an address or an id."""
    flat = " ".join(text[: 4 * MAX_MESSAGE].split())
    return _SECRETS.sub("[hidden]", "".join(c for c in flat if c.isprintable()))[:MAX_MESSAGE]


def redacted(value: Any, depth: int = 8) -> Any:
    """Return a decoded error with its wording as it came, and everything hidden that looks like a secret or an id of ours."""
    if isinstance(value, str):
        return _SECRETS.sub("[hidden]", value[:MAX_BODY])
    if depth and isinstance(value, dict):
        return {str(k): redacted(v, depth - 1) for k, v in value.items()}
    if depth and isinstance(value, list):
        return [redacted(v, depth - 1) for v in value[:100]]
    return value if isinstance(value, int | float | None) else None


def verbatim(body: bytes) -> dict[str, Any] | None:
    """Return the error object of a body, redacted but otherwise as it came; None when there is none with a message."""
    raw = decode(body)
    inner = raw.get("error") if isinstance(raw, dict) else None
    return redacted(inner) if isinstance(inner, dict) and isinstance(inner.get("message"), str) else None


# The words of the Messages dialect for a status; what a cloud says by status alone is told by them.
_TYPES = {
    400: "invalid_request_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 503: "overloaded_error",
    504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


def in_messages(body: bytes, status: int) -> dict[str, Any] | None:
    """Return the error of a cloud that serves Claude as the Messages dialect words it; None when it says nothing.

    Bedrock sends a bare `message`, Vertex Anthropic's own object or Google's. The wording stays, redacted: clients react to it.
    """
    raw = decode(body)
    raw = raw[0] if isinstance(raw, list) and raw else raw  # Google wraps the object into a list on streams
    if not isinstance(raw, dict):
        return None
    error = raw.get("error")
    inner: dict[str, Any] = error if isinstance(error, dict) else raw
    message = inner.get("message") or inner.get("Message")
    if not isinstance(message, str) or not message:
        return None
    kind = inner.get("type")
    known = isinstance(kind, str) and kind.endswith(("_error", "_too_large"))
    return {"type": kind if known else _TYPES.get(status, "api_error"), "message": redacted(message)}


def decode(body: bytes) -> Any:
    """Return the parsed body, or None when it is no JSON or too long to be an error."""
    if not body or len(body) > MAX_BODY:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read(body: bytes, kind: str = "") -> ErrorBody:
    """Return what an error body says. Anything that is no JSON, too long or of an unknown shape is `found=False`.

    `kind` is the provider's word for the error when it stands beside the body (`x-amzn-errortype`).
    """
    named = kind.partition(":")[0].strip().lower()
    raw = decode(body)
    if named and isinstance(raw, dict | None):
        raw = {"message": "", **(raw or {}), "__type": named}
    return from_object(raw)


def from_object(raw: Any) -> ErrorBody:
    """Return what a parsed body says; see `read`."""
    if isinstance(raw, list) and raw:
        raw = raw[0]  # Gemini wraps the object into a list on streams
    if not isinstance(raw, dict):
        return ErrorBody()
    inner: Any = raw.get("error")
    if isinstance(inner, str) and inner:
        inner = {**raw, "message": inner}
    elif not isinstance(inner, dict):
        inner = _without_error(raw)
    if not inner:
        return ErrorBody()
    words = [str(inner[k]).lower() for k in ("code", "type", "status", "reason", "__type") if _plain(inner.get(k))]
    details = inner.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and isinstance(detail.get("reason"), str):
            words.append(detail["reason"].lower())
    message = next((inner[k] for k in ("message", "detail", "msg") if isinstance(inner.get(k), str)), "")
    param = inner.get("param")
    return ErrorBody(
        found=True,
        kind=_kind(words, message.lower()[:4000]),
        status=_status(inner),
        message=scrubbed(message),
        param=scrubbed(param)[:100] if isinstance(param, str) else None,
        details=details,
    )


def _without_error(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Return the error in a body that has no object `error`: MiniMax, Mistral, FastAPI, Bedrock."""
    base = raw.get("base_resp")
    if isinstance(base, dict) and base.get("status_code") not in (0, None):
        return {"code": base["status_code"], "message": base.get("status_msg", "")}
    if raw.get("object") == "error" or raw.get("type") == "error":
        return raw
    several = raw.get("errors")
    if isinstance(several, list) and several and isinstance(several[0], dict):
        return several[0]
    if "choices" not in raw and "data" not in raw and any(k in raw for k in ("message", "detail", "__type")):
        return raw
    return None


def _plain(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _status(inner: dict[str, Any]) -> int:
    for name in ("code", "status", "status_code"):
        value = inner.get(name)
        if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, int) and 400 <= value <= 599:
            return value
    return 0


def _kind(words: list[str], message: str) -> Kind:
    for kind, codes in _CODES.items():
        if kind not in _GENERAL and any(word in codes for word in words):
            return kind
    for kind, sentences in _SENTENCES:
        if any(sentence in message for sentence in sentences):
            return kind
    return next((kind for kind in _GENERAL if any(word in _CODES[kind] for word in words)), Kind.NOTHING)
