"""Opaque state that a Gemini client carries for us in `thoughtSignature`, with the name of its issuer and the call's id.

Google's clients hold that field as bytes written in base64, so a seal must be base64 too; they may write it back in the
URL-safe alphabet. Many of them drop the ids of calls and none drops the signature: the id rides along in the seal.
A body that holds `MARK` must not be passed through byte for byte.
"""

from __future__ import annotations

import base64
import binascii

from suffice.wire.reasoning import SEAL

# What base64 makes of the first bytes of every seal.
MARK = base64.b64encode(SEAL.encode())[:6]
_URL_SAFE = str.maketrans("-_", "+/")


def pack(issuer: str, state: str, call_id: str = "") -> str:
    """Return the signature to show: base64 of issuer, call id and state; "" when there is nothing to carry."""
    if not state and not call_id:
        return ""
    name = base64.urlsafe_b64encode(call_id.encode()).decode().rstrip("=")
    return base64.b64encode(f"{SEAL}{issuer}.{name}.{state}".encode()).decode()


def unpack(signature: str, otherwise: str) -> tuple[str, str, str]:
    """Return (issuer, state, call id) of a signature that a client sent; `otherwise` issued one that has no seal of ours.

    A damaged seal yields empty state: it must not reach a provider.
    """
    if not signature.startswith(MARK.decode()):
        return (otherwise if signature else ""), signature, ""
    try:
        text = base64.b64decode(_padded(signature.translate(_URL_SAFE)), validate=True).decode()
        issuer, name, state = text.removeprefix(SEAL).split(".", 2)
        call_id = base64.urlsafe_b64decode(_padded(name)).decode()
    except (binascii.Error, ValueError):
        return "", "", ""
    return (issuer if state else ""), state, call_id


def _padded(text: str) -> str:
    text = text.rstrip("=")
    return text + "=" * (-len(text) % 4)
