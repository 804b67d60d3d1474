"""Counts what happens in plain dictionaries and renders them for Prometheus when somebody asks.

It must not hold prompts, keys or anything else a caller wrote, and it never raises on the request path. Invariants: each label
has at most `max_values` values, the rest is counted as `other`; counters never go back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from suffice.telemetry import metric_table as table
from suffice.values.money import NanoUsd
from suffice.values.usage import Usage

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DECISION_BUCKETS_S = (25e-6, 50e-6, 100e-6, 200e-6, 400e-6, 800e-6, 2e-3, 5e-3, 20e-3, 100e-3)
OTHER = "other"
MAX_LABEL = 120
_STATUS = {n: f"{n}xx" for n in range(1, 6)}


class Counts(dict[tuple[str, ...], int]):
    """Counters of one metric by label values; a missing one is 0."""

    def __missing__(self, key: tuple[str, ...]) -> int:
        return 0


class Labels:
    """The values that one label may take: those that came first, up to a cap, the rest is `other`."""

    def __init__(self, known: Iterable[str], max_values: int) -> None:
        self._max_values = max_values
        self.overflow = 0
        self._seen: dict[str, str] = {}
        for value in known:
            self.of(value)

    def of(self, value: str) -> str:
        """Return the value to count under."""
        name = self._seen.get(value)
        if name is not None:
            return name
        if len(self._seen) >= self._max_values or len(value) > MAX_LABEL:
            self.overflow += 1
            return OTHER
        # A lone surrogate cannot be written as UTF-8: it would break every later scrape.
        self._seen[value] = name = value.encode("utf-8", "replace").decode()
        return name


class Metrics(Collector):
    """All metrics of one gateway. Every method but `render` and `collect` is called on the request path.

    `registry` is the caller's own; nothing global is touched. `models` and `providers` are the names that are configured: they
    take their places before any other. `breakers` returns the number of circuits by (scope, state), `ledger_queue` the rows
    that wait; both are asked when somebody scrapes.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        models: Iterable[str] = (),
        providers: Iterable[str] = (),
        breakers: Callable[[], Mapping[tuple[str, str], int]] = dict,
        ledger_queue: Callable[[], int] = int,
        max_values: int = 200,
    ) -> None:
        self._registry = registry
        self._breakers, self._ledger_queue = breakers, ledger_queue
        self._routes, self._budgets = Labels((), 50), Labels((), max_values)
        self._models, self._providers = Labels(models, max_values), Labels(providers, max_values)
        self._outcomes = Labels((), max_values)
        self._requests, self._attempts, self._failovers = Counts(), Counts(), Counts()
        self._tokens, self._cost, self._refusals, self._apart = Counts(), Counts(), Counts(), Counts()
        self._decisions, self._decision_sum_s = [0] * (len(DECISION_BUCKETS_S) + 1), 0.0
        self._in_flight = 0
        registry.register(self)

    def request_started(self) -> None:
        """A request has been accepted."""
        self._in_flight += 1

    def request_finished(self, route: str, status: int) -> None:
        """A request has ended; `route` is the matched route, never the caller's path."""
        self._in_flight -= 1
        self._requests[self._routes.of(route), _STATUS.get(status // 100, OTHER)] += 1

    def attempt(self, provider: str, outcome: str = "ok") -> None:
        """An attempt has ended; `outcome` is `ok` or the code of a fault."""
        self._attempts[self._providers.of(provider), self._outcomes.of(outcome)] += 1

    def spent(self, model: str, usage: Usage, cost: NanoUsd) -> None:
        """An attempt has been booked; negative amounts (corrections) are left out, because counters never go back."""
        name, tokens = self._models.of(model), self._tokens
        if usage.input_tokens > 0:
            tokens[name, "input"] += usage.input_tokens
        if usage.output_tokens > 0:
            tokens[name, "output"] += usage.output_tokens
        if usage.cache_read_tokens > 0:
            tokens[name, "cache_read"] += usage.cache_read_tokens
        written = usage.cache_write_tokens + usage.cache_write_1h_tokens + usage.cache_write_12h_tokens
        if written > 0:
            tokens[name, "cache_write"] += written
        if usage.reasoning_tokens > 0:
            tokens[name, "reasoning"] += usage.reasoning_tokens
        if cost > 0:
            self._cost[(name,)] += cost

    def priced_apart(self, model: str) -> None:
        """A provider stated a price that is far from the catalogue's."""
        self._apart[(self._models.of(model),)] += 1

    def decided(self, seconds: float) -> None:
        """A plan has been made in that time."""
        self._decisions[bisect_left(DECISION_BUCKETS_S, seconds)] += 1
        self._decision_sum_s += max(0.0, seconds)

    def failover(self, kind: Literal["same", "other", "next"]) -> None:
        """A further attempt begins."""
        self._failovers[(kind,)] += 1

    def refused(self, budget: str) -> None:
        """A request has been refused by that budget."""
        self._refusals[(self._budgets.of(budget),)] += 1

    def render(self) -> bytes:
        """Return the exposition of the whole registry in `CONTENT_TYPE`."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Family]:
        """Yield all metrics; called by the registry at each scrape."""
        counters: dict[table.Metric, Mapping[tuple[str, ...], int]] = {
            table.REQUESTS: self._requests,
            table.ATTEMPTS: self._attempts,
            table.TOKENS: self._tokens,
            table.COST: self._cost,
            table.APART: self._apart,
            table.FAILOVERS: self._failovers,
            table.REFUSALS: self._refusals,
            table.DROPPED: {(): self._overflow()},
        }
        for metric, counts in counters.items():
            counter = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            for values, count in list(counts.items()):
                counter.add_metric(values, count)
            yield counter
        gauges: dict[table.Metric, Mapping[tuple[str, ...], int]] = {
            table.BREAKERS: {(*key,): count for key, count in self._breakers().items()},
            table.IN_FLIGHT: {(): self._in_flight},
            table.LEDGER_QUEUE: {(): self._ledger_queue()},
        }
        for metric, levels in gauges.items():
            gauge = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
            for values, level in levels.items():
                gauge.add_metric(values, level)
            yield gauge
        yield self._histogram()

    def _histogram(self) -> HistogramMetricFamily:
        total, buckets = 0, []
        for limit, count in zip((*map(repr, DECISION_BUCKETS_S), "+Inf"), self._decisions, strict=True):
            total += count
            buckets.append((limit, float(total)))
        family = HistogramMetricFamily(table.DECISION.name, table.DECISION.meaning)
        family.add_metric([], buckets=buckets, sum_value=self._decision_sum_s)
        return family

    def _overflow(self) -> int:
        labels = (self._routes, self._budgets, self._models, self._providers, self._outcomes)
        return sum(label.overflow for label in labels)
