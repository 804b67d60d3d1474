"""A working configuration without a file: provider keys in the environment, and model servers on this machine.

It only looks: no key is used, no server outside loopback is asked. Which variable holds which provider's key comes in
as a mapping, since the catalogue is a layer above.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from suffice.config import references
from suffice.config.load import parse
from suffice.config.problem import Problem
from suffice.config.schema import Settings
from suffice.config.sections import EndpointSettings

LOCAL_SERVERS: tuple[tuple[str, int], ...] = (
    ("ollama", 11434),
    ("llamacpp", 8080),
    ("vllm", 8000),
    ("lmstudio", 1234),
    ("sglang", 30000),
)
MAX_MODELS = 200
_MODEL_NAME = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """One entry of a server's model list: its name, and who it says owns it (`vllm`, `llamacpp`, ...)."""

    id: str
    owned_by: str = ""


Probe = Callable[[int], Awaitable[Sequence[ServedModel] | None]]
"""Given a port on 127.0.0.1: the models served there, or None when no model server answers in time."""


async def discover(env_vars: Mapping[str, str], provider_env: Mapping[str, Sequence[str]], probe: Probe) -> Settings:
    """Return settings with one endpoint for each key and each local server found; perhaps none.

    `provider_env` maps a provider id to the variables that may hold its key, the preferred one first. What was found but
    could not be used is in `origin.warnings`. The environment's `SUFFICE_` variables count as usual (InvalidConfigError).
    """
    base = parse("", "", env_vars, Path("/"))
    endpoints: dict[str, EndpointSettings] = {}
    warnings = list(base.origin.warnings)
    answers = await asyncio.gather(*(probe(port) for _, port in LOCAL_SERVERS))
    local = {kind for kind, _ in LOCAL_SERVERS}
    for provider, names in provider_env.items():
        if provider not in local:
            endpoint = _keyed(provider, names, env_vars, warnings)
            if endpoint is not None:
                endpoints[provider] = endpoint
    for (kind, port), served in zip(LOCAL_SERVERS, answers, strict=True):
        models = tuple(m.id for m in served or () if _MODEL_NAME.fullmatch(m.id))[:MAX_MODELS]
        if not models or served is None:
            continue
        # Ports are habits, not proof: a server that says what it is, is believed.
        owner = re.sub(r"[^a-z]", "", served[0].owned_by.lower())
        provider = owner if owner in local else kind
        found = _keyed(provider, provider_env.get(provider, ()), env_vars, warnings) or EndpointSettings(
            provider=provider
        )
        name = provider if provider not in endpoints else f"{provider}-{port}"
        endpoints[name] = replace(found, base_url=f"http://127.0.0.1:{port}/v1", private=True, models=models)
    return replace(base, endpoints=endpoints, origin=replace(base.origin, warnings=tuple(warnings)))


def _keyed(
    provider: str, names: Sequence[str], env_vars: Mapping[str, str], warnings: list[Problem]
) -> EndpointSettings | None:
    """Return an endpoint with the first usable key among the variables `names`."""
    for name in names:
        if not env_vars.get(name):
            continue
        secret, faults = references.secret(f"${{{name}}}", env_vars, Path("/"))
        if secret is not None:
            return EndpointSettings(provider=provider, api_key=secret)
        warnings += [
            Problem(file=f"environment variable {name}", message=f.message, hint=f.hint, warning=True) for f in faults
        ]
    return None
