"""Recognises a fault: a status with headers and body, a failed transport, or what the relay saw, becomes one `Fault`.

It decides nothing about what to do next (`retry.py`) and keeps no state (`health.py`). Invariant: nothing of the provider's
text is shown to the caller except, scrubbed, for faults that are the caller's own (rows 23, 24, 28, 30).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from suffice.errors import NotFoundError, RateLimitError, RequestError, SufficeError, UpstreamError
from suffice.upstream import error_body
from suffice.upstream.error_body import ErrorBody, Kind
from suffice.upstream.fault_matrix import (
    CREDENTIAL_MISSING,
    EGRESS_DENIED,
    MATRIX,
    PROXY_FAILED,
    Charge,
    Cools,
    Row,
    Scope,
)
from suffice.upstream.retry_after import Headers, header, retry_after_s
from suffice.upstream.transport_fault import TransportFault

SAME_AFTER_S = 5.0
FAST_FAILURE_S = 1.0
EXECUTED_AFTER_S = 5.0
OWN_TEXT = (23, 24, 28, 30)
# What is about the gateway's account at the provider, as rows and as kinds.
OUR_ACCOUNT = (13, 25, 26)
_ACCOUNT_KINDS = (Kind.QUOTA, Kind.BILLING, Kind.AUTH)


class Seen(StrEnum):
    """What the relay can see in an answer that has begun, by row of the matrix."""

    SLOW = "slow"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    WRONG_CONTENT_TYPE = "wrong-content-type"
    EMPTY = "empty"
    FILTERED = "filtered"
    TOOL_INCOMPLETE = "tool-incomplete"
    DUPLICATE = "duplicate"
    USAGE_MISSING = "usage-missing"
    TOO_LARGE = "too-large"
    STALLED = "stalled"


_SEEN = {
    Seen.SLOW: 10, Seen.TRUNCATED: 19, Seen.MALFORMED: 20, Seen.WRONG_CONTENT_TYPE: 21, Seen.EMPTY: 22, Seen.FILTERED: 23,
    Seen.TOOL_INCOMPLETE: 31, Seen.DUPLICATE: 32, Seen.USAGE_MISSING: 33, Seen.TOO_LARGE: 35, Seen.STALLED: 9,
}  # fmt: skip
_TRANSPORT = {
    "connect_refused": 1, "dns": 2, "tls": 3, "connect_timeout": 4, "write_reset": 5, "stale_keepalive": 6, "header_timeout": 7,
    "first_byte_timeout": 8, "stall": 9, "total_timeout": 10, "truncated": 19, "malformed": 34, "too_large": 35,
}  # fmt: skip
_KINDS = {
    Kind.QUOTA: 13, Kind.BILLING: 25, Kind.OVERLOADED: 15, Kind.CONTEXT: 24, Kind.FILTER: 23, Kind.MODEL: 27, Kind.AUTH: 26,
    Kind.TOO_LARGE: 30,
}  # fmt: skip
# The status that an error object without a number stands for, when it comes inside a 200.
_STATUS_OF = {
    Kind.NOTHING: 500, Kind.QUOTA: 429, Kind.BILLING: 402, Kind.AUTH: 401, Kind.RATE: 429, Kind.OVERLOADED: 529,
    Kind.CONTEXT: 400, Kind.FILTER: 400, Kind.MODEL: 404, Kind.TOO_LARGE: 413, Kind.INVALID: 400, Kind.SERVER: 500,
    Kind.TIMEOUT: 504, Kind.TOOL_WRITING: 500,
}  # fmt: skip
_CLIENT_STATUS = {503: 503, 508: 508, 504: 504, 524: 504, 522: 504, 408: 504}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failed attempt, as a row of docs/reliability.md with the facts of this case.

    `matrix` is the row with its fixed consequences. `status`, `code`, `message`, `param`: what a caller may be told. `retry`,
    `charge`, `cools`, `cooldown_s`: as in the row, refined by the case. `retry_after_s` in seconds when the provider named
    it. `upstream_status` is the provider's status or 0; `inner` the row of an error that came inside a 200. `verbatim` is the
    provider's error object for a caller of its dialect, see `with_words`.
    """

    matrix: Row
    status: int
    message: str
    retry: tuple[Scope, ...]
    charge: Charge
    cooldown_s: float
    retry_after_s: float | None = None
    upstream_status: int = 0
    param: str | None = None
    inner: int = 0
    number: int = -1
    verbatim: Mapping[str, object] | None = None

    @property
    def row(self) -> int:
        """The number of the row; 0 for a refusal of our own (egress, proxy)."""
        return self.matrix.row if self.number < 0 else self.number

    @property
    def code(self) -> str:
        """The stable code."""
        return self.matrix.code

    @property
    def cools(self) -> Cools:
        """What rests."""
        return self.matrix.cools

    @property
    def alert(self) -> bool:
        """Whether the operator should be told."""
        return self.matrix.alert

    def client_status(self, dialect: str) -> int:
        """Return the status for a caller: callers of the Anthropic dialect know 529, all others get 503 for it."""
        anthropic = dialect.startswith(("anthropic", "messages"))
        return 529 if anthropic and self.code == "upstream_overloaded" else self.status

    def error(self, retry_after_s: float | None = None, *, dialect: str = "") -> SufficeError:
        """Return the exception for a caller of `dialect` when nothing is left; `retry_after_s` overrides the fault's own."""
        cls: type[SufficeError] = UpstreamError
        if self.status == 429:
            cls = RateLimitError
        elif self.status == 404:
            cls = NotFoundError
        elif 400 <= self.status < 500:
            cls = RequestError
        wait = self.retry_after_s if retry_after_s is None else retry_after_s
        status = self.client_status(dialect)
        error = cls(self.message, code=self.code, status=status, param=self.param, retry_after_s=wait)
        if self.verbatim is not None:
            error.verbatim = self.verbatim
            error.status = self.upstream_status if self.upstream_status >= 400 else status
        return error


