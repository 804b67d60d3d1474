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
from suffice.config.problem import InvalidConfigError, Problem, errors_of
from suffice.config.schema import Settings


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
    problems = [*settings.origin.warnings, *_names(settings)]
    if errors_of(problems):
        raise InvalidConfigError(problems)
    for problem in problems:
        io.out.note(problem.render(), level=9 if io.out.json_mode else 0)
    name = settings.origin.file or NOWHERE
    found: dict[str, object] = {"ok": True, "file": settings.origin.file or None}
    found["problems"] = [p.as_dict() for p in problems]
    if args.print:
        from suffice.config.write import render

        shown = render(settings, mask=True)
        io.out.say(f"# in effect, from {name}\n{shown}".rstrip())
        found["toml"] = shown
    else:
        io.out.say(f"{name}: ok, {len(settings.endpoints)} endpoints, {len(problems)} warnings")
        if not settings.origin.file:
            io.out.say(
                "the gateway would use the keys and local servers that it finds; `suffice init` writes them to a file"
            )
    io.out.result(found)
    return Exit.OK


def _names(settings: Settings) -> list[Problem]:
    """Return the problems with names of providers and models."""
    from suffice.catalog.load import load as load_catalog
    from suffice.config.names import check_names, model_names

    catalog = load_catalog()
    models = {model.id for model in catalog.models()}
    models.update(name for name in model_names(settings) if catalog.model(name) is not None)
    return check_names(settings, {provider.id for provider in catalog.providers()}, models)
