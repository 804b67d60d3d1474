"""Writing a configuration: as a commented `suffice.toml`, never with a secret in it, never over a file by accident."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from suffice.config.schema import VERSION, Settings
from suffice.config.secret import MASK, Secret
from suffice.config.setting import Setting, settings_of
from suffice.errors import ConfigError

_EMPTY = '""'
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEAD = f"""\
# Configuration of Suffice. Check it with `suffice check`; a running gateway takes it up on SIGHUP.
# Every setting is described in docs/reference/configuration.md. Lines that begin with `# name =` show defaults or examples.
# Secrets belong into environment variables (${{NAME}}) or files with mode 0600 (file:/path), not into this file.
version = {VERSION}
"""


def render(settings: Settings, *, defaults: bool = False, mask: bool = False) -> str:
    """Return `settings` as TOML that loads to equal settings.

    `defaults` adds comments and the settings left at their default, commented out. A secret that was written in plain
    text has no reference: with `mask` it shows as `***` (and the text cannot be loaded), otherwise ConfigError.
    """
    lines = _HEAD.splitlines() if defaults else [f"version = {VERSION}"]
    _Writer(lines, defaults=defaults, mask=mask).section(Settings, settings, (), skip={"version"})
    return "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, lines: list[str], *, defaults: bool, mask: bool) -> None:
        self.lines = lines
        self.defaults = defaults
        self.mask = mask

    def section(
        self, cls: type[Any], value: Any, path: tuple[str, ...], skip: set[str] | frozenset[str] = frozenset()
    ) -> None:
        """Append the settings of one section, then its tables; TOML wants them in this order."""
        body: list[str] = []
        tables: list[tuple[Setting, Any]] = []
        for setting in settings_of(cls):
            given = getattr(value, setting.name)
            if setting.name in skip:
                continue
            if setting.kind in ("section", "map"):
                tables.append((setting, given))
            elif setting.required or given != setting.default:
                body += self.comment(setting) if len(path) < 2 else []
                body.append(f"{setting.name} = {self.toml(given, setting.name)}")
            elif self.defaults and len(path) == 1:
                shown = setting.about.example if given in (None, "", ()) else self.toml(given, setting.name)
                body += [*self.comment(setting), f"# {setting.name} = " + (shown or _EMPTY)]
        if path and (body or len(path) > 1):
            self.lines += ["", _header(path)]
        self.lines += body
        for setting, given in tables:
            self.table(setting, given, (*path, setting.name))

    def table(self, setting: Setting, given: Any, path: tuple[str, ...]) -> None:
        """Append what is inside a nested section or a table with free names."""
        if setting.section is not None:
            if given != setting.default or (self.defaults and len(path) == 1):
                self.section(setting.section, given, path)
            return
        assert setting.item is not None
        if given and self.defaults and len(path) == 1:
            self.lines += ["", f"# {setting.about.help}"]
        if setting.item.section is not None:
            for name, entry in given.items():
                self.section(setting.item.section, entry, (*path, name))
        elif given:
            self.lines += ["", _header(path)]
            self.lines += [f"{_key(name)} = {self.toml(entry, name)}" for name, entry in given.items()]

    def comment(self, setting: Setting) -> list[str]:
        return [f"# {setting.about.help}"] if self.defaults else []

    def toml(self, value: object, name: str) -> str:
        """Return one value in TOML."""
        if isinstance(value, Secret):
            if value.reference == MASK and not self.mask:
                hint = "use ${NAME} or file:/path"
                raise ConfigError(f"`{name}` is a secret in plain text and is not written to a file", hint=hint)
            return _quote(value.reference)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, Decimal):
            return format(value, "f")
        if isinstance(value, str):
            return _quote(value.replace("$", "$$"))
        if isinstance(value, tuple):
            return "[" + ", ".join(self.toml(item, name) for item in value) + "]"
        if isinstance(value, Mapping):
            raise TypeError(f"{name}: a table inside a value")
        return repr(value)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'


def _header(path: tuple[str, ...]) -> str:
    return "[" + ".".join(_key(part) for part in path) + "]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _quote(name)


def write(path: Path, text: str, *, force: bool = False) -> None:
    """Write `text` to `path` with mode 0600: the whole file appears at once, or nothing changes.

    Raises ConfigError when the file is there and `force` is not set, or when it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            if force:
                temporary.replace(path)
            else:
                # A link fails when the name is taken, so that a file made in between is not lost either.
                path.hardlink_to(temporary)
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        hint = "use --force to replace it, or --config for another name"
        raise ConfigError(f"{path} exists and was left as it is", hint=hint) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(f"cannot write {path}: {reason}", hint="check the folder and who may write to it") from None
