"""Write the generated reference pages below docs/reference/. `--check` only says whether they are up to date.

Each page is built from the code it documents: never edit them by hand.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "reference"


def errors_page() -> str:
    """Return the tables of error classes, and of every more exact code that the sources raise."""
    from suffice import errors

    classes = {
        name: cls
        for name, cls in vars(errors).items()
        if isinstance(cls, type) and issubclass(cls, errors.SufficeError)
    }
    rows = ["# Errors", "", "| code | HTTP status | retry helps | meaning |", "|---|---|---|---|"]
    for cls in classes.values():
        meaning = (cls.__doc__ or "").splitlines()[0]
        rows.append(f"| `{cls.default_code}` | {cls.status} | {'yes' if cls.retryable else 'no'} | {meaning} |")
    rows += [
        "",
        "More exact codes, each with the status of its class unless it has one of its own; those of failed providers are in the",
    ]
    rows += ["[fault matrix](../reliability.md).", "", "| code | HTTP status | what is said |", "|---|---|---|"]
    found: dict[str, tuple[int, str]] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in classes:
                given = {k.arg: k.value for k in call.keywords}
                code, status = given.get("code"), given.get("status")
                if isinstance(code, ast.Constant) and call.args:
                    known = status.value if isinstance(status, ast.Constant) else classes[call.func.id].status
                    found.setdefault(str(code.value), (int(str(known)), _said(call.args[0])))
    own = {cls.default_code for cls in classes.values()}
    rows += [f"| `{code}` | {status} | {said} |" for code, (status, said) in sorted(found.items()) if code not in own]
    return "\n".join(rows) + "\n"


def _said(message: ast.expr) -> str:
    """Return the text of a message in the sources, with an ellipsis for what is filled in."""
    if isinstance(message, ast.Constant):
        return str(message.value).replace("|", "\\|")
    if isinstance(message, ast.JoinedStr):
        return "".join(_said(part) if isinstance(part, ast.Constant) else "…" for part in message.values)
    return "…"


def configuration_page() -> str:
    """Return the table of settings and environment variables."""
    from suffice.config.reference import reference_page

    return reference_page()


def schema_file() -> str:
    """Return the JSON Schema of suffice.toml."""
    from suffice.config.json_schema import json_schema

    return json.dumps(json_schema(), indent=2) + "\n"


def commands_page() -> str:
    """Return the reference of the commands. Built from the parsers' actions: argparse's own help differs by version."""
    from suffice.cli import command, main

    rows = [
        "# Commands",
        "",
        "Exit codes: 0 ok, 1 negative result, 2 usage, 3 configuration, 4 dependency unreachable,",
        "70 bug, 130 interrupted.",
        "",
    ]
    shared = main.Parser(prog="suffice")
    main.shared_options(shared)
    rows += ["Options of every command:", "", *_options(shared, set()), ""]
    for name in command.names():
        parser, module = main.build_parser(name)
        rows += [
            f"## suffice {name}",
            "",
            (module.__doc__ or "").strip(),
            "",
            *_options(parser, {a.dest for a in shared._actions}),
            "",
        ]
        for inner in (a for a in parser._actions if isinstance(a, argparse._SubParsersAction)):
            for action, made in inner.choices.items():
                rows += [f"### suffice {name} {action}", "", f"{made.description}.", ""]
                rows += [*_options(made, {a.dest for a in shared._actions}), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(rows)).rstrip() + "\n"


def _options(parser: argparse.ArgumentParser, skip: set[str]) -> list[str]:
    rows = ["| argument | meaning |", "|---|---|"]
    for action in parser._actions:
        if action.dest in skip or action.dest == "help" or action.help == argparse.SUPPRESS:
            continue
        value = "" if action.nargs == 0 or not action.option_strings else f" {action.metavar or action.dest.upper()}"
        if action.choices is not None:
            value = " " + ",".join(str(c) for c in action.choices)
        names = ", ".join(f"`{o}{value}`" for o in action.option_strings) or f"`{action.metavar or action.dest}`"
        rows.append(f"| {names} | {action.help or ''} |")
    return rows if len(rows) > 2 else []


def clients_page() -> str:
    """Return the table of clients and their exact settings."""
    from suffice.cli.clients.table import reference_page

    return reference_page()


def providers_page() -> str:
    """Return the table of providers: what was tried, from docs/results/providers.json, and what was only read."""
    from suffice.catalog.load import load
    from suffice.catalog.providers import SOURCES

    catalog = load()
    rows: dict[str, Any] = json.loads((ROOT / "docs" / "results" / "providers.json").read_text())
    lines = [
        "# Providers: what was tried, and what was only read",
        "",
        "No provider's own service was called: there are no keys where this is built. *Tried* means that a gateway with a",
        "minimal configuration sent real requests over sockets to a scripted server that speaks the provider's dialect, and that",
        "address, path, credential, body, answer, usage and cost were compared with a table written by hand",
        "(`tests/e2e/provider_table.py`). `python -m tests.e2e.provider_trials` repeats it and writes `docs/results/providers.json`.",
        "*Recorded* means that answers which the real provider once gave are replayed by the tests when they are there, *written* that",
        "answers in its documented shape were written by hand and are read whole, at every split and at every cut",
        "(`tests/e2e/test_own_recordings.py`). *Also tried*: by other tests, against a scripted server too",
        "(`tests/gateway/test_fim_routes.py`, `test_batches.py`, `test_message_batches.py`).",
        "*Only read* are facts of the catalogue that no test can show without the provider.",
        "",
        "Every client was served whole and as a stream. What the words mean: `address` from the smallest configuration; `path` and",
        "`credential` as they arrived; `usage` and `cost` in the ledger, cached tokens apart; `tools` a call there and back; `fitted` a",
        "request of OpenAI's newest clients (limits, roles, seed, ids, fields left out); `refusal is ours` a 401 of the provider is",
        "no 401 to the client, and names no account.",
        "",
        "| provider | spoken to in | by clients of | tried | recorded | written | also tried | only read | from |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for provider, row in rows.items():
        known = catalog.provider(provider)
        assert known is not None
        name = row["name"] + (f" (retired {row['retired_at']})" if row["retired_at"] else "")
        for number, (dialect, cell) in enumerate(row["tried"].items()):
            held = [f"`{check}`" for check in cell["held"] if check.partition(" ")[0] not in cell["clients"]]
            cells = [name, dialect, ", ".join(cell["clients"]), ", ".join(held)]
            cells += [str(row["recorded"] or "–"), str(row["written"] or "–")]
            cells += [", ".join(row["also"]), ", ".join(row["read"]), known.sources]
            lines.append("| " + " | ".join(cells if not number else ["", *cells[1:4], *[""] * 5]) + " |")
    lines += ["", "Sources:", ""]
    lines += [f"- `{letter}` {text}" for letter, text in SOURCES.items()]
    return "\n".join(lines) + "\n"


def tested_clients_page() -> str:
    """Return what was tried with real clients."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tools")]
    import tested_clients
    from tests.clients.driven import NOT_DRIVEN
    from tests.clients.quirks import QUIRKS

    path = ROOT / "docs" / "results" / "clients.json"
    return tested_clients.page(path, {q.name: q.what for q in QUIRKS}, NOT_DRIVEN)


PAGES = {
    "providers.md": providers_page,
    "tested-clients.md": tested_clients_page,
    "clients.md": clients_page,
    "errors.md": errors_page,
    "configuration.md": configuration_page,
    "suffice.schema.json": schema_file,
    "commands.md": commands_page,
}


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