# What AWS says in numbers of its own, as callers of the dialect know it.
_AS_KNOWN = {408: 504, 424: 500}


def with_words(fault: Fault, body: bytes, dialect: str = "messages") -> Fault:
    """Return `fault` with the provider's own error object, for callers of its dialect who react to type and wording.

    What concerns our account there (quota, billing, credentials) is never told as if it were the caller's. Of a cloud that serves
    the Messages `dialect` in its own wrapping the wording is put into that dialect's object.
    """
    inner = fault.inner or fault.row
    kind = error_body.read(body).kind
    if inner in OUR_ACCOUNT or fault.upstream_status in (401, 402, 403) or kind in _ACCOUNT_KINDS:
        return fault
    if dialect == "messages":
        return replace(fault, verbatim=error_body.verbatim(body))
    status = _AS_KNOWN.get(fault.upstream_status, fault.upstream_status)
    # Inside a stream or a 200 the number is the fault's.
    said = error_body.in_messages(body, status if status >= 400 else fault.client_status("messages"))
    return replace(fault, verbatim=said, upstream_status=status)


def _fault(row: Row, **changes: Any) -> Fault:
    base = Fault(
        matrix=row,
        status=row.status,
        message=row.message,
        retry=row.retry,
        charge=row.charge,
        cooldown_s=row.cooldown_s,
    )
    return replace(base, **changes) if changes else base


def classify(
    status: int,
    headers: Headers,
    body: bytes,
    dialect: str = "openai-chat",
    *,
    now_s: float = 0.0,
    elapsed_s: float = 0.0,
) -> Fault:
    """Return the fault of an answer that is not a success; `headers` have lower-case names.

    `dialect` is the provider's (error bodies of all dialects are understood; it is kept for those that will differ).
    `now_s` is the wall clock (for dates), `elapsed_s` the time since the request was sent. A status of 200 means that the caller
    found the body to be an error: see `check_body`.
    """
    found = error_body.read(body, header(headers, b"x-amzn-errortype"))
    if 200 <= status < 300:
        return _inside(16, found, headers, now_s) if found.found else _fault(MATRIX[20], upstream_status=status)
    if 300 <= status < 400:
        return _fault(MATRIX[36], upstream_status=status)
    if status in (401, 403, 404, 407) and not found.found and _is_page(headers, body):
        # A login page of a proxy says nothing about our credential: do not disable it.
        return _fault(MATRIX[21], upstream_status=status)
    return _from_status(status, found, headers, now_s, elapsed_s)


def classify_transport(error: TransportFault) -> Fault:
    """Return the fault of an attempt that got no whole answer."""
    unsent = error.bytes_sent != "all"
    if error.kind == "egress_denied":
        return _fault(EGRESS_DENIED)
    if error.kind == "proxy":
        return _fault(PROXY_FAILED)
    if error.kind == "credential":
        return _fault(CREDENTIAL_MISSING)
    number = _TRANSPORT[error.kind]
    if error.kind == "total_timeout" and error.phase != "body":
        number = 7
    row = MATRIX[number]
    changes: dict[str, Any] = {}
    # A request that did not leave as a whole cannot have been executed; one that did may have been.
    if number in (5, 6, 7, 8):
        changes["charge"] = Charge.NONE if unsent else Charge.UNK
    if number == 5 and not unsent:
        changes["retry"] = tuple(scope for scope in row.retry if scope is not Scope.SAME)
    if number == 6 and not unsent:
        # Nearly always the other side had closed before the request came; asked elsewhere first, for it may be down.
        changes["retry"] = (Scope.OTHER, Scope.SAME, Scope.NEXT)
    if number in (19, 34, 35) and error.phase != "body":
        changes["charge"] = Charge.NONE if unsent else Charge.UNK
    return _fault(row, **changes)


def classify_event(payload: bytes, *, tokens_seen: bool, now_s: float = 0.0, exact_usage: bool = False) -> Fault:
    """Return the fault of an error event in a stream: row 17 before any token, row 18 after.

    `exact_usage` says that the provider had reported usage already.
    """
    if tokens_seen:
        return _fault(MATRIX[18], charge=Charge.EXACT if exact_usage else Charge.EST)
    return _inside(17, error_body.read(payload), (), now_s)


