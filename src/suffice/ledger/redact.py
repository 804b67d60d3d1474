"""Nothing that looks like a secret reaches the store.

Must not keep the secrets it looks for: a registered one is known by its first characters, its length and its digest.
Works on encoded JSON and masks with as many asterisks as the secret had characters, so that the JSON stays valid.
Invariant: text goes out masked, or `RedactionError` is raised and the caller stores nothing of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from suffice.errors import LedgerError
from suffice.ledger.records import Closed, Decided, Observed, Opened

PREFIX_CHARS = 8
MIN_SECRET_CHARS = 12
# How many texts known to be clean are remembered, and how long one may be.
CLEAN_TEXTS, CLEAN_CHARS = 4096, 300
# A cheap look for these comes first; the patterns run only when one is there.
_MARKS = (
    b"sk-", b"AIza", b"ghp_", b"gho_", b"ghs_", b"github_pat_", b"xox", b"AKIA", b"ASIA", b"ya29.", b"eyJ", b"earer ",
    b"gsk_", b"hf_", b"pplx-", b"nvapi-", b"r8_", b"glpat-", b"xai-", b"-----BEGIN", b"api_key", b"api-key", b"fw_", b"tgp_v1_",
)  # fmt: skip
_TOKEN = rb"[A-Za-z0-9_\-.]"
_PATTERNS = re.compile(
    rb"sk-[A-Za-z0-9]" + _TOKEN + rb"{10,}"
    rb"|AIza[A-Za-z0-9_\-]{20,}|gh[pos]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    rb"|xox[abprs]-[A-Za-z0-9\-]{10,}|A[KS]IA[A-Z0-9]{16}|ya29\." + _TOKEN + rb"{10,}"
    rb"|eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}(?:\.[A-Za-z0-9_\-]*)?"
    rb"|(?<=[Bb]earer )[A-Za-z0-9_\-.~+/=]{8,}"
    rb"|(?:gsk_|hf_|pplx-|nvapi-|r8_|glpat-|xai-|fw_|tgp_v1_)[A-Za-z0-9_\-]{16,}"
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^\"]*"
    rb"|(?<=api[_-]key[=:])\s?[A-Za-z0-9_\-.]{8,}"
)


class RedactionError(LedgerError):
    """Text could not be checked for secrets, so it may not be stored."""


class Redactor:
    """Masks registered secrets and everything in the form of a provider's key."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: dict[bytes, set[tuple[int, bytes]]] = {}
        # Texts in which nothing was found: names of models, owners and reasons repeat from request to request.
        self._clean: set[str] = set()
        for secret in secrets:
            self.register(secret)

    def register(self, secret: str) -> None:
        """Know a secret from now on. Shorter ones than 12 characters are refused: masking them would mask words."""
        raw = secret.encode()
        if len(raw) < MIN_SECRET_CHARS:
            raise ValueError(f"a secret of fewer than {MIN_SECRET_CHARS} characters cannot be told from words")
        self._clean.clear()
        self._known.setdefault(raw[:PREFIX_CHARS], set()).add((len(raw), hashlib.sha256(raw).digest()))

    def suspects(self, text: str) -> bool:
        """Tell whether `text` holds anything that `mask` could change: a mark of a key's form, or a registered beginning."""
        if not text or text in self._clean:
            return False
        try:
            raw = text.encode("utf-8", "surrogatepass")
            if any(map(raw.__contains__, _MARKS)) or any(map(raw.__contains__, self._known)):
                return True
        except Exception as error:
            raise RedactionError("a record could not be checked for secrets; nothing of it is stored") from error
        if len(text) <= CLEAN_CHARS:
            if len(self._clean) >= CLEAN_TEXTS:
                self._clean.clear()
            self._clean.add(text)
        return False

    def mask(self, text: bytes) -> bytes:
        """Return encoded JSON with secrets masked; the same object when there is none. Raises RedactionError."""
        try:
            for prefix, known in self._known.items():
                if prefix in text:
                    text = _mask_known(text, prefix, known)
            for mark in _MARKS:
                if mark in text:
                    return _PATTERNS.sub(lambda found: b"*" * len(found[0]), text)
        except Exception as error:
            raise RedactionError("a record could not be checked for secrets; nothing of it is stored") from error
        return text


def _mask_known(text: bytes, prefix: bytes, known: set[tuple[int, bytes]]) -> bytes:
    out, at = bytearray(text), text.find(prefix)
    while at >= 0:
        # Inside the four digits of an escape no secret begins, and stars there would break the JSON.
        inside = text.rfind(b"\\u", max(0, at - 5), at) >= 0
        for length, digest in () if inside else known:
            if hashlib.sha256(text[at : at + length]).digest() == digest:
                out[at : at + length] = b"*" * length
        at = text.find(prefix, at + 1)
    return bytes(out)


def outside_text(entry: object) -> str:
    """Return all text of a record that can have come from a client or a provider; the rest is made of our own values.

    Looking at these few words instead of the whole record is what makes masking cheap enough for every request; a record with
    anything suspicious in them is masked whole.
    """
    if isinstance(entry, Opened):
        intent = entry.intent
        # The session is a keyed hash of ours.
        return f"{intent.model_requested}\n{intent.model}\n{intent.owner}\n{intent.team}"
    if isinstance(entry, Closed):
        result = entry.result
        said = f"{result.upstream_request_id}\n{result.upstream_model}\n{result.message}\n{result.fault_code}"
        for verdict in result.verdicts:
            said += f"\n{verdict.gate}\n{verdict.reason}\n{verdict.evidence}"
        return said
    if isinstance(entry, Decided):
        record = entry.record
        plan = record.plan
        told = f"{plan.reason}\n{plan.alarm}" if plan is not None else ""
        signals = "\n".join(record.signals)
        return f"{record.model_requested}\n{record.owner}\n{record.team}\n{record.note}\n{told}\n{signals}"
    if isinstance(entry, Observed):
        outcome = entry.record
        return f"{outcome.request_id}\n{outcome.kind}\n{outcome.source}\n{outcome.detail}"
    return ""
