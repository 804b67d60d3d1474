"""The report: spend, success and savings of a period, counted so that nothing is flattered.

Must not change anything. Invariants: groups add up to the total; a request counts once, in the group of its last attempt,
while each attempt's charge counts where it was spent; a request with an unpriced attempt is in no comparison.

Savings are estimates by repricing. The other side is one call for each request, with the usage of the attempt whose answer
was delivered; our side is everything that was paid, failed and rejected attempts, lost requests and corrections included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from suffice.ledger.queries import FOREVER_MS, By, Story
from suffice.ledger.records import REVIEWED, Detail, RowKind
from suffice.storage import tables
from suffice.storage.tables import LedgerRow, Session
from suffice.values.money import NanoUsd, Price, Unknown
from suffice.values.usage import Usage
from suffice.values.verdict import Outcome, Verdict

MIN_JUDGED = 20
"""A model needs so many judged answers in the period before it can be the best single one."""
TOLERANCE = 0.01
"""So much lower than everybody's share of accepted answers a single model may be and still count as sufficing."""
FATES = ("accepted", "rejected", "unjudged", "cancelled", "failed")
PriceAt = Callable[[str, float, Usage], Price]
_detail = msgspec.json.Decoder(Detail)


@dataclass(slots=True, kw_only=True)
class Group:
    """The figures of one group. Money in nano-dollars, tokens as billed.

    `fates` counts requests by what became of them. `unpriced`, `estimated` and `unknown` count attempts: without a price, with
    an estimated price or usage, with a process that died. `paid` and `reference` are both sides of the comparison of the
    `compared` requests.
    """

    name: str
    requests: int = 0
    attempts: int = 0
    charged: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    unpriced: int = 0
    estimated: int = 0
    unknown: int = 0
    compared: int = 0
    paid: int = 0
    reference: int = 0

    @property
    def saved(self) -> NanoUsd | None:
        """What the reference would have cost less what was paid; negative when it cost more; None without comparison."""
        return NanoUsd(self.reference - self.paid) if self.compared else None

    @property
    def cache_share(self) -> float | None:
        """The share of prompt tokens that was read from a cache; None without tokens."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None

    @property
    def success_share(self) -> float | None:
        """The share of judged requests whose answer was accepted; None when none was judged."""
        judged = self.fates["accepted"] + self.fates["rejected"]
        return self.fates["accepted"] / judged if judged else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One model as if it had answered every compared request: the cost of that, None when a price is unknown.

    `accepted` of `judged` are the answers that it really gave in the period.
    """

    model: str
    accepted: int
    judged: int
    cost: NanoUsd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A period's report. `best` is the best single model or None, with `best_why`; `paid` is what it is compared with."""

    by: By
    groups: tuple[Group, ...]
    total: Group
    gates: dict[str, Counter[str]]
    singles: tuple[Single, ...]
    best: Single | None
    best_why: str
    paid: NanoUsd

    @property
    def saved_against_best(self) -> NanoUsd | None:
        """What the best single model would have cost less what was paid, by repricing."""
        return None if self.best is None or self.best.cost is None else NanoUsd(self.best.cost - self.paid)


@dataclass(slots=True)
class _Request:
    attempt: int = -1
    name: str = ""
    model: str = ""
    fate: str = "failed"
    at_s: float = 0.0
    usage: Usage | None = None
    reference: int = -1
    charged: int = 0
    priced: bool = True


def rows(session: Session, since_s: float, until_s: float | None = None) -> Iterator[LedgerRow]:
    """Yield the ledger rows of a period in the order in which they were booked, a few thousand in memory at a time."""
    last, until_ms = 0, FOREVER_MS if until_s is None else int(until_s * 1000)
    while found := tables.ledger_rows(session, "report_rows", last, int(since_s * 1000), until_ms):
        yield from found
        last = found[-1].seq


def fate(outcome: str, verdicts: tuple[Verdict, ...]) -> str:
    """Return what an attempt's answer was worth: one of `FATES`. Gates that do not know leave it unjudged."""
    said = {verdict.outcome for verdict in verdicts}
    if outcome == "rejected" or (outcome == "ok" and Outcome.REJECT in said):
        return "rejected"
    if outcome == "ok":
        return "accepted" if Outcome.ACCEPT in said else "unjudged"
    return "cancelled" if outcome == "cancelled" else "failed"


def build(session: Session, since_s: float, by: By, price: PriceAt, until_s: float | None = None) -> Report:
    """Return the report of the rows from `since_s` on. `price(model, at_s, usage)` is the price book of the comparison."""
    groups: dict[str, Group] = {}
    requests: dict[str, _Request] = {}
    gates: dict[str, Counter[str]] = {}
    for row in rows(session, since_s, until_s):
        group = groups.setdefault(_name(row, by), Group(name=_name(row, by)))
        group.charged += row.charge_nano
        request = requests.setdefault(row.request_id, _Request())
        request.charged += row.charge_nano
        if row.kind == RowKind.ADJUSTMENT:
            if request.attempt < 0:
                request.name = group.name  # its attempts are before the period: only the correction counts here
            continue
        result = _detail.decode(row.detail).result
        _count(group, row, result.usage)
        request.priced &= row.price_kind != "unknown"
        for verdict in result.verdicts:
            gates.setdefault(verdict.gate, Counter())[verdict.outcome.value] += 1
        if row.outcome == REVIEWED:
            # What was delivered is the draft; the gates' word on a repair of it stands with the review.
            request.fate = "accepted" if fate("ok", result.verdicts) == "accepted" else request.fate
        elif row.attempt > request.attempt:
            became = "failed" if row.kind == RowKind.UNKNOWN else fate(row.outcome, result.verdicts)
            request.attempt, request.name, request.model, request.fate = row.attempt, group.name, row.model, became
            request.usage = result.usage if became != "failed" and result.usage.completion_tokens else None
            request.reference, request.at_s = row.reference_nano, row.at_ms / 1000
    for request in requests.values():
        _settle(groups[request.name], request)
    total = _total(groups)
    singles, paid = _singles(requests, price)
    best, why = choose(singles, total)
    ordered = sorted(groups.values(), key=(lambda g: g.name) if by == "day" else (lambda g: (-g.charged, g.name)))
    return Report(
        by=by,
        groups=tuple(ordered),
        total=total,
        gates=gates,
        singles=singles,
        best=best,
        best_why=why,
        paid=NanoUsd(paid),
    )


