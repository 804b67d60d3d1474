"""Which packages and modules exist, from dated lists that ship with this package (`data/`, see `tools/build_package_lists.py`).

A name that the lists do not know may still exist: it is newer than the lists, private, or of a program that brings its
own modules.
The lists are read when first needed; nothing is asked of a registry.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import lru_cache
from pathlib import Path

_DATA = Path(__file__).parent / "data"


@lru_cache(maxsize=16)
def names(which: str) -> frozenset[str]:
    """Return the names of a sorted list: `pypi_top`, `npm_top`, `crates`, `python_stdlib`, `import_names`,
    `node_builtins`, ..."""
    return frozenset((_DATA / f"{which}.txt").read_text(encoding="utf-8").split())


_MANY = 10


@lru_cache(maxsize=4)
def families(which: str) -> frozenset[str]:
    """Return the beginnings, of one word or two, that make a longer name a member of a family of listed ones.

    One word: a listed name after which two others are called (`tokio`, of `tokio_util`, ...), or what so many are called after
    that it is a mark of its own (`swc`, `icu`). Two words: whatever a listed name begins with (`google_cloud`).
    """
    listed = names(which)
    parts = [name.split("_") for name in listed if "_" in name]
    heads = Counter(words[0] for words in parts)
    ones = {head for head, members in heads.items() if members >= _MANY or (head in listed and members > 1)}
    return frozenset(ones | {"_".join(words[:2]) for words in parts})


@lru_cache(maxsize=4)
def _bits(which: str) -> bytes:
    return (_DATA / f"{which}.bloom").read_bytes()


@lru_cache(maxsize=1)
def facts() -> dict[str, object]:
    """Return what is known of the lists: their date and sizes."""
    value: dict[str, object] = json.loads((_DATA / "facts.json").read_text(encoding="utf-8"))
    return value


def on_registry(name: str, which: str) -> bool:
    """True when `name` is on `pypi` or `npm` (never wrong about one that is; one in 100 unknown names passes too)."""
    bits = _bits(which)
    digest = hashlib.blake2b(name.lower().encode("utf-8", "replace"), digest_size=28).digest()
    for at in range(0, 28, 4):
        bit = int.from_bytes(digest[at : at + 4], "little") % (len(bits) * 8)
        if not bits[bit >> 3] >> (bit & 7) & 1:
            return False
    return True


def pypi_has(module: str) -> bool:
    """True when a distribution that could bring the top-level `module` is on PyPI."""
    dashed = module.lower().replace("_", "-")
    # The usual ways in which a distribution is named after its module.
    candidates = (
        dashed,
        f"python-{dashed}",
        f"py{dashed}",
        f"py-{dashed}",
        f"{dashed}-python",
        f"{dashed}-py",
        dashed.removeprefix("py"),
        dashed.replace("adafruit-", "adafruit-circuitpython-", 1),
    )
    listed = names("import_names")
    if module in listed or module.lower() in listed:
        return True
    turned = "-".join(reversed(dashed.split("-")))
    # Each candidate may pass by chance: only the name itself, and the name turned round ("Frozen-Flask" brings
    # `flask_frozen`), may rely on the whole registry, the others on the most used.
    return (
        any(on_registry(name, "pypi") for name in {dashed, turned})
        or any(name in names("pypi_top") for name in candidates[1:])
        or dashed in _ends("pypi_top")
    )


@lru_cache(maxsize=2)
def _ends(which: str) -> frozenset[str]:
    """Return what listed names begin or end with: `opentelemetry-api` brings `opentelemetry`, `apache-libcloud` `libcloud`."""
    out: set[str] = set()
    for name in names(which):
        words = name.replace(".", "-").split("-")
        out.update("-".join(words[:at]) for at in range(1, len(words)))
        out.update("-".join(words[at:]) for at in range(1, len(words)))
    return frozenset(out)


def lookalike(name: str, which: str) -> str:
    """Return the much used package that `name` is one edit away from, or `""` (names of less than 5 characters have none)."""
    top = names(which)
    name = name.lower()
    if which == "pypi_top":
        name = name.replace("_", "-")
    if len(name) < 5 or name in top:
        return ""
    return next((other for other in _near(name) if other in top), "")


def _near(name: str) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
    cuts = [(name[:i], name[i:]) for i in range(len(name) + 1)]
    deleted = [a + b[1:] for a, b in cuts if b]
    swapped = [a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1]
    replaced = [a + c + b[1:] for a, b in cuts if b for c in letters]
    inserted = [a + c + b for a, b in cuts for c in letters]
    return deleted + swapped + replaced + inserted
