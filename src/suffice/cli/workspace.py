"""What most commands begin with: the configuration, the catalogue, and the store beside a gateway that may be running."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from suffice.cli.command import Io
from suffice.config.environment import storage_folder
from suffice.config.load import load
from suffice.config.schema import Settings
from suffice.errors import NotFoundError
from suffice.ledger.folder import Folder

if TYPE_CHECKING:
    from suffice.catalog.book import Catalog
    from suffice.storage.database import Database


def configured(args: argparse.Namespace, io: Io) -> Settings:
    """Return the settings of the file or, without one, the defaults; its secrets are not read. Raises InvalidConfigError.

    Who asks for a report, a key or a client's settings need not have the providers' keys at hand.
    """
    return load(args.config, io.env_vars, io.working, secrets=False)


def effective(args: argparse.Namespace, io: Io, *, secrets: bool = True) -> Settings:
    """Return what the gateway would use: without a file, what is found in the environment and on this machine.

    Without `secrets` those that the file refers to are not read.
    """
    settings = load(args.config, io.env_vars, io.working, secrets=secrets)
    if settings.origin.file:
        return settings
    from suffice.catalog.load import load as load_catalog
    from suffice.cli.provider_keys import provider_env
    from suffice.config.discover import discover
    from suffice.config.probe import probe

    return asyncio.run(discover(io.env_vars, provider_env(load_catalog()), probe))


def folder_of(settings: Settings, io: Io) -> Folder:
    """Return the storage folder's files."""
    return Folder(storage_folder(settings, io.env_vars, io.working))


def catalogue(folder: Folder) -> Catalog:
    """Return the newer of the bundled and the refreshed catalogue. Raises StorageError."""
    from suffice.catalog.load import book, newest

    return book(newest(folder.catalogue))


@contextmanager
def opened(io: Io, folder: Folder, *, create: bool = False) -> Iterator[Database]:
    """Yield the database, open beside a running gateway. Raises NotFoundError when nothing was stored yet, StorageError."""
    if not create and not folder.exists:
        raise NotFoundError(
            f"nothing is stored yet: {folder.database} does not exist",
            hint="the gateway makes it (`suffice serve`); with another folder, set storage.path or --config",
        )
    from suffice.storage.database import Database

    database = Database(io.env, folder.database, exclusive=False)
    database.open()
    try:
        yield database
    finally:
        database.close()
