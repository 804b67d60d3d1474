"""What was tested: one row for each run, kept below `.clients/results`, gathered into docs/results/clients.json.

`python -m tests.clients.results` prints the table of the last run and, with `--write`, replaces the rows of the same runs in
the committed file; `make docs` turns that into docs/reference/tested-clients.md. No paths, and of times only the day.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.clients.install import LOCKS, PLACE, ROOT, lock_of

FOLDER = PLACE / "results"
COMMITTED = ROOT / "docs" / "results" / "clients.json"


@dataclass(frozen=True, kw_only=True, order=True)
class Row:
    """One run. `what` is `edit` or the name of a quirk; `result` is `passed`, `told` (an honest
    error), `asked on` (the client went on asking until its time was over), `failed` or `not run`. `day` is when (UTC)."""

    client: str
    version: str
    dialect: str
    variant: str = ""
    provider: str
    what: str
    result: str
    note: str = ""
    day: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two rows the same run."""
        return (self.client, self.dialect, self.variant, self.provider, self.what)


def version_of(lock: str, package: str = "") -> str:
    """Return the pinned version of the package that a lock is about."""
    path = lock_of(lock)
    if path.suffix == ".txt":
        name = package or next(
            line for line in (LOCKS / f"{lock}.in").read_text().splitlines() if not line.startswith("#")
        )
        pinned = re.search(rf"^{re.escape(re.split('[=>]', name)[0])}==([^ \\]+)", path.read_text(), re.M)
        return pinned[1] if pinned else ""
    wanted = json.loads((LOCKS / lock / "package.json").read_text())
    wanted = {**wanted.get("dependencies", {}), **wanted.get("optionalDependencies", {})}
    return str(wanted[package] if package else next(iter(wanted.values())))


def note(row: Row) -> None:
    """Keep a row, with the day; a run of the same thing before is replaced."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / ("-".join(part for part in row.key if part) + ".json")).write_text(
        json.dumps(asdict(row) | {"day": _today()})
    )


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def noted() -> list[Row]:
    """Return the rows that were kept."""
    return sorted(Row(**json.loads(path.read_text())) for path in FOLDER.glob("*.json"))


def committed() -> list[Row]:
    """Return the rows of the repository."""
    return [Row(**row) for row in json.loads(COMMITTED.read_text())["rows"]] if COMMITTED.exists() else []


def merged(old: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """Return all rows; a new one stands for the old one of the same run."""
    rows = {row.key: row for row in old} | {row.key: row for row in new}
    return sorted(rows.values())


def current(rows: Iterable[Row], versions: set[tuple[str, str]], whats: set[str]) -> list[Row]:
    """Return the rows of clients that are still driven in that version, about what is still asked."""
    return [row for row in rows if (row.client, row.version) in versions and row.what in whats]


def write(rows: list[Row]) -> None:
    """Replace the committed file."""
    COMMITTED.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join("  " + json.dumps({k: v for k, v in asdict(row).items() if v}) for row in rows)
    COMMITTED.write_text(f'{{"made_by": "make test-clients", "rows": [\n{lines}\n]}}\n')


def table(rows: list[Row]) -> str:
    """Return one line for each client and dialect, and one for each run that did not end as it should."""
    lines = []
    groups: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.client, row.version, row.dialect, row.variant), []).append(row)
    for (client, version, dialect, variant), runs in groups.items():
        edits = sorted(row.provider for row in runs if row.what == "edit" and row.result == "passed")
        quirks = [row for row in runs if row.what != "edit"]
        good = sum(row.result in ("passed", "told", "asked on") for row in quirks)
        name = f"{client} {version}" + (f" ({variant})" if variant else "")
        lines.append(f"{name:34} {dialect:10} edits via {', '.join(edits) or 'none':38} quirks {good}/{len(quirks)}")
    bad = [row for row in rows if row.result in ("failed", "not run")]
    lines += [f"  {row.result}: {' '.join(part for part in row.key if part)}: {row.note}" for row in bad]
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    """Print the table; with --write also keep it, with --forget throw the last run away first."""
    if "--forget" in argv:
        shutil.rmtree(FOLDER, ignore_errors=True)
        return 0
    rows = noted()
    print(table(rows))
    if "--write" in argv:
        from tests.clients import driven

        write(current(merged(committed(), rows), driven.versions(), driven.whats()))
        print(f"written to {COMMITTED.relative_to(Path.cwd()) if COMMITTED.is_relative_to(Path.cwd()) else COMMITTED}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
