from pathlib import Path

import msgspec
from tests.gateway.test_policy_replay import state_of, stories

from suffice.gateway.what_if import what_if
from suffice.values.money import NanoUsd


async def test_a_recorded_decision_comes_out_the_same_and_says_when_it_would_not(tmp_path: Path) -> None:
    found, runtime, text = await stories(tmp_path)
    record = next(s.decision for s in found if s.decision is not None and "pinned" not in s.decision.signals)
    state = state_of(runtime, text, tmp_path)
    said = what_if(record, state)
    assert "the same model goes first" in said[0]
    assert record.plan is not None
    other = "openai/gpt-3.5-turbo" if record.plan.first.model == "openai/gpt-5.5" else "openai/gpt-5.5"
    flip = next(line for line in said[1:] if line.startswith(other))
    assert "if a repair cost" in flip and "(now $3.00)" in flip
    # At the cost on the far side of the flip the other one does go first.
    beyond = NanoUsd(100) if "less" in flip else NanoUsd(10**13)
    moved = msgspec.structs.replace(record, plan=msgspec.structs.replace(record.plan, repair=beyond))
    assert f"{other} goes first" in what_if(moved, state)[0]


async def test_what_has_changed_since_is_named_and_a_pin_is_no_decision(tmp_path: Path) -> None:
    found, runtime, text = await stories(tmp_path)
    state = state_of(runtime, text, tmp_path)
    pinned = next(
        s.decision for s in found if s.decision is not None and s.decision.model_requested == "openai/gpt-5.5"
    )
    assert what_if(pinned, state) == ()
    record = next(s.decision for s in found if s.decision is not None and s.decision.model_requested == "auto")
    assert record.plan is not None
    old = tuple((name, "0" if name == "priors" else version) for name, version in record.plan.versions)
    moved = msgspec.structs.replace(record, plan=msgspec.structs.replace(record.plan, versions=old))
    assert "with what is known now (priors" in what_if(moved, state)[0]
