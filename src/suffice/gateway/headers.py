"""The `x-suffice-*` response headers: which model, why, what it cost and what that saved.

Headers of a stream leave before the answer is known, so what they say of money is an estimate and is named so; the truth is
in the ledger (`suffice explain <request id>`). Values are plain ASCII: nothing from outside can start a second header.
"""

from __future__ import annotations

from collections.abc import Sequence

from suffice.gateway.reply import Header
from suffice.gateway.turn import Turn
from suffice.values.money import NANO_PER_USD
from suffice.values.plan import Arm
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.judge import overall

# What stands where a price is unknown: never 0.
UNKNOWN = b"unknown"


def clean(text: str, limit: int = 300) -> bytes:
    """Return `text` as one header value: printable ASCII, no line breaks, at most `limit` characters."""
    text = text[:limit]
    if not (text.isascii() and text.isprintable()):
        text = "".join(c if " " <= c <= "~" else "?" for c in text)
    return text.strip().encode()


def dollars(nano: int) -> bytes:
    """Return nano-dollars as a plain decimal number of dollars."""
    sign = "-" if nano < 0 else ""
    whole, part = divmod(abs(nano), NANO_PER_USD)
    return f"{sign}{whole}.{part:09d}".rstrip("0").rstrip(".").encode()


def chosen(turn: Turn, arm: Arm, *, settled: bool) -> list[Header]:
    """Return what is known when an answer begins: model, endpoint, task, reason, attempts.

    `settled` says that the attempt which answers is among the turn's finished ones already (it is not, for a stream).
    """
    headers: list[Header] = [
        (b"x-suffice-request-id", turn.call.request_id.encode()),
        (b"x-suffice-model", clean(arm.model)),
        (b"x-suffice-endpoint", clean(arm.endpoint)),
        (b"x-suffice-task", turn.features.task.value.encode()),
        (b"x-suffice-reason", clean(turn.plan.reason)),
        (b"x-suffice-attempts", str(turn.attempts + (0 if settled else 1)).encode()),
    ]
    if turn.drafted is not None:
        headers.append((b"x-suffice-draft", clean(turn.drafted.told)))
    if turn.plan.fallback:
        headers.append((b"x-suffice-fallback", clean(turn.plan.fallback)))
    return headers


def lost(losses: str) -> list[Header]:
    """Return what a provider of another dialect could not be told, nothing when it could be told everything."""
    return [(b"x-suffice-losses", clean(losses, 1000))] if losses else []


def estimated(turn: Turn, cost_nano: int, reference_nano: int) -> list[Header]:
    """Return the money headers of a stream, before its end: all of them estimates. Nano-dollars below 0 are unknown."""
    if cost_nano < 0 or not turn.priced:
        return [(b"x-suffice-cost-estimate-usd", UNKNOWN)]
    headers: list[Header] = [(b"x-suffice-cost-estimate-usd", dollars(turn.cost_nano + cost_nano))]
    if reference_nano >= 0:
        saved = reference_nano - turn.cost_nano - cost_nano
        headers.append((b"x-suffice-saving-estimate-usd", dollars(saved)))
    return headers


def spent(turn: Turn) -> list[Header]:
    """Return what all finished attempts cost together; an error carries it too, since failed attempts may be billed."""
    name = b"x-suffice-cost-estimate-usd" if any(a.estimated for a in turn.tried) else b"x-suffice-cost-usd"
    return [(name, dollars(turn.cost_nano) if turn.priced else UNKNOWN)]


def billed(turn: Turn) -> list[Header]:
    """Return the money headers of a complete answer: all attempts, from the usage that providers reported.

    The saving stays an estimate: the same usage, priced at the reference model.
    """
    last = turn.answer or turn.tried[-1]
    headers = spent(turn)
    if last.reference_nano >= 0 and turn.priced:
        headers.append((b"x-suffice-saving-estimate-usd", dollars(last.reference_nano - turn.cost_nano)))
    if last.empty:
        headers.append((b"x-suffice-empty", b"1"))
    verdicts = turn.drafted.verdicts if turn.repaired and turn.drafted is not None else last.verdicts
    if verdicts:
        headers.append((b"x-suffice-verdict", clean(verdict_text(verdicts))))
        headers += [(b"x-suffice-check-unknown", clean(why)) for why in unchecked(verdicts)]
    return headers


def unchecked(verdicts: Sequence[Verdict]) -> list[str]:
    """Return why a check that was asked for could not say anything; of the sandbox only that it failed."""
    silent = [v for v in verdicts if v.gate.startswith("check:") and v.outcome is Outcome.UNKNOWN]
    return ["the check could not be run" if v.kind == "sandbox" else v.reason for v in silent]


def verdict_text(verdicts: Sequence[Verdict]) -> str:
    """Return `accepted`, `rejected by` gates, or `unknown`: where no gate could judge, or a check that was named could not."""
    rejected = [v.gate for v in verdicts if v.rejected]
    if rejected:
        return "rejected by " + ",".join(rejected)
    # What merely reads does not stand in for a check that somebody asked for.
    silent = [v.gate for v in verdicts if v.gate.startswith("check:") and v.outcome is Outcome.UNKNOWN]
    if silent:
        return "unknown by " + ",".join(silent)
    return "accepted" if overall(verdicts) is Outcome.ACCEPT else "unknown"


# Of the upstream's headers only these mean something to the client; the rest speak of our account there.
_PASSED = frozenset({b"content-type", b"openai-processing-ms", b"openai-version", b"x-reasoning-included"})


def passed(upstream: list[Header]) -> list[Header]:
    """Return the upstream's response headers that go on to the client."""
    return [(name, value) for name, value in upstream if name in _PASSED]
