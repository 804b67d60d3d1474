"""The list of all metrics: name, kind, meaning, labels. docs/telemetry.md shows the same list and a test compares them.

It holds no values. Invariant: no metric has a label whose values a caller can invent without bound; `metrics.py` caps them all.
"""

from __future__ import annotations

from dataclasses import dataclass

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric; counters are exposed with the suffix `_total`."""

    name: str
    kind: str
    meaning: str
    labels: tuple[str, ...] = ()


REQUESTS = Metric(
    name="suffice_requests",
    kind=COUNTER,
    meaning="Finished requests, by route and status class (2xx, 4xx, 5xx).",
    labels=("route", "status"),
)
ATTEMPTS = Metric(
    name="suffice_attempts",
    kind=COUNTER,
    meaning="Attempts at providers, by outcome: ok, or the code of the fault.",
    labels=("provider", "outcome"),
)
TOKENS = Metric(
    name="suffice_tokens",
    kind=COUNTER,
    meaning="Tokens by model and disjoint bucket.",
    labels=("model", "bucket"),
)
COST = Metric(
    name="suffice_cost_nano_usd",
    kind=COUNTER,
    meaning="Cost booked, in nano-dollars (1e-9 USD).",
    labels=("model",),
)
APART = Metric(
    name="suffice_price_disagreements",
    kind=COUNTER,
    meaning="Attempts whose provider stated a price more than a tenth away from the catalogue's.",
    labels=("model",),
)
DECISION = Metric(
    name="suffice_decision_seconds",
    kind=HISTOGRAM,
    meaning="Time to decide on a plan, in seconds.",
)
FAILOVERS = Metric(
    name="suffice_failovers",
    kind=COUNTER,
    meaning="Further attempts, by kind: same, other, next.",
    labels=("kind",),
)
BREAKERS = Metric(
    name="suffice_breaker_open",
    kind=GAUGE,
    meaning="Circuits that are not closed, by scope and state (open, half-open, disabled).",
    labels=("scope", "state"),
)
IN_FLIGHT = Metric(name="suffice_requests_in_flight", kind=GAUGE, meaning="Requests being served now.")
LEDGER_QUEUE = Metric(name="suffice_ledger_queue", kind=GAUGE, meaning="Ledger rows not yet in the database.")
REFUSALS = Metric(
    name="suffice_budget_refusals",
    kind=COUNTER,
    meaning="Requests refused by a hard budget.",
    labels=("budget",),
)
DROPPED = Metric(
    name="suffice_label_overflow",
    kind=COUNTER,
    meaning="Observations put under `other` because a label had too many values.",
)

METRICS: tuple[Metric, ...] = (
    REQUESTS,
    ATTEMPTS,
    TOKENS,
    COST,
    APART,
    DECISION,
    FAILOVERS,
    BREAKERS,
    IN_FLIGHT,
    LEDGER_QUEUE,
    REFUSALS,
    DROPPED,
)
