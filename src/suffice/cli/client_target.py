"""What `connect` and `launch` have in common: which client, which address, which key, which model."""

from __future__ import annotations

import argparse

from suffice.cli.clients import table
from suffice.cli.clients.setting import KEY_VARIABLE, Client, Wiring
from suffice.cli.command import Io, UsageError
from suffice.cli.gateway_client import base_url
from suffice.config.problem import did_you_mean

NO_KEY = "suffice"  # What clients are given that insist on a key, where the gateway has none.


def target_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where the gateway is and what to ask it for."""
    parser.add_argument("--url", metavar="URL", help="address of the gateway (default: from the configuration)")
    parser.add_argument(
        "--key", metavar="KEY", help=f"virtual key (default: {KEY_VARIABLE}; none when the gateway has none)"
    )
    parser.add_argument("--model", metavar="MODEL", default="auto", help="model to ask for (default: auto)")
    parser.add_argument("--dialect", metavar="NAME", help="dialect to speak, for clients that know several")


def client_named(name: str) -> Client:
    """Return the client. Raises UsageError, with the nearest name."""
    client = table.find(name)
    if client is None:
        close = did_you_mean(name, table.names())
        raise UsageError(f"unknown client {name!r}; {close or 'known: ' + ', '.join(table.names())}")
    return client


def wiring(client: Client, args: argparse.Namespace, io: Io) -> Wiring:
    """Return how `client` is to be wired. Raises UsageError, InvalidConfigError."""
    dialect = next((d for d in client.dialects if d == args.dialect), None) if args.dialect else client.dialects[0]
    if dialect is None:
        close = did_you_mean(args.dialect, client.dialects)
        raise UsageError(
            f"--dialect: {client.name} does not speak {args.dialect!r}; {close or 'it speaks ' + ', '.join(client.dialects)}"
        )
    base = base_url(args, io)
    key = args.key or io.env_vars.get(KEY_VARIABLE) or NO_KEY
    for option, text in (("--key", key), ("--model", args.model)):
        if not text or not text.isprintable() or " " in text:
            raise UsageError(f"{option}: must be printable text without spaces")
    return Wiring(base=base, key=key, model=args.model, dialect=dialect)
