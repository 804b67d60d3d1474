"""Check that nothing is undocumented: every error code, setting, metric, command and environment variable.

Each check compares names found in the code with the text of the pages below docs/ and the README.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from suffice.cli import command
from suffice.config.environment import OTHER_VARIABLES, VARIABLES
from suffice.config.schema import Settings
from suffice.config.setting import walk


def findings(root: Path) -> list[str]:
    """Return one line per undocumented name."""
    from suffice import errors

    pages = "\n".join(p.read_text() for p in [root / "README.md", *sorted((root / "docs").rglob("*.md"))] if p.exists())
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.SufficeError)]
    codes = sorted({c.default_code for c in classes})
    names = {f"error code {code}": code for code in codes}
    names |= {f"command {name}": f"suffice {name}" for name in command.names()}
    names |= {
        f"setting {'.'.join(path)}": f"`{path[-1]}`" for path, s in walk(Settings) if s.kind not in ("section", "map")
    }
    for path, setting in walk(Settings):
        inner = setting.item or setting
        if inner.section is not None:
            section = ".".join([*path, "<name>"] if setting.kind == "map" else path)
            names[f"section {section}"] = f"[{section}]"
    names |= {f"environment variable {v.name}": f"`{v.name}`" for v in (*VARIABLES, *OTHER_VARIABLES)}
    found = [f"{what} is in no page of docs/" for what, text in sorted(names.items()) if text not in pages]
    return found + unlisted_variables(root) + repeated_decisions(root) + broken_links(root)


def repeated_decisions(root: Path) -> list[str]:
    """Return one line per decision page whose number another page has, or whose heading does not begin with it."""
    found, seen = [], dict[str, str]()
    for path in sorted((root / "docs" / "decisions").glob("[0-9]*.md")):
        number = path.name[:3]
        if number in seen:
            found.append(f"docs/decisions/{path.name} has the number of {seen[number]}")
        seen[number] = path.name
        if not path.read_text().startswith(f"# {number}: "):
            found.append(f"docs/decisions/{path.name} must begin with `# {number}: `")
    return found


def broken_links(root: Path) -> list[str]:
    """Return one line per link of a page to a file that is not there."""
    found = []
    for page in [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target and not target.startswith("mailto:") and not (page.parent / target).exists():
                found.append(f"{page.relative_to(root)} links to {target}, which is not there")
    return found


def unlisted_variables(root: Path) -> list[str]:
    """Return one line per SUFFICE_ variable that the sources name but `config/environment.py` does not list."""
    listed = {v.name for v in VARIABLES}
    found = []
    for path in sorted((root / "src").rglob("*.py")):
        for name in sorted(set(re.findall(r"\bSUFFICE_[A-Z][A-Z_]*[A-Z]\b", path.read_text())) - listed):
            found.append(f"{path.relative_to(root)} names {name}, which config/environment.py does not list")
    return found


if __name__ == "__main__":
    found = findings(Path(__file__).resolve().parent.parent)
    print("\n".join(found) or "docs: ok")
    sys.exit(bool(found))
