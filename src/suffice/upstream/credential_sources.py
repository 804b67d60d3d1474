"""Where credentials come from while the gateway runs: a program, a file, or a refresh token of Google's.

The operator named each of them; nothing is searched for. Output is read in the forms that the vendors' own tools write. Invariant:
what a program or a server said is in no error, because it may be the credential.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from suffice.errors import ConfigError
from suffice.upstream.credentials import FOREVER_S, Carrier, CredentialError, Issued
from suffice.upstream.deadlines import Deadlines
from suffice.upstream.endpoints import make_endpoint
from suffice.upstream.sigv4 import Credentials

COMMAND_S = 25.0
MAX_BYTES = 65_536
# A bare token says nothing about its life; vendors' tools give theirs away with at least this much left.
BARE_LIFE_S = 240.0
# A file is looked at again this often: whoever rotates it keeps the old token in force for longer.
FILE_LIFE_S = 60.0
_DEADLINES = Deadlines(connect_s=5.0, write_s=5.0, head_s=10.0, first_byte_s=10.0, between_s=10.0, total_s=20.0)

Read = Callable[[bytes, float], Issued]


def parse(data: bytes, now_s: float) -> Issued:
    """Return the credential in a program's output or a file. Raises CredentialError.

    Understood: a bare token; JSON with `access_token` and `expires_in` (OAuth), `accessToken` and `expires_on` (Azure's tool),
    `token` and `expiry`; AWS's `credential_process` form (`AccessKeyId`, `SecretAccessKey`, `SessionToken`, `Expiration`).
    `now_s` is when it was made, in seconds since the epoch.
    """
    text = data.decode("utf-8", "replace").strip()
    if not text.startswith("{"):
        return Issued(token=_token(text), expires_s=now_s + BARE_LIFE_S)
    try:
        row = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise CredentialError("the source gave JSON that cannot be read") from None
    expires_s = _expires(row, now_s)
    if "AccessKeyId" in row:
        try:
            keys = Credentials(
                access_key_id=str(row["AccessKeyId"]),
                secret_access_key=str(row.get("SecretAccessKey") or ""),
                session_token=str(row.get("SessionToken") or ""),
            )
        except ConfigError as error:
            raise CredentialError(error.message) from None
        return Issued(aws=keys, expires_s=expires_s if expires_s is not None else FOREVER_S)
    token = next((row[name] for name in ("access_token", "accessToken", "token") if name in row), "")
    return Issued(token=_token(str(token)), expires_s=expires_s if expires_s is not None else now_s + BARE_LIFE_S)


def _token(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise CredentialError("the source gave no token: one line of printable characters was expected")
    return text


def _expires(row: dict[str, Any], now_s: float) -> float | None:
    life = row.get("expires_in", row.get("expiresIn"))
    if isinstance(life, int | float) and not isinstance(life, bool):
        return now_s + float(life)
    at = row.get("expires_on")
    if isinstance(at, int | float | str) and str(at).isdigit():
        return float(at)
    for name in ("Expiration", "expiry", "token_expiry"):
        if isinstance(row.get(name), str):
            try:
                found = datetime.fromisoformat(row[name].replace("Z", "+00:00"))
            except ValueError:
                raise CredentialError(f"the source gave a {name} that is no time") from None
            if found.tzinfo is None:
                raise CredentialError(f"the source gave a {name} without a time zone")
            return found.timestamp()
    return None


class Command:
    """Runs the operator's program, which prints the credential. No shell; its errors are its exit code to us."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = tuple(argv)

    async def fetch(self, carrier: Carrier) -> Issued:
        """Return what the program printed. Raises CredentialError when it fails, prints nothing of use or takes too long."""
        name = self._argv[0]
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except (OSError, ValueError) as error:
            raise CredentialError(f"{name} could not be started: {type(error).__name__}") from None
        assert process.stdout is not None
        started_s = carrier.wall_s()
        try:
            async with asyncio.timeout(COMMAND_S):
                data = await process.stdout.read(MAX_BYTES)
                while len(data) < MAX_BYTES and (more := await process.stdout.read(MAX_BYTES - len(data))):
                    data += more
                if len(data) == MAX_BYTES:
                    raise CredentialError(f"{name} printed more than {MAX_BYTES} bytes")
                code = await process.wait()
        except TimeoutError:
            raise CredentialError(f"{name} took longer than {COMMAND_S:.0f} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if code:
            raise CredentialError(f"{name} ended with exit code {code}")
        return parse(data, started_s)


class File:
    """Reads a file that something else keeps up to date: a bare token or JSON as in `parse`."""

    def __init__(self, path: Path, read: Read = parse) -> None:
        self._path = path
        self._read = read

    async def fetch(self, carrier: Carrier) -> Issued:
        """Return what stands in the file now. Raises CredentialError."""
        issued = self._read(await asyncio.to_thread(read_file, self._path), carrier.wall_s())
        return Issued(
            token=issued.token, aws=issued.aws, expires_s=min(issued.expires_s, carrier.wall_s() + FILE_LIFE_S)
        )


def read_file(path: Path) -> bytes:
    """Return the content of a credential's file. Raises CredentialError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CredentialError(f"cannot read {path}: {error.strerror or type(error).__name__}") from None
    if len(data) > MAX_BYTES:
        raise CredentialError(f"{path} is larger than {MAX_BYTES} bytes")
    return data


class Refreshable:
    """Exchanges a user's refresh token (`gcloud auth application-default login`) for access tokens."""

    def __init__(self, name: str, row: dict[str, Any], url: str = "https://oauth2.googleapis.com") -> None:
        fields = {key: row.get(key) for key in ("client_id", "client_secret", "refresh_token")}
        missing = [key for key, value in fields.items() if not isinstance(value, str) or not value]
        if missing:
            raise ConfigError(f"endpoint {name!r}: the credential file has no {', '.join(missing)}")
        self._form = urlencode({"grant_type": "refresh_token", **fields}).encode()
        private = url.startswith("http://")
        self._endpoint = make_endpoint(f"{name}+token", provider="google", base_url=url, auth="none", private=private)

    async def fetch(self, carrier: Carrier) -> Issued:
        """Return an access token. Raises CredentialError or TransportFault."""
        headers = [(b"content-type", b"application/x-www-form-urlencoded")]
        asked_s = carrier.wall_s()
        response = await carrier.request(self._endpoint, b"POST", b"/token", headers, [self._form], _DEADLINES)
        data = await response.read(MAX_BYTES, 10.0)
        if response.status != 200:
            raise CredentialError(f"{self._endpoint.host} answers {response.status}")
        return parse(data, asked_s)
