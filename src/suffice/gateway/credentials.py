"""How an endpoint proves who sends: a constant key, keys that sign, or a source of tokens that expire.

Chosen from the configuration and the provider's row; nothing is looked for in the environment or on the network. Invariant: one
way per endpoint, and an endpoint of a cloud that has none is refused rather than tried without.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from suffice.catalog.providers import AuthScheme, Provider
from suffice.config.sections import EndpointSettings
from suffice.errors import ConfigError
from suffice.upstream.authorization import Authorizer, SigV4, TokenHeader
from suffice.upstream.credential_sources import Command, File, Refreshable, read_file
from suffice.upstream.credentials import CredentialError, Fixed, Issued, Keeper, Source
from suffice.upstream.sigv4 import Credentials

_CLOUDS = (AuthScheme.SIGV4, AuthScheme.OAUTH2)
_WAYS = "api_key, access_key_id with secret_access_key, credential_command, or credential_file"


def authorizer_of(name: str, section: EndpointSettings, provider: Provider) -> Authorizer | None:
    """Return what authorizes requests of endpoint `name`; None where a constant header does. Raises ConfigError."""
    where = f"endpoint {name!r}"
    _check(where, section, provider)
    source = _source(name, section)
    if source is None:
        return None
    keeper = Keeper(source, name, _identity(section))
    if provider.auth is not AuthScheme.SIGV4:
        return TokenHeader(keeper)
    if not section.region:
        raise ConfigError(f"{where}: requests are signed for a region", hint="set region, for example us-east-1")
    return SigV4(keeper, region=section.region)


def _check(where: str, section: EndpointSettings, provider: Provider) -> None:
    keys = (section.access_key_id, section.secret_access_key, section.session_token)
    ways = [section.api_key, any(keys), section.credential_command, section.credential_file]
    if sum(map(bool, ways)) > 1:
        raise ConfigError(f"{where}: more than one credential is given", hint=f"keep one of: {_WAYS}")
    if any(keys) and provider.auth is not AuthScheme.SIGV4:
        raise ConfigError(f"{where}: {provider.id} takes no access key", hint="use api_key, or a credential_command")
    if any(keys) and not (section.access_key_id and section.secret_access_key):
        raise ConfigError(f"{where}: access_key_id and secret_access_key belong together", hint="set both")
    if not any(ways) and provider.auth in _CLOUDS and not section.base_url and not section.headers:
        raise ConfigError(f"{where}: {provider.id} wants a credential", hint=f"set one of: {_WAYS}")


def _identity(section: EndpointSettings) -> str:
    keys = (section.access_key_id, section.secret_access_key, section.session_token)
    named = [key.reveal() if key else "" for key in keys]
    named += [*section.credential_command, section.credential_file]
    return hashlib.blake2b(repr(named).encode(), digest_size=16).hexdigest()


def _source(name: str, section: EndpointSettings) -> Source | None:
    if section.access_key_id and section.secret_access_key:
        token = section.session_token
        try:
            keys = Credentials(
                access_key_id=section.access_key_id.reveal(),
                secret_access_key=section.secret_access_key.reveal(),
                session_token=token.reveal() if token else "",
            )
        except ConfigError as error:
            raise ConfigError(f"endpoint {name!r}: {error.message}") from None
        return Fixed(Issued(aws=keys))
    if section.credential_command:
        return Command(section.credential_command)
    return _file(name, Path(section.credential_file).expanduser()) if section.credential_file else None


def _file(name: str, path: Path) -> Source:
    """Return the source for a file: Google's own kinds say in `type` what they are."""
    try:
        row = msgspec.json.decode(read_file(path))
    except CredentialError as error:
        raise ConfigError(f"endpoint {name!r}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return File(path)
    kind = row.get("type") if isinstance(row, dict) else None
    if kind == "authorized_user":
        return Refreshable(name, row)
    if kind is not None:
        raise ConfigError(
            f"endpoint {name!r}: a credential file of type {str(kind)[:40]!r} cannot be used by itself",
            hint='let a tool exchange it: credential_command = ["gcloud", "auth", "application-default", "print-access-token"]',
        )
    return File(path)
