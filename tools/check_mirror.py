"""Check that tests mirror the sources: src/suffice/a/b.py has tests/a/test_b.py, and the other way round.

Packages' `__init__.py` and `__main__.py` need no mirror; tests/integration, tests/e2e, tests/clients and tests/conformance stand
outside it.
"""

from __future__ import annotations

import sys
from pathlib import Path

OUTSIDE = {"integration", "e2e", "clients", "conformance", "tools", "bench"}
SKIP = {"__init__.py", "__main__.py"}


def findings(root: Path) -> list[str]:
    """Return one line per source without tests and per test without source."""
    src, tests = root / "src" / "suffice", root / "tests"
    sources = {p.relative_to(src) for p in src.rglob("*.py") if p.name not in SKIP and "data" not in p.parts}
    mirrors = {p.relative_to(tests) for p in tests.rglob("test_*.py")}
    mirrors = {m for m in mirrors if m.parts[0] not in OUTSIDE}
    wanted = {s.with_name(f"test_{s.name}"): s for s in sources}
    out = [f"src/suffice/{s} has no tests/{m}" for m, s in sorted(wanted.items()) if m not in mirrors]
    # A large subject may be split: test_plan_bounds.py mirrors plan.py.
    for mirror in sorted(mirrors - set(wanted)):
        stems = {w.stem for w in wanted if w.parent == mirror.parent}
        if not any(mirror.stem.startswith(stem + "_") for stem in stems):
            out.append(f"tests/{mirror} mirrors no source")
    return out


if __name__ == "__main__":
    found = findings(Path(__file__).resolve().parent.parent)
    print("\n".join(found) or "mirror: ok")
    sys.exit(bool(found))
