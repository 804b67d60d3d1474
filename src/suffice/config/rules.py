"""Rules that concern more than one setting, or the meaning of an address. Form only: names of the catalogue come later.

Each rule yields problems and changes nothing. What would open the control plane or send a key in clear text is refused.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, urlsplit

from suffice.config.locate import Path
from suffice.config.origin import dotted
from suffice.config.problem import Problem, did_you_mean
from suffice.config.schema import Settings
from suffice.config.sections import MODEL_ID, EndpointSettings, PriceSettings

MIN_CONTROL_SECRET = 16
_DEFAULT_SECRETS = frozenset(
    [
        "admin",
        "administrator",
        "change-me",
        "changeme",
        "default",
        "example",
        "letmein",
        "master",
        "password",
        "secret",
        "suffice",
        "test",
        "sk-1234",
    ]
)
_HOP_HEADERS = frozenset(
    [
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
Rule = Callable[[Settings], Iterator[Problem]]


def is_loopback(host: str) -> bool:
    """Tell whether `host` can only be reached from this machine."""
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Tell whether `host` is plainly inside a private network: loopback, or an address that is not public."""
    try:
        return is_loopback(host) or not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return is_loopback(host)


def _listeners(settings: Settings) -> Iterator[Problem]:
    server, origin = settings.server, settings.origin
    if server.port == server.control_port != 0 and server.host == server.control_host:
        yield origin.problem(
            ("server", _given(settings, "control_port", "port")),
            f"both planes listen on {server.host}:{server.port}",
            f"give the control plane a port of its own: control_port = {server.port + 1 if server.port < 65535 else 4001}",
        )
    for name in ("host", "control_host"):
        host = getattr(server, name)
        if not re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,253}", host):
            yield origin.problem(
                ("server", name), f"`server.{name}` is no address: {host!r}", 'for example: "127.0.0.1"'
            )


def _given(settings: Settings, *names: str) -> str:
    """Return the first of these settings of [server] that was given at all, so that the problem has a line."""
    paths = {*settings.origin.places, *settings.origin.overrides}
    return next((name for name in names if ("server", name) in paths), names[0])


def _control_secret(settings: Settings) -> Iterator[Problem]:
    server, origin = settings.server, settings.origin
    if is_loopback(server.control_host):
        return
    hint = 'set control_secret = "${SUFFICE_CONTROL_SECRET}" (openssl rand -hex 24), or control_host = "127.0.0.1"'
    place: Path = ("server", "control_secret") if server.control_secret is not None else ("server", "control_host")
    if not server.control_secret:
        yield origin.problem(place, f"the control plane would listen on {server.control_host} without a secret", hint)
        return
    text = server.control_secret.reveal()
    plain = text.lower().strip()
    if plain in _DEFAULT_SECRETS or len(set(plain)) < 5:
        yield origin.problem(place, "the secret of the control plane is a default or trivial one", hint)
    elif len(text) < MIN_CONTROL_SECRET:
        yield origin.problem(
            place, f"the secret of the control plane has fewer than {MIN_CONTROL_SECRET} characters", hint
        )


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        return parts if parts.hostname and (parts.port is None or parts.port > 0) else None
    except ValueError:
        return None


def _address(settings: Settings, name: str, endpoint: EndpointSettings) -> Iterator[Problem]:
    origin, path = settings.origin, ("endpoints", name, "base_url")
    parts = _split(endpoint.base_url)
    if parts is None or parts.scheme not in ("http", "https"):
        yield origin.problem(
            path, f"`{dotted(path)}` is no http or https address", 'for example: "https://api.example.com/v1"'
        )
        return
    if parts.username is not None or parts.password is not None:
        yield origin.problem(path, f"`{dotted(path)}` holds a user or password", "use api_key or headers, with ${NAME}")
    if parts.query or parts.fragment:
        yield origin.problem(path, f"`{dotted(path)}` holds a query or fragment", "end the address with its path")
    host = parts.hostname or ""
    if is_private(host) and not endpoint.private:
        yield origin.problem(
            path,
            f"`{dotted(path)}` is inside a private network ({host})",
            f"add private = true to [endpoints.{name}] if you mean it",
        )
    elif parts.scheme == "http" and not endpoint.private:
        yield origin.problem(
            path, f"`{dotted(path)}` would send keys and prompts in clear text", "use https://, or private = true"
        )


