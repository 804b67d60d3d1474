import argparse

import pytest

from suffice.cli.client_target import client_named, target_options, wiring
from suffice.cli.command import Io, UsageError
from suffice.cli.terminal import Terminal
from suffice.values.system_env import SystemEnv


@pytest.fixture
def wire(tmp_path, capsys):
    def call(name, *words, **env_vars):
        parser = argparse.ArgumentParser()
        parser.add_argument("--config")
        target_options(parser)
        out = Terminal(None, None, {})
        io = Io(out=out, env_vars={"HOME": str(tmp_path), **env_vars}, env=SystemEnv(), working=tmp_path)
        return wiring(client_named(name), parser.parse_args(words), io)

    return call


def test_everything_has_a_default(wire):
    wired = wire("codex")
    assert (wired.base, wired.key, wired.model, wired.dialect) == (
        "http://127.0.0.1:4000",
        "suffice",
        "auto",
        "responses",
    )


def test_the_configuration_tells_the_address(wire, tmp_path):
    (tmp_path / "suffice.toml").write_text('version = 1\n[server]\nhost = "0.0.0.0"\nport = 4123\n')
    assert wire("pi").base == "http://127.0.0.1:4123"
    assert wire("pi", SUFFICE_PORT="4777").base == "http://127.0.0.1:4777"
    assert wire("pi", "--url", "http://gw:1").base == "http://gw:1"


def test_the_key_comes_from_the_option_then_the_environment(wire):
    assert wire("pi", SUFFICE_KEY="sk-env").key == "sk-env"
    assert wire("pi", "--key", "sk-option", SUFFICE_KEY="sk-env").key == "sk-option"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://gw:9/", "http://gw:9"),
        ("https://gw.example/v1", "https://gw.example"),
        ("http://gw/team/v1/", "http://gw/team"),
        ("http://[::1]:4000", "http://[::1]:4000"),
    ],
)
def test_a_url_is_taken_without_its_end(wire, given, expected):
    assert wire("pi", "--url", given).base == expected


@pytest.mark.parametrize(
    "words",
    [
        ("--url", "gw:4000"),
        ("--url", "ftp://gw"),
        ("--url", "http://user:secret@gw"),
        ("--url", "http://gw/?a=1"),
        ("--url", "http://gw:port"),
        ("--url", "http://gw/'; rm"),
        ("--url", "http://[::1"),
        ("--key", "two words"),
        ("--key", "line\nbreak"),
        ("--model", ""),
        ("--model", "a\x1b[2J"),
        ("--dialect", "infill"),
    ],
)
def test_what_cannot_be_meant_is_refused(wire, words):
    with pytest.raises(UsageError, match=words[0]):
        wire("pi", *words)


def test_a_dialect_can_be_chosen(wire):
    assert wire("opencode", "--dialect", "gemini").dialect == "gemini"


def test_an_unknown_client_is_told_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'opencode'"):
        client_named("opncode")
