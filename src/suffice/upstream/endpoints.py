"""An upstream endpoint as the transport needs it, built strictly from a base URL and a credential.

It must not read configuration or the environment. Invariants: the host of a request comes from here and nowhere else;
header bytes hold no CR, LF or NUL; the credential is in no repr.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from suffice.errors import ConfigError
from suffice.upstream.tls import client_context

if TYPE_CHECKING:
    from suffice.upstream.authorization import Authorizer

HeaderPairs = tuple[tuple[bytes, bytes], ...]

HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")
_HEADER_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_HOST_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_FILL_NAME = re.compile(r"\{([a-z_]+)\}")
_FILL_VALUE = re.compile(r"[A-Za-z0-9-]{1,63}")
# The transport writes these itself; a second copy would let a message be framed in two ways.
FRAMING_HEADERS = frozenset(
    b"host content-length transfer-encoding connection keep-alive te trailer upgrade expect accept-encoding "
    b"proxy-authorization proxy-connection".split()
)
_USER_AGENT = b"suffice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP CONNECT proxy; `authorization` is the ready Basic value or empty."""

    host: str
    port: int
    authorization: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where and how to reach one deployment of a provider; built by `make_endpoint`.

    `auth` and `headers` are sent with every request and hidden from repr. `static_head` holds the prepared bytes between the
    request target and the headers of the single request, `static_lines` how many lines it has. `private` lets the host
    resolve to private addresses; `ca_file` (PEM) replaces the system's authorities. `authorizer` makes the credential of each
    request where a constant header cannot; `authority` is the value of the Host header.
    """

    id: str
    provider: str
    dialect: str
    host: str
    port: int
    tls: bool
    path_prefix: str = ""
    auth: HeaderPairs = field(default=(), repr=False)
    headers: HeaderPairs = field(default=(), repr=False)
    proxy: Proxy | None = None
    private: bool = False
    ca_file: str = ""
    max_connections: int = 256
    authorizer: Authorizer | None = field(default=None, repr=False, compare=False)
    authority: str = field(init=False, repr=False, compare=False)
    prefix: bytes = field(init=False, repr=False, compare=False)
    static_head: bytes = field(init=False, repr=False, compare=False)
    static_names: frozenset[bytes] = field(init=False, repr=False, compare=False)
    static_lines: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port != (443 if self.tls else 80):
            host = f"{host}:{self.port}"
        pairs = [*self.auth, *self.headers]
        for name, value in pairs:
            _check_header(name, value, f"endpoint {self.id!r}")
        names = {name.lower() for name, _ in pairs}
        if b"user-agent" not in names:
            pairs.append((b"user-agent", _USER_AGENT))
        lines = [b" HTTP/1.1", b"host: " + host.encode("ascii"), b"accept-encoding: identity"]
        lines += [name + b": " + value for name, value in pairs]
        if self.authorizer is not None and b"authorization" in names:
            raise ConfigError(
                f"endpoint {self.id!r}: the authorization header is set twice", hint="remove it from headers"
            )
        object.__setattr__(self, "authority", host)
        object.__setattr__(self, "prefix", self.path_prefix.encode("ascii"))
        object.__setattr__(self, "static_head", b"\r\n".join(lines) + b"\r\n")
        object.__setattr__(self, "static_names", frozenset(names) | FRAMING_HEADERS)
        object.__setattr__(self, "static_lines", len(lines))


def _check_header(name: bytes, value: bytes, where: str) -> None:
    if not HEADER_NAME.fullmatch(name):
        raise ConfigError(f"{where}: {name!r} is no header name")
    if not _HEADER_VALUE.fullmatch(value):
        shown = name.decode("ascii")
        raise ConfigError(
            f"{where}: the value of header {shown!r} holds a control character",
            hint="look for a line break at the end of the key",
        )
    if name.lower() in FRAMING_HEADERS:
        raise ConfigError(f"{where}: header {name.decode('ascii')!r} is written by the transport and cannot be set")


def make_endpoint(
    endpoint_id: str,
    *,
    provider: str,
    base_url: str,
    dialect: str = "openai",
    auth: str = "bearer",
    api_key: str = "",
    headers: Sequence[tuple[str, str]] = (),
    fill: Mapping[str, str] | None = None,
    proxy: str = "",
    private: bool = False,
    ca_file: str = "",
    max_connections: int = 256,
    authorizer: Authorizer | None = None,
) -> Endpoint:
    """Return the endpoint for `base_url`, every part checked; raises ConfigError naming the endpoint and the part.

    `auth`: "bearer", "none", or the name of the header that carries `api_key` bare ("x-api-key", "api-key",
    "x-goog-api-key"). `fill` gives the values of `{placeholders}` in the URL, each 1 to 63 letters, digits or hyphens.
    `proxy`: `http://[user:password@]host:port` or "". Plain `http` is only taken for a `private` endpoint, because the
    key would travel in clear. An empty key with an auth scheme sends no credential (local servers). With an `authorizer` leave
    `api_key` empty.
    """
    where = f"endpoint {endpoint_id!r}"
    tls, host, port, prefix = _parse_base_url(_fill(base_url, fill or {}, where), where)
    if not tls and not private:
        raise ConfigError(
            f"{where}: base_url is plain http, which would send the key in clear",
            hint="use https, or set private = true for a server on your own network",
        )
    if max_connections < 1:
        raise ConfigError(f"{where}: max_connections must be at least 1, not {max_connections}")
    if ca_file:
        client_context(ca_file)  # an unusable file is told now, not at the first request
    return Endpoint(
        id=endpoint_id,
        provider=provider,
        dialect=dialect,
        host=host,
        port=port,
        tls=tls,
        path_prefix=prefix,
        auth=_auth_pairs(auth, api_key, where),
        headers=tuple((_latin(name, where), _latin(value, where)) for name, value in headers),
        proxy=parse_proxy(proxy, where) if proxy else None,
        private=private,
        ca_file=ca_file,
        max_connections=max_connections,
        authorizer=authorizer,
    )


def _latin(text: str, where: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise ConfigError(f"{where}: a header or key holds a character outside of Latin-1") from None


def _auth_pairs(auth: str, api_key: str, where: str) -> HeaderPairs:
    if auth == "none" or not api_key:
        return ()
    key = _latin(api_key, where)
    if auth == "bearer":
        return ((b"authorization", b"Bearer " + key),)
    return ((_latin(auth, where).lower(), key),)


def _fill(url: str, fill: Mapping[str, str], where: str) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in fill:
            raise ConfigError(f"{where}: base_url needs a value for {{{name}}}", hint=f"set {name} on the endpoint")
        text = fill[name]
        if not _FILL_VALUE.fullmatch(text):
            raise ConfigError(f"{where}: {name} = {text!r} must be 1 to 63 letters, digits or hyphens")
        return text

    return _FILL_NAME.sub(value, url)


def _parse_base_url(url: str, where: str) -> tuple[bool, str, int, str]:
    """Return (tls, host, port, path prefix without a closing slash)."""
    if not url.isascii() or any(c <= " " or c in '\\"<>^`{|}' or c == "\x7f" for c in url):
        raise ConfigError(f"{where}: base_url {url!r} holds a character that no URL may hold")
    scheme, _, rest = url.partition("://")
    if scheme not in ("http", "https"):
        raise ConfigError(f"{where}: base_url must begin with https:// (or http:// when private), not {scheme!r}")
    if "?" in rest or "#" in rest or "@" in rest:
        raise ConfigError(f"{where}: base_url may hold no user, query or fragment", hint="put the key under api_key")
    host, port = _host_port(url, where, 443 if scheme == "https" else 80)
    prefix = urlsplit(url).path.rstrip("/")
    if not _PATH.fullmatch(prefix) or any(unquote(part) in (".", "..") for part in prefix.split("/")):
        raise ConfigError(f"{where}: base_url has an unusable path {prefix!r}")
    return scheme == "https", host, port, prefix


def _host_port(url: str, where: str, default_port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(f"{where}: the host or port of the URL cannot be read") from None
    if port == 0 or parts.netloc.endswith(":"):
        raise ConfigError(f"{where}: the port of the URL must be 1 to 65535")
    return check_host(host, where), port or default_port


def check_host(host: str, where: str) -> str:
    """Return `host` when it is an IP address in its usual form or a DNS name; raises ConfigError otherwise.

    Numbers that some resolvers read as IPv4 (`127.1`, `0x7f000001`, `2130706433`) are refused.
    """
    try:
        if "%" not in host:  # no zones
            return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    labels = host.split(".")
    numeric = labels[-1].isdigit() or labels[-1].lower().startswith("0x")
    if numeric or len(host) > 253 or not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise ConfigError(
            f"{where}: {host!r} is neither a DNS name nor an IP address", hint="write an international name in punycode"
        )
    return host


def parse_proxy(url: str, where: str) -> Proxy:
    """Return the CONNECT proxy named by `http://[user:password@]host:port`; raises ConfigError without showing the password."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(f"{where}: proxy must be http://[user:password@]host:port")
    host, port = _host_port(url, f"{where}: proxy", 3128)
    authorization = b""
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + base64.b64encode(pair.encode())
    return Proxy(host=host, port=port, authorization=authorization)
