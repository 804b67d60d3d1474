"""Read the generated table into a `Catalog`: one decode, no index until somebody asks.

Nothing is fetched. A damaged file is a `StorageError` that names it, never a half-read book.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from suffice.catalog.book import Catalog
from suffice.catalog.models import Model
from suffice.catalog.prices import Calendar
from suffice.catalog.providers import Provider
from suffice.errors import StorageError

SCHEMA = 1
BUNDLED = Path(__file__).parent / "data" / "catalog.json"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The generated file. `version` is date and content hash, `inputs` the packages that it was built from."""

    schema: int
    version: str
    as_of: str
    inputs: dict[str, str]
    bare_order: tuple[str, ...]
    calendars: dict[str, Calendar]
    providers: tuple[Provider, ...]
    models: tuple[Model, ...]


_DECODER = msgspec.json.Decoder(Document)


def read(path: Path = BUNDLED) -> Document:
    """Return the decoded file. Raises StorageError when it is missing, damaged or of another schema."""
    try:
        document = _DECODER.decode(path.read_bytes())
    except OSError as error:
        raise StorageError(
            f"the model catalogue {path} cannot be read: {error.strerror}", hint="reinstall suffice"
        ) from None
    except msgspec.MsgspecError as error:
        raise StorageError(
            f"the model catalogue {path} is damaged: {error}", hint="run `suffice models refresh` or reinstall"
        ) from None
    if document.schema != SCHEMA:
        raise StorageError(
            f"the model catalogue {path} has schema {document.schema}, this version reads {SCHEMA}",
            hint="run `suffice models refresh`",
        )
    return document


def newest(refreshed: Path) -> Document:
    """Return the document in `refreshed` when it is there and not older than the bundled one, else the bundled one.

    Raises StorageError when either is damaged: prices must not change because a file broke.
    """
    bundled = read()
    if not refreshed.exists():
        return bundled
    other = read(refreshed)
    return other if other.as_of >= bundled.as_of else bundled


def book(document: Document) -> Catalog:
    """Return the catalogue of a document."""
    return Catalog(
        version=document.version,
        providers=document.providers,
        models=document.models,
        calendars=document.calendars,
        bare_order=document.bare_order,
    )


def load(path: Path = BUNDLED) -> Catalog:
    """Return the catalogue in `path`, by default the one in the package. Raises StorageError as `read` does."""
    return book(read(path))
