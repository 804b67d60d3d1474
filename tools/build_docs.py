"""Write the generated reference pages below docs/reference/. `--check` only says whether they are up to date.

Each page is built from the code it documents: never edit them by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "reference"


def errors_page() -> str:
    """Return the table of error codes."""
    from suffice import errors

    rows = ["# Errors", "", "| code | HTTP status | retry helps | meaning |", "|---|---|---|---|"]
    for cls in vars(errors).values():
        if isinstance(cls, type) and issubclass(cls, errors.SufficeError):
            meaning = (cls.__doc__ or "").splitlines()[0]
            rows.append(f"| `{cls.default_code}` | {cls.status} | {'yes' if cls.retryable else 'no'} | {meaning} |")
    return "\n".join(rows) + "\n"


PAGES = {"errors.md": errors_page}


def main() -> int:
    """Write, or with --check compare, every page; return the exit code."""
    stale = []
    OUT.mkdir(parents=True, exist_ok=True)
    for name, build in PAGES.items():
        path, text = OUT / name, build()
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text)
    if "--check" in sys.argv and stale:
        print(f"out of date: {', '.join(stale)}; run `make docs`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
