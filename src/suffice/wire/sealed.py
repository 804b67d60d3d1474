"""State that a client carries for us, under our seal: whose thinking it was, and that nobody has changed it.

A client keeps a reasoning item's `encrypted_content` without reading it. What another provider needs back with the next turn
(its thinking text and signature, its own encrypted blob) therefore travels there, signed with a key of the gateway's: a string
with a good seal is ours and names its issuer, any other is foreign. The seal proves origin; it hides nothing that the client
has not been told. Invariant: `unseal` returns exactly what `seal` was given, or None.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Protocol

import msgspec

from suffice.wire.neutral import Reasoning
from suffice.wire.reasoning import SEAL

# A body that holds `reasoning.SEAL` is not passed through byte for byte: this mark begins with it.
MARK = SEAL + "h."
_TAG_BYTES = 16


class Sealer(Protocol):
    """Signs and opens reasoning that clients carry."""

    def seal(self, block: Reasoning) -> str:
        """Return the string for the client, "" when there is nothing worth carrying."""
        ...

    def unseal(self, text: str) -> Reasoning | None:
        """Return the block of a string with a good seal, None for any other string."""
        ...

    def issuer_of(self, state: str) -> str:
        """Return the provider that made an unsealed `state`, or "" when nobody remembers."""
        ...


class HmacSealer:
    """`Sealer` by HMAC-SHA-256, cut to 128 bits. `key` is secret and the same in all workers; `scope` separates tenants.

    A seal of another scope does not open. `issuers` may map the digest of an unsealed state (see `digest`) to its provider.
    """

    def __init__(self, key: bytes, scope: str = "", issuers: dict[str, str] | None = None) -> None:
        if len(key) < 16:
            raise ValueError("the sealing key must have at least 16 bytes")
        self._key = hmac.digest(key, b"suffice reasoning seal\0" + scope.encode(), "sha256")
        self._issuers = issuers if issuers is not None else {}

    def seal(self, block: Reasoning) -> str:
        """Return the sealed block. A block without state or issuer is not worth carrying: its text is in the summary."""
        if not block.issuer or not (block.signature or block.encrypted or block.text):
            return ""
        payload = msgspec.json.encode(
            [block.issuer, block.text, block.signature, block.encrypted, block.item_id, block.summary]
        )
        tag = hmac.digest(self._key, payload, "sha256")[:_TAG_BYTES]
        return MARK + base64.urlsafe_b64encode(tag + payload).decode()

    def unseal(self, text: str) -> Reasoning | None:
        """Return the block, or None when the seal is not ours."""
        if not text.startswith(MARK):
            return None
        try:
            raw = base64.urlsafe_b64decode(text[len(MARK) :].encode())
        except (binascii.Error, ValueError):
            return None
        tag, payload = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        if not hmac.compare_digest(tag, hmac.digest(self._key, payload, "sha256")[:_TAG_BYTES]):
            return None
        issuer, said, signature, encrypted, item_id, summary = msgspec.json.decode(payload)
        return Reasoning(
            text=said, signature=signature, encrypted=encrypted, issuer=issuer, item_id=item_id, summary=summary
        )

    def issuer_of(self, state: str) -> str:
        """Return the remembered issuer of an unsealed state, or ""."""
        return self._issuers.get(digest(state), "")


def digest(state: str) -> str:
    """Return the short digest under which the issuer of an opaque state is remembered."""
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:32]
