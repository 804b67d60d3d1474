"""Rules that open or close something; the plain ones are in test_load.py with their lines."""

import pytest

from suffice.config.rules import check, is_loopback, is_private
from suffice.config.schema import ServerSettings, Settings
from suffice.config.secret import Secret
from suffice.config.sections import EndpointSettings

GOOD = "3f9a1c77e5b2460d8e"


def messages(**fields):
    return [p.message for p in check(Settings(**fields))]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "gateway.example.com", "169.254.1.1"])
@pytest.mark.parametrize("secret", [None, "", "changeme", "PASSWORD", "aaaaaaaaaaaaaaaaaaaaaaaa", "short", "suffice"])
def test_control_plane_is_never_open_to_others_without_a_real_secret(host, secret):
    server = ServerSettings(control_host=host, control_secret=None if secret is None else Secret(secret))
    assert len(messages(server=server)) == 1


def test_control_plane_with_a_secret_or_on_loopback():
    assert messages(server=ServerSettings(control_host="0.0.0.0", control_secret=Secret(GOOD))) == []
    for host in ("127.0.0.1", "localhost", "::1", "127.8.9.1"):
        assert messages(server=ServerSettings(control_host=host)) == []


def test_hosts():
    assert is_loopback("[::1]") and not is_loopback("example.com") and not is_loopback("127.0.0.1.example.com")
    assert (
        is_private("192.168.1.1")
        and is_private("fd00::1")
        and is_private("169.254.169.254")
        and is_private("localhost")
    )
    assert not is_private("8.8.8.8") and not is_private("example.com")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"base_url": "file:///etc/passwd"}, "no http"),
        ({"base_url": "https://u:p@example.com"}, "user or password"),
        ({"base_url": "https://example.com/v1?x=1"}, "query"),
        ({"base_url": "https://example.com:99999"}, "no http"),
        ({"base_url": "http://127.0.0.1:8000/v1"}, "private network"),
        ({"proxy": "socks5://x"}, "no http://"),
        ({"proxy": "http://u:p@x:3128"}, "user or password"),
        ({"proxy_auth": Secret("u:p")}, "no proxy"),
    ],
)
def test_endpoint_addresses(fields, message):
    found = messages(endpoints={"a": EndpointSettings(provider="openai", **fields)})
    assert len(found) == 1 and message in found[0] and "u:p" not in found[0]


def test_private_endpoint_and_keyed_twins_are_fine():
    local = EndpointSettings(provider="ollama", base_url="http://127.0.0.1:11434/v1", private=True)
    one = EndpointSettings(provider="openai", api_key=Secret("a"))
    two = EndpointSettings(provider="openai", api_key=Secret("b"))
    assert messages(endpoints={"l": local, "one": one, "two": two}) == []


def test_other_rules():
    assert "no address" in messages(server=ServerSettings(host="a b"))[0]
    assert "twice" in messages(aliases={"a": ("x/y", "x/y")})[0]
