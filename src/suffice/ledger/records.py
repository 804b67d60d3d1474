"""What the ledger keeps: why a request went where it went, what each attempt cost, and what came of it.

Must not hold prompts, answers or code. They are msgspec structs, not dataclasses, because two are built and encoded on
every request. Invariants: money in integer nano-dollars; an unknown price is `price_kind = "unknown"`, never a zero.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from suffice.values.money import NanoUsd
from suffice.values.plan import Plan
from suffice.values.usage import Usage
from suffice.values.verdict import Verdict

PriceKind = Literal["known", "estimated", "unknown"]


class ChargeClass(StrEnum):
    """How sure a charge is (fault matrix of docs/reliability.md)."""

    NONE = "none"
    EXACT = "exact"
    ESTIMATED = "est"
    UNKNOWN = "unk"


# The outcome of an attempt that reviewed a draft: paid for, but no answer, so that nobody takes it for what was delivered.
REVIEWED = "reviewed"


class RowKind(StrEnum):
    """What a ledger row says: settled, released, outcome unknown, adjustment of an earlier row."""

    SETTLED = "S"
    RELEASED = "X"
    UNKNOWN = "U"
    ADJUSTMENT = "A"


class AttemptIntent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What is known of an attempt before it is sent. `price_version` and `price_kind` are those of the reservation."""

    owner: str = ""
    team: str = ""
    session: str = ""
    task: str = ""
    language: str = ""
    model_requested: str = ""
    model: str = ""
    endpoint: str = ""
    client_dialect: str = ""
    upstream_dialect: str = ""
    stream: bool = False
    price_kind: PriceKind = "known"
    price_version: str = ""


class AttemptResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What came of an attempt. Times in whole milliseconds, -1 when not reached; `reference_nano` -1 when not known.

    `stated_nano` is the provider's own price where the catalogue says that it is the bill, -1 elsewhere; `catalogue_nano` is then
    what our prices come to. `reference_nano` is the same usage priced at the reference model.
    `outcome` is ok, rejected, failed, cancelled, or reviewed (of a draft: no answer).
    """

    charge_nano: NanoUsd = NanoUsd(0)
    charge_class: ChargeClass = ChargeClass.EXACT
    usage: Usage = Usage()
    price_kind: PriceKind = "known"
    price_version: str = ""
    reference_nano: int = -1
    stated_nano: int = -1
    catalogue_nano: int = -1
    outcome: str = "ok"
    fault_row: int = 0
    fault_code: str = ""
    http_status: int = 0
    upstream_request_id: str = ""
    upstream_model: str = ""
    connect_ms: int = -1
    first_token_ms: int = -1
    total_ms: int = -1
    bytes_out: int = 0
    bytes_in: int = 0
    verdicts: tuple[Verdict, ...] = ()
    message: str = ""


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Why a request went where it went; `plan` is complete, so that `explain` can replay it.

    `prompt_tokens` to `attempts` are the rest of what the decision depended on, so that another policy can be asked as well.
    """

    request_id: str
    at_ms: int
    key_id: str = ""
    owner: str = ""
    team: str = ""
    session: str = ""
    task: str = ""
    language: str = ""
    model_requested: str = ""
    reference_model: str = ""
    signals: tuple[str, ...] = ()
    pressure: float = 0.0
    plan: Plan | None = None
    prompt_tokens: int = 0
    max_output_tokens: int = 0
    needs: tuple[str, ...] = ()
    gate: str = ""
    attempts: int = 1
    note: str = ""
    given: int = 0


class OutcomeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Evidence that came after the answer: tests passed, edit kept, commit, revert, asked again.

    One per request, kind and source. `commit` is the full hash when one is concerned; `weight` is how far `accepted` is
    believed, 0 to 1; `distance` the share of the answer that was changed, -1 when not told.
    """

    request_id: str
    at_ms: int
    kind: str
    accepted: bool | None = None
    source: str = ""
    attempt: int = 0
    detail: str = ""
    commit: str = ""
    weight: float = 0.0
    distance: float = -1.0


# Holds: (budget id, start of its window in epoch seconds, whether a lease backs it).
Hold = tuple[str, int, bool]


class Opened(msgspec.Struct, frozen=True, tag="R", array_like=True, gc=False):
    """Journal: a reservation, written before its request is sent."""

    request_id: str
    attempt: int
    at_ms: int
    amount_nano: int
    holds: tuple[Hold, ...]
    key_id: str
    intent: AttemptIntent


class Noted(msgspec.Struct, frozen=True, tag="C", array_like=True, gc=False):
    """Journal: what a running attempt would be charged if the process died now."""

    request_id: str
    attempt: int
    charge_nano: int


class Closed(msgspec.Struct, frozen=True, tag="S", array_like=True, gc=False):
    """Journal: the end of a reservation, settled or released."""

    request_id: str
    attempt: int
    at_ms: int
    kind: RowKind
    result: AttemptResult


class Decided(msgspec.Struct, frozen=True, tag="D", array_like=True, gc=False):
    """Journal: a decision."""

    record: DecisionRecord


class Observed(msgspec.Struct, frozen=True, tag="O", array_like=True, gc=False):
    """Journal: an outcome."""

    record: OutcomeRecord


Entry = Opened | Noted | Closed | Decided | Observed


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The `detail` column: what queries do not group by."""

    intent: AttemptIntent = AttemptIntent()
    result: AttemptResult = AttemptResult()
    reason: str = ""