def saving(story: Story) -> NanoUsd | None:
    """Return what one request saved against its reference, as `build` counts it; None where it is in no comparison."""
    attempts = [a for a in story.attempts if a.row.kind != RowKind.ADJUSTMENT]
    answers = [a for a in attempts if a.row.outcome != REVIEWED]
    if not answers or any(a.row.price_kind == "unknown" for a in attempts):
        return None
    last = max(answers, key=lambda a: a.row.attempt)
    result = last.detail.result
    delivered = last.row.kind != RowKind.UNKNOWN and fate(last.row.outcome, result.verdicts) != "failed"
    if not delivered or not result.usage.completion_tokens or last.row.reference_nano < 0:
        return None
    return NanoUsd(last.row.reference_nano - story.charged)


def _name(row: LedgerRow, by: By) -> str:
    if by == "day":
        return f"{datetime.fromtimestamp(row.at_ms / 1000, UTC):%Y-%m-%d}"
    return "" if by == "all" else str(getattr(row, "key_id" if by == "key" else by))


def _count(group: Group, row: LedgerRow, usage: Usage) -> None:
    group.attempts += 1
    group.prompt_tokens += usage.prompt_tokens
    group.cached_tokens += usage.cache_read_tokens
    group.output_tokens += usage.completion_tokens
    group.unpriced += row.price_kind == "unknown"
    group.estimated += row.price_kind == "estimated" or usage.estimated
    group.unknown += row.kind == RowKind.UNKNOWN


def _comparable(request: _Request) -> bool:
    """Whether a request may stand in a comparison: all its attempts priced, and not a mere correction of an earlier one."""
    return request.priced and request.attempt >= 0


def _settle(group: Group, request: _Request) -> None:
    if request.attempt < 0:
        return
    group.requests += 1
    group.fates[request.fate] += 1
    if _comparable(request) and (request.usage is None or request.reference >= 0):
        group.compared += request.usage is not None
        group.paid += request.charged
        group.reference += request.reference if request.usage is not None else 0


def _total(groups: dict[str, Group]) -> Group:
    total = Group(name="")
    for group in groups.values():
        for name in Group.__dataclass_fields__:
            if name == "fates":
                total.fates.update(group.fates)
            elif name != "name":
                setattr(total, name, getattr(total, name) + getattr(group, name))
    return total


def _singles(requests: dict[str, _Request], price: PriceAt) -> tuple[tuple[Single, ...], int]:
    """Return every model that answered, as if it had answered all, and what those requests were paid."""
    judged: dict[str, Counter[str]] = {}
    for request in requests.values():
        if request.usage is not None:
            judged.setdefault(request.model, Counter())[request.fate] += 1
    answered = [r for r in requests.values() if r.usage is not None and _comparable(r)]
    paid = sum(r.charged for r in requests.values() if _comparable(r))
    out = []
    for model, fates in sorted(judged.items()):
        costs = [_cost(request, model, price) for request in answered]
        known = [cost for cost in costs if cost is not None]
        out.append(
            Single(
                model=model,
                accepted=fates["accepted"],
                judged=fates["accepted"] + fates["rejected"],
                cost=NanoUsd(sum(known)) if len(known) == len(costs) else None,
            )
        )
    return tuple(out), paid


def _cost(request: _Request, model: str, price: PriceAt) -> NanoUsd | None:
    """Return what a request's delivered answer would have cost at `model`; None when that price is unknown."""
    usage = request.usage or Usage()
    found = price(model, request.at_s, usage)
    return None if isinstance(found, Unknown) else found.rates.cost(usage)


def choose(singles: tuple[Single, ...], total: Group) -> tuple[Single | None, str]:
    """Return the best single model and why: the cheapest of those that suffice, not the dearest.

    To suffice a model has at least `MIN_JUDGED` judged answers and a share of accepted ones at most `TOLERANCE` below that
    of all requests; when none does, the one with the highest share is taken.
    """
    ready = [s for s in singles if s.judged >= MIN_JUDGED and s.cost is not None]
    share = total.success_share
    if not ready or share is None:
        return None, f"no model has {MIN_JUDGED} judged answers and a known price in this period"
    enough = [s for s in ready if s.accepted / s.judged >= share - TOLERANCE]
    if enough:
        best = min(enough, key=lambda s: (s.cost or 0, s.model))
        return best, f"the cheapest whose share of accepted answers is not below that of all requests ({share:.0%})"
    best = max(ready, key=lambda s: (s.accepted / s.judged, -(s.cost or 0), s.model))
    return best, f"none alone reaches the {share:.0%} of all requests; this one comes nearest"
