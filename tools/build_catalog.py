"""Build src/suffice/catalog/data/catalog.json and docs/reference/catalog-conflicts.md from the extra `catalog`.

Run with an interpreter that has requirements/catalog.txt and the core dependencies. `--check` only says whether the files
are up to date. The work is done by `suffice.catalog.builder`, which `suffice models refresh` uses too.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))


def main() -> int:
    """Write, or with --check compare, both files; return the exit code."""
    from suffice.catalog.builder.sources import BuildError
    from suffice.catalog.load import BUNDLED
    from suffice.catalog.refresh import render
    from suffice.errors import ConfigError

    try:
        data, report = render(strict=True)
    except (BuildError, ConfigError) as error:
        print(f"build_catalog: {error}")
        return 3
    outputs = {BUNDLED: data, ROOT / "docs" / "reference" / "catalog-conflicts.md": report.encode()}
    stale = [path for path, new in outputs.items() if not path.exists() or path.read_bytes() != new]
    if "--check" in sys.argv:
        print("catalog: " + (f"out of date: {', '.join(str(p.relative_to(ROOT)) for p in stale)}" if stale else "ok"))
        return int(bool(stale))
    for path in stale:
        path.write_bytes(outputs[path])
        print(f"wrote {path.relative_to(ROOT)} ({len(outputs[path])} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
