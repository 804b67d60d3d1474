"""Write a suffice.toml for the keys and local servers found here.

Looks for provider keys in the environment and for Ollama, llama.cpp, vLLM, LM Studio and SGLang on this machine. The file
names the variables and never holds a key. An existing file is left alone unless `--force` is given.
"""

from __future__ import annotations

import argparse
import asyncio

from suffice.catalog.load import load as load_catalog
from suffice.cli.command import Exit, Io
from suffice.cli.provider_keys import provider_env
from suffice.config.discover import discover
from suffice.config.probe import probe
from suffice.config.references import resolve
from suffice.config.write import render, write


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    parser.add_argument("--stdout", action="store_true", help="print the file in place of writing it")


def run(args: argparse.Namespace, io: Io) -> int:
    """Discover, write, and say what to do next."""
    settings = asyncio.run(discover(io.env_vars, provider_env(load_catalog()), probe))
    text = render(settings, defaults=True)
    for problem in settings.origin.warnings:
        io.out.note(problem.render(), level=9 if io.out.json_mode else 0)
    endpoints = [
        {
            "name": name,
            "provider": endpoint.provider,
            "api_key": endpoint.api_key.reference if endpoint.api_key else None,
            "base_url": endpoint.base_url or None,
            "models": list(endpoint.models),
        }
        for name, endpoint in settings.endpoints.items()
    ]
    if args.stdout:
        io.out.say(text.rstrip())
        io.out.result({"file": None, "endpoints": endpoints, "toml": text})
        return Exit.OK
    path = resolve(args.config or io.env_vars.get("SUFFICE_CONFIG") or "suffice.toml", io.env_vars, io.working)
    write(path, text, force=args.force)
    for entry in endpoints:
        where = entry["api_key"] or f"{entry['base_url']}, {len(settings.endpoints[str(entry['name'])].models)} models"
        io.out.say(f"found {entry['name']}: {where}")
    if not endpoints:
        io.out.say(
            "no provider key in the environment and no model server on this machine; add an [endpoints.<name>] section"
        )
    io.out.say(f"wrote {path}; next: suffice check, then suffice serve")
    io.out.result({"file": str(path), "endpoints": endpoints})
    return Exit.OK
