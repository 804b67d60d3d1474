"""The story of one request as text for a terminal: everything that is recorded, wrapped, nothing cut.

Presentation only: what is shown stands in the record. Invariant: no line is wider than `width` unless a single word is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from suffice.cli.options import utc
from suffice.ledger.queries import AttemptRow, Story
from suffice.ledger.records import AttemptResult, DecisionRecord, RowKind
from suffice.values.money import NanoUsd, format_usd
from suffice.values.plan import Candidate, CostSplit, Plan, Rollout
from suffice.values.usage import Usage

MIN_WIDTH, MAX_WIDTH = 80, 120
_COSTS = ("fresh", "cached", "cache_write", "output", "verify", "latency", "switch")
_TOKENS = (
    ("input_tokens", "fresh"),
    ("cache_read_tokens", "from cache"),
    ("cache_write_tokens", "to cache"),
    ("cache_write_1h_tokens", "to cache (1 h)"),
    ("cache_write_12h_tokens", "to cache (12 h)"),
    ("output_tokens", "output"),
    ("reasoning_tokens", "reasoning"),
)
_KINDS = {
    RowKind.SETTLED.value: "settled",
    RowKind.RELEASED.value: "released, nothing charged",
    RowKind.UNKNOWN.value: "the process died: charged as far as was known",
    RowKind.ADJUSTMENT.value: "corrected later",
}
_CLASSES = {"none": "nothing charged", "exact": "exact", "est": "estimated", "unk": "not known, the bound is charged"}


def render(story: Story, width: int) -> list[str]:
    """Return the lines of a story for a terminal of `width` columns (used from 80 to 120)."""
    width = min(max(width, MIN_WIDTH), MAX_WIDTH)
    out: list[str] = []
    for indent, text in _lines(story):
        lead = " " * indent
        out += wrap(
            text,
            width,
            initial_indent=lead,
            subsequent_indent=lead + "  ",
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return out


def _lines(story: Story) -> Iterator[tuple[int, str]]:
    yield 0, f"request {story.request_id}"
    decision = story.decision
    if decision is None:
        yield 2, "no decision is recorded: the model was pinned, or retention has removed it"
    else:
        yield from _asked(decision)
        if decision.plan is not None:
            yield from _plan(decision.plan)
    yield 0, ""
    yield 0, "attempts"
    if not story.attempts:
        yield 2, "none has ended"
    for attempt in story.attempts:
        yield from _attempt(attempt)
    for opened in story.open:
        yield (
            2,
            f"attempt {opened.attempt} is running: {opened.intent.model} at {opened.intent.endpoint}, "
            f"{format_usd(NanoUsd(opened.amount_nano))} reserved",
        )
    yield from _money(story)
    if story.outcomes:
        yield 0, ""
        yield 0, "what came after"
    for outcome in story.outcomes:
        said = {True: "good", False: "bad", None: "not judged"}[outcome.accepted]
        commit = f"commit {outcome.commit[:12]} " if outcome.commit else ""
        source = f"(source {outcome.source or 'unnamed'}) {commit}{outcome.detail}".rstrip()
        yield 2, f"{utc(outcome.at_ms / 1000)} {outcome.kind}: {said} {source}"


def _handed_over(signals: Sequence[str]) -> str:
    """Return from whom a run was taken over, and what the change lost of the prompt cache."""
    told = dict(signal.split(":", 1) for signal in signals)
    left, lost = told.get("handed-over-from", ""), told.get("cache-tokens-lost", "0")
    return f"from {left}, with a brief; {int(lost):,} cached prompt tokens lost" if left else ""


def _asked(decision: DecisionRecord) -> Iterator[tuple[int, str]]:
    changed = [s for s in decision.signals if s.startswith(("handed-over-from:", "cache-tokens-lost:", "draft:"))]
    who = (("", decision.key_id), ("owner", decision.owner), ("team", decision.team))
    facts = (
        ("at", f"{utc(decision.at_ms / 1000)} UTC"),
        ("asked for", decision.model_requested),
        ("task", f"{decision.task or 'unknown'}, language {decision.language or 'not recognised'}"),
        ("recognised by", "; ".join(s for s in decision.signals if s not in changed)),
        ("handed over", _handed_over(changed)),
        ("draft", next((s.partition(":")[2] for s in changed if s.startswith("draft:")), "")),
        (
            "key",
            " ".join(f"{name} {value}" for name, value in who if value),
        ),
        ("session", decision.session),
        ("reference", decision.reference_model),
        ("budget pressure", f"{decision.pressure:.0%}" if decision.pressure else ""),
        ("note", decision.note),
    )
    for name, value in facts:
        if value.strip():
            yield 2, f"{name + ':':16} {value.strip()}"


def _plan(plan: Plan) -> Iterator[tuple[int, str]]:
    yield 0, ""
    first = plan.steps[0].arm.name if plan.steps else "nobody"
    yield 0, f"decision: {plan.reason if plan.reason.startswith(first) else f'{first}; {plan.reason}'}"
    if plan.fallback:
        yield 2, f"FALLBACK {plan.fallback}: {plan.alarm or 'no cause recorded'}"
    yield (
        2,
        f"expected total {format_usd(plan.expected_total)}, chance of a good answer {plan.p_complete:.1%}, "
        f"repair by a person {format_usd(plan.repair)}, chosen with probability {plan.propensity:.3g}",
    )
    if plan.rollout is not None:
        yield 2, _rollout(plan.rollout)
    for number, step in enumerate(plan.steps, 1):
        yield (
            2,
            f"step {number}: {step.arm.name} at {step.arm.endpoint}, reached {step.reach:.1%}, "
            f"success {step.p_success:.1%}, attempt {format_usd(step.cost)}",
        )
    if plan.binding:
        yield 2, f"limits that changed the choice: {', '.join(plan.binding)}"
    for name, weight in plan.contributions:
        yield 2, f"what weighed: {name} {weight:+.3g}"
    for flip in plan.flips:
        yield 2, f"would change it: {flip}"
    if plan.versions:
        yield 2, "versions: " + ", ".join(f"{name} {version}" for name, version in plan.versions)
    yield from _candidates(plan)


def _rollout(rollout: Rollout) -> str:
    """Return who decided while a changed policy shares the sessions, and what the other one would have done."""
    who, rest = (
        ("the candidate", "the present policy") if rollout.candidate else ("the present policy", "the candidate")
    )
    begun = f"rollout {rollout.policy}, step {rollout.step}: {who} decided (the candidate has {rollout.share:.0%} of the sessions)"
    if rollout.share >= 1.0:
        return begun
    if rollout.other is None:
        return f"{begun}; {rest} could not have served"
    return f"{begun}; {rest} would have {'done the same' if rollout.same else f'begun with {rollout.other.name}'}"


def _candidates(plan: Plan) -> Iterator[tuple[int, str]]:
    scored = [c for c in plan.candidates if not c.masked_by]
    removed = [c for c in plan.candidates if c.masked_by]
    first = plan.steps[0].arm if plan.steps else None
    if scored:
        yield 0, ""
        yield 0, "candidates, by expected total"
    for candidate in sorted(scored, key=lambda c: (c.expected_total, c.arm)):
        yield from _candidate(candidate, "chosen" if candidate.arm == first else _lost(candidate, plan))
    if removed:
        yield 0, ""
        yield 0, "removed before the choice"
    for candidate in removed:
        yield 2, f"{candidate.arm.name} at {candidate.arm.endpoint}: {candidate.masked_by}"


def _lost(candidate: Candidate, plan: Plan) -> str:
    gap = candidate.expected_total - plan.expected_total
    return (
        f"{format_usd(NanoUsd(gap))} dearer in all" if gap > 0 else "not dearer, but not chosen: see the limits above"
    )


def _candidate(candidate: Candidate, verdict: str) -> Iterator[tuple[int, str]]:
    yield (
        2,
        f"{candidate.arm.name} at {candidate.arm.endpoint}: expected total {format_usd(candidate.expected_total)}, "
        f"success {candidate.p_success:.1%} (at least {candidate.p_low:.1%}); {verdict}",
    )
    yield 6, f"attempt {format_usd(candidate.cost.total)}{_split(candidate.cost)}"
    source = f"; estimate from {candidate.source}" if candidate.source else ""
    yield 6, f"chosen with probability {candidate.propensity:.3g}{source}"


def _split(cost: CostSplit) -> str:
    parts = [(name.replace("_", " "), getattr(cost, name)) for name in _COSTS]
    shown = ", ".join(f"{name} {format_usd(amount)}" for name, amount in parts if amount)
    return f" = {shown}" if shown else ""


def _attempt(attempt: AttemptRow) -> Iterator[tuple[int, str]]:
    row, result = attempt.row, attempt.detail.result
    if row.kind == RowKind.ADJUSTMENT:
        yield (
            2,
            f"attempt {row.attempt} corrected by {format_usd(NanoUsd(row.charge_nano))} at {utc(row.at_ms / 1000)}: "
            f"{attempt.detail.reason}",
        )
        return
    yield 2, f"attempt {row.attempt}: {row.model} at {row.endpoint}: {row.outcome or 'unknown'} ({_KINDS[row.kind]})"
    yield 6, f"charge {_charge(attempt)}"
    if result.usage.prompt_tokens or result.usage.completion_tokens:
        yield 6, f"tokens {_tokens(result.usage)}"
    times = (("connected", result.connect_ms), ("first token", result.first_token_ms), ("done", result.total_ms))
    known = [f"{name} after {value:,} ms" for name, value in times if value >= 0]
    if known:
        yield 6, ", ".join(known)
    if result.fault_row or result.fault_code:
        status = f", HTTP {result.http_status}" if result.http_status else ""
        yield 6, f"fault {result.fault_code or 'unnamed'} (row {result.fault_row} of docs/reliability.md){status}"
    if result.message:
        yield 6, result.message
    yield from _verdicts(result)


def _verdicts(result: AttemptResult) -> Iterator[tuple[int, str]]:
    for verdict in result.verdicts:
        language = f" [{verdict.language}]" if verdict.language else ""
        yield (
            6,
            f"gate {verdict.gate}{language}: {verdict.outcome.value}"
            + (f", {verdict.reason}" if verdict.reason else ""),
        )
        for line in verdict.evidence.splitlines():
            yield 10, line
    if result.upstream_model or result.upstream_request_id:
        yield 6, f"provider says: model {result.upstream_model or '-'}, request {result.upstream_request_id or '-'}"


def _charge(attempt: AttemptRow) -> str:
    row = attempt.row
    if row.price_kind == "unknown":
        held = f"; {format_usd(NanoUsd(row.charge_nano))} is booked as a bound" if row.charge_nano else ""
        return f"unpriced: no price is known for {row.model}{held}"
    price = "" if row.price_kind == "known" else " at an estimated price"
    version = f", prices {row.price_version}" if row.price_version else ""
    how = _CLASSES.get(row.charge_class, row.charge_class)
    reserved = format_usd(NanoUsd(row.reserved_nano))
    return f"{format_usd(NanoUsd(row.charge_nano))} ({how}{price}; {reserved} were reserved{version}{_stated(attempt)})"


def _stated(attempt: AttemptRow) -> str:
    """Return what the provider itself calls the price, and what the catalogue makes of the same tokens."""
    result = attempt.detail.result
    if result.stated_nano < 0:
        return ""
    said = f"; the provider states {format_usd(NanoUsd(result.stated_nano))}"
    return said + (
        f", our prices say {format_usd(NanoUsd(result.catalogue_nano))}" if result.catalogue_nano >= 0 else ""
    )


def _tokens(usage: Usage) -> str:
    parts = [f"{getattr(usage, name):,} {word}" for name, word in _TOKENS if getattr(usage, name)]
    doubt = [word for word, flag in (("counted by us", usage.estimated), ("repaired", usage.suspect)) if flag]
    return ", ".join(parts) + (f" ({', '.join(doubt)})" if doubt else "")


def _money(story: Story) -> Iterator[tuple[int, str]]:
    from suffice.ledger.report import saving

    if not story.attempts:
        return
    yield 0, ""
    unpriced = sum(a.row.price_kind == "unknown" and a.row.kind != RowKind.ADJUSTMENT for a in story.attempts)
    yield 0, f"charged {format_usd(story.charged)}" + (f" + {unpriced} unpriced attempts" if unpriced else "")
    found = saving(story)
    name = story.decision.reference_model if story.decision else ""
    if found is None:
        yield 2, "saving: not told, no delivered answer has a known price here and at a reference"
    else:
        against = f"against {name}" if name else "against the reference"
        yield 2, f"saving {against} (estimated: the delivered answer's tokens repriced): {format_usd(found)}"
