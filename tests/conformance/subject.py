"""What is judged: `suffice serve` as a process, with a scripted provider that speaks every dialect behind it.

One model per provider dialect, so that each suite meets every translation. Invariant: loopback only, no keys, nothing kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.e2e.process import provider, served, write_config

DIALECTS = ("chat", "messages", "responses", "gemini")
# A catalogue provider that speaks the dialect natively, and what follows the address of the fake one.
_SPEAKERS = {
    "chat": ("openai", "/v1"),
    "messages": ("anthropic", ""),
    "responses": ("openai", "/v1"),
    "gemini": ("google-gemini", "/v1beta"),
}
_PRICE = "{ input_usd_per_mtok = 1, output_usd_per_mtok = 10 }"
# Suites leave tests out by the model's name: these names leave none out.
FAMILIES = {"chat": "gpt-5", "responses": "gpt-5", "messages": "claude-sonnet-4", "gemini": "gemini-3"}


class Subject(NamedTuple):
    """A running gateway: its address, without `/v1`."""

    url: str

    def model(self, client: str, provider_dialect: str) -> str:
        """Return the name to ask for, so that a client of one dialect meets a provider of another."""
        return f"{FAMILIES[client]}-over-{provider_dialect}"


def configuration(url: str, names: dict[str, str]) -> str:
    """Return the TOML: an endpoint per provider dialect, and `names`: other names -> provider dialect."""
    aliases, models, endpoints = ["[aliases]"], [], []
    for family in sorted(set(FAMILIES.values())):
        aliases += [f'"{family}-over-{d}" = ["{_SPEAKERS[d][0]}/{d}-model"]' for d in DIALECTS]
    aliases += [f'"{name}" = ["{_SPEAKERS[d][0]}/{d}-model"]' for name, d in sorted(names.items())]
    for dialect in DIALECTS:
        name, path = _SPEAKERS[dialect]
        models += [f'[models."{name}/{dialect}-model"]']
        models += ['capabilities = ["tools", "vision", "structured", "reasoning"]']
        endpoints += [f'[endpoints."{dialect}"]', f'provider = "{name}"', f'base_url = "{url}{path}"', "private = true"]
        endpoints += [f'models = ["{dialect}-model"]', 'api_key = "key-of-the-scripted-provider"']
        endpoints += [f'dialects = ["{dialect}"]', f"[endpoints.{dialect}.prices]", f'"{dialect}-model" = {_PRICE}']
    return "\n".join([*aliases, *models, *endpoints, ""])


@contextmanager
def subject(folder: Path, names: dict[str, str] | None = None) -> Iterator[Subject]:
    """Run a gateway and its provider until the block ends."""
    with provider(folder, "--cooperative") as base_url:
        config = write_config(folder, configuration(base_url.removesuffix("/v1"), names or {}))
        with served(config) as running:
            yield Subject(running.base_url.removesuffix("/v1"))
