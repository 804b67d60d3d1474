"""AWS Signature Version 4: a pure function from a request, credentials and a time to the headers that sign it.

Follows AWS's published description ("Create a signed AWS API request"). The path is signed as it is sent, encoded once more, as
every service but S3 wants; `encode_path` writes it in the form to send. It reads no environment, no file and no clock:
credentials are those that the operator configured. Invariant: secret key and session token are in no repr and no error.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from suffice.errors import ConfigError

_ALGORITHM = "AWS4-HMAC-SHA256"
_SPACES = re.compile(r"[ \t]+")
_SCOPE = re.compile(r"[a-z0-9-]{2,32}")
_ACCESS_KEY = re.compile(r"[A-Za-z0-9_]{16,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An access key. `session_token` is set for temporary ones. Raises ConfigError for what cannot be a key."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not _ACCESS_KEY.fullmatch(self.access_key_id):
            raise ConfigError("the AWS access key id must be 16 to 128 letters or digits")
        for name in ("secret_access_key", "session_token"):
            value: str = getattr(self, name)
            if not value.isascii() or not value.isprintable() or value != value.strip():
                raise ConfigError(f"the AWS {name} holds white space or characters that no key has")
        if not self.secret_access_key:
            raise ConfigError("the AWS secret_access_key is empty")


def encode_path(path: str) -> str:
    """Return `path` as it must be sent: each segment percent-encoded, so `:` of a model id becomes `%3A`."""
    return quote(path, safe="/-_.~")


def digest(body: Iterable[bytes]) -> str:
    """Return the SHA-256 of a body that is sent in pieces, in hex."""
    state = hashlib.sha256()
    for piece in body:
        state.update(piece)
    return state.hexdigest()


def sign(
    *,
    method: str,
    host: str,
    path: str,
    body_sha256: str,
    credentials: Credentials,
    region: str,
    now_s: float,
    service: str = "bedrock",
    query: Sequence[tuple[str, str]] = (),
    headers: Sequence[tuple[str, str]] = (),
) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers to add: `x-amz-date`, `x-amz-security-token` for temporary keys, and `authorization`.

    `host` as in the Host header, `body_sha256` from `digest`, `path` as it is sent (see `encode_path`), `query` decoded,
    `headers` further ones to sign, `now_s` seconds since the epoch. A signature holds for about five minutes, so sign each
    attempt anew. Raises ConfigError for a region or service that is none.
    """
    if not _SCOPE.fullmatch(region) or not _SCOPE.fullmatch(service):
        raise ConfigError(f"{region!r} is no AWS region", hint="set region, for example us-east-1")
    stamp = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    added = [("x-amz-date", stamp)]
    if credentials.session_token:
        added.append(("x-amz-security-token", credentials.session_token))
    signed = _canonical_headers([("host", host), *headers, *added])
    names = ";".join(name for name, _ in signed)
    request = "\n".join(
        (
            method,
            quote(path, safe="/-_.~") or "/",
            _canonical_query(query),
            *(f"{name}:{value}" for name, value in signed),
            "",
            names,
            body_sha256,
        )
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = signing_key(credentials.secret_access_key, stamp[:8], region, service)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    value = f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return tuple((name.encode(), text.encode()) for name, text in (*added, ("authorization", value)))


def signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """Return the key derived for one day (`YYYYMMDD`), region and service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _canonical_query(query: Sequence[tuple[str, str]]) -> str:
    rows = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in rows)


def _canonical_headers(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    joined: dict[str, list[str]] = {}
    for name, value in headers:
        joined.setdefault(name.lower(), []).append(_SPACES.sub(" ", value.strip()))
    return [(name, ",".join(values)) for name, values in sorted(joined.items())]
