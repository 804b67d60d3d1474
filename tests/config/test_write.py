import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.config.load import parse
from suffice.config.schema import PrivacySettings, RepairSettings, RoutingSettings, ServerSettings, Settings
from suffice.config.secret import Secret
from suffice.config.sections import (
    BudgetSettings,
    CheckSettings,
    EndpointSettings,
    ModelSettings,
    PriceSettings,
    TeamSettings,
)
from suffice.config.write import render, write
from suffice.errors import ConfigError

ENV = {"K": "sk-canary-0123456789"}
text = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12)
dollars = st.decimals(0, 1000, places=6)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)
models = st.from_regex(r"[a-z]{1,5}/[A-Za-z0-9:.-]{1,9}", fullmatch=True)
prices = st.builds(
    PriceSettings,
    input_usd_per_mtok=dollars,
    output_usd_per_mtok=dollars,
    cache_read_usd_per_mtok=st.none() | dollars,
    nominal=st.just(True),
)
endpoints = st.builds(
    EndpointSettings,
    provider=st.sampled_from(["openai", "vllm"]),
    api_key=st.none() | st.just(Secret(ENV["K"], "env:K")),
    headers=st.dictionaries(
        st.from_regex(r"[A-Za-z]{1,5}-x", fullmatch=True), st.just(Secret(ENV["K"], "env:K")), max_size=2
    ),
    models=st.lists(text, max_size=3).map(tuple),
    prices=st.dictionaries(text, prices, max_size=2),
    attributes=st.dictionaries(text, text, max_size=2),
)
every = st.builds(
    Settings,
    server=st.builds(ServerSettings, port=st.integers(5000, 6000), idle_deadline_s=st.floats(0.001, 3600)),
    endpoints=st.dictionaries(names, endpoints, max_size=1),
    models=st.dictionaries(
        models,
        st.builds(ModelSettings, price=st.none() | prices, capabilities=st.none() | st.just(("tools",))),
        max_size=2,
    ),
    aliases=st.dictionaries(names, st.lists(models, min_size=1, max_size=2, unique=True).map(tuple), max_size=2),
    routing=st.builds(RoutingSettings, repair_usd=st.builds(RepairSettings, default=dollars, plan=st.none() | dollars)),
    budgets=st.dictionaries(names, st.builds(BudgetSettings, limit_usd=dollars.filter(bool)), max_size=2),
    teams=st.dictionaries(names, st.builds(TeamSettings, models=st.lists(text, max_size=2).map(tuple)), max_size=2),
    checks=st.dictionaries(
        names, st.builds(CheckSettings, command=st.lists(text, min_size=1, max_size=3).map(tuple)), max_size=2
    ),
    privacy=st.builds(PrivacySettings, max_retention_days=st.none() | st.integers(0, 9)),
)


@given(every, st.booleans())
def test_what_is_written_loads_to_the_same(settings, defaults):
    written = render(settings, defaults=defaults)
    assert ENV["K"] not in written
    loaded = parse(written, "f", ENV, Path("/"))
    assert loaded == settings
    assert loaded.origin.warnings == ()


def test_each_commented_line_is_a_valid_setting():
    lines = render(Settings(), defaults=True).splitlines()
    suggested = [
        line.removeprefix("# ") if line.startswith("# ") and " = " in line[:30] else line for line in lines[3:]
    ]
    assert len([line for line in suggested if " = " in line]) > 30
    loaded = parse("\n".join(suggested), "f", {"SUFFICE_CONTROL_SECRET": "0123456789abcdefghij"}, Path("/"))
    assert loaded.privacy.max_retention_days == 30


def test_a_plain_text_secret_is_masked_or_refused():
    settings = Settings(endpoints={"a": EndpointSettings(provider="openai", api_key=Secret("canary"))})
    assert 'api_key = "***"' in render(settings, mask=True)
    with pytest.raises(ConfigError) as caught:
        render(settings)
    assert "canary" not in str(caught.value)


def test_numbers_are_exact():
    shown = render(Settings(budgets={"b": BudgetSettings(limit_usd=Decimal("1E+2"))}))
    assert "limit_usd = 100\n" in shown


def test_write_is_whole_private_and_careful(tmp_path):
    path = tmp_path / "new" / "suffice.toml"
    write(path, "one")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ConfigError, match="left as it is"):
        write(path, "two")
    assert path.read_text() == "one"
    write(path, "two", force=True)
    assert path.read_text() == "two"
    assert os.listdir(path.parent) == ["suffice.toml"]
    with pytest.raises(ConfigError, match="cannot write"):
        write(path / "below-a-file" / "x", "three")
