"""Check a configuration and print every problem.

Exit code 0 when it can be used (warnings allowed), 3 when it cannot. `--print` shows the configuration in effect, the
environment's overrides included, with secrets masked; `--schema` prints the JSON Schema for editors.
"""

from __future__ import annotations

import argparse
import json

from suffice.cli.command import Exit, Io
from suffice.config.load import load
from suffice.config.origin import NOWHERE


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--print", action="store_true", help="show the configuration in effect, secrets masked")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema of the file and stop")


def run(args: argparse.Namespace, io: Io) -> int:
    """Load the file; problems that stop it are raised and printed by `main`."""
    if args.schema:
        from suffice.config.json_schema import json_schema

        io.out.say(json.dumps(json_schema(), indent=2))
        io.out.result(json_schema())
        return Exit.OK
    settings = load(args.config, io.env_vars, io.working)
    for problem in settings.origin.warnings:
        io.out.note(problem.render(), level=9 if io.out.json_mode else 0)
    name = settings.origin.file or NOWHERE
    found: dict[str, object] = {"ok": True, "file": settings.origin.file or None}
    found["problems"] = [p.as_dict() for p in settings.origin.warnings]
    if args.print:
        from suffice.config.write import render

        shown = render(settings, mask=True)
        io.out.say(f"# in effect, from {name}\n{shown}".rstrip())
        found["toml"] = shown
    else:
        io.out.say(f"{name}: ok, {len(settings.endpoints)} endpoints, {len(settings.origin.warnings)} warnings")
        if not settings.origin.file:
            io.out.say(
                "the gateway would use the keys and local servers that it finds; `suffice init` writes them to a file"
            )
    io.out.result(found)
    return Exit.OK
