"""How a setting describes itself: what it means, its unit and range, and what a change of it needs.

The description travels in the metadata of the dataclass field, so that the schema, the checks, the JSON Schema, the
reference page and the commented file of `suffice init` all come from one place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from suffice.config.secret import Secret

_KEY = "setting"


def plain(number: float) -> str:
    """Return a bound for people: `32`, `0.5`, never `1e+06`."""
    return str(int(number)) if number == int(number) else str(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said of one setting.

    `minimum` and `maximum` are inclusive, `above` is an exclusive lower bound; `pattern` must match the whole text and
    `expects` says the same for people; money has at most `places` decimals. `example` is TOML. `restart` marks settings
    that a reload cannot change.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    pattern: str = ""
    expects: str = ""
    key_pattern: str = ""
    key_expects: str = ""
    non_empty: bool = False
    places: int = 9
    example: str = ""
    restart: bool = False


def about(help: str, **facts: Any) -> Mapping[str, About]:  # noqa: A002
    """Return the metadata of a dataclass field; `facts` are the fields of `About`."""
    return {_KEY: About(help=help, **facts)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field of a section, with its type taken apart.

    `kind` is one of `bool int float money text secret choice list map section`; `item` is the element of a list or map,
    `choices` the allowed words, `section` the dataclass of a section. An `optional` one may be absent and is then None.
    """

    name: str
    kind: str
    about: About
    required: bool = False
    optional: bool = False
    default: Any = None
    item: Setting | None = None
    choices: tuple[str, ...] = ()
    section: type[Any] | None = None


_SCALARS = {bool: "bool", int: "int", float: "float", Decimal: "money", str: "text", Secret: "secret"}


def _parse(name: str, hint: Any, said: About, **rest: Any) -> Setting:
    """Take the type `hint` apart."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        inner = next(a for a in args if a is not NoneType)
        return _parse(name, inner, said, optional=True, **rest)
    if hint in _SCALARS:
        return Setting(name=name, kind=_SCALARS[hint], about=said, **rest)
    if origin is Literal:
        return Setting(name=name, kind="choice", about=said, choices=tuple(args), **rest)
    if dataclasses.is_dataclass(hint):
        return Setting(name=name, kind="section", about=said, section=hint if isinstance(hint, type) else None, **rest)
    if origin is tuple:
        return Setting(name=name, kind="list", about=said, item=_parse(name, args[0], said), **rest)
    if origin is Mapping:
        return Setting(name=name, kind="map", about=said, item=_parse(name, args[1], said), **rest)
    raise TypeError(f"{name}: no rule for settings of type {hint}")


_parsed: dict[type[Any], tuple[Setting, ...]] = {}


def settings_of(section: type[Any]) -> tuple[Setting, ...]:
    """Return the settings of a section (a dataclass), in their order; fields without `about` are not settings."""
    if section not in _parsed:
        hints = get_type_hints(section)
        found = []
        for field in dataclasses.fields(section):
            said = field.metadata.get(_KEY)
            if said is None:
                continue
            factory, default = field.default_factory, field.default
            if default is dataclasses.MISSING and factory is not dataclasses.MISSING:
                default = factory()
            required = default is dataclasses.MISSING
            given = None if required else default
            found.append(_parse(field.name, hints[field.name], said, required=required, default=given))
        _parsed[section] = tuple(found)
    return _parsed[section]


def walk(section: type[Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Setting]]:
    """Yield every setting below `section` with its path, depth first; the free names of a map appear as `<name>`."""
    for setting in settings_of(section):
        here = (*path, setting.name)
        yield here, setting
        inner = setting
        while inner.item is not None:
            here = (*here, "<name>") if inner.kind == "map" else here
            inner = inner.item
        if inner.section is not None:
            yield from walk(inner.section, here)
