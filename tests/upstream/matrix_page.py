"""Writes the table of docs/reliability.md from the code: `.venv/bin/python -m tests.upstream.matrix_page`."""

from __future__ import annotations

from pathlib import Path

from suffice.upstream.fault_matrix import CREDENTIAL_MISSING, EGRESS_DENIED, PROXY_FAILED, ROWS, Row, Scope

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- fault matrix: generated -->\n", "<!-- end of the fault matrix -->\n"


def cooldown(row: Row) -> str:
    if not row.cools:
        return "–"
    longest = f" to {row.cooldown_max_s:g}" if row.cooldown_max_s > row.cooldown_s else ""
    when = ", after 3 of 10" if row.strikes else ""
    when += ", until changed" if row.until_changed else ""
    when += ", vendor after 3 credentials" if row.spreads else ""
    return f"{row.cools}: {row.cooldown_s:g}{longest} s{when}"


def retry(row: Row) -> str:
    names = ", ".join(scope.value + (" once" if scope is Scope.SAME else "") for scope in row.retry) or "–"
    return f"{names} (if {row.asks})" if row.asks else names


def table() -> str:
    lines = [
        "| row | code | client sees | retry, in this order | cooldown | charge | alert |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in (*ROWS, EGRESS_DENIED, PROXY_FAILED, CREDENTIAL_MISSING):
        cells = [str(row.row or "own"), f"`{row.code}`", str(row.status), retry(row), cooldown(row), row.charge.value]
        lines.append("| " + " | ".join([*cells, "yes" if row.alert else ""]) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + BEGIN + table() + END + rest.partition(END)[2])
