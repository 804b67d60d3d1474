"""Finding, reading and checking `suffice.toml`. All mistakes are reported in one go; a bad file yields no `Settings`.

Order: find the file, parse it (a broken line is set aside, so that the rest can still be checked), note where each key
stands, let environment variables win, bind to the schema, apply the rules. Names of the catalogue are checked by
`names.check_names`, when they are known.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from suffice.config import environment, rules
from suffice.config.bind import MISSING, Binder
from suffice.config.candidate import with_candidate
from suffice.config.locate import Path as KeyPath
from suffice.config.locate import locate
from suffice.config.origin import Origin
from suffice.config.problem import InvalidConfigError, Problem, errors_of, sounds_secret
from suffice.config.references import is_reference, resolve
from suffice.config.schema import VERSION, Settings
from suffice.config.secret import Secret

MAX_FILE_BYTES = 1024 * 1024
_MAX_SYNTAX_ERRORS = 20
_AT = re.compile(r"^(?P<what>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)


def find(path: str | Path | None, env_vars: Mapping[str, str], working: Path) -> Path | None:
    """Return the configuration file to use, or None when there is none.

    Order: `path`, `SUFFICE_CONFIG`, `./suffice.toml`, the XDG folder, `/etc/suffice`. A file that was named but is not
    there is an InvalidConfigError; the places that are only looked into may be empty.
    """
    named = str(path) if path else env_vars.get("SUFFICE_CONFIG", "")
    if not named:
        return next((p for p in environment.search_path(env_vars, working) if p.is_file()), None)
    found = resolve(named, env_vars, working)
    if not found.is_file():
        who = "--config" if path else "SUFFICE_CONFIG"
        state = "is not a file" if found.exists() else "does not exist"
        hint = f"{who} names it; write one with `suffice init --config {named}`"
        raise InvalidConfigError([Problem(file=str(found), message=f"the configuration file {state}", hint=hint)])
    return found


def load(
    path: str | Path | None, env_vars: Mapping[str, str], working: Path | None = None, *, secrets: bool = True
) -> Settings:
    """Return the settings of the file that `find` finds; without a file, the defaults and the environment's overrides.

    With `secrets` False no `${NAME}` or `file:` of a secret is read, so that a command which sends none works without them.
    Raises InvalidConfigError with every problem found. Warnings are in `settings.origin.warnings`.
    """
    folder = working or Path.cwd()
    found = find(path, env_vars, folder)
    if found is None:
        return parse("", "", env_vars, folder, secrets=secrets)
    settings = _read(found, env_vars, secrets=secrets)
    if not settings.rollout.policy:
        return settings
    candidate = resolve(settings.rollout.policy, env_vars, found.parent)
    if candidate == found:
        hint = "name another file, with the changed [routing]"
        problem = settings.origin.problem(("rollout", "policy"), "`rollout.policy` names this very file", hint)
        raise InvalidConfigError([problem])
    return with_candidate(settings, candidate, lambda path: _read(path, env_vars, secrets=False))


def _read(found: Path, env_vars: Mapping[str, str], *, secrets: bool) -> Settings:
    """Return what one file says. Raises InvalidConfigError."""
    try:
        with found.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        problem = Problem(
            file=str(found), message=f"cannot read the configuration: {reason}", hint="check who may read it"
        )
        raise InvalidConfigError([problem]) from None
    return parse(_decode(data, str(found)), str(found), env_vars, found.parent, secrets=secrets)


def _decode(data: bytes, name: str) -> str:
    """Return the text of a file. Raises InvalidConfigError when it is too large or not UTF-8."""
    if len(data) > MAX_FILE_BYTES:
        problem = Problem(
            file=name,
            message=f"the file is larger than {MAX_FILE_BYTES} bytes",
            hint="a configuration is some hundred lines",
        )
        raise InvalidConfigError([problem])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        problem = Problem(file=name, line=line, column=column, message="the file is not UTF-8", hint="save it as UTF-8")
        raise InvalidConfigError([problem]) from None


def parse(text: str, file: str, env_vars: Mapping[str, str], folder: Path, *, secrets: bool = True) -> Settings:
    """Return the settings of the TOML document `text`. `file` is its name for messages, `folder` where relative paths start.

    `secrets` is as in `load`.
    Raises InvalidConfigError with every problem found.
    """
    text = text.replace("\r\n", "\n")
    lines = tuple(text.split("\n"))
    data, accepted, problems = _parse_toml(text, Origin(file=file, lines=lines))
    broken = bool(problems)
    if any(p.text.lstrip().startswith("[") for p in problems):
        # Without its header, nobody knows which section a key belongs to; more would be guessing.
        raise InvalidConfigError(problems)
    origin = Origin(file=file, lines=lines, places=locate(accepted), secrets=tuple(_literal_secrets(data)))
    overridden = environment.overrides(env_vars)
    for path, (_, value) in overridden.items():
        section = data.setdefault(path[0], {})
        if isinstance(section, dict):
            section[path[1]] = value
    origin = replace(origin, overrides={path: name for path, (name, _) in overridden.items()})
    version = data.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version != VERSION:
        hint = f"this Suffice reads version = {VERSION}" + (
            "; a later Suffice wrote this file, upgrade" if version > VERSION else ""
        )
        raise InvalidConfigError(
            [*problems, origin.problem(("version",), f"unknown version {version} of the configuration", hint)]
        )
    binder = Binder(origin, env_vars, folder, partial=broken, secrets=secrets)
    settings = binder.section(Settings, data)
    problems += binder.problems
    if file and "version" not in data and not broken:
        problems.append(
            origin.problem((), "the file has no `version`", f"begin the file with version = {VERSION}", warning=True)
        )
    problems += environment.unknown(env_vars)
    if settings is not MISSING:
        settings = replace(_located(settings, env_vars, folder), origin=origin)
        problems += rules.check(settings)
    if errors_of(problems):
        raise InvalidConfigError(sorted(problems, key=lambda p: (p.warning, p.line, p.column)))
    finished: Settings = replace(settings, origin=replace(origin, warnings=tuple(problems)))
    return finished


def _located(settings: Settings, env_vars: Mapping[str, str], folder: Path) -> Settings:
    """Return the settings with the authorities' files below the folder of the file that names them, wherever the program was started."""
    endpoints = {
        name: replace(section, ca_file=str(resolve(section.ca_file, env_vars, folder))) if section.ca_file else section
        for name, section in settings.endpoints.items()
    }
    return replace(settings, endpoints=endpoints)


