"""The page of what was tried with real clients, made of docs/results/clients.json (written by `make test-clients WRITE=--write`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DIALECTS = ("chat", "responses", "messages", "gemini")
_EDIT = "edit"
_SHOWN = {"passed": "yes", "told": "told", "asked on": "asked on", "failed": "**no**", "not run": "-"}
_HEAD = """# Clients that were driven

Generated from `docs/results/clients.json`, which `make test-clients WRITE=--write` makes. Each row is a real client of that
version, run without a person against a gateway process whose provider is scripted: no paid model was asked. An agent is started
by `suffice launch` in a tiny git repository with one bug, and has to fix it with its own tools and end with exit code 0; every
attempt has to be in the ledger, the ledger's audit has to be clean, and the provider's key may be in no file and no output.
What each client is told is in [clients.md](clients.md).

"""
_EDITS = """## The edit: client x its dialect x the provider's dialect

`yes`: done. **no**: not done, the reason is below. Empty: not tried.

"""
_QUIRKS = """## What providers do to clients

Each quirk is one run of the same edit before a provider that behaves so. *edit done*: all the same. *told*: the fault
reached the client, which ended with an error and did not do half of the task. *asked on*: it repeated its request, or waited to, until its
time was over (45 s where no answer can come, slow clients 90 s). *not*: none of these. *not run*: of the clients of the last table.

"""
_BY_CLIENT = """
The same by client, with the day of its runs (UTC). `+`: edit done. `t`: told. `a`: asked on. `n`: not. `-`: could not be
run here. Empty: not run.

"""
_MARKS = {"passed": "+", "told": "t", "asked on": "a", "failed": "n", "not run": "-"}
_NOT_DRIVEN = """
## Wired, not driven

`suffice connect` tells their settings; no test runs them.

"""


def page(path: Path, quirks: dict[str, str], not_driven: dict[str, str] | None = None) -> str:
    """Return the page; `quirks` says what each quirk is, in the order of the table, `not_driven` why a client is not."""
    rows: list[dict[str, Any]] = json.loads(path.read_text())["rows"] if path.exists() else []
    text = _HEAD + _EDITS + _table(rows, list(DIALECTS), lambda row: row["provider"] if row["what"] == _EDIT else "")
    others = [row for row in rows if row["what"] not in (_EDIT, *quirks)]
    if others:
        text += "\n## Libraries: what was asked of each\n\n" + _lists(others)
    odd = [name for name in quirks if any(row["what"] == name for row in rows)]
    if odd:
        text += "\n" + _QUIRKS + _turned(rows, odd)
        text += "\n" + "".join(f"- `{name}`: {quirks[name]}\n" for name in odd)
        text += _BY_CLIENT + _by_client([row for row in rows if row["what"] in quirks], odd)
    bad = [row for row in rows if row["result"] in ("failed", "not run")]
    if bad:
        text += "\n## What did not work\n\n"
        text += "".join(
            f"- {_name(row)}, {row['dialect']}, {_what(row)}: {row.get('note') or 'failed'}\n" for row in bad
        )
    if not_driven:
        text += _NOT_DRIVEN + "".join(f"- `{name}`: {why}.\n" for name, why in not_driven.items())
    return text


def _by_client(rows: list[dict[str, Any]], quirks: list[str]) -> str:
    """Return a line for each client and dialect with what came of each quirk: nothing where it was not run."""
    lines = [f"| client | speaks | day | {' | '.join(f'`{quirk}`' for quirk in quirks)} |"]
    lines += ["|---" * (3 + len(quirks)) + "|"]
    for (name, dialect), runs in _groups(rows).items():
        found = {row["what"]: _MARKS[row["result"]] for row in runs}
        days = sorted({row["day"] for row in runs if row.get("day")})
        day = " to ".join(dict.fromkeys([days[0], days[-1]])) if days else ""
        lines.append(f"| {name} | {dialect} | {day} | {' | '.join(found.get(quirk, '') for quirk in quirks)} |")
    return "\n".join(lines) + "\n"


def _name(row: dict[str, Any]) -> str:
    return f"{row['client']} {row['version']}" + (f" ({row['variant']})" if row.get("variant") else "")


def _what(row: dict[str, Any]) -> str:
    return f"edit by a {row['provider']} provider" if row["what"] == _EDIT else f"`{row['what']}`"


def _groups(rows: list[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((_name(row), row["dialect"]), []).append(row)
    return groups


def _table(rows: list[dict[str, Any]], columns: list[str], column: Any) -> str:
    lines = [f"| client | speaks | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
    for (name, dialect), runs in _groups(rows).items():
        found = {column(row): _SHOWN[row["result"]] for row in runs}
        if any(c in found for c in columns):
            lines.append(f"| {name} | {dialect} | {' | '.join(found.get(c, '') for c in columns)} |")
    return "\n".join(lines) + "\n"


def _turned(rows: list[dict[str, Any]], quirks: list[str]) -> str:
    """Return a line for each quirk: how many clients bore it, how many were told, and who did not."""
    lines = ["| quirk | edit done | told | asked on | not | not run |", "|---|---|---|---|---|---|"]
    clients = len(_groups([row for row in rows if row["what"] in quirks]))
    for quirk in quirks:
        runs = [row for row in rows if row["what"] == quirk]
        count = {result: sum(row["result"] == result for row in runs) for result in _SHOWN}
        bad = ", ".join(f"{_name(row)} {row['dialect']}" for row in runs if row["result"] == "failed")
        absent = clients - len(_groups(runs)) + count["not run"]
        cells = (count["passed"], count["told"], count["asked on"], bad, absent)
        lines.append(f"| `{quirk}` | {' | '.join(str(cell or '') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _lists(rows: list[dict[str, Any]]) -> str:
    lines = ["| client | speaks | worked | did not |", "|---|---|---|---|"]
    for (name, dialect), runs in _groups(rows).items():
        via: dict[str, list[str]] = {}
        for row in runs:
            if row["result"] == "passed":
                via.setdefault(row["what"], []).append(row["provider"])
        good = ", ".join(f"{what} (by {' '.join(providers)})" for what, providers in via.items())
        bad = ", ".join(f"{row['what']} (by {row['provider']})" for row in runs if row["result"] != "passed")
        lines.append(f"| {name} | {dialect} | {good} | {bad} |")
    return "\n".join(lines) + "\n"
