"""The fault matrix: one row for each way in which a provider fails, with everything that follows from it.

It only states; `faults.py` recognises which row applies, `retry.py` and `health.py` act on it. docs/reliability.md shows the
same table and a test compares the two. Invariant: a provider's refusal of our credential or our bill (rows 13, 25, 26) is never
shown as the caller's own fault, and a row whose request may have been executed never has the charge class `none`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where the next attempt may go. `other` is another endpoint of the same model, `next` another model."""

    SAME = "same"
    OTHER = "other"
    OTHER_CREDENTIAL = "other-credential"
    OTHER_PROVIDER = "other-provider"
    NEXT = "next"


class Charge(StrEnum):
    """What the attempt costs: provably nothing, the usage received, what was seen so far, or unknown (all reserved)."""

    NONE = "none"
    EXACT = "exact"
    EST = "est"
    UNK = "unk"


class Cools(StrEnum):
    """What rests after the fault."""

    NOTHING = ""
    ENDPOINT_MODEL = "endpoint+model"
    CREDENTIAL = "credential"
    VENDOR = "vendor"
    HOST = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. `retry` is in order of preference, empty: no retry. Times are in seconds.

    `cooldown_s` grows by doubling to `cooldown_max_s` while the fault goes on. `strikes`: the cooldown begins with the third
    failure among the last ten outcomes, not with the first. `scores`: the outcome lowers the endpoint's quality figures.
    `until_changed`: the credential stays disabled until the configuration changes. `spreads`: the whole vendor rests after
    three credentials saw it. `asks`: a policy or a property of the target without which there is no retry: `larger-window`,
    `on-filter`, `retry-empty`. `same_wait_s` is the spread of the wait before the same endpoint is tried again.
    """

    row: int
    code: str
    status: int
    type: str
    message: str
    retry: tuple[Scope, ...] = ()
    cools: Cools = Cools.NOTHING
    cooldown_s: float = 0.0
    cooldown_max_s: float = 0.0
    strikes: bool = False
    scores: bool = False
    until_changed: bool = False
    spreads: bool = False
    alert: bool = False
    charge: Charge = Charge.NONE
    asks: str = ""
    same_wait_s: tuple[float, float] = (0.0, 0.0)


S, O, N = Scope.SAME, Scope.OTHER, Scope.NEXT  # noqa: E741
ON = (O, N)
SON = (S, O, N)
E, C, H = Cools.ENDPOINT_MODEL, Cools.CREDENTIAL, Cools.HOST
API, RATE, BAD = "api_error", "rate_limit_error", "invalid_request_error"
HOUR = 3600.0

_UNREACHABLE = "The provider could not be reached."
_SLOW = "The provider did not answer in time."
_BROKEN = "The provider's answer ended or broke before it was complete."
_LIMITED = "Every provider that may serve this request is over its rate limit."
_UNUSABLE = "The provider sent something that is not an answer."

# fmt: off
ROWS: tuple[Row, ...] = (
    Row(row=1, code="upstream_unavailable", status=502, type=API, message=_UNREACHABLE, retry=ON, cools=E,
        cooldown_s=5, cooldown_max_s=60, scores=True),
    Row(row=2, code="upstream_dns", status=502, type=API, message=_UNREACHABLE, retry=ON, cools=H,
        cooldown_s=15, cooldown_max_s=15),
    Row(row=3, code="upstream_tls", status=502, type=API, message=_UNREACHABLE, retry=ON, cools=H,
        cooldown_s=300, cooldown_max_s=300, alert=True),
    Row(row=4, code="upstream_connect_timeout", status=504, type=API, message=_SLOW, retry=ON, cools=E,
        cooldown_s=15, cooldown_max_s=15, scores=True),
    Row(row=5, code="upstream_write_reset", status=502, type=API, message=_UNREACHABLE, retry=SON, cools=E,
        cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True),
    Row(row=6, code="upstream_stale_connection", status=502, type=API, message=_UNREACHABLE, retry=SON,
        charge=Charge.UNK),
    Row(row=7, code="upstream_header_timeout", status=504, type=API, message=_SLOW, retry=ON, cools=E,
        cooldown_s=15, cooldown_max_s=15, scores=True, charge=Charge.UNK),
    Row(row=8, code="upstream_first_token_timeout", status=504, type=API, message=_SLOW, retry=ON, cools=E,
        cooldown_s=15, cooldown_max_s=15, strikes=True, scores=True, charge=Charge.UNK),
    Row(row=9, code="stream_stalled", status=504, type=API, message=_SLOW, retry=ON, cools=E,
        cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True, charge=Charge.EST),
    Row(row=10, code="stream_too_slow", status=504, type=API, message=_SLOW, retry=ON, cools=E,
        cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True, charge=Charge.EST),
    Row(row=11, code="upstream_rate_limited", status=429, type=RATE, message=_LIMITED, retry=(O, S, N), cools=E,
        cooldown_s=1, cooldown_max_s=HOUR),
    Row(row=12, code="upstream_rate_limited_no_hint", status=429, type=RATE, message=_LIMITED, retry=(O, S, N), cools=E,
        cooldown_s=10, cooldown_max_s=300, same_wait_s=(1.0, 4.0)),
    Row(row=13, code="upstream_quota", status=503, type=API, message="The provider account is out of quota.",
        retry=(Scope.OTHER_CREDENTIAL, N), cools=C, cooldown_s=HOUR, cooldown_max_s=HOUR, alert=True),
    Row(row=14, code="upstream_error", status=502, type=API, message="The provider failed.", retry=SON, cools=E,
        cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True),
    Row(row=15, code="upstream_overloaded", status=503, type="overloaded_error", message="The provider is overloaded.",
        retry=(Scope.OTHER_PROVIDER, N), cools=E, cooldown_s=10, cooldown_max_s=120, scores=True, spreads=True),
    Row(row=16, code="upstream_error_in_200", status=502, type=API, message="The provider failed.", retry=ON,
        cools=E, cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True),
    Row(row=17, code="upstream_error_event", status=502, type=API, message="The provider failed.", retry=ON,
        cools=E, cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True),
    Row(row=18, code="stream_error", status=502, type=API, message=_BROKEN, cools=E,
        cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True, charge=Charge.EST),
    Row(row=19, code="stream_truncated", status=502, type=API, message=_BROKEN, retry=ON, cools=E,
        cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True, charge=Charge.EST),
    Row(row=20, code="upstream_malformed", status=502, type=API, message=_UNUSABLE, retry=ON, cools=E,
        cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True, charge=Charge.EST),
    Row(row=21, code="upstream_wrong_content_type", status=502, type=API, message=_UNUSABLE, retry=ON, cools=E,
        cooldown_s=60, cooldown_max_s=60, scores=True, alert=True),
    Row(row=22, code="empty_completion", status=200, type=API, message="The model answered with nothing.", retry=SON,
        scores=True, charge=Charge.EXACT, asks="retry-empty"),
    Row(row=23, code="content_filter", status=400, type=BAD, message="The provider's content filter refused.",
        retry=(N,), charge=Charge.EXACT, asks="on-filter"),
    Row(row=24, code="context_length_exceeded", status=400, type=BAD,
        message="The prompt is too long: it exceeds the maximum context length of the model.",
        retry=(N,), asks="larger-window"),
    Row(row=25, code="upstream_billing", status=503, type=API, message="The provider account cannot be billed.",
        retry=(Scope.OTHER_CREDENTIAL, N), cools=C, cooldown_s=HOUR, cooldown_max_s=HOUR, alert=True),
    Row(row=26, code="upstream_auth", status=502, type=API, message="The provider refused the gateway's credential.",
        retry=(Scope.OTHER_CREDENTIAL, N), cools=C, cooldown_s=300, cooldown_max_s=HOUR, until_changed=True, alert=True),
    Row(row=27, code="model_not_available", status=404, type=BAD, message="No provider serves this model now.",
        retry=ON, cools=E, cooldown_s=600, cooldown_max_s=600, alert=True),
    Row(row=28, code="invalid_request", status=400, type=BAD, message="The provider refused the request as invalid."),
    Row(row=29, code="upstream_conflict", status=503, type=API, message="The provider could not take the request now.",
        retry=(O, S, N)),
    Row(row=30, code="request_too_large", status=413, type=BAD, message="The request is too large for the model.",
        retry=(N,), asks="larger-window"),
    Row(row=31, code="tool_json_incomplete", status=200, type=API, message="A tool call ended in the middle.",
        retry=(S,), scores=True, charge=Charge.EXACT),
    Row(row=32, code="duplicate_chunk", status=200, type=API, message="An event came twice.", scores=True,
        charge=Charge.EXACT),
    Row(row=33, code="usage_missing", status=200, type=API, message="The provider did not say what was used.",
        charge=Charge.EST),
    Row(row=34, code="upstream_bad_framing", status=502, type=API, message=_BROKEN, retry=ON, cools=E,
        cooldown_s=15, cooldown_max_s=120, strikes=True, scores=True, charge=Charge.EST),
    Row(row=35, code="upstream_too_large", status=502, type=API, message="The provider's answer is too large.", retry=ON,
        cools=E, cooldown_s=300, cooldown_max_s=300, scores=True, alert=True, charge=Charge.EST),
    Row(row=36, code="upstream_redirect", status=502, type=API, message=_UNUSABLE, retry=ON, cools=E,
        cooldown_s=60, cooldown_max_s=60, alert=True),
)
# Three refusals of our own making stand outside the provider's matrix; they carry the row number 0.
EGRESS_DENIED = Row(row=0, code="egress_denied", status=502, type=API, message=_UNREACHABLE, retry=ON, cools=H,
                    cooldown_s=300, cooldown_max_s=300, alert=True)
PROXY_FAILED = Row(row=0, code="proxy_unavailable", status=502, type=API, message=_UNREACHABLE, retry=ON, cools=E,
                   cooldown_s=5, cooldown_max_s=60)
CREDENTIAL_MISSING = Row(row=0, code="credential_missing", status=502, type=API,
                         message="The gateway has no credential for the provider now.",
                         retry=(Scope.OTHER_CREDENTIAL, N), cools=E, cooldown_s=10, cooldown_max_s=60, alert=True)
# fmt: on

MATRIX: dict[int, Row] = {row.row: row for row in ROWS}