def _endpoints(settings: Settings) -> Iterator[Problem]:
    seen: dict[tuple[object, ...], str] = {}
    for name, endpoint in settings.endpoints.items():
        path: Path = ("endpoints", name)
        if endpoint.base_url:
            yield from _address(settings, name, endpoint)
        if endpoint.proxy:
            parts = _split(endpoint.proxy)
            if parts is None or parts.scheme != "http":
                yield settings.origin.problem(
                    (*path, "proxy"),
                    f"`{dotted((*path, 'proxy'))}` is no http:// address",
                    'for example: "http://proxy:3128"',
                )
            elif parts.username is not None:
                yield settings.origin.problem(
                    (*path, "proxy"),
                    f"`{dotted((*path, 'proxy'))}` holds a user or password",
                    'use proxy_auth = "${PROXY_AUTH}"',
                )
        elif endpoint.proxy_auth is not None:
            yield settings.origin.problem(
                (*path, "proxy_auth"),
                f"[{dotted(path)}] has proxy_auth but no proxy",
                "add proxy, or remove proxy_auth",
            )
        for header in endpoint.headers:
            if header.lower() in _HOP_HEADERS:
                yield settings.origin.problem(
                    (*path, "headers", header),
                    f"the header {header!r} is set by the connection itself",
                    "remove it",
                    at_key=True,
                )
        keys = (endpoint.api_key, endpoint.access_key_id)
        same = (
            endpoint.provider,
            endpoint.base_url,
            tuple(key.reveal() if key else "" for key in keys),
            endpoint.credential_command,
            endpoint.credential_file,
            endpoint.region,
            endpoint.resource,
            endpoint.project,
            endpoint.models,
        )
        if same in seen:
            yield settings.origin.problem(
                path,
                f"[{dotted(path)}] is the same as [{dotted(('endpoints', seen[same]))}]",
                "remove one, or tell them apart by key, address, region or models",
                at_key=True,
            )
        seen.setdefault(same, name)


def _aliases(settings: Settings) -> Iterator[Problem]:
    for name, targets in settings.aliases.items():
        for index, target in enumerate(targets):
            if not re.fullmatch(MODEL_ID, target):
                hint = (
                    "an alias cannot name an alias"
                    if target in settings.aliases
                    else 'for example: "openai/gpt-5-mini"'
                )
                yield settings.origin.problem(("aliases", name, index), f"{target!r} is not a `provider/model`", hint)
            elif target in targets[:index]:
                yield settings.origin.problem(("aliases", name, index), f"{target!r} is named twice", "remove one")


def _teams(settings: Settings) -> Iterator[Problem]:
    for name, team in settings.teams.items():
        for index, budget in enumerate(team.budgets):
            if budget not in settings.budgets:
                hint = did_you_mean(budget, settings.budgets) or f"add a section [budgets.{budget}]"
                yield settings.origin.problem(("teams", name, "budgets", index), f"there is no budget {budget!r}", hint)


def _deadlines(settings: Settings) -> Iterator[Problem]:
    upstream = settings.upstream
    for name in ("connect_deadline_s", "first_event_deadline_s", "between_events_deadline_s"):
        if getattr(upstream, name) > upstream.total_deadline_s:
            yield settings.origin.problem(
                ("upstream", name),
                f"`upstream.{name}` is longer than the total deadline ({upstream.total_deadline_s:g} s)",
                "shorten it, or raise total_deadline_s",
            )


def _rollout(settings: Settings) -> Iterator[Problem]:
    steps = settings.rollout.steps
    if not steps or any(after <= before for before, after in itertools.pairwise(steps)):
        hint = "for example: steps = [0.05, 0.25, 1.0]"
        yield settings.origin.problem(("rollout", "steps"), "`rollout.steps` must grow from step to step", hint)


def _prices(settings: Settings) -> Iterator[Problem]:
    """Refuse a price of 0 that nobody meant: an unknown price written as 0 would spend money unseen."""
    tables: list[tuple[Path, PriceSettings]] = []
    tables += [(("models", name, "price"), m.price) for name, m in settings.models.items() if m.price is not None]
    for endpoint, values in settings.endpoints.items():
        tables += [(("endpoints", endpoint, "prices", name), price) for name, price in values.prices.items()]
    for path, price in tables:
        for bucket, amount in price.buckets().items():
            if amount == 0 and not price.nominal:
                here = (*path, f"{bucket}_usd_per_mtok")
                hint = f"write the price, or nominal = true in [{dotted(path)}] if it costs nothing"
                yield settings.origin.problem(here, f"`{dotted(here)}` is 0", hint)


RULES: tuple[Rule, ...] = (_listeners, _control_secret, _endpoints, _aliases, _teams, _deadlines, _rollout, _prices)


def check(settings: Settings) -> list[Problem]:
    """Return every problem that the rules find."""
    return [problem for rule in RULES for problem in rule(settings)]
