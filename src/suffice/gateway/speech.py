"""In which dialect, where, and under which path each operation of a client is spoken with one model at one endpoint.

A dialect that both sides speak is used as it is; else the provider's native one is, and a translation stands between. Only
facts of the catalogue and of the configuration count; nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import quote, urlsplit

from suffice.catalog.models import Model
from suffice.catalog.providers import AuthScheme, Provider, UsageShape
from suffice.config.schema import Settings
from suffice.config.sections import EndpointSettings
from suffice.gateway.credentials import authorizer_of
from suffice.upstream.endpoints import Endpoint, make_endpoint
from suffice.wire.fim_templates import family_of, trained
from suffice.wire.fim_upstream import style_of

# The dialects of a conversation: each can be translated into each.
CONVERSATIONS = ("chat", "messages", "responses", "gemini")
# What is passed on in its own form or not at all.
PASSED_ON = ("completions", "embeddings")
# What one provider is asked for beside conversations, without routing.
SERVICES = ("moderations", "rerank", "files", "uploads", "batches")

_PREFERRED = ("chat", "responses", "messages", "gemini")
_NATIVE = {
    UsageShape.ANTHROPIC: ("messages",),
    UsageShape.GEMINI: ("gemini", "vertex-messages"),
    UsageShape.BEDROCK: ("bedrock-messages", "converse"),
    UsageShape.COHERE: ("cohere",),
}
# Clouds that wrap the Messages dialect: under which name of ours each does it.
_WRAPPED = {"bedrock": "bedrock-messages", "google-vertex": "vertex-messages"}
# Dialects that a provider offers beside its own with less in them: no cache marks and thinking (Anthropic), no billed units and
# no thinking (Cohere), signatures of thinking that most clients lose (Gemini).
_TRIAL = frozenset({("anthropic", "chat"), ("cohere", "chat"), ("google-gemini", "chat")})
# Hosts of many vendors' models, where the Messages path serves Claude alone.
_CLAUDE_ONLY = frozenset({"azure-openai", "bedrock", "google-vertex"})
_VERSION = "anthropic-version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How one operation is spoken: the provider's `dialect`, the full path at `endpoint`, and the path for streams.

    `style` is the form in which a provider of the dialect `fim` fills in, see `wire.fim_upstream`.
    """

    dialect: str
    endpoint: Endpoint
    path: bytes
    stream_path: bytes
    style: str = ""


class Speaker:
    """Makes the speech of one configured endpoint. `endpoint` is its main address, also when nothing is spoken there."""

    def __init__(self, name: str, section: EndpointSettings, provider: Provider, settings: Settings) -> None:
        self._name = name
        self._section = section
        self._provider = provider
        self._settings = settings
        self._others: dict[tuple[str, str, bool], Endpoint] = {}
        self._authorizer = authorizer_of(name, section, provider)
        self._main = urlsplit(section.base_url or _own_url(provider, section.region))
        self.endpoint = self._make(name, f"{self._main.scheme}://{self._main.netloc}", provider.auth.value)

    def paths(self) -> dict[str, bytes]:
        """Return the path of every dialect and service of the provider, placeholders of models left in."""
        found: dict[str, bytes] = {}
        for dialect in self._provider.dialects:
            if self._section.dialects and dialect in CONVERSATIONS and dialect not in self._section.dialects:
                continue
            url = self._url(dialect)
            if url is not None:
                parts = urlsplit(url)
                found[dialect] = self._filled(parts.path or "/", f"?{parts.query}" if parts.query else "")
        return found

    def speech(self, model: Model) -> dict[str, Speech]:
        """Return the speech of every operation that `model` can be asked for here."""
        paths = served_paths(self._provider.id, model.name, self.paths())
        out: dict[str, Speech] = {}
        for operation in CONVERSATIONS:
            dialect = spoken(operation, self._provider, paths)
            if dialect:
                out[operation] = self._speech(dialect, paths, model)
        for operation in PASSED_ON:
            if operation in paths:
                out[operation] = self._speech(operation, paths, model)
        style = fills_in(self._provider, model) if "fim" in paths or "completions" in paths else ""
        if style:
            out["fim"] = self._speech("fim" if "fim" in paths else "completions", paths, model, style)
        elif "chat" in out and model.kind == "chat":
            out["fim"] = out["chat"]
        return out

    def services(self) -> dict[str, Speech]:
        """Return the speech of every service that this endpoint offers beside conversations."""
        found = {}
        for service, path in self.paths().items():
            if service in SERVICES:
                endpoint = self._endpoint(service)
                found[service] = Speech(dialect=service, endpoint=endpoint, path=path, stream_path=path)
        return found

    def _speech(self, dialect: str, paths: Mapping[str, bytes], model: Model, style: str = "") -> Speech:
        # AWS signs the path as its SDKs write it, with every reserved character encoded.
        safe = "-._~" if self._provider.auth is AuthScheme.SIGV4 else "-._~:@"
        name = quote(model.name, safe=safe).encode()
        path = paths[dialect].replace(b"{model}", name)
        stream_path = paths.get(f"{dialect}_stream", paths[dialect]).replace(b"{model}", name)
        spoken_as = "fim" if style else dialect
        endpoint = self._endpoint(dialect)
        return Speech(dialect=spoken_as, endpoint=endpoint, path=path, stream_path=stream_path, style=style)

    def _endpoint(self, dialect: str) -> Endpoint:
        """Return the endpoint of a dialect: a host or a credential of its own makes it another one."""
        provider = self._provider
        # A wrapped dialect stands in the table under its plain name.
        parts = urlsplit(self._url("messages" if dialect in _WRAPPED.values() else dialect) or "")
        base = self._main if self._section.base_url else parts
        auth = provider.auth.value
        if dialect in ("chat", "embeddings") and auth in ("x-api-key", "x-goog-api-key"):
            auth = "bearer"  # compatibility layers take the key as OpenAI's clients send it
        # The version of the Messages dialect is the client's to choose, request by request.
        versioned = dialect in ("messages", "files", "batches") and _VERSION in provider.quirks.headers
        if base.netloc == self._main.netloc and auth == provider.auth.value and not versioned:
            return self.endpoint
        key = (base.netloc, auth, versioned)
        if key not in self._others:
            self._others[key] = self._make(f"{self._name}+{dialect}", f"{base.scheme}://{base.netloc}", auth, versioned)
        return self._others[key]

    def _url(self, dialect: str) -> str | None:
        # Whether a server's address is written with `/v1` or without differs between providers; both are understood.
        base = self._section.base_url.rstrip("/")
        if base.endswith("/v1") and self._provider.dialects.get(dialect, "").startswith("/v1/"):
            base = base.removesuffix("/v1")
        own = base or _own_url(self._provider, self._section.region)
        return self._provider.url(dialect, own, versioned=bool(self._section.api_version))

    def _fill(self) -> dict[str, str]:
        section = self._section
        fill = {"region": section.region, "location": section.region, "resource": section.resource}
        fill |= {"account": section.resource, "project": section.project, "api_version": section.api_version}
        return {key: value for key, value in fill.items() if value}

    def _filled(self, path: str, query: str) -> bytes:
        for key, value in self._fill().items():
            path, query = path.replace(f"{{{key}}}", value), query.replace(f"{{{key}}}", value)
        return (path + query).encode()

    def _make(self, name: str, base_url: str, auth: str, versioned: bool = False) -> Endpoint:
        section, provider, settings = self._section, self._provider, self._settings
        fixed = {k: v for k, v in provider.quirks.headers.items() if not (versioned and k == _VERSION)}
        if auth in ("sigv4", "oauth2"):
            auth = "bearer"  # a key that is sent as it is: Bedrock's API keys, tokens that somebody else renews
        return make_endpoint(
            name,
            provider=provider.id,
            dialect="openai-chat",
            base_url=base_url,
            auth=auth if not (auth == "none" and section.api_key) else "bearer",
            api_key=section.api_key.reveal() if section.api_key else "",
            headers=[*fixed.items(), *((k, v.reveal()) for k, v in section.headers.items())],
            fill=self._fill(),
            proxy=_proxy(section),
            private=section.private or provider.local,
            max_connections=settings.upstream.max_connections,
            ca_file=section.ca_file,
            authorizer=self._authorizer,
        )


