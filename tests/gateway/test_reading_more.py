"""Bad input to a decision, end to end: what cannot be used is said clearly, and the request is still served."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.gateway.running import HEAD, endpoint, gateway, one_provider

from suffice.config.load import load
from suffice.errors import ConfigError
from suffice.testing.fake_upstream import FakeProvider


@pytest.mark.parametrize("price", ["nan", "-1", "inf", "0"])
def test_a_price_that_is_none_is_refused_with_its_place(tmp_path: Path, price: str) -> None:
    path = tmp_path / "suffice.toml"
    text = endpoint(
        "one", "http://127.0.0.1:1/v1", price=f"{{ input_usd_per_mtok = {price}, output_usd_per_mtok = 1 }}"
    )
    path.write_text(HEAD + text)
    with pytest.raises(ConfigError) as found:
        load(path, {"HOME": str(tmp_path)}, tmp_path)
    assert "input_usd_per_mtok" in str(found.value)


async def test_a_price_of_zero_is_a_price_and_an_unknown_one_is_not_zero(tmp_path: Path) -> None:
    async with FakeProvider(models=("free", "unpriced")) as fake:
        zero = "{ input_usd_per_mtok = 0, output_usd_per_mtok = 0, nominal = true }"
        toml = endpoint("one", fake.base_url, model="free", price=zero) + endpoint(
            "two", fake.base_url, model="unpriced", price=""
        )
        async with gateway(toml, tmp_path) as running:
            answer = await running.chat(model="auto")
            assert (answer.status, answer.headers["x-suffice-model"]) == (200, "openai/free")
            decision = (await running.story(answer.request_id)).decision
            assert decision is not None and decision.plan is not None
            masks = {c.arm.model: c.masked_by for c in decision.plan.candidates}
            assert masks["openai/unpriced"].startswith("price: unknown") and not masks["openai/free"]


async def test_constraints_that_leave_nothing_are_named_and_the_next_request_is_served(tmp_path: Path) -> None:
    head = "[routing]\nquality_floor = 0.999\n"
    async with one_provider(tmp_path, head=head) as (running, _):
        nothing = await running.key(allowed_models=("anthropic/absent",))
        refused = await running.chat("auto", nothing)
        assert refused.status in (400, 403, 404) and refused.error["message"]
        served = await running.chat("auto", await running.key())
        assert served.status == 200
        decision = (await running.story(served.request_id)).decision
        assert decision is not None and decision.plan is not None
        assert any(text.startswith("relaxed") for text in decision.plan.binding)


async def test_beliefs_of_another_version_are_set_aside_and_the_request_is_served(tmp_path: Path) -> None:
    async with one_provider(tmp_path) as (running, _):
        assert (await running.chat("auto")).status == 200
    path = tmp_path / "data" / "beliefs.bin"
    path.write_bytes(b"suffice-posterior 99 " + b"0" * 64 + b"\n{}")
    async with one_provider(tmp_path) as (running, _):
        assert (await running.chat("auto")).status == 200
        assert (tmp_path / "data" / "beliefs.bin.unusable").exists()


@pytest.mark.parametrize("headers", [{}, {"x-suffice-mode": "gate-tools"}])
async def test_beliefs_that_are_no_numbers_do_not_keep_a_request_from_being_served(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with one_provider(tmp_path) as (running, _):
        core = running.runtime.core
        snapshot = core.holder.current
        broken = dataclasses.replace(
            snapshot.skill, ability=np.full_like(snapshot.skill.ability, math.nan), version=snapshot.skill.version + 1
        )
        core.holder.swap(dataclasses.replace(snapshot, skill=broken))
        answer = await running.chat("auto", headers)
        assert (answer.status, answer.headers["x-suffice-fallback"]) == (200, "default")
        decision = (await running.story(answer.request_id)).decision
        assert decision is not None and decision.plan is not None and decision.plan.alarm


@pytest.mark.parametrize("jump_s", [-86_400.0, 30 * 86_400.0])
async def test_a_clock_that_jumps_does_not_keep_requests_or_reports_from_being_taken(
    tmp_path: Path, monkeypatch: Any, jump_s: float
) -> None:
    async with one_provider(tmp_path) as (running, _):
        env = running.runtime.env
        first = await running.chat("auto")
        now, monotonic = env.now, env.monotonic
        monkeypatch.setattr(type(env), "now", lambda self: now() + jump_s)
        monkeypatch.setattr(type(env), "monotonic", lambda self: monotonic() + max(jump_s, -50.0))
        assert (await running.chat("auto")).status == 200
        told = await running.post("/outcomes", {"request_id": first.request_id, "kind": "tests_passed"})
        assert told.status == 200 and told.json["recorded"] == 1
        again = await running.post("/outcomes", {"request_id": first.request_id, "kind": "tests_passed"})
        assert (again.json["recorded"], again.json["repeated"]) == (0, 1)
        skill = running.runtime.core.holder.current.skill
        assert np.isfinite(skill.ability).all() and (skill.ability_var > 0).all()
