"""The one exception hierarchy of Suffice.

Each class exists because some caller catches it. An error knows its stable `code` (documented in docs/reference/errors.md),
the HTTP status that tells it truthfully, a hint for the person who can mend it, and whether trying again can help.
It must never carry a secret: messages are written for the caller and may be shown to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class SufficeError(Exception):
    """Base of every error that Suffice raises on purpose.

    `message` says what is wrong and where, `hint` how to mend it (may be empty), `code` is stable and documented,
    `status` is the HTTP status, `retryable` tells whether the same call may succeed later, `param` names the offending
    field of a request, `retry_after_s` is set when the time of a useful retry is known. `verbatim` is a provider's own error
    object, free of secrets, for a caller of the same dialect whose software reads its type and wording.
    """

    default_code: ClassVar[str] = "internal_error"
    status: int = 500
    retryable: bool = False
    verbatim: Mapping[str, object] | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str = "",
        param: str | None = None,
        status: int | None = None,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.param = param
        self.retry_after_s = retry_after_s
        if status is not None:
            self.status = status
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(SufficeError):
    """The configuration cannot be used; the message begins with `file:line`. Exit code 3."""

    default_code = "config_invalid"
    status = 500


class RequestError(SufficeError):
    """The caller's request cannot be understood or is not allowed as written (400 unless told otherwise)."""

    default_code = "invalid_request"
    status = 400


class AuthError(SufficeError):
    """No key, an unknown key, or one that has expired or been revoked (401)."""

    default_code = "invalid_api_key"
    status = 401


class ForbiddenError(SufficeError):
    """A known caller asks for something that its key does not allow (403)."""

    default_code = "forbidden"
    status = 403


class NotFoundError(SufficeError):
    """The route, model or record does not exist for this caller (404)."""

    default_code = "not_found"
    status = 404


class BudgetError(SufficeError):
    """A hard budget would be exceeded (402). Never retryable before the window turns. `budget` names it when it is known."""

    default_code = "budget_exceeded"
    status = 402
    budget: str = ""


class RateLimitError(SufficeError):
    """The caller, or every endpoint left, is over a rate limit (429)."""

    default_code = "rate_limited"
    status = 429
    retryable = True


# Codes of an UpstreamError that stays until the operator acts at the provider: its key, its bill, its quota.
LASTING = ("upstream_auth", "upstream_billing", "upstream_quota")


class UpstreamError(SufficeError):
    """No provider could answer (502, 503 or 504). `code` names the fault of the matrix in docs/reliability.md."""

    default_code = "upstream_unavailable"
    status = 502
    retryable = True


class LedgerError(SufficeError):
    """The ledger cannot take a reservation, so a budgeted request may not be sent (503)."""

    default_code = "ledger_unavailable"
    status = 503
    retryable = True


class StorageError(SufficeError):
    """The database is missing, damaged, of a newer version, or not writable."""

    default_code = "storage_unavailable"
    status = 503


class SandboxError(SufficeError):
    """No sandbox tier works here, or the sandbox itself failed; nothing was run outside of it."""

    default_code = "sandbox_unavailable"
    status = 503


class DecisionError(SufficeError):
    """The inputs of a decision are contradictory or not finite; the caller falls back to the default arm."""

    default_code = "decision_failed"
    status = 500


class WireError(SufficeError):
    """Bytes from a provider do not follow the provider's own format (502)."""

    default_code = "upstream_malformed"
    status = 502
    retryable = True