def served_paths(provider: str, model: str, paths: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the paths under which a cloud serves `model`: hosts of many vendors' models have some for one vendor alone."""
    if "claude" in model.lower():
        wrapped = _WRAPPED.get(provider)
        if not wrapped:
            return dict(paths)
        return {f"{wrapped}{k.removeprefix('messages')}": v for k, v in paths.items() if k.startswith("messages")}
    without = {"messages", "messages_stream"} if provider in _CLAUDE_ONLY else set()
    if provider == "bedrock" and "openai" not in model:
        without |= {"chat", "responses"}
    if provider == "google-vertex":
        # Models of other vendors are called publisher/model and are reached by the chat path; Google's own by theirs.
        without |= {"gemini", "gemini_stream"} if "/" in model else {"chat"}
    return {dialect: path for dialect, path in paths.items() if dialect not in without}


def _own_url(provider: Provider, region: str) -> str:
    # Vertex's global endpoint is the one whose host names no location.
    return provider.base_url.replace("{location}-", "") if region == "global" else provider.base_url


def spoken(operation: str, provider: Provider, paths: Mapping[str, bytes]) -> str:
    """Return the dialect in which a conversation of dialect `operation` goes to `provider`, "" when it has none."""
    if operation in paths and (provider.id, operation) not in _TRIAL:
        return operation
    preferred = (*_NATIVE.get(provider.usage.shape, ()), *_PREFERRED)
    return next((dialect for dialect in preferred if dialect in paths), "")


def fills_in(provider: Provider, model: Model) -> str:
    """Return the style in which `model` fills in the middle at `provider`, "" when it can only be asked in words.

    What nobody recorded is told by the name, as models trained to fill in are called; a llama.cpp server says itself what its
    model cannot.
    """
    facts = provider.fim
    if facts is None:
        # OpenAI's own models that take a suffix, and those of which only the operator knows: a suffix goes to them as it is.
        unknown = not (model.context_window or model.capabilities or model.reviewed)
        return "completions" if "completions" in provider.dialects and (unknown or "-instruct" in model.name) else ""
    style = style_of(provider.id, facts.path, facts.style)
    able = model.has("fim")
    if style == "chat" or able is False or model.kind != "chat":
        return ""
    if facts.models:
        # Catalogues write `codestral` for what the provider calls `codestral-latest`.
        return (
            style if any(fnmatchcase(f"{model.name}-", p) or fnmatchcase(model.name, p) for p in facts.models) else ""
        )
    if style == "infill":
        return style
    if not able and not trained(model.name):
        return ""
    return style if style != "template" or family_of(model.name) else ""


def _proxy(section: EndpointSettings) -> str:
    if not section.proxy or section.proxy_auth is None:
        return section.proxy
    scheme, _, rest = section.proxy.partition("://")
    return f"{scheme}://{section.proxy_auth.reveal()}@{rest}"
