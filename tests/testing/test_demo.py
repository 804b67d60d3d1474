import sys
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from suffice.config.load import load as load_settings
from suffice.errors import UpstreamError
from suffice.testing.demo import REPAIR_USD, configuration, run_policy, simulated_providers, start_process, write_checks
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Call, Error
from suffice.testing.simulated import load_profiles
from suffice.testing.tasks import load

TASKS = load()[:3]


def test_checks_are_folders_with_the_tests_and_without_the_answer(tmp_path: Path):
    checks = write_checks(TASKS, tmp_path)
    for task, place in checks.values():
        assert {p.name for p in place.iterdir()} == set(task.files)
        assert not (place / task.answer_path).exists()


def test_the_configuration_is_one_that_the_gateway_accepts(tmp_path: Path):
    urls = {"deepseek/deepseek-v4-flash": "http://127.0.0.1:9/v1", "llamacpp/tiny": "http://127.0.0.1:8/v1"}
    text = configuration(
        urls,
        write_checks(TASKS, tmp_path),
        tmp_path,
        "deepseek/deepseek-v4-flash",
        {"llamacpp/tiny": ("0.01", "0.02")},
        answer_s=900,
    )
    tomllib.loads(text)
    path = tmp_path / "suffice.toml"
    path.write_text(text)
    settings = load_settings(path, {}, tmp_path)
    assert len(settings.endpoints) == 2
    assert (settings.upstream.whole_answer_deadline_s, settings.upstream.total_deadline_s) == (900, 2700)
    assert set(settings.checks) == {t.id.replace("/", "-") for t in TASKS}
    assert all(c.strength == "decides" and c.answer_path for c in settings.checks.values())


async def test_one_provider_per_model():
    profiles = load_profiles()
    async with simulated_providers(profiles, TASKS, 1) as urls:
        assert set(urls) == set(profiles.models)
        assert len(set(urls.values())) == len(urls)


async def test_a_server_that_does_not_start_is_quoted():
    with pytest.raises(UpstreamError, match="it broke"):
        await start_process([sys.executable, "-c", "raise SystemExit('it broke')"], start_s=10)


async def test_what_a_failure_costs_is_told_by_a_header(tmp_path: Path):
    checks = write_checks(TASKS[:1], tmp_path)
    async with FakeProvider(lambda index, call: Behaviour(text="x = 1")) as provider:
        client = AsyncOpenAI(base_url=provider.base_url, api_key="none", max_retries=0)
        plain = await run_policy(client, "m", checks, 1, lambda: None)
        told = await run_policy(client, "m", checks, 1, lambda: None, Decimal("0.0001"))
        await client.close()
        said = [dict(request.headers).get(b"x-suffice-repair-usd") for request in provider.requests]
    assert said == [None, b"0.0001"]
    assert (plain.repair_usd, told.repair_usd) == (REPAIR_USD, Decimal("0.0001"))


async def test_a_request_that_fails_is_a_task_that_did_not_pass_and_the_others_go_on(tmp_path: Path):
    checks = write_checks(TASKS, tmp_path)

    def script(index: int, call: Call) -> Behaviour:
        if call.parsed is not None and call.parsed["messages"][0]["content"] == TASKS[0].prompt:
            return Behaviour(status=500, error=Error(message="the model broke"))
        return Behaviour(text="x = 1")

    async with FakeProvider(script) as provider:
        client = AsyncOpenAI(base_url=provider.base_url, api_key="none", max_retries=0)
        told = await run_policy(client, "m", checks, 2, lambda: None)
        await client.close()
        gone = AsyncOpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", max_retries=0)
        nobody = await run_policy(gone, "m", checks, 2, lambda: None)
        await gone.close()
    assert [bool(a.failed) for a in told.answers] == [True, False, False]
    assert "500" in told.failures[0].failed
    assert nobody.unpriced == len(TASKS)  # nobody said what it cost: unknown, not nothing
