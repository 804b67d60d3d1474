"""The frontier plot: accuracy over cost per task, one panel per pool and verifier, written as SVG by hand."""

from __future__ import annotations

import math
from html import escape

WIDTH, HEIGHT, PAD = 360, 260, 46
COLOURS = {
    "ours": "#0b6e4f", "fixed-cascade": "#c8553d", "best-single": "#274690", "cheapest-single": "#8d99ae", "random":
    "#b8b8b8",
    "family-lookup": "#7b2d8b", "prompt-text": "#b5838d", "cost-over-p": "#e09f3e", "oracle": "#000000",
}  # fmt: skip


def plot(rows: list[dict[str, object]]) -> str:
    """Return an SVG with a panel per (pool, verifier, errors); a dot per policy and repair cost, ringed at iso-quality."""
    panels: dict[tuple[str, str, str], list[dict[str, object]]] = {}
    for row in rows:
        panels.setdefault((str(row["pool"]), str(row["verifier"]), str(row["errors"])), []).append(row)
    across = 4
    down = -(-len(panels) // across)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across * WIDTH}" height="{down * HEIGHT + 30}" '
        'font-family="sans-serif" font-size="10">'
    ]
    for at, (key, members) in enumerate(sorted(panels.items())):
        parts.append(_panel(" · ".join(key), members, at % across * WIDTH, at // across * HEIGHT))
    for at, (name, colour) in enumerate(COLOURS.items()):
        x = 20 + 150 * at
        parts.append(f'<circle cx="{x}" cy="{down * HEIGHT + 15}" r="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 8}" y="{down * HEIGHT + 19}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _panel(title: str, rows: list[dict[str, object]], left: int, top: int) -> str:
    dots = [(str(r["policy"]), _number(r["cost_per_task_usd"]), _number(r["accuracy"]), r["H"] == "iso") for r in rows]
    dots = [d for d in dots if d[1] > 0 and math.isfinite(d[2])]
    if not dots:
        return ""
    logs, heights = [math.log10(d[1]) for d in dots], [d[2] for d in dots]
    x0, x1, y0, y1 = min(logs), max(logs) + 1e-6, min(heights), max(heights) + 1e-6
    parts = [f'<g transform="translate({left},{top})"><text x="{PAD}" y="16" font-weight="bold">{escape(title)}</text>']
    parts.append(
        f'<rect x="{PAD}" y="24" width="{WIDTH - PAD - 12}" height="{HEIGHT - 24 - PAD}" fill="none" stroke="#999"/>'
    )
    for share in (0.0, 0.5, 1.0):
        x, y = PAD + share * (WIDTH - PAD - 12), HEIGHT - PAD - share * (HEIGHT - 24 - PAD)
        parts.append(
            f'<text x="{x}" y="{HEIGHT - PAD + 14}" text-anchor="middle">${10 ** (x0 + share * (x1 - x0)):.3g}</text>'
        )
        parts.append(f'<text x="{PAD - 4}" y="{y + 3}" text-anchor="end">{100 * (y0 + share * (y1 - y0)):.0f} %</text>')
    for policy, cost, accuracy, iso in dots:
        x = PAD + (math.log10(cost) - x0) / (x1 - x0) * (WIDTH - PAD - 12)
        y = HEIGHT - PAD - (accuracy - y0) / (y1 - y0) * (HEIGHT - 24 - PAD)
        ring = ' stroke="#000" stroke-width="1.5"' if iso else ""
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{5 if iso else 3}" fill="{COLOURS.get(policy, "#666")}"{ring}/>'
        )
    return "\n".join([*parts, "</g>"])


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
