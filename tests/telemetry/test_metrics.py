from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from suffice.telemetry.metric_table import METRICS
from suffice.telemetry.metrics import DECISION_BUCKETS_S, MAX_LABEL, Metrics
from suffice.values.money import NanoUsd
from suffice.values.usage import Usage


def made(**more: Any) -> Metrics:
    return Metrics(CollectorRegistry(), **more)


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in families for s in f.samples}


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics).get((name, tuple(sorted(labels.items()))), 0.0)


def test_a_request_from_start_to_end() -> None:
    metrics = made()
    metrics.request_started()
    metrics.request_started()
    assert value(metrics, "suffice_requests_in_flight") == 2
    metrics.request_finished("/v1/chat/completions", 200)
    metrics.request_finished("/v1/chat/completions", 503)
    assert value(metrics, "suffice_requests_in_flight") == 0
    assert value(metrics, "suffice_requests_total", route="/v1/chat/completions", status="2xx") == 1
    assert value(metrics, "suffice_requests_total", route="/v1/chat/completions", status="5xx") == 1


def test_attempts_failovers_and_refusals() -> None:
    metrics = made()
    metrics.attempt("openai")
    metrics.attempt("openai", "upstream_rate_limited")
    metrics.failover("other")
    metrics.refused("team")
    assert value(metrics, "suffice_attempts_total", provider="openai", outcome="ok") == 1
    assert value(metrics, "suffice_attempts_total", provider="openai", outcome="upstream_rate_limited") == 1
    assert value(metrics, "suffice_failovers_total", kind="other") == 1
    assert value(metrics, "suffice_budget_refusals_total", budget="team") == 1


def test_tokens_by_bucket_and_cost() -> None:
    metrics = made()
    usage = Usage(
        input_tokens=1,
        cache_read_tokens=2,
        cache_write_tokens=3,
        cache_write_1h_tokens=4,
        cache_write_12h_tokens=5,
        output_tokens=6,
        reasoning_tokens=7,
    )
    metrics.spent("a/b", usage, NanoUsd(2**60 + 1))
    metrics.spent("a/b", usage, NanoUsd(-5))
    for bucket, count in {"input": 2, "cache_read": 4, "cache_write": 24, "output": 12, "reasoning": 14}.items():
        assert value(metrics, "suffice_tokens_total", model="a/b", bucket=bucket) == count
    assert value(metrics, "suffice_cost_nano_usd_total", model="a/b") == float(2**60 + 1)


def test_the_histogram_is_cumulative_and_bounds_belong_to_their_bucket() -> None:
    metrics = made()
    for seconds in (DECISION_BUCKETS_S[0], 90e-6, 5.0):
        metrics.decided(seconds)
    got = samples(metrics)
    buckets = {dict(labels)["le"]: v for (name, labels), v in got.items() if name == "suffice_decision_seconds_bucket"}
    assert buckets["2.5e-05"] == 1
    assert buckets["0.0001"] == 2
    assert buckets["0.1"] == 2
    assert buckets["+Inf"] == 3
    assert value(metrics, "suffice_decision_seconds_count") == 3
    assert value(metrics, "suffice_decision_seconds_sum") == pytest.approx(5.000115)


def test_levels_are_asked_at_each_scrape() -> None:
    waiting = [1]
    metrics = made(breakers=lambda: {("host", "open"): 2}, ledger_queue=lambda: waiting[0])
    assert value(metrics, "suffice_breaker_open", scope="host", state="open") == 2
    waiting[0] = 7
    assert value(metrics, "suffice_ledger_queue") == 7


def test_labels_are_bounded_and_configured_names_come_first() -> None:
    metrics = made(models=("kept",), max_values=10)
    for n in range(1000):
        metrics.spent(f"m{n}", Usage(input_tokens=1), NanoUsd(1))
        metrics.attempt(f"p{n}", f"o{n}")
        metrics.refused(f"b{n}")
        metrics.request_finished(f"r{n}", n)
    metrics.spent("kept", Usage(), NanoUsd(5))
    metrics.spent("x" * (MAX_LABEL + 1), Usage(), NanoUsd(1))
    assert value(metrics, "suffice_cost_nano_usd_total", model="kept") == 5
    assert value(metrics, "suffice_cost_nano_usd_total", model="other") == 992
    assert value(metrics, "suffice_label_overflow_total") == 991 + 1 + 990 * 3 + 950
    assert len(samples(metrics)) < 10 * 8 + 11 * 2 + 11 + 51 * 6 + 40


@given(st.text(max_size=50), st.text(max_size=50))
def test_any_label_survives_the_exposition(provider: str, outcome: str) -> None:
    metrics = made()
    metrics.attempt(provider, outcome)
    lines = [
        x for x in metrics.render().decode("utf-8", "strict").split("\n") if x.startswith("suffice_attempts_total{")
    ]
    assert len(lines) == 1
    assert lines[0].endswith("} 1.0")


def test_a_label_that_is_no_text_does_not_break_the_scrape() -> None:
    metrics = made()
    metrics.attempt("\ud800", "\ud800")
    assert value(metrics, "suffice_attempts_total", provider="?", outcome="?") == 1


def test_every_metric_of_the_table_is_exposed_and_no_other() -> None:
    metrics = made()
    assert {family.name for family in metrics.collect()} == {metric.name for metric in METRICS}
    for family in metrics.collect():
        [metric] = [m for m in METRICS if m.name == family.name]
        assert (family.type, family.documentation) == (metric.kind, metric.meaning)


def test_two_gateways_share_nothing() -> None:
    one, two = made(), made()
    one.failover("same")
    assert value(two, "suffice_failovers_total", kind="same") == 0
