"""From what a provider reported, or what we saw, to what an attempt cost.

Charging follows the classes of the fault matrix: `exact` with the provider's own usage, `est` from what was relayed, `unk`
the whole reservation, `none` only when the provider provably did nothing. An unknown price is charged as unknown, never as 0.
"""

from __future__ import annotations

import msgspec

from suffice.ledger.records import AttemptResult, ChargeClass
from suffice.values.money import Estimated, Known, NanoUsd, Price, Unknown
from suffice.values.usage import Usage
from suffice.values.verdict import Verdict
from suffice.wire.chat_relay import Answer

# Bytes of English text or code per token, on the low side, so that an estimate errs towards the dearer.
BYTES_PER_TOKEN = 3.2


class Bill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one attempt cost. `price_kind` is known, estimated or unknown; with unknown, `cost_nano` is 0 and means nothing.

    `stated_nano` is the provider's own price where it counts as the bill, else -1; `catalogue_nano` is then what the catalogue
    makes of the same usage (-1 unknown). `doubtful`: the two cannot both be true, and the catalogue's is booked.
    """

    cost_nano: int
    price_kind: str
    price_version: str
    reference_nano: int
    stated_nano: int = -1
    catalogue_nano: int = -1
    doubtful: bool = False


# The price book that a provider's own price is said to come from.
STATED = "provider"
# A stated price this many times the catalogue's, and above `LEAST_ABSURD_NANO`, is taken for a broken report.
ABSURD_RATIO = 100
LEAST_ABSURD_NANO = 1_000_000_000


def bill(price: Price, reference: Price | None, usage: Usage, *, stated: bool = False) -> Bill:
    """Price `usage`, and the same usage at the reference model (-1 when that price is unknown).

    `stated`: what the provider named as its price is its bill, and is booked: that is what the operator pays. Two exceptions keep
    the catalogue's: nothing, where the catalogue says something; and a hundred times as much and over a dollar.
    """
    made = _by_catalogue(price, reference, usage)
    named = usage.stated_nano
    if not stated or named is None:
        return made
    if made.price_kind == "unknown":
        # Nothing is no price where nobody knows better.
        if not named:
            return made
        return msgspec.structs.replace(
            made, cost_nano=named, price_kind="known", price_version=STATED, stated_nano=named
        )
    listed = made.cost_nano
    if (not named and listed) or named > max(ABSURD_RATIO * listed, LEAST_ABSURD_NANO):
        return msgspec.structs.replace(made, stated_nano=named, catalogue_nano=listed, doubtful=True)
    return msgspec.structs.replace(
        made, cost_nano=named, price_kind="known", price_version=STATED, stated_nano=named, catalogue_nano=listed
    )


def apart(billed: Bill) -> bool:
    """True when a provider's own price and the catalogue's differ by more than a tenth and a thousandth of a cent."""
    if billed.stated_nano < 0 or billed.catalogue_nano < 0:
        return False
    difference = abs(billed.stated_nano - billed.catalogue_nano)
    return difference > 10_000 and 10 * difference > max(billed.catalogue_nano, billed.stated_nano)


def _by_catalogue(price: Price, reference: Price | None, usage: Usage) -> Bill:
    reference_nano = -1
    if isinstance(reference, Known | Estimated):
        reference_nano = reference.rates.cost(usage)
    if isinstance(price, Unknown):
        return Bill(cost_nano=0, price_kind="unknown", price_version=price.version, reference_nano=reference_nano)
    kind = "known" if isinstance(price, Known) else "estimated"
    return Bill(
        cost_nano=price.rates.cost(usage), price_kind=kind, price_version=price.version, reference_nano=reference_nano
    )


def estimate_usage(prompt_tokens: int, answer: Answer, relayed_bytes: int = 0) -> Usage:
    """Return the usage of an attempt whose provider did not report it, from what we saw; flagged `estimated`."""
    seen = len(answer.text.encode()) + sum(len(n) + len(a.encode()) for _, n, a in answer.tool_calls)
    reasoning = len(answer.reasoning.encode())
    if not seen and not reasoning and relayed_bytes:
        seen = relayed_bytes // 16  # frames around short deltas are many times larger than the text inside
    return Usage(
        input_tokens=prompt_tokens,
        output_tokens=tokens_of(seen),
        reasoning_tokens=tokens_of(reasoning),
        estimated=True,
    )


def tokens_of(size: int) -> int:
    """Return about how many tokens `size` bytes of an answer are."""
    return -(-int(size * 10) // int(BYTES_PER_TOKEN * 10))


class Timed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Durations of an attempt in whole milliseconds; -1 where a phase was not reached."""

    connect_ms: int = -1
    first_token_ms: int = -1
    total_ms: int = -1


def result(
    bill_of: Bill,
    usage: Usage,
    timed: Timed,
    *,
    outcome: str,
    charge_class: ChargeClass,
    status: int = 0,
    verdicts: tuple[Verdict, ...] = (),
    fault_row: int = 0,
    fault_code: str = "",
    upstream_model: str = "",
    upstream_request_id: str = "",
    bytes_in: int = 0,
    bytes_out: int = 0,
    message: str = "",
    charge_nano: int | None = None,
) -> AttemptResult:
    """Return the ledger's record of an attempt; `charge_nano` overrides the priced usage (a whole reservation)."""
    return AttemptResult(
        charge_nano=NanoUsd(bill_of.cost_nano if charge_nano is None else charge_nano),
        charge_class=charge_class,
        usage=usage,
        price_kind=bill_of.price_kind,  # type: ignore[arg-type]
        price_version=bill_of.price_version,
        reference_nano=bill_of.reference_nano,
        stated_nano=bill_of.stated_nano,
        catalogue_nano=bill_of.catalogue_nano,
        outcome=outcome,
        fault_row=fault_row,
        fault_code=fault_code,
        http_status=status,
        upstream_request_id=upstream_request_id,
        upstream_model=upstream_model,
        connect_ms=timed.connect_ms,
        first_token_ms=timed.first_token_ms,
        total_ms=timed.total_ms,
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        verdicts=verdicts,
        message=message,
    )
