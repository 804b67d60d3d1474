"""Check the shape of the code: no Python file over 400 lines, no function over 60, no dustbin names.

Generated data is exempt because it is not Python. Exit code 1 and one line per finding when something is too large.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60
DUSTBINS = {"utils", "helpers", "common", "misc", "manager"}
ROOTS = ("src", "tests", "bench", "tools")


def findings(root: Path) -> list[str]:
    """Return one line per finding below `root`."""
    out: list[str] = []
    for top in ROOTS:
        for path in sorted((root / top).rglob("*.py")):
            rel = path.relative_to(root)
            if path.stem in DUSTBINS or path.stem.endswith("_v2"):
                out.append(f"{rel}:1 a name that says nothing; say what the file owns")
            text = path.read_text()
            count = text.count("\n")
            if count > FILE_LINES:
                out.append(f"{rel}:1 {count} lines, at most {FILE_LINES}")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or node.lineno) - node.lineno + 1
                    if length > FUNCTION_LINES:
                        out.append(f"{rel}:{node.lineno} {node.name} has {length} lines, at most {FUNCTION_LINES}")
    return out


if __name__ == "__main__":
    found = findings(Path(__file__).resolve().parent.parent)
    print("\n".join(found) or "shape: ok")
    sys.exit(bool(found))
