"""Reloads: a bad file never replaces a good one (negative test 103)."""

import pytest

from suffice.config.holder import SettingsHolder, differences
from suffice.config.load import load
from suffice.config.problem import Problem
from suffice.config.schema import ServerSettings, Settings
from suffice.errors import ConfigError

GOOD = 'version = 1\n[endpoints.a]\nprovider = "openai"\napi_key = "${KEY}"\n'
ENV = {"KEY": "sk-x"}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "suffice.toml"
    path.write_text(GOOD)
    return path


def holder_of(file, env_vars=ENV, checks=()):
    return SettingsHolder(load(file, env_vars), lambda: load(file, env_vars), checks)


BAD = {
    "broken": ("version = 1\n[server\n", 2),
    "unknown key": (GOOD + "modles = []\n", 5),
    "missing variable": (GOOD.replace("KEY", "NO_SUCH"), 4),
    "duplicate deployment": (GOOD + GOOD.replace("version = 1\n", "").replace(".a]", ".b]"), 5),
    "negative price": (GOOD + '[models."x/y".price]\noutput_usd_per_mtok = -0.1\ninput_usd_per_mtok = 1\n', 6),
    "too large": (GOOD + "#" * 10_000_000, 0),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_changes_nothing_and_names_its_line(file, name):
    holder = holder_of(file)
    before, calls = holder.current, []
    holder.subscribe(lambda old, new: calls.append(new))
    text, line = BAD[name]
    file.write_text(text)
    report = holder.reload()
    assert not report.ok and not report.swapped
    assert report.problems[0].line == line
    assert holder.current is before and calls == []


def test_a_missing_file_changes_nothing(file):
    holder = holder_of(file)
    before = holder.current
    file.unlink()
    assert not holder.reload().ok
    assert holder.current is before


def test_a_good_file_is_swapped_whole_and_told(file):
    holder = holder_of(file)
    before, calls = holder.current, []
    holder.subscribe(lambda old, new: calls.append((old, new)))
    file.write_text(GOOD + "[server]\nport = 4100\nmax_header_count = 50\n")
    report = holder.reload()
    assert report.ok and report.swapped
    assert report.changed == ("server.port", "server.max_header_count")
    assert report.needs_restart == ("server.port",)
    assert calls == [(before, holder.current)]
    assert holder.current.server.port == 4100


def test_the_same_file_is_no_change(file):
    holder = holder_of(file)
    before = holder.current
    file.write_text("# only a comment more\n" + GOOD)
    report = holder.reload()
    assert report.ok and not report.swapped and holder.current is before


def test_a_rotated_secret_is_a_change_that_shows_no_value(file):
    env_vars = dict(ENV)
    holder = holder_of(file, env_vars)
    env_vars["KEY"] = "sk-canary"
    report = holder.reload()
    assert report.changed == ("endpoints.a.api_key",)
    assert "canary" not in repr(report)


def test_checks_may_refuse(file):
    holder = holder_of(file, checks=[lambda s: [Problem(file="f", line=3, message="unknown provider")]])
    file.write_text(GOOD + "[server]\nport = 4100\n")
    assert not holder.reload().ok
    assert holder.current.server.port == 4000


def test_a_failing_subscriber_does_not_keep_the_others_in_the_dark(file):
    holder, calls = holder_of(file), []

    def fails(old, new):
        raise RuntimeError("a detail")

    holder.subscribe(fails)
    holder.subscribe(lambda old, new: calls.append(1))
    file.write_text(GOOD + "[server]\nport = 4100\n")
    report = holder.reload()
    assert report.swapped and not report.ok and calls == [1]
    assert report.failures[0].endswith("fails: RuntimeError")


@pytest.mark.parametrize("error", [ConfigError("no"), PermissionError("no")])
def test_reading_may_fail_in_other_ways(error):
    def read():
        raise error

    holder = SettingsHolder(Settings(), read)
    assert not holder.reload().ok


def test_differences():
    assert differences(Settings(), Settings(server=ServerSettings(port=1))) == ["server.port"]
    assert differences({"a": 1}, {"b": 1}) == ["a", "b"]