def classify_seen(what: Seen) -> Fault:
    """Return the fault of something that the relay saw in an answer."""
    # A refusal that comes as a finished answer is passed on as it is; only the status of an error says 400.
    return _fault(MATRIX[_SEEN[what]], **({"status": 200} if what is Seen.FILTERED else {}))


def check_head(headers: Headers, *, stream: bool) -> Fault | None:
    """Return a fault when the head of a 2xx answer is no JSON and no event stream (row 21), else None."""
    kind = header(headers, b"content-type").split(";")[0].strip().lower()
    good = (
        kind in ("", "text/event-stream", "application/x-ndjson", "application/vnd.amazon.eventstream")
        or kind == "application/json"
        or kind.endswith("+json")
    )
    # Some local servers stream as text/plain; a page is a page whatever was asked for.
    return None if good or (stream and kind == "text/plain") else _fault(MATRIX[21], upstream_status=200)


def check_body(headers: Headers, body: bytes, dialect: str = "openai-chat", *, now_s: float = 0.0) -> Fault | None:
    """Return a fault when the whole body of a 2xx answer is an error object (16), no JSON (20) or a page (21), else None.

    Only bodies that can be errors are decoded: a long answer costs a look at its first bytes.
    """
    wrong = check_head(headers, stream=False)
    if wrong or _is_page(headers, body):
        return wrong or _fault(MATRIX[21], upstream_status=200)
    if body.lstrip()[:1] not in (b"{", b"["):
        return _fault(MATRIX[20], upstream_status=200)
    if b'"error"' not in body[:512] and b'"base_resp"' not in body:
        return None
    raw = error_body.decode(body)
    if isinstance(raw, dict) and raw.get("choices"):
        return None
    found = error_body.from_object(raw)
    return _inside(16, found, headers, now_s) if found.found else None


def _is_page(headers: Headers, body: bytes) -> bool:
    return "html" in header(headers, b"content-type").lower() or body.lstrip()[:1] == b"<"


def _inside(number: int, found: ErrorBody, headers: Headers, now_s: float) -> Fault:
    """Return the fault of an error inside a 200: the row is `number`, the consequences are those of the inner error."""
    status = found.status or _STATUS_OF[found.kind]
    inner = _from_status(status, found, headers, now_s, elapsed_s=EXECUTED_AFTER_S / 2)
    return replace(inner, number=number, inner=inner.matrix.row, upstream_status=200)


def _from_status(status: int, found: ErrorBody, headers: Headers, now_s: float, elapsed_s: float) -> Fault:
    wait = retry_after_s(headers, found.details, now_s)
    number = _number(status, found, wait)
    row = MATRIX[number]
    changes: dict[str, Any] = {"upstream_status": status, "retry_after_s": wait}
    if number in OWN_TEXT:
        changes["param"] = found.param
        if found.message:
            changes["message"] = f"{row.message} {found.message}"
        if number == 23:
            # Some providers bill a prompt that their filter read, and an error carries no usage.
            changes["charge"] = Charge.EST
    if number == 11 and wait is not None:
        changes["cooldown_s"] = wait
        if wait > SAME_AFTER_S:
            changes["retry"] = tuple(scope for scope in row.retry if scope is not Scope.SAME)
    if number in (13, 15) and wait:
        changes["cooldown_s"] = wait
    if number == 14:
        changes["status"] = _CLIENT_STATUS.get(status, 502)
        changes["charge"] = Charge.UNK if elapsed_s >= EXECUTED_AFTER_S else Charge.NONE
        changes["cooldown_s"] = max(row.cooldown_s, wait or 0.0)
        # A loop of gateways (508) is the same the next time; asked twice at each turn it would grow.
        if elapsed_s > FAST_FAILURE_S or status == 508:
            changes["retry"] = tuple(scope for scope in row.retry if scope is not Scope.SAME)
    if number == 29:
        changes["status"] = _CLIENT_STATUS.get(status, row.status)
    return _fault(row, **changes)


def _number(status: int, found: ErrorBody, wait: float | None) -> int:
    """Return the row of an HTTP error: what the body says counts more than the status where it says enough."""
    kind = found.kind
    if status == 429:
        if kind in (Kind.QUOTA, Kind.BILLING):
            return 13
        return 15 if kind is Kind.OVERLOADED else 12 if wait is None else 11
    if status >= 500 and kind is not Kind.CONTEXT:
        return 15 if status == 529 or kind is Kind.OVERLOADED else 14
    if status in (401, 403) and kind is Kind.OVERLOADED:
        return 15
    if status == 402:
        return 25
    if status == 407:
        return 26
    if kind is Kind.RATE and status in (400, 403):
        return 12 if wait is None else 11
    if kind in _KINDS and not (status == 404 and kind is Kind.AUTH):
        number = _KINDS[kind]
        return 25 if number == 13 else number
    if kind is Kind.TOOL_WRITING:
        return 14
    by_status = {498: 15, 401: 26, 403: 26, 404: 27, 410: 27, 408: 29, 409: 29, 425: 29, 413: 30}
    return by_status.get(status, 28)
