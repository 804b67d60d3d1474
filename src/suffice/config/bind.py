"""From parsed TOML to `Settings`: every value is checked against its description, and every mistake is kept.

Nothing is raised for bad input; the caller looks at `problems`. A section with a mistake still yields its other
mistakes. No message holds the value of a secret, nor a value that came through a reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from suffice.config import references
from suffice.config.locate import Path as KeyPath
from suffice.config.origin import Origin, dotted
from suffice.config.problem import Problem, did_you_mean, redact, sounds_secret
from suffice.config.setting import Setting, plain, settings_of, walk

_KINDS = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "money": "a number of dollars",
    "text": "a text in quotes",
    "secret": "a text in quotes",
    "choice": "a text in quotes",
    "list": "a list [...]",
    "map": "a table",
    "section": "a table",
}


class _Missing:
    """Marks a value that could not be used."""


MISSING = _Missing()


def kind_of(value: object) -> str:
    """Name the TOML type of a value."""
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a text", int: "a whole number", Decimal: "a decimal number", list: "a list", dict: "a table"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a date or time")


class Binder:
    """Binds one document. `partial` says that part of it could not be parsed, so that absence proves nothing.

    Without `secrets` a reference to one is taken as it stands: a text that no provider accepts, in place of the secret.
    """

    def __init__(
        self, origin: Origin, env_vars: Mapping[str, str], folder: Path, *, partial: bool = False, secrets: bool = True
    ) -> None:
        self.origin = origin
        self.env_vars = env_vars
        self.folder = folder
        self.partial = partial
        self.secrets = secrets
        self.problems: list[Problem] = []

    def report(
        self, path: KeyPath, message: str, hint: str = "", *, warning: bool = False, at_key: bool = False
    ) -> _Missing:
        """Keep a problem; return the mark of an unusable value."""
        self.problems.append(self.origin.problem(path, message, hint, warning=warning, at_key=at_key))
        return MISSING

    def section(self, cls: type[Any], data: Mapping[str, Any], path: KeyPath = ()) -> Any:
        """Return an instance of `cls`, or MISSING when a required setting is missing or any setting is wrong."""
        known = {s.name: s for s in settings_of(cls)}
        usable = True
        for name in data:
            if name not in known:
                self.unknown(path, name, known)
                usable = False
        values: dict[str, Any] = {}
        for name, setting in known.items():
            if name in data:
                value = self.value(setting, data[name], (*path, name))
                usable = usable and value is not MISSING
                values[name] = value
            elif setting.required:
                usable = False
                if not self.partial:
                    example = setting.about.example or "..."
                    where = f"[{dotted(path)}]" if path else "the file"
                    self.report(path, f"{where} has no `{name}`", f"add {name} = {example}", at_key=True)
        return cls(**values) if usable else MISSING

    def unknown(self, path: KeyPath, name: str, known: Mapping[str, Setting]) -> None:
        """Report a key that does not exist, with the nearest one, or the section where it does exist."""
        close = did_you_mean(name, known)
        if not close:
            elsewhere = [p for p, s in walk(_root()) if p[-1] == name]
            if elsewhere:
                home = ".".join(elsewhere[0][:-1])
                close = (
                    f"it belongs to [{home}]"
                    if home
                    else "it belongs to the top of the file, before the first [section]"
                )
        where = f"[{dotted(path)}]" if path else "at the top of the file"
        fix = close or f"remove it; known here: {', '.join(known)}"
        self.report(
            (*path, name),
            f"unknown key `{name}` in {where}" if path else f"unknown key `{name}` {where}",
            fix,
            at_key=True,
        )

    def value(self, setting: Setting, raw: object, path: KeyPath) -> Any:
        """Return the checked value of one setting, or MISSING."""
        method = getattr(self, f"_{setting.kind}")
        return method(setting, raw, path)

    def wrong(self, setting: Setting, raw: object, path: KeyPath) -> _Missing:
        """Report a value of the wrong type."""
        secret = setting.kind == "secret" or any(sounds_secret(str(p)) for p in path)
        shown = kind_of(raw)
        if isinstance(raw, str | int | Decimal) and not secret:
            shown += f" ({self.show(raw)})"
        hint = (
            f"for example: {path[-1]} = {setting.about.example}"
            if setting.about.example and isinstance(path[-1], str)
            else ""
        )
        if (
            setting.kind in ("int", "float", "money")
            and isinstance(raw, str)
            and re.fullmatch(r"[+-]?\d+(\.\d+)?", raw)
        ):
            hint = f"write it without quotes: {path[-1]} = {raw}"
        if (
            setting.kind == "bool"
            and isinstance(raw, str)
            and raw.lower() in ("true", "false", "yes", "no", "on", "off")
        ):
            hint = f"write {path[-1]} = {'true' if raw.lower() in ('true', 'yes', 'on') else 'false'}, without quotes"
        if setting.kind == "list" and isinstance(raw, str):
            hint = (
                f"write it in brackets: {path[-1]} = [...]"
                if secret
                else f"write it in brackets: {path[-1]} = [{self.show(raw)}]"
            )
        said = f"`{dotted(path)}` must be {_KINDS[setting.kind]}, not {shown}"
        return self.report(path, said, hint or self.example(setting, path))

    def example(self, setting: Setting, path: KeyPath) -> str:
        """Say how a value of the right type is written."""
        name = path[-1]
        if setting.kind in ("int", "float", "money"):
            return self.range_hint(setting)
        forms = {
            "bool": f"write {name} = true or {name} = false",
            "choice": f"one of: {', '.join(setting.choices)}, in quotes",
            "list": f"write {name} = [...]",
            "section": f"write a section [{dotted(path)}]",
            "map": f"write a section [{dotted(path)}]",
        }
        return forms.get(setting.kind, f'write {name} = "..."' if isinstance(name, str) else "put it in quotes")

    def show(self, raw: object) -> str:
        """Return a value as it stood in the file, short and free of anything that looks like a secret."""
        text = f'"{raw}"' if isinstance(raw, str) else str(raw).lower() if isinstance(raw, bool) else str(raw)
        text = redact(text, (s.reveal() for s in self.origin.secrets))
        return text if len(text) <= 80 else text[:77] + "..."

    def _bool(self, setting: Setting, raw: object, path: KeyPath) -> object:
        return raw if isinstance(raw, bool) else self.wrong(setting, raw, path)

    def _int(self, setting: Setting, raw: object, path: KeyPath) -> object:
        if isinstance(raw, bool) or not isinstance(raw, int):
            return self.wrong(setting, raw, path)
        return self.ranged(setting, raw, raw, path)

    def _float(self, setting: Setting, raw: object, path: KeyPath) -> object:
        if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
            return self.wrong(setting, raw, path)
        if not Decimal(raw).is_finite():
            return self.report(path, f"`{dotted(path)}` must be a finite number, not {raw}", self.range_hint(setting))
        return self.ranged(setting, Decimal(raw), float(raw), path)

    def _money(self, setting: Setting, raw: object, path: KeyPath) -> object:
        if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
            return self.wrong(setting, raw, path)
        amount = Decimal(raw)
        if not amount.is_finite() or abs(amount) > 10**9:
            return self.report(
                path, f"`{dotted(path)}` must be a number of dollars up to 1e9, not {raw}", self.range_hint(setting)
            )
        # A finer amount could not be booked exactly, and rounding a price in silence would make every sum wrong.
        places = setting.about.places
        if amount != round(amount, places):
            said = f"`{dotted(path)}` is finer than can be booked: {raw}"
            return self.report(path, said, f"write at most {places} decimal places")
        return self.ranged(setting, amount, amount, path)

    def ranged(self, setting: Setting, number: int | Decimal, value: object, path: KeyPath) -> object:
        """Return `value` when `number` is in range."""
        said = setting.about
        low = (said.minimum is not None and number < said.minimum) or (said.above is not None and number <= said.above)
        if low or (said.maximum is not None and number > said.maximum):
            return self.report(path, f"`{dotted(path)}` is out of range: {number}", self.range_hint(setting))
        return value

    def range_hint(self, setting: Setting) -> str:
        """Say which numbers are allowed."""
        said = setting.about
        low = (
            f"at least {plain(said.minimum)}"
            if said.minimum is not None
            else f"more than {plain(said.above)}"
            if said.above is not None
            else ""
        )
        high = f"at most {plain(said.maximum)}" if said.maximum is not None else ""
        return (
            "use a number that is " + " and ".join(part for part in (low, high) if part)
            if low or high
            else "use a finite number"
        )

    def _text(self, setting: Setting, raw: object, path: KeyPath) -> object:
        if not isinstance(raw, str):
            return self.wrong(setting, raw, path)
        text, faults = references.expand(raw, self.env_vars)
        if faults:
            for fault in faults:
                self.report(path, f"`{dotted(path)}`: {fault.message}", fault.hint)
            return MISSING
        said = setting.about
        if said.non_empty and not text.strip():
            return self.report(path, f"`{dotted(path)}` is empty", "write a value, or leave the setting out")
        if said.pattern and text and not re.fullmatch(said.pattern, text):
            hint = f"for example: {path[-1]} = {said.example}" if said.example else f"use {said.expects}"
            return self.report(path, f"`{dotted(path)}` must be {said.expects}, not {self.show(raw)}", hint)
        if any(not c.isprintable() for c in text):
            return self.report(
                path, f"`{dotted(path)}` holds a control character", "remove line breaks and control characters"
            )
        return text

    def _choice(self, setting: Setting, raw: object, path: KeyPath) -> object:
        if not isinstance(raw, str):
            return self.wrong(setting, raw, path)
        if raw in setting.choices:
            return raw
        choices = ", ".join(setting.choices)
        close = did_you_mean(raw, setting.choices)
        return self.report(
            path,
            f"`{dotted(path)}` cannot be {self.show(raw)}",
            f"{close}; one of: {choices}" if close else f"one of: {choices}",
        )

    def _secret(self, setting: Setting, raw: object, path: KeyPath) -> object:
        if not isinstance(raw, str):
            return self.wrong(setting, raw, path)
        if not self.secrets and (unread := references.unread(raw)) is not None:
            return unread
        found, faults = references.secret(raw, self.env_vars, self.folder)
        for fault in faults:
            self.report(path, f"`{dotted(path)}`: {fault.message}", fault.hint, warning=fault.warning)
        if found is None:
            return MISSING
        if found.origin == "literal" and sounds_secret(str(path[-1])):
            name = "".join(c if c.isalnum() else "_" for c in "_".join(str(p) for p in path[-2:])).upper()
            self.report(
                path,
                f"`{dotted(path)}` holds a secret in plain text",
                f'write {path[-1]} = "${{{name}}}" and set that variable, or "file:/path" to a file with mode 0600',
                warning=True,
            )
        return found

    def _list(self, setting: Setting, raw: object, path: KeyPath) -> object:
        assert setting.item is not None
        if not isinstance(raw, list):
            return self.wrong(setting, raw, path)
        if setting.about.non_empty and not raw:
            return self.report(
                path, f"`{dotted(path)}` is an empty list", "name at least one, or leave the setting out"
            )
        values = [self.value(setting.item, element, (*path, index)) for index, element in enumerate(raw)]
        return MISSING if any(v is MISSING for v in values) else tuple(values)

    def _map(self, setting: Setting, raw: object, path: KeyPath) -> object:
        assert setting.item is not None
        if not isinstance(raw, dict):
            return self.wrong(setting, raw, path)
        values = {}
        for name, element in raw.items():
            here = (*path, name)
            if setting.about.key_pattern and not re.fullmatch(setting.about.key_pattern, name):
                self.report(
                    here,
                    f"{name!r} is not a name for [{dotted(path)}]",
                    f"use {setting.about.key_expects}",
                    at_key=True,
                )
                values[name] = MISSING
            if (value := self.value(setting.item, element, here)) is MISSING or name not in values:
                values[name] = value
        return MISSING if any(v is MISSING for v in values.values()) else values

    def _section(self, setting: Setting, raw: object, path: KeyPath) -> object:
        assert setting.section is not None
        return self.section(setting.section, raw, path) if isinstance(raw, dict) else self.wrong(setting, raw, path)


def _root() -> type[Any]:
    from suffice.config.schema import Settings

    return Settings