def _parse_toml(text: str, origin: Origin) -> tuple[dict[str, Any], str, list[Problem]]:
    """Return the data, the text that was accepted, and the syntax errors.

    A line with an error is emptied and the rest tried again, as long as the errors move forward through the file.
    """
    lines = text.split("\n")
    problems: list[Problem] = []
    last = 0
    while True:
        accepted = "\n".join(lines)
        try:
            return tomllib.loads(accepted, parse_float=Decimal), accepted, problems
        except RecursionError:
            return (
                {},
                "",
                [Problem(file=origin.file, message="the file is nested too deeply", hint="use fewer brackets")],
            )
        except tomllib.TOMLDecodeError as error:
            match = _AT.match(str(error))
            line = int(match["line"]) if match and match["line"] else len(lines)
            column = int(match["column"]) if match and match["column"] else 0
            what = match["what"] if match else str(error)
            if line <= last or len(problems) >= _MAX_SYNTAX_ERRORS:
                return {}, "", problems
            problems.append(_syntax_problem(what, line, column, origin))
            lines[line - 1] = ""
            last = line


_SYNTAX_HINTS = (
    ("Cannot overwrite", "the key stands twice; remove one"),
    ("twice", "the section stands twice; put its keys together"),
    ("Invalid value", "put texts in quotes; write true and false in lower case"),
    ("Expected '='", "write key = value"),
    ("Unclosed array", "close the list with ]"),
    ("Unterminated string", "close the text with a quote"),
    ("Expected newline or end", "put texts in quotes, and one setting on each line"),
    ("Illegal character '\\n'", "close the text with a quote"),
    ("Invalid initial character", "keys are letters, digits, - and _; put others in quotes"),
    ("Invalid statement", "write key = value or [section]"),
    ("Unescaped '\\'", "write \\\\ for a backslash, or use single quotes"),
    ("Expected ']'", "close the section name with ]"),
)


def _syntax_problem(what: str, line: int, column: int, origin: Origin) -> Problem:
    hint = next((fix for sign, fix in _SYNTAX_HINTS if sign in what), "see docs/configuration.md for the format")
    return Problem(
        file=origin.file, line=line, column=column, text=origin.line(line), message=f"not valid TOML: {what}", hint=hint
    )


def _literal_secrets(data: object, path: KeyPath = ()) -> Iterator[Secret]:
    """Yield every text that stands under a name that sounds secret, so that it can be hidden in shown lines."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _literal_secrets(value, (*path, name))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _literal_secrets(value, (*path, index))
    elif isinstance(data, str) and not is_reference(data) and any(_hidden(part) for part in path):
        yield Secret(data)


def _hidden(part: object) -> bool:
    return isinstance(part, str) and (part == "headers" or sounds_secret(part))
