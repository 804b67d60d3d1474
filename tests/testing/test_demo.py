import sys
import tomllib
from pathlib import Path

import pytest

from suffice.config.load import load as load_settings
from suffice.errors import UpstreamError
from suffice.testing.demo import configuration, simulated_providers, start_process, write_checks
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
        urls, write_checks(TASKS, tmp_path), tmp_path, "deepseek/deepseek-v4-flash", {"llamacpp/tiny": ("0.01", "0.02")}
    )
    tomllib.loads(text)
    path = tmp_path / "suffice.toml"
    path.write_text(text)
    settings = load_settings(path, {}, tmp_path)
    assert len(settings.endpoints) == 2
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
