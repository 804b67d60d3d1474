"""Golden settings of the clients that have a file of providers."""

import json
import tomllib

import pytest

from suffice.cli.clients.providers_in_files import CONFIGURED
from suffice.cli.clients.setting import Wiring

GW = "http://gw:9"
CLIENTS = {client.name: client for client in CONFIGURED}


def wired(name, dialect=None):
    client = CLIENTS[name]
    return client, Wiring(base=GW, key="k1", model="M", dialect=dialect or client.dialects[0])


def file_of(name, dialect=None):
    client, wiring = wired(name, dialect)
    return next(s for s in client.settings(wiring) if s.kind == "file")


@pytest.mark.parametrize(
    ("dialect", "package", "url"),
    [
        ("chat", "@ai-sdk/openai-compatible", f"{GW}/v1"),
        ("responses", "@ai-sdk/openai", f"{GW}/v1"),
        ("messages", "@ai-sdk/anthropic", f"{GW}/v1"),
        ("gemini", "@ai-sdk/google", f"{GW}/v1beta"),
    ],
)
def test_opencode_and_kilo(dialect, package, url):
    for name, key in (("opencode", "k1"), ("kilo", "k1")):
        data = json.loads(file_of(name, dialect).content)
        provider = data["provider"]["suffice"]
        assert provider["npm"] == package and provider["options"] == {"baseURL": url, "apiKey": key}
        assert data["model"] == "suffice/M"
        # Without a limit they would never compact.
        assert provider["models"] == {"M": {"name": "M", "limit": {"context": 200_000, "output": 32_000}}}


def test_the_key_of_opencode_and_kilo_stays_out_of_the_project():
    for name in ("opencode", "kilo"):
        client, wiring = wired(name)
        (setting,) = client.settings(wiring)
        assert setting.path == f"~/.config/{name}/{name}.json"
        # kilo takes no notice of a project's file that names a variable.
        assert "{env:" not in setting.content


@pytest.mark.parametrize(
    ("dialect", "api", "url"),
    [
        ("chat", "openai-completions", f"{GW}/v1"),
        ("responses", "openai-responses", f"{GW}/v1"),
        ("messages", "anthropic-messages", GW),
    ],
)
def test_pi(dialect, api, url):
    provider = json.loads(file_of("pi", dialect).content)["providers"]["suffice"]
    assert provider == {"baseUrl": url, "api": api, "apiKey": "k1", "models": [{"id": "M", "reasoning": True}]}
    client, wiring = wired("pi", dialect)
    assert client.launch(wiring).arguments == ("--provider", "suffice", "--model", "M")


def test_continue():
    lines = file_of("continue").content.splitlines()
    assert lines[:4] == ["name: Suffice", "version: 1.0.0", "schema: v1", "models:"]
    for line in ("provider: openai", 'model: "M"', f'apiBase: "{GW}/v1"', 'apiKey: "k1"', "capabilities: [tool_use]"):
        assert "    " + line in lines


def test_vibe():
    data = tomllib.loads(file_of("vibe").content)
    assert data["providers"] == [
        {
            "name": "suffice",
            "api_base": f"{GW}/v1",
            "api_key_env_var": "SUFFICE_KEY",
            "api_style": "openai",
            "backend": "generic",
        }
    ]
    assert data["models"] == [{"name": "M", "provider": "suffice", "alias": "suffice"}]
    assert data["active_model"] == "suffice"


def test_llm():
    client, wiring = wired("llm")
    file, *commands = client.settings(wiring)
    assert file.path.endswith("extra-openai-models.yaml") and f'api_base: "{GW}/v1"' in file.content
    assert [c.content for c in commands] == [
        "llm keys set suffice --value k1",
        "llm models default suffice-M",
    ]
    assert json.loads(client.launch(wiring).files["keys.json"]) == {"suffice": "k1"}


@pytest.mark.parametrize("name", list(CLIENTS))
def test_a_launch_points_to_every_file_that_it_makes(name):
    client, wiring = wired(name)
    launch = client.launch(wiring)
    places = [*launch.env.values(), *launch.arguments]
    assert launch.files
    assert any("{folder}" in place for place in places)
    for made in launch.files:
        assert "{folder}" in places or f"{{folder}}/{made}" in places
