"""Rebuilds the table from the installed `genai-prices` and `model-prices` (extra `catalog`).

Never runs on a request and opens no connection: what is installed is what is read. The new file replaces the old one whole.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

from suffice.catalog.builder import from_model_prices, table
from suffice.catalog.builder.sources import BuildError
from suffice.catalog.load import Document, read
from suffice.errors import ConfigError

PACKAGES = ("genai-prices", "model-prices")


def inputs() -> dict[str, str]:
    """Return the versions of the installed source packages. Raises ConfigError when one is missing."""
    try:
        return {name: version(name) for name in PACKAGES}
    except PackageNotFoundError as error:
        raise ConfigError(
            f"the package {error.name} is not installed, so the price table cannot be rebuilt",
            hint="install the extra: pip install 'suffice[catalog]'",
            code="extra_missing",
        ) from None


def render(*, strict: bool) -> tuple[bytes, str]:
    """Return the table's bytes and the conflict report, built from the installed packages.

    `strict` refuses inexact numbers (for the release); otherwise such a price is dropped and reported.
    """
    versions = inputs()
    genai: Any = import_module("genai_prices.data").providers
    snapshot = from_model_prices.parse((files("model_prices") / "snapshot.json").read_text())
    return table.build(genai, snapshot, versions, strict=strict)


def build(into: Path) -> Document:
    """Write a new table to `into` and return it. Raises ConfigError when the extra is missing or the sources are unusable.

    Written beside the target, read back, then moved over it: `into` is never half a file.
    """
    try:
        data, _ = render(strict=False)
    except BuildError as error:
        raise ConfigError(
            f"the installed price packages cannot be used: {error}", hint="keep the bundled table"
        ) from None
    beside = into.with_name(into.name + ".new")
    beside.write_bytes(data)
    document = read(beside)
    beside.replace(into)
    return document
