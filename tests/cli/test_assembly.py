from pathlib import Path

import pytest

from suffice.cli.assembly import Runtime
from suffice.config.load import parse
from suffice.decision.core import cell_of
from suffice.errors import AuthError, ConfigError, ForbiddenError
from suffice.ledger.keys import Grant
from suffice.values.system_env import SystemEnv
from suffice.values.task import TaskType

TEXT = """version = 1
[storage]
path = "data"
[routing]
reference_model = "openai/gpt-5.5"
[endpoints.one]
provider = "openai"
base_url = "http://127.0.0.1:9/v1"
private = true
models = ["gpt-5.5"]
[budgets.all]
limit_usd = 5
[teams.core]
budgets = ["all"]
models = ["openai/*"]
"""


def runtime(folder: Path, text: str = TEXT) -> Runtime:
    settings = parse(text, str(folder / "suffice.toml"), {}, folder)
    return Runtime(settings, SystemEnv(), {}, folder, None)


async def test_without_keys_web_pages_are_refused_and_with_keys_strangers(tmp_path: Path):
    made = runtime(tmp_path)
    await made.start()
    try:
        assert made.authenticate({}, "127.0.0.1").tenant == "local"
        with pytest.raises(ForbiddenError):
            made.authenticate({"origin": "http://evil"}, "127.0.0.1")
        text, record = made.keys.create(Grant(owner="ada", team="core"))
        principal = made.authenticate({"authorization": f"Bearer {text}"}, "127.0.0.1")
        assert (principal.key_id, principal.owner, principal.tenant) == (record.id, "ada", "core")
        assert principal.budgets == ("all",)
        assert principal.allows("openai/gpt-5.5")
        with pytest.raises(AuthError):
            made.authenticate({}, "127.0.0.1")
    finally:
        await made.stop()


async def test_what_was_learned_survives_a_restart_and_damage_is_set_aside(tmp_path: Path):
    first = runtime(tmp_path)
    await first.start()
    cell = cell_of(TaskType.BUG_FIX, "python")
    first.core.learn(label_id="1", model="openai/gpt-5.5", cell=cell, success=True, reliability=1.0, at_s=1.0)
    version = first.core.version
    await first.stop()
    second = runtime(tmp_path)
    assert second.core.version == version
    beliefs = tmp_path / "data" / "beliefs.bin"
    beliefs.write_bytes(b"damaged")
    third = runtime(tmp_path)
    assert third.core.version < version
    assert (tmp_path / "data" / "beliefs.bin.unusable").read_bytes() == b"damaged"


async def test_a_bad_configuration_is_never_adopted(tmp_path: Path):
    made = runtime(tmp_path)
    await made.start()
    try:
        before = made.state
        worse = parse(TEXT.replace('"openai/gpt-5.5"', '"nobody/knows-this"'), "suffice.toml", {}, tmp_path)
        with pytest.raises(ConfigError, match="no price table"):
            await made.adopt(worse)
        assert made.state is before
        await made.adopt(parse(TEXT.replace("limit_usd = 5", "limit_usd = 7"), "suffice.toml", {}, tmp_path))
        assert made.state is not before
    finally:
        await made.stop()
