"""Which environment variable holds which provider's key, for discovery: the catalogue's table, without the doubtful ones."""

from __future__ import annotations

from collections.abc import Mapping

from suffice.catalog.book import Catalog

DOUBTFUL = frozenset(
    {
        "AWS_ACCESS_KEY_ID",
        "CLOUDFLARE_API_TOKEN",
        "GITHUB_TOKEN",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "HF_TOKEN",
        "OLLAMA_API_KEY",
    }
)
"""Variables that usually mean something else: finding one must not start to spend somebody's money or send a key astray."""


def provider_env(catalog: Catalog) -> Mapping[str, tuple[str, ...]]:
    """Return, for each provider id, the variables that may hold its key, the preferred one first.

    Providers whose address needs a region, resource or project are left out: a key alone does not reach them.
    """
    ready = [p for p in catalog.providers() if "{" not in p.base_url]
    found = {p.id: tuple(name for name in p.env_vars if name not in DOUBTFUL) for p in ready}
    return {provider: names for provider, names in found.items() if names}
