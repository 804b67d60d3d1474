"""The environment variables of Suffice: the only module that looks at `os.environ`.

Everything else takes a mapping. A variable that stands for a setting wins over the file, and problems with its value
name the variable in place of a line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suffice.config.origin import Origin
from suffice.config.problem import Problem, did_you_mean
from suffice.config.references import resolve
from suffice.config.schema import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable: its meaning, and the setting that it sets, if it sets one."""

    name: str
    help: str
    setting: tuple[str, ...] = ()
    secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable(name="SUFFICE_CONFIG", help="Path of the configuration file, when `--config` does not name one."),
    Variable(name="SUFFICE_HOST", help="Address of the data plane.", setting=("server", "host")),
    Variable(name="SUFFICE_PORT", help="Port of the data plane.", setting=("server", "port")),
    Variable(name="SUFFICE_CONTROL_HOST", help="Address of the control plane.", setting=("server", "control_host")),
    Variable(name="SUFFICE_CONTROL_PORT", help="Port of the control plane.", setting=("server", "control_port")),
    Variable(
        name="SUFFICE_CONTROL_SECRET",
        help="Bearer secret of the control plane.",
        setting=("server", "control_secret"),
        secret=True,
    ),
    Variable(name="SUFFICE_STORAGE", help="Folder for everything that Suffice writes.", setting=("storage", "path")),
    Variable(name="SUFFICE_LOG_LEVEL", help="`debug`, `info`, `warning` or `error`.", setting=("log", "level")),
    Variable(
        name="SUFFICE_KEY",
        help="Virtual key that commands show to a running gateway, and that `connect` and `launch` give to clients.",
        secret=True,
    ),
    Variable(name="SUFFICE_DEBUG", help="Any value: commands show tracebacks, as with `--debug`."),
)
OTHER_VARIABLES: tuple[Variable, ...] = (
    Variable(name="XDG_CONFIG_HOME", help="Where `suffice/suffice.toml` is looked for; default `~/.config`."),
    Variable(name="XDG_DATA_HOME", help="Where `suffice/` keeps its data; default `~/.local/share`."),
    Variable(name="HOME", help="What `~` means in paths."),
    Variable(name="NO_COLOR", help="Any value: no colours at the terminal."),
)


def snapshot() -> dict[str, str]:
    """Return a copy of the process's environment; called once, by the command line."""
    return dict(os.environ)


def overrides(env_vars: Mapping[str, str]) -> dict[tuple[str, ...], tuple[str, object]]:
    """Return, for each setting that a variable sets, the variable's name and the value in the form TOML would have."""
    out: dict[tuple[str, ...], tuple[str, object]] = {}
    for variable in VARIABLES:
        text = env_vars.get(variable.name, "")
        if not variable.setting or not text:
            continue
        value: object = text.replace("$", "$$")
        if variable.secret:
            value = "${" + variable.name + "}"
        elif variable.setting[-1].endswith("port") and text.isascii() and text.isdigit() and len(text) < 10:
            value = int(text)
        out[variable.setting] = (variable.name, value)
    return out


def unknown(env_vars: Mapping[str, str]) -> list[Problem]:
    """Return a warning for each `SUFFICE_` variable that Suffice does not know; it is most likely misspelt."""
    known = [v.name for v in VARIABLES]
    return [
        Problem(
            file=f"environment variable {name}",
            message="unknown variable; it has no effect",
            hint=did_you_mean(name, known) or f"unset it; known: {', '.join(known)}",
            warning=True,
        )
        for name in sorted(env_vars)
        if name.startswith("SUFFICE_") and name not in known
    ]


def search_path(env_vars: Mapping[str, str], folder: Path) -> tuple[Path, ...]:
    """Return where a configuration file is looked for when none is named, first match first."""
    home = Path(env_vars.get("HOME") or "/")
    user = Path(env_vars["XDG_CONFIG_HOME"]) if env_vars.get("XDG_CONFIG_HOME") else home / ".config"
    return (folder / "suffice.toml", user / "suffice" / "suffice.toml", Path("/etc/suffice/suffice.toml"))


def folder_of(origin: Origin, working: Path) -> Path:
    """Return the folder that relative paths of a configuration start from: the file's, else the working folder."""
    return working / Path(origin.file).parent if origin.file else working


def storage_folder(settings: Settings, env_vars: Mapping[str, str], working: Path) -> Path:
    """Return the folder for everything that Suffice writes (not created here)."""
    if settings.storage.path:
        start = working if ("storage", "path") in settings.origin.overrides else folder_of(settings.origin, working)
        return resolve(settings.storage.path, env_vars, start)
    data = env_vars.get("XDG_DATA_HOME") or str(Path(env_vars.get("HOME") or "/") / ".local" / "share")
    return Path(data) / "suffice"
