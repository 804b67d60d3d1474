"""The table: ratios inside one run, against the bars of docs/performance.md. Absolute figures only beside their ratio."""

from __future__ import annotations

from typing import Any

# case -> (least share of nginx's speed, least multiple of LiteLLM's); for streams (most nginx's CPU, least LiteLLM's).
BARS = {
    "1 KB chat, pinned": (0.15, 80.0),
    "16 KB chat, pinned": (None, 120.0),
    "400 KB agent turn, automatic": (0.15, 60.0),
}
STREAM_BAR = (2.4, 18.0)
AUTOMATIC_ADDS_US = 150.0
NGINX_HERE_US = 18.0  # nginx per 1 KB request on the machine of the bars: the measure of how slow this one is


def table(told: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    medians = told["medians"]
    lines = [
        "# Gateway benchmark", "",
        f"{told['date']}, Python {told['python']}, {told['rounds']} rounds of {told['seconds']} s per case and target, "
        f"interleaved, medians; load average {told['load_average']:.1f}; every answer checked; "
        f"ledger checked: {told['ledger_rows_checked']:,} rows for as many answers, sums right.",
        "Only ratios count: absolute figures drift with the machine. `make bench` measures this again.", "",
        *(f"- {note}" for note in told["notes"]), *([""] if told["notes"] else []),
        "| CPU µs per request (per chunk for streams) | Suffice | nginx | LiteLLM | speed x nginx | speed x LiteLLM | bar | met |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for case, row in medians.items():
        if "cpu_us" in row["Suffice"]:
            lines.append(_cpu_line(case, row))
    lines += ["", "| measure | Suffice | bar | met |", "|---|---|---|---|", *_facts(told)]
    return "\n".join(lines) + "\n"


def _cpu_line(case: str, row: dict[str, Any]) -> str:
    own = row["Suffice"]["cpu_us"]
    limit, peer = (row.get(name, {}).get("cpu_us") for name in ("nginx", "LiteLLM"))
    of_limit = limit / own if limit else None
    of_peer = peer / own if peer else None
    if case.startswith("stream"):
        bar = f"<= {STREAM_BAR[0]}x nginx's CPU, >= {STREAM_BAR[1]:g}x LiteLLM"
        met = _all(of_limit and of_limit >= 1 / STREAM_BAR[0], of_peer and of_peer >= STREAM_BAR[1])
    elif case in BARS:
        least, times = BARS[case]
        bar = ", ".join([*([f">= {least}x nginx"] if least else []), f">= {times:g}x LiteLLM"])
        met = _all(of_limit and (not least or of_limit >= least), of_peer and of_peer >= times)
    else:
        bar, met = "", ""
    cells = [case, _us(own), _us(limit), _us(peer), _ratio(of_limit), _ratio(of_peer), bar, met]
    return "| " + " | ".join(cells) + " |"


def _facts(told: dict[str, Any]) -> list[str]:
    medians, facts = told["medians"], told["facts"]
    pinned, auto = (medians[f"1 KB chat, {how}"]["Suffice"]["cpu_us"] for how in ("pinned", "automatic"))
    nginx = medians["1 KB chat, pinned"].get("nginx", {}).get("cpu_us")
    scale = nginx / NGINX_HERE_US if nginx else 1.0
    allowed = AUTOMATIC_ADDS_US * scale
    lines = [
        f"| automatic routing adds (1 KB) | {auto - pinned:.0f} µs | <= {AUTOMATIC_ADDS_US:.0f} µs where nginx takes "
        f"{NGINX_HERE_US:.0f} µs, so <= {allowed:.0f} µs here | {_yes(auto - pinned <= allowed)} |"
    ]
    steady = medians.get("50 requests/s", {})
    if "nginx" in steady:
        p50, p99 = (steady["Suffice"][p] - steady["nginx"][p] for p in ("p50_ms", "p99_ms"))
        # The limit cannot be slower than what it limits: then the machine was busy with something else.
        met = _yes(p50 <= 1.2 and p99 <= 4) if min(p50, p99) > 0 else "not told: more noise than signal"
        lines.append(
            f"| latency over nginx's at 50 requests/s, p50 / p99 | {p50:.2f} / {p99:.2f} ms | <= 1.2 / 4 ms | {met} |"
        )
    own = facts["Suffice"]
    lines.append(
        f"| cold start to the first answer | {own['cold_s']:.2f} s | <= 1.5 s | {_yes(own['cold_s'] <= 1.5)} |"
    )
    idle, after, count = own["pss_idle_mb"], own["pss_after_mb"], int(own["pss_requests"])
    lines.append(
        f"| memory (PSS) idle / after {count:,} requests | {idle:.0f} / {after:.0f} MB | <= 90 / 110 MB | "
        f"{_yes(idle <= 90 and after <= 110)} |"
    )
    if "install_mb" in own:
        lines.append(f"| core install | {own['install_mb']:.0f} MB | <= 150 MB | {_yes(own['install_mb'] <= 150)} |")
    return lines


def _us(value: float | None) -> str:
    return "not measured" if value is None else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _yes(value: bool) -> str:
    return "yes" if value else "**no**"


def _all(*parts: object) -> str:
    return (
        "not compared" if all(part is None for part in parts) else _yes(all(part for part in parts if part is not None))
    )
