from __future__ import annotations

from pathlib import Path

from suffice.telemetry.metric_table import COUNTER, METRICS, Metric

PAGE = Path(__file__).resolve().parents[2] / "docs" / "telemetry.md"


def line(metric: Metric) -> str:
    name = metric.name + ("_total" if metric.kind == COUNTER else "")
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    return f"| `{name}` | {metric.kind} | {labels} | {metric.meaning} |"


def test_the_page_lists_exactly_these_metrics() -> None:
    shown = [text for text in PAGE.read_text().splitlines() if text.startswith("| `suffice_")]
    assert shown == [line(metric) for metric in METRICS]


def test_names_are_unique_and_in_prometheus_form() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert all(name.startswith("suffice_") and name.replace("_", "").isalnum() and name.islower() for name in names)
