"""TLS towards providers: the standard library's contexts, always verifying, TLS 1.2 or later.

There is no switch that turns verification off; an endpoint with a private authority names its CA file, which then is the
only authority trusted for it.
"""

from __future__ import annotations

import ssl

from suffice.errors import ConfigError


def client_context(ca_file: str = "") -> ssl.SSLContext:
    """Return a verifying client context; `ca_file` (PEM) replaces the system's authorities when given.

    Raises ConfigError when the file cannot be read or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"ca_file {ca_file!r} cannot be used: {error.strerror or error}", hint="give a PEM file of certificates"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


class ContextCache:
    """One context per CA file, since loading the authorities costs tens of milliseconds."""

    def __init__(self) -> None:
        self._contexts: dict[str, ssl.SSLContext] = {}

    def get(self, ca_file: str) -> ssl.SSLContext:
        """Return the context for `ca_file` ("" for the system's authorities); raises ConfigError."""
        context = self._contexts.get(ca_file)
        if context is None:
            context = self._contexts[ca_file] = client_context(ca_file)
        return context
