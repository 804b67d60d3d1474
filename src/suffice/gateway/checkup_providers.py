"""The checks of `suffice doctor` that ask others: each endpoint's key, the clock, streaming, the running control plane.

A free call proves a key (the list of models); only `stream` costs money. Invariant: nothing of an answer's body is shown, since
providers repeat keys in their errors; a check ends in a `Check` within its deadlines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from suffice.catalog.book import Catalog
from suffice.catalog.providers import Provider
from suffice.config.schema import Settings
from suffice.config.sections import EndpointSettings
from suffice.errors import SufficeError
from suffice.gateway.checkup import Check, State
from suffice.gateway.fleet import Served
from suffice.upstream.deadlines import Deadlines
from suffice.upstream.endpoints import Endpoint, make_endpoint
from suffice.upstream.response import Response
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.env import Env
from suffice.values.money import Unknown

DEADLINES = Deadlines(connect_s=5.0, write_s=5.0, head_s=10.0, first_byte_s=10.0, between_s=10.0, total_s=20.0)
STREAM_DEADLINES = Deadlines(connect_s=5.0, head_s=60.0, first_byte_s=60.0, between_s=30.0, total_s=120.0)
MAX_LIST_BYTES = 8 << 20
MAX_STREAM_BYTES = 1 << 20
SKEW_S = 60.0
STREAM_TOKENS = 64
ONE_GO_S = 0.01
"""No model makes this many tokens in so short a time: what comes within it was held back on the way."""
_PROMPT = "Count from 1 to 30 in words, separated by commas."
_FAULTS = {
    "connect_refused": "nothing listens there: is the server running, and is base_url right?",
    "dns": "the name is not known: check base_url and this machine's DNS",
    "tls": "the certificate is not accepted: check base_url, ca_file and this machine's clock",
    "proxy": "the proxy refuses: check proxy and proxy_auth",
    "egress_denied": "the address is private: set private = true when that is meant",
}


class Providers:
    """Asks the endpoints of one configuration. `clock_skews_s` collects what their Date headers say."""

    def __init__(self, env: Env, transport: Transport, *, deadlines: Deadlines = DEADLINES) -> None:
        self._env = env
        self._transport = transport
        self._deadlines = deadlines
        self.clock_skews_s: list[float] = []

    async def key(self, endpoint: Endpoint, section: EndpointSettings, provider: Provider) -> Check:
        """Prove an endpoint's key by asking for its list of models; where strangers get it too, nothing is proven."""
        name = f"endpoint {endpoint.id}"
        if endpoint.authorizer is not None:
            message = "its requests are signed or carry a token that is renewed"
            return Check(name=name, state=State.SKIPPED, message=message, fix="prove it with --deep")
        url = provider.url("models", section.base_url)
        if url is None:
            message = "this provider has no call that is free and needs the key"
            return Check(name=name, state=State.SKIPPED, message=message, fix="prove it with --deep")
        parts = urlsplit(url)
        if parts.netloc != urlsplit(section.base_url or provider.base_url).netloc or "{" in parts.path:
            message = "its list of models is at another address"
            return Check(name=name, state=State.SKIPPED, message=message, fix="prove it with --deep")
        path = (parts.path.removeprefix(endpoint.path_prefix) or "/").encode()
        try:
            response = await self._get(endpoint, path)
            wrong = await self._refused(name, response, section)
            if wrong is not None:
                return wrong
            if section.api_key is None:
                return Check(name=name, state=State.OK, message="reachable; it needs no key")
            # The same question without the key: a public list says nothing about it.
            stranger = replace(endpoint, id=f"{endpoint.id} without key", auth=())
            response = await self._get(stranger, path)
            public = response.status == 200
            response.close()
        except TransportFault as fault:
            return unreachable(name, fault)
        if public:
            message = (
                f"reachable, but its list of models is public: the key ({section.api_key.reference}) is not proven"
            )
            return Check(name=name, state=State.WARNING, message=message, fix="prove it with --deep")
        return Check(name=name, state=State.OK, message=f"the key ({section.api_key.reference}) is accepted")

    async def _get(self, endpoint: Endpoint, path: bytes) -> Response:
        headers = [(b"accept", b"application/json")]
        response = await self._transport.request(endpoint, b"GET", path, headers, (), self._deadlines)
        self._skew(response)
        return response

    async def _refused(self, name: str, response: Response, section: EndpointSettings) -> Check | None:
        """Return what is wrong with an answer to the list of models, None when it is one."""
        body = await response.read(MAX_LIST_BYTES)
        wrong = refusal(name, response.status, section)
        if wrong is not None:
            return wrong
        try:
            listed = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            kind = _header(response, b"content-type") or "no content type"
            message = f"answers 200, but not as a provider's API does ({kind[:60]})"
            fix = "a login page, a proxy or a wrong base_url: open the address in a browser"
            return Check(name=name, state=State.FAILED, message=message, fix=fix)
        if "error" in listed:
            return Check(
                name=name, state=State.FAILED, message="answers 200 with an error object", fix="check base_url"
            )
        return None

    def _skew(self, response: Response) -> None:
        try:
            told = parsedate_to_datetime(_header(response, b"date")).timestamp()
        except (TypeError, ValueError, OverflowError):
            return
        self.clock_skews_s.append(self._env.now() - told)

    def clock(self) -> Check:
        """Compare this machine's clock with what providers said; the middle one counts."""
        if not self.clock_skews_s:
            return Check(name="clock", state=State.SKIPPED, message="no provider told the time")
        skew_s = sorted(self.clock_skews_s)[len(self.clock_skews_s) // 2]
        if abs(skew_s) <= SKEW_S:
            return Check(name="clock", state=State.OK, message=f"within {SKEW_S:.0f} s of the providers'")
        message = f"this machine's clock is {abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} the providers'"
        fix = "set the clock (NTP): windows of budgets, expiry of keys and time-of-day prices depend on it"
        return Check(name="clock", state=State.WARNING, message=message, fix=fix)

    async def stream(
        self, endpoint: Endpoint, section: EndpointSettings, path: bytes, model: str, limit_field: str = "max_tokens"
    ) -> Check:
        """Make one real, tiny streamed call and look whether its pieces come one by one. Costs money, books nothing."""
        name = f"stream {endpoint.id}"
        body = msgspec.json.encode(
            {
                "model": model,
                "messages": [{"role": "user", "content": _PROMPT}],
                "stream": True,
                limit_field: STREAM_TOKENS,
            }
        )
        headers = [(b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
        try:
            response = await self._transport.request(endpoint, b"POST", path, headers, [body], STREAM_DEADLINES)
            wrong = refusal(name, response.status, section)
            if wrong is not None:
                response.close()
                return wrong
            pieces = size = 0
            while chunk := await response.chunk():
                pieces, size = pieces + 1, size + len(chunk)
                if size > MAX_STREAM_BYTES:
                    response.close()
                    break
        except TransportFault as fault:
            return unreachable(name, fault)
        return streamed(name, model, response, pieces)


def cheapest(served: Iterable[Served], catalog: Catalog, at_s: float) -> Served | None:
    """Return the chat model with the lowest known output price, which a real call is made to; None without one."""

    def price(row: Served) -> tuple[bool, int, str]:
        found = catalog.price(row.model.id, at_s)
        return isinstance(found, Unknown), 0 if isinstance(found, Unknown) else found.rates.output, row.model.id

    spoken = (s for s in served if s.model.kind == "chat" and "chat" in s.speech and s.speech["chat"].dialect == "chat")
    return min(spoken, key=price, default=None)


def streamed(name: str, model: str, response: Response, pieces: int) -> Check:
    """Judge a finished stream by its form and by the time between its first and last byte."""
    times = response.timings
    if not _header(response, b"content-type").startswith("text/event-stream"):
        message = f"{model}: answered, but not as a stream"
        return Check(name=name, state=State.FAILED, message=message, fix="check base_url and the model's name")
    first_s, span_s = times.first_byte - times.start, times.last_byte - times.first_byte
    message = f"{model}: {pieces} pieces, first after {first_s:.2f} s, last {span_s:.2f} s later"
    if pieces < 2 or span_s < ONE_GO_S:
        fix = "something between here and the provider may hold streams back: a proxy or an inspecting firewall"
        return Check(name=name, state=State.WARNING, message=f"{message}: it came in one go", fix=fix)
    return Check(name=name, state=State.OK, message=f"{message}: not held back")


def refusal(name: str, status: int, section: EndpointSettings) -> Check | None:
    """Return what a status says is wrong, None for 200. The body is not shown: providers repeat keys in it."""
    if status == 200:
        return None
    if status in (401, 403):
        if section.api_key is None:
            return Check(name=name, state=State.FAILED, message=f"wants a key ({status})", fix="set api_key")
        where = section.api_key.reference
        message = f"refuses the key ({where}) with {status}"
        fix = "is it the key of this provider, in force, and allowed to list models and call them?"
        return Check(name=name, state=State.FAILED, message=message, fix=fix)
    if status in (402, 429):
        message = f"answers {status}: the key is known, but over a limit or without credit"
        return Check(name=name, state=State.WARNING, message=message, fix="look at the account with the provider")
    if status >= 500:
        message = f"answers {status}: the provider has trouble"
        return Check(name=name, state=State.UNREACHABLE, message=message, fix="try later; look at its status page")
    message = f"answers {status} where a list or a stream was expected"
    return Check(name=name, state=State.FAILED, message=message, fix="check base_url, region and the model's name")


def unreachable(name: str, fault: TransportFault) -> Check:
    """Return a check that got no answer."""
    fix = _FAULTS.get(fault.kind, "try again; when it stays, look at the network between here and the provider")
    return Check(name=name, state=State.UNREACHABLE, message=str(fault), fix=fix)


def _header(response: Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in response.headers if key == name), "")


async def control(settings: Settings, transport: Transport, running: bool) -> Check:
    """Ask the control plane of a running gateway whether it is ready."""
    name, server = "gateway", settings.server
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.control_host, server.control_host)  # noqa: S104
    where = f"http://{f'[{host}]' if ':' in host else host}:{server.control_port}"
    if not running or not server.control_port:
        why = "no gateway is running on this storage folder" if not running else "the control plane is on a free port"
        return Check(name=name, state=State.SKIPPED, message=why)
    try:
        endpoint = make_endpoint("control", provider="suffice", base_url=where, auth="none", private=True)
        response = await transport.request(endpoint, b"GET", b"/ready", [], (), DEADLINES)
        body = await response.read(1 << 20)
    except (TransportFault, SufficeError) as error:
        fix = "does the running gateway have this configuration? Restart it with the same file"
        message = f"a gateway runs, but its control plane {where} does not answer: {error}"
        return Check(name=name, state=State.UNREACHABLE, message=message, fix=fix)
    if response.status == 200:
        return Check(name=name, state=State.OK, message=f"running and ready ({where})")
    return Check(name=name, state=State.FAILED, message=f"{where}/ready answers {response.status}{_why(body)}")


def _why(body: bytes) -> str:
    try:
        told: Mapping[str, object] = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.MsgspecError:
        return ""
    return ": " + ", ".join(f"{key} {value}" for key, value in told.items() if isinstance(value, str | bool | int))
