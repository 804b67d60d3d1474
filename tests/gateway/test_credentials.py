"""Which credential an endpoint gets from its settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from suffice.catalog.load import load as load_catalog
from suffice.config.load import parse
from suffice.errors import ConfigError
from suffice.gateway import fleet
from suffice.upstream.authorization import SigV4, TokenHeader

CATALOG = load_catalog()
KEYS = 'access_key_id = "${ID}"\nsecret_access_key = "${SECRET}"\nsession_token = "${TOKEN}"\n'
ENV = {"KEY": "key-of-ours-1234", "ID": "AKIDEXAMPLE00000", "SECRET": "not-a-real-secret", "TOKEN": "not-a-real-token"}


def endpoint(provider: str, more: str) -> Any:
    toml = f'version = 1\n[endpoints.one]\nprovider = "{provider}"\nmodels = ["m"]\n{more}'
    return fleet.build(parse(toml, "t.toml", ENV, None), CATALOG, "2026-11-22").endpoints["one"]


@pytest.mark.parametrize(
    ("provider", "more", "kind", "header"),
    [
        ("bedrock", 'region = "us-east-1"\n' + KEYS, SigV4, None),
        ("bedrock", 'region = "us-east-1"\ncredential_command = ["aws", "x"]\n', SigV4, None),
        ("bedrock", 'region = "us-east-1"\napi_key = "${KEY}"\n', None, b"authorization"),
        ("google-vertex", 'region = "us-east1"\nproject = "p"\ncredential_command = ["x"]\n', TokenHeader, None),
        ("google-vertex", 'region = "us-east1"\nproject = "p"\napi_key = "${KEY}"\n', None, b"authorization"),
        ("azure-openai", 'resource = "r"\napi_key = "${KEY}"\n', None, b"api-key"),
        ("azure-openai", 'resource = "r"\ncredential_command = ["az"]\n', TokenHeader, None),
        ("openai", 'api_key = "${KEY}"\n', None, b"authorization"),
    ],
)
def test_the_way_follows_the_provider_and_the_settings(provider: str, more: str, kind: Any, header: bytes | None):
    found = endpoint(provider, more)
    assert type(found.authorizer) is (kind or type(None))
    assert [name for name, _ in found.auth] == ([header] if header else [])
    assert "not-a-real" not in repr(found)


@pytest.mark.parametrize(
    ("provider", "more", "says"),
    [
        ("bedrock", 'region = "us-east-1"\n', "wants a credential"),
        ("google-vertex", 'region = "us-east1"\nproject = "p"\n', "wants a credential"),
        ("bedrock", KEYS, "set region|{region}|for a region"),
        ("bedrock", 'region = "us-east-1"\napi_key = "${KEY}"\n' + KEYS, "more than one"),
        ("bedrock", 'region = "us-east-1"\naccess_key_id = "${ID}"\n', "belong together"),
        ("openai", KEYS, "takes no access key"),
        ("openai", 'api_key = "${KEY}"\ncredential_file = "x"\n', "more than one"),
        ("openai", 'credential_file = "/nonexistent/token"\n', "cannot read /nonexistent/token"),
        (
            "bedrock",
            'region = "us-east-1"\naccess_key_id = "short"\nsecret_access_key = "${SECRET}"\n',
            "access key id",
        ),
    ],
)
def test_what_cannot_work_is_told_before_the_first_request(provider: str, more: str, says: str):
    with pytest.raises(ConfigError, match=says) as caught:
        endpoint(provider, more)
    assert "'one'" in str(caught.value) and "not-a-real" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (json.dumps({"type": "service_account", "private_key": "not-a-real-key"}), "service_account"),
        (json.dumps({"type": "authorized_user", "client_id": "c"}), "refresh_token"),
    ],
)
def test_googles_files_that_cannot_be_used_say_what_to_do(tmp_path, content: str, says: str):
    path = tmp_path / "adc.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=says) as caught:
        endpoint("google-vertex", f'region = "us-east1"\nproject = "p"\ncredential_file = "{path}"\n')
    assert "not-a-real-key" not in str(caught.value)


@pytest.mark.parametrize("content", ["plain-token", '{"access_token":"t","expires_in":60}'])
def test_a_token_in_a_file_is_used(tmp_path, content: str):
    path = tmp_path / "token"
    path.write_text(content)
    found = endpoint("google-vertex", f'region = "us-east1"\nproject = "p"\ncredential_file = "{path}"\n')
    assert type(found.authorizer) is TokenHeader


def test_another_key_is_another_credential_to_the_health_table():
    one = endpoint("bedrock", 'region = "us-east-1"\n' + KEYS).authorizer.identity
    other = endpoint("bedrock", 'region = "us-east-1"\n' + KEYS.replace('session_token = "${TOKEN}"\n', "")).authorizer
    assert one != other.identity and "not-a-real" not in one
    assert endpoint("bedrock", 'region = "eu-west-1"\n' + KEYS).authorizer.identity == one


def test_a_server_of_the_operators_own_needs_none():
    found = endpoint("bedrock", 'base_url = "http://127.0.0.1:1"\nprivate = true\n')
    assert found.authorizer is None and found.auth == ()
