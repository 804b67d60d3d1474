"""A small, real ledger in a command's storage folder: two requests, one of them a cascade."""

from __future__ import annotations

import asyncio
from pathlib import Path

from suffice.ledger.book import Ledger
from suffice.ledger.folder import Folder
from suffice.ledger.records import AttemptIntent, AttemptResult, DecisionRecord, OutcomeRecord
from suffice.storage.database import Database
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, Candidate, CostSplit, Plan, Step
from suffice.values.system_env import SystemEnv
from suffice.values.usage import Usage
from suffice.values.verdict import Outcome, Verdict

CHEAP, DEAR = Arm(model="openai/gpt-4o-mini", endpoint="here"), Arm(model="openai/gpt-4o", endpoint="here")
LONG = "x" * 300


def plan() -> Plan:
    """A plan with two scored candidates and a removed one."""
    cost = CostSplit(fresh=NanoUsd(10_000), output=NanoUsd(20_000), switch=NanoUsd(-1_000))
    cheap = Candidate(
        arm=CHEAP,
        p_success=0.8,
        p_low=0.7,
        cost=cost,
        expected_total=NanoUsd(50_000),
        propensity=1.0,
        source="public scores",
    )
    dear = Candidate(
        arm=DEAR, p_success=0.9, p_low=0.85, cost=CostSplit(output=NanoUsd(400_000)), expected_total=NanoUsd(450_000)
    )
    removed = Candidate(arm=Arm(model="groq/other", endpoint="there"), masked_by="tools are needed " + LONG)
    return Plan(
        steps=(
            Step(arm=CHEAP, reach=1.0, p_success=0.8, cost=NanoUsd(29_000)),
            Step(arm=DEAR, reach=0.2, p_success=0.9, cost=NanoUsd(400_000)),
        ),
        expected_total=NanoUsd(50_000),
        p_complete=0.97,
        repair=NanoUsd(3_000_000_000),
        propensity=1.0,
        reason="lowest expected cost",
        candidates=(cheap, dear, removed),
        binding=("budget",),
        contributions=(("cell edit/python", -0.4),),
        flips=("openai/gpt-4o would go first if its cost were 0.00001",),
        versions=(("prior", "7"), ("prices", "2026")),
    )


def decision(at_ms: int) -> DecisionRecord:
    """Why req-1 went where it went."""
    return DecisionRecord(
        request_id="req-1",
        at_ms=at_ms,
        key_id="k1",
        owner="ann",
        team="web",
        session="s1",
        task="edit",
        language="python",
        model_requested="auto",
        reference_model="openai/gpt-4o",
        signals=("a file and an ask",),
        pressure=0.25,
        plan=plan(),
    )


def results() -> list[tuple[str, int, Arm, AttemptResult]]:
    """Three attempts: a rejected answer, an accepted one, and a failure without a price."""
    used = Usage(input_tokens=800, cache_read_tokens=200, output_tokens=90, reasoning_tokens=10)
    bad = Verdict(gate="parses", outcome=Outcome.REJECT, reason="line 3: unexpected indent", evidence="\x1b[2Jdef f():")
    good = Verdict(gate="parses", outcome=Outcome.ACCEPT, reason="it parses")
    common = {"price_version": "v1", "connect_ms": 12, "first_token_ms": 230, "total_ms": 900}
    answered = {**common, "usage": used, "reference_nano": 3_250_000}
    failed = AttemptResult(
        **common,
        price_kind="unknown",
        outcome="failed",
        fault_row=9,
        fault_code="upstream_5xx",
        http_status=503,
        message="overloaded",
    )
    return [
        (
            "req-1",
            1,
            CHEAP,
            AttemptResult(**answered, charge_nano=NanoUsd(204_000), outcome="rejected", verdicts=(bad,)),
        ),
        ("req-1", 2, DEAR, AttemptResult(**answered, charge_nano=NanoUsd(3_250_000), verdicts=(good,))),
        ("req-2", 1, Arm(model="vllm/house", endpoint="lab"), failed),
    ]


async def fill(root: Path) -> None:
    """Write the ledger."""
    env = SystemEnv()
    folder = Folder(root)
    database = Database(env, folder.database)
    database.open()
    ledger = Ledger(env, database, folder.journal)
    await ledger.start()
    at_ms = int(env.now() * 1000)
    ledger.decide(decision(at_ms))
    for request, attempt, arm, result in results():
        intent = AttemptIntent(
            model=arm.model, endpoint=arm.endpoint, task="edit", owner="ann", team="web", price_kind=result.price_kind
        )
        held = await ledger.admit(request, attempt, "k1", (), NanoUsd(10**7), intent)
        ledger.settle(held, result)
    ledger.outcome(OutcomeRecord(request_id="req-1", at_ms=at_ms + 5, kind="tests", accepted=True, source="ci"))
    await ledger.stop()
    database.close()


def seed(root: Path) -> None:
    """Write the ledger, from a test without a loop."""
    asyncio.run(fill(root))
