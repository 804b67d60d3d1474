"""One request to the running gateway, for commands that speak to it as any client does.

Must not follow redirects or proxies: the key goes to the address that was named and nowhere else. Invariant: an answer is
bounded in size and time, and whatever goes wrong is a SufficeError.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from suffice.cli.command import Io, UsageError
from suffice.cli.workspace import configured
from suffice.config.schema import ServerSettings
from suffice.errors import AuthError, NotFoundError, RequestError, SufficeError, UpstreamError

TIMEOUT_S = 10.0
_MAX_ANSWER_BYTES = 1 << 20
_CLASSES: Mapping[int, type[SufficeError]] = {400: RequestError, 401: AuthError, 404: NotFoundError}
_HOST = re.compile(r"[A-Za-z0-9.:-]+|\[[0-9A-Fa-f:.]+\](:\d+)?")
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  (where one listens, not where we do)


def base_url(args: argparse.Namespace, io: Io) -> str:
    """Return where the gateway is, without `/v1`: what `--url` says, else the configuration. Raises UsageError, InvalidConfigError."""
    return _named(args.url) if args.url else address_of(configured(args, io).server)


def address_of(server: ServerSettings) -> str:
    """Return the base URL, without `/v1`, at which this machine reaches the data plane. Raises UsageError when its port is not fixed."""
    if not server.port:
        raise UsageError("server.port is 0 (any free port): say --url with the address that `suffice serve` tells")
    return _url(server.host, server.port)


def control_url(server: ServerSettings) -> str:
    """Return the base URL of the control plane on this machine. Raises UsageError when its port is not fixed."""
    if not server.control_port:
        raise UsageError("server.control_port is 0 (any free port): set it, so that commands find the control plane")
    return _url(server.control_host, server.control_port)


def _url(name: str, port: int) -> str:
    host = _ANYWHERE.get(name, name)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _named(text: str) -> str:
    """Return `text` as a base URL without a slash or `/v1` at its end. Raises UsageError."""
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    good = parts.scheme in ("http", "https") and parts.hostname and _HOST.fullmatch(parts.netloc)
    if not good or parts.query or parts.fragment or not re.fullmatch(r"[A-Za-z0-9._~/-]*", parts.path):
        raise UsageError(f"--url: {text!r} is no base URL; write http://127.0.0.1:4000")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v1')}".rstrip("/")


def post(url: str, path: str, body: object, key: str = "", timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """Send JSON to `url` + `path` and return the JSON answer.

    Raises RequestError for a URL that is none, UpstreamError when nobody answers there, and what the gateway refuses as the
    error of its status.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
        raise RequestError(f"{url[:200]!r} is no address of a gateway", hint="write http://127.0.0.1:4000/v1")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname, port, timeout=timeout_s)
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    try:
        connection.request("POST", parts.path.rstrip("/") + path, json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        data = answer.read(_MAX_ANSWER_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UpstreamError(
            f"no gateway answers at {url}: {getattr(error, 'strerror', None) or type(error).__name__}",
            hint="start it (`suffice serve`), or name its address with --url",
            code="gateway_unreachable",
        ) from None
    finally:
        connection.close()
    return _answer(url, answer.status, data)


def _answer(url: str, status: int, data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
        if status == 200:
            return dict(told)
        said = dict(told["error"])
        message, code = str(said["message"]), str(said["code"])
    except (ValueError, KeyError, TypeError):
        raise UpstreamError(f"what answers at {url} is no Suffice gateway (status {status})") from None
    hint = "give the key with SUFFICE_KEY or --key" if status == 401 else ""
    raise _CLASSES.get(status, UpstreamError)(message, code=code, hint=hint, status=status)
